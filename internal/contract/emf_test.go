// Package contract holds the names and signatures that users' code is compiled against: if one
// of them changes, this package does not compile.
package contract

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
)

// is has the compiler check that x is a T.
func is[T any](T) {}

func TestEmf(*testing.T) {
	is[string](string(emf.Unit("")))
	is[int](int(emf.Resolution(0)))
	is[[]emf.MetricOption]([]emf.MetricOption{emf.None, emf.StandardResolution, emf.HighResolution})
	is[[27]emf.Unit]([...]emf.Unit{
		emf.None, emf.Count, emf.Percent,
		emf.Seconds, emf.Milliseconds, emf.Microseconds,
		emf.Bytes, emf.Kilobytes, emf.Megabytes, emf.Gigabytes, emf.Terabytes,
		emf.Bits, emf.Kilobits, emf.Megabits, emf.Gigabits, emf.Terabits,
		emf.BytesPerSecond, emf.KilobytesPerSecond, emf.MegabytesPerSecond, emf.GigabytesPerSecond, emf.TerabytesPerSecond,
		emf.BitsPerSecond, emf.KilobitsPerSecond, emf.MegabitsPerSecond, emf.GigabitsPerSecond, emf.TerabitsPerSecond,
		emf.CountPerSecond,
	})
	is[struct{ Name, Value string }](emf.Dimension{})
	is[func(name, value string) emf.Dimension](emf.Dim)

	is[func(namespace string, opts ...emf.Option) (*emf.Emitter, error)](emf.New)
	is[func(e *emf.Emitter, err error) *emf.Emitter](emf.Must)
	is[func(emf.Sink) emf.Option](emf.WithSink)
	is[func(...emf.Dimension) emf.Option](emf.WithDimensions)
	is[func(map[string]any) emf.Option](emf.WithProperties)
	is[func(...[]string) emf.Option](emf.WithRollups)
	is[func(string) emf.Option](emf.WithTenantDimension)
	is[func(int) emf.Option](emf.WithMaxRecorders)
	is[func(time.Duration) emf.Option](emf.WithFlushInterval)
	is[func(int) emf.Option](emf.WithMaxDocumentSize)
	is[func(int) emf.Option](emf.WithMaxPending)
	is[func(string) emf.Option](emf.WithLogGroup)
	is[func(func() time.Time) emf.Option](emf.WithClock)
	is[func(*slog.Logger) emf.Option](emf.WithLogger)
	is[func(name string, n int) emf.Option](emf.WithDimensionBudget)

	is[*emf.Recorder](emf.Emitter{}.Recorder)
	is[func(*emf.Emitter, ...emf.Dimension) *emf.Event]((*emf.Emitter).Begin)
	is[func(*emf.Emitter, context.Context) error]((*emf.Emitter).Flush)
	is[func(*emf.Emitter, context.Context) error]((*emf.Emitter).Close)
	is[func(*emf.Emitter) emf.Stats]((*emf.Emitter).Stats)

	is[func(*emf.Recorder, ...emf.Dimension) *emf.Recorder]((*emf.Recorder).With)
	is[func(*emf.Recorder, string) *emf.Recorder]((*emf.Recorder).WithTenant)
	is[func(*emf.Recorder, string, ...emf.MetricOption) *emf.Counter]((*emf.Recorder).Counter)
	is[func(*emf.Recorder, string, ...emf.MetricOption) *emf.Gauge]((*emf.Recorder).Gauge)
	is[func(*emf.Recorder, string, ...emf.MetricOption) *emf.Histogram]((*emf.Recorder).Histogram)
	is[func(*emf.Recorder, string, func() float64, ...emf.MetricOption)]((*emf.Recorder).GaugeFunc)

	is[interface {
		Inc()
		Add(v float64)
	}]((*emf.Counter)(nil))
	is[interface {
		Set(v float64)
		Inc()
		Dec()
		Add(v float64)
	}]((*emf.Gauge)(nil))
	is[interface {
		Observe(v float64)
		Start() (stop func())
	}]((*emf.Histogram)(nil))

	is[*emf.Recorder](emf.Event{}.Recorder)
	is[interface {
		SetProperty(key string, value any)
		SetTimestamp(t time.Time)
		Flush(ctx context.Context) error
		End(ctx context.Context) error
	}]((*emf.Event)(nil))

	is[func(context.Context, *emf.Event) context.Context](emf.NewContext)
	is[func(context.Context, *emf.Recorder) context.Context](emf.ContextWithRecorder)
	is[func(context.Context) *emf.Recorder](emf.FromContext)
	is[func(context.Context, string, any)](emf.SetProperty)

	is[struct {
		Time   time.Time
		JSON   []byte
		Values int
	}](emf.Document{})
	is[interface {
		Write(ctx context.Context, docs []emf.Document) error
	}](emf.Sink(nil))
	is[func(ctx context.Context, docs []emf.Document) error](emf.SinkFunc(nil))
	is[emf.Sink](emf.SinkFunc(nil))
	is[struct {
		Retry, Reject []int
		Err           error
	}](emf.UndeliveredError{})
	is[error](emf.UndeliveredError{})

	var s emf.Stats
	is[[5]uint64]([...]uint64{s.Recorded, s.Delivered, s.Dropped, s.Pending, s.Late})
	is[map[string]uint64](s.Drops)
	is[[4]uint64]([...]uint64{s.Documents, s.Bytes, s.Flushes, s.Errors})
	is[[2]int]([...]int{s.Recorders, s.Folded})
	is[error](s.LastError)
	is[time.Time](s.LastFlush)

	is[struct {
		Namespace, Name string
		Dimensions      []emf.Dimension
		Unit            emf.Unit
		Resolution      emf.Resolution
		Time            time.Time
		Values, Counts  []float64
		Stats           *emf.StatisticSet
	}](emf.Metric{})
	is[func(doc []byte) ([]emf.Metric, error)](emf.Extract)
	is[func(doc []byte) []emf.Problem](emf.Check)
	var p emf.Problem
	is[[3]string]([...]string{p.Rule, p.Path, p.Message})
}

func TestEmftest(*testing.T) {
	is[func(t testing.TB, opts ...emf.Option) (*emf.Emitter, *emftest.Capture)](emftest.New)
	is[func(t testing.TB, path string, c *emftest.Capture)](emftest.Golden)
	is[interface {
		Documents() [][]byte
		Metrics() []emf.Metric
		Sum(name string, dims ...emf.Dimension) float64
		Count(name string, dims ...emf.Dimension) float64
		Min(name string, dims ...emf.Dimension) float64
		Max(name string, dims ...emf.Dimension) float64
		Quantile(q float64, name string, dims ...emf.Dimension) float64
		Property(key string) []any
	}]((*emftest.Capture)(nil))
}
