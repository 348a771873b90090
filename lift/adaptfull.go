package lift

import (
	"time"

	"github.com/liftemf/liftemf/emf"
)

// Entry is a framework's own [MetricEntry]: a struct with the same fields and JSON names in
// the same order.
type Entry interface {
	~struct {
		Name      string            `json:"name"`
		Value     float64           `json:"value"`
		Unit      string            `json:"unit"`
		Timestamp time.Time         `json:"timestamp"`
		Tags      map[string]string `json:"tags,omitempty"`
		Fields    map[string]any    `json:"fields,omitempty"`
	}
}

// Statistics is a framework's own [MetricsStats]: a struct with the same fields and JSON names
// in the same order.
type Statistics interface {
	~struct {
		MetricsRecorded int64     `json:"metrics_recorded"`
		MetricsDropped  int64     `json:"metrics_dropped"`
		LastFlush       time.Time `json:"last_flush"`
		ErrorCount      int64     `json:"error_count"`
		LastError       string    `json:"last_error,omitempty"`
	}
}

// Full is a [Collector] as a framework's own [ObservabilityCollector] M, with the framework's
// structs E and S and its metrics C, H and G. It is safe for concurrent use.
type Full[M any, E Entry, S Statistics, C, H, G any] struct {
	Adapter[C, H, G]
	toCollector func(*Full[M, E, S, C, H, G]) M
}

// AdaptFull makes c the collector of a framework whose interface for it has the methods of
// [ObservabilityCollector] on types of its own, as Lift's pkg/observability has. All types
// follow from one alias:
//
//	type metrics = emflift.Full[observability.MetricsCollector, observability.MetricEntry,
//		observability.MetricsStats, lift.Counter, lift.Histogram, lift.Gauge]
//
//	m := emflift.AdaptFull(c,
//		func(c *emf.Counter) lift.Counter { return c },
//		func(h *emf.Histogram) lift.Histogram { return h },
//		func(g *emf.Gauge) lift.Gauge { return g },
//		func(m *metrics) observability.MetricsCollector { return m })
//
// See [Adapt] for the functions. Where the framework's interfaces or structs are others, the
// program does not compile.
func AdaptFull[M any, E Entry, S Statistics, C, H, G any](
	c *Collector,
	toCounter func(*emf.Counter) C,
	toHistogram func(*emf.Histogram) H,
	toGauge func(*emf.Gauge) G,
	toCollector func(*Full[M, E, S, C, H, G]) M,
) *Full[M, E, S, C, H, G] {
	if toCollector == nil {
		panic("lift: AdaptFull needs a function for the collector")
	}
	return &Full[M, E, S, C, H, G]{*Adapt(c, toCounter, toHistogram, toGauge), toCollector}
}

func (f *Full[M, E, S, C, H, G]) on(c *Collector) M {
	return f.toCollector(&Full[M, E, S, C, H, G]{Adapter[C, H, G]{c, f.handles}, f.toCollector})
}

// WithTags is [Collector.WithTags].
func (f *Full[M, E, S, C, H, G]) WithTags(tags map[string]string) M {
	return f.on(f.collector.WithDimensions(tags))
}

// WithTag is [Collector.WithTag].
func (f *Full[M, E, S, C, H, G]) WithTag(key, value string) M {
	return f.WithTags(map[string]string{key: value})
}

// WithTenant is [Collector.WithTenant].
func (f *Full[M, E, S, C, H, G]) WithTenant(id string) M {
	return f.on(f.collector.WithTenant(id))
}

// RecordLatency is [Collector.RecordLatency].
func (f *Full[M, E, S, C, H, G]) RecordLatency(operation string, duration time.Duration) {
	f.collector.RecordLatency(operation, duration)
}

// RecordError is [Collector.RecordError].
func (f *Full[M, E, S, C, H, G]) RecordError(operation string) { f.collector.RecordError(operation) }

// RecordSuccess is [Collector.RecordSuccess].
func (f *Full[M, E, S, C, H, G]) RecordSuccess(operation string) {
	f.collector.RecordSuccess(operation)
}

// RecordBatch is [Collector.RecordBatch].
func (f *Full[M, E, S, C, H, G]) RecordBatch(entries []*E) error {
	converted := make([]*MetricEntry, len(entries))
	for i, e := range entries {
		if e != nil {
			entry := MetricEntry(*e)
			converted[i] = &entry
		}
	}
	return f.collector.RecordBatch(converted)
}

// Close is [Collector.Close].
func (f *Full[M, E, S, C, H, G]) Close() error { return f.collector.Close() }

// GetStats is [Collector.GetStats].
func (f *Full[M, E, S, C, H, G]) GetStats() S { return S(f.collector.GetStats()) }
