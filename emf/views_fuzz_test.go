package emf_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// model is what views should say, if nothing is folded.
type model struct {
	rollups bool
	views   map[string]view
	total   map[string]view    // by name
	gauges  map[string]float64 // touched since the last flush, by combination
	values  uint64             // delivered in the end, each once a set
}

// under returns the views of a metric.
func (m *model) under(name, a, b string) []string {
	all := []string{fmt.Sprint(name, " a=", a, " b=", b)}
	if m.rollups {
		all = append(all, name, fmt.Sprint(name, " a=", a))
	}
	return all
}

func (m *model) add(name, a, b string, v float64) {
	for _, key := range m.under(name, a, b) {
		old := m.views[key]
		m.views[key] = view{sum: old.sum + v, count: old.count + 1}
		m.values++
	}
	m.total[name] = view{sum: m.total[name].sum + v, count: m.total[name].count + 1}
}

func (m *model) set(a, b string, v float64) { m.gauges[a+","+b] = v }

// flush publishes the last value of each gauge.
func (m *model) flush() {
	for key, v := range m.gauges {
		a, b, _ := strings.Cut(key, ",")
		m.add("g", a, b, v)
	}
	clear(m.gauges)
}

// FuzzViews plays random recordings, events, flushes, pauses in which recorders are let go,
// and failures of the sink, under rollups, budgets and the guard. The sums and counts of every
// view must be those of the model; where values may be folded, those of all views together.
func FuzzViews(f *testing.F) {
	f.Add([]byte("recording, and flushing, and so on"), uint8(3))
	f.Add([]byte{1, 2, 3, 255, 255, 255, 255, 255, 255, 255, 7, 1, 2, 3}, uint8(0))
	f.Add([]byte{1, 9, 17, 25, 33, 41, 49, 57, 65, 73, 254, 50, 2, 10, 18, 26, 34, 42, 57, 41, 57, 3, 11}, uint8(31+32))
	f.Add([]byte{1, 9, 17, 25, 33, 41, 49, 57, 65, 73, 254, 50, 2, 10, 18, 26, 34, 42, 57, 41, 57, 3, 11}, uint8(2+32+64+128))
	f.Fuzz(func(t *testing.T, script []byte, setting uint8) {
		if len(script) > 2000 {
			return
		}
		exact := setting%32 == 31 && setting&64 == 0 // nothing is folded
		opts := []emf.Option{emf.WithMaxRecorders(1 + int(setting%32))}
		if exact {
			opts = []emf.Option{emf.WithMaxRecorders(1000)}
		}
		m := &model{rollups: setting&32 != 0, views: map[string]view{}, total: map[string]view{}, gauges: map[string]float64{}}
		if m.rollups {
			opts = append(opts, emf.WithRollups(nil, []string{"a"}, []string{"b", "a"}))
		}
		if setting&64 != 0 {
			opts = append(opts, emf.WithDimensionBudget("a", 2))
		}
		if setting&128 != 0 {
			opts = append(opts, emf.WithPlainArrays(), emf.WithMaxDocumentSize(1024))
		}
		fail := false
		c := new(capture)
		e, err := emf.New("test", append(opts, emf.WithFlushInterval(0), emf.WithLogger(slog.New(slog.DiscardHandler)),
			emf.WithClock(func() time.Time { return start }),
			emf.WithSink(emf.SinkFunc(func(ctx context.Context, docs []emf.Document) error {
				if fail {
					fail = false
					return errors.New("sink down")
				}
				return c.Write(ctx, docs)
			})))...)
		require.NoError(t, err)
		flush := func() {
			_ = e.Flush(t.Context()) // what the sink did not take the next one offers again
			m.flush()
		}
		type handle struct {
			counter   *emf.Counter
			gauge     *emf.Gauge
			histogram *emf.Histogram
		}
		handles := map[string]handle{}
		for i, op := range script {
			a, b := fmt.Sprint(op%7), fmt.Sprint(op%3)
			r := e.With(emf.Dim("a", a), emf.Dim("b", b))
			v := float64(i % 100)
			switch op / 8 % 8 {
			case 0:
				r.Counter("n").Add(v + float64(op&1)/2)
				m.add("n", a, b, v+float64(op&1)/2)
			case 1:
				r.Gauge("g").Set(v)
				m.set(a, b, v)
			case 2:
				for j := range 1 + 130*int(op&1) {
					r.Histogram("h").Observe(v * float64(j))
					m.add("h", a, b, v*float64(j))
				}
			case 3:
				ev := e.Begin(emf.Dim("b", b), emf.Dim("a", a))
				n, h := ev.Counter("n"), ev.Histogram("h")
				n.Add(v)
				if op&1 != 0 {
					_ = ev.Flush(t.Context())
				}
				h.Observe(v)
				_ = ev.End(t.Context())
				h.Observe(v) // late
				n.Add(v)
				for range 2 {
					m.add("n", a, b, v)
					m.add("h", a, b, v)
				}
			case 4:
				handles[a+b] = handle{r.Counter("n"), r.Gauge("g"), r.Histogram("h")}
			case 5:
				if kept, ok := handles[a+b]; ok {
					kept.counter.Inc()
					kept.gauge.Set(v)
					kept.histogram.Observe(-v)
					m.add("n", a, b, 1)
					m.set(a, b, v)
					m.add("h", a, b, -v)
				}
			case 6:
				fail = op&1 != 0
				flush()
			default:
				for range 7 { // recorders go to sleep
					flush()
				}
				if op == 255 {
					runtime.GC() // and those that nobody holds go
				}
			}
		}
		flush()
		flush()
		got := views(t, c.take())
		for _, name := range []string{"n", "h", "g"} {
			if name == "g" && !exact {
				continue // one of the others has all values that were set
			}
			var byA, byAB view
			for key, v := range got {
				if !strings.HasPrefix(key, name+" ") {
					continue
				}
				sum := &byA
				if strings.Contains(key, " b=") {
					sum = &byAB
				}
				sum.sum += v.sum
				sum.count += v.count
			}
			same := func(want, got view) {
				require.InDelta(t, want.sum, got.sum, 1e-9*(1+math.Abs(want.sum)*100))
				if name != "n" {
					require.Equal(t, want.count, got.count)
				}
			}
			same(m.total[name], byAB)
			if m.rollups {
				same(m.total[name], byA)
				same(m.total[name], got[name])
			}
			if !exact {
				continue
			}
			for key, want := range m.views {
				if key == name || strings.HasPrefix(key, name+" ") {
					same(want, got[key])
				}
			}
		}
		s := requireLaw(t, e)
		if exact {
			require.Equal(t, m.values, s.Delivered)
			require.Len(t, got, len(m.views))
		}
		require.Zero(t, s.Pending)
		require.Zero(t, s.Dropped)
		require.NoError(t, e.Close(context.Background()))
		requireLaw(t, e)
	})
}
