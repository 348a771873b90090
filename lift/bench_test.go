package lift_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/lift"
)

// newDiscarding returns a collector for measuring: with two dimensions of its own, as
// services have, and no output.
func newDiscarding(tb testing.TB, opts ...lift.Option) *lift.Collector {
	discard := emf.SinkFunc(func(context.Context, []emf.Document) error { return nil })
	e := emf.Must(emf.New("bench", emf.WithSink(discard), emf.WithFlushInterval(0),
		emf.WithDimensions(emf.Dim("Service", "api"), emf.Dim("Stage", "prod")),
		emf.WithLogger(slog.New(slog.DiscardHandler))))
	m := lift.NewCollector(e, opts...)
	tb.Cleanup(func() { _ = m.Close() })
	return m
}

// behindInterface hides the type of a collector from the compiler, as a framework does:
// otherwise it calls the methods directly and saves the allocation.
//
//go:noinline
func behindInterface(m lift.MetricsCollector) lift.MetricsCollector { return m }

// What Lift's middlewares do for every value: ask the interface for the counter of a map
// of tags, and add one. No handle is kept.
func BenchmarkLookUpAndInc(b *testing.B) {
	for name, at := range map[string]map[string]string{
		"2tags":     {"method": "GET", "status": "200"},
		"tenant_id": {"method": "GET", "tenant_id": "t1"},
		"4tags":     {"method": "GET", "path": "/orders", "status": "200", "tenant_id": "t1"},
		"nilMap":    nil,
		"emptyMap":  {},
	} {
		b.Run(name, func(b *testing.B) {
			m := behindInterface(newDiscarding(b))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					m.Counter("requests.total", at).Inc()
				}
			})
		})
	}
}

func BenchmarkLookUpAndObserve(b *testing.B) {
	m := behindInterface(newDiscarding(b))
	at := map[string]string{"method": "GET", "status": "200"}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Histogram("requests.duration", at).Observe(12)
		}
	})
}

func BenchmarkHandleInc(b *testing.B) {
	c := behindInterface(newDiscarding(b)).Counter("requests.total", map[string]string{"method": "GET"})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Inc()
		}
	})
}

func BenchmarkWithTenantRecordCount(b *testing.B) {
	m := newDiscarding(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.WithTenant("tenant-1").RecordCount("orders", 1)
		}
	})
}

func BenchmarkRecordLatency(b *testing.B) {
	m := newDiscarding(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.RecordLatency("checkout", 1500*time.Microsecond)
		}
	})
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	own := newDiscarding(t, lift.WithDeltaGauges("open"))
	var m lift.ObservabilityCollector = own
	at := map[string]string{"method": "GET", "status": "200"}
	aliased := map[string]string{"method": "GET", "path": "/", "status": "200", "tenant_id": "t1"}
	both := map[string]string{"method": "GET", "tenant_id": "t1", "TenantID": "t2"}
	nameless := map[string]string{"method": "GET", "": "x"}
	counter, histogram, gauge := m.Counter("c", at), m.Histogram("h.latency", at), m.Gauge("g.size", at)
	for _, c := range []struct {
		name string
		want float64
		f    func()
	}{
		{"a kept counter", 0, counter.Inc},
		{"a kept histogram", 0, func() { histogram.Observe(1) }},
		{"a kept gauge", 0, func() { gauge.Set(1) }},
		{"a counter without tags", 0, func() { m.Counter("c").Inc() }},
		{"a histogram without tags", 0, func() { m.Histogram("h.latency").Observe(1) }},
		{"a gauge without tags", 0, func() { m.Gauge("g.size").Set(1) }},
		{"a delta gauge without tags", 0, func() { m.Gauge("open").Inc() }},
		// One for the slice of maps that a call through an interface makes.
		{"a counter", 1, func() { m.Counter("c", at).Inc() }},
		{"a counter of four tags", 1, func() { m.Counter("c", aliased).Inc() }},
		{"a counter of two tags that are one dimension", 1, func() { m.Counter("c", both).Inc() }},
		{"a counter of a tag without a name", 1, func() { m.Counter("c", nameless).Inc() }},
		{"a counter of two maps", 1, func() { m.Counter("c", at, aliased).Inc() }},
		{"a histogram", 1, func() { m.Histogram("h.latency", at).Observe(1) }},
		{"a gauge", 1, func() { m.Gauge("g.size", at).Set(1) }},
		{"a delta gauge", 1, func() { m.Gauge("open", at).Dec() }},
		{"a counter, not through an interface", 0, func() { own.Counter("c", at).Inc() }},
		{"RecordCount", 0, func() { own.RecordCount("n", 1) }},
		{"RecordGauge", 0, func() { own.RecordGauge("level", 1) }},
		{"RecordDuration", 0, func() { own.RecordDuration("d", time.Second) }},
		{"RecordMetric", 0, func() { own.RecordMetric("m", 1, emf.Bytes) }},
		{"RecordLatency", 0, func() { m.RecordLatency("op", time.Second) }},
		{"RecordError", 0, func() { m.RecordError("op") }},
		{"RecordSuccess", 0, func() { m.RecordSuccess("op") }},
		{"WithTenant", 1, func() { own.WithTenant("t1").RecordCount("n", 1) }},
		{"WithTags", 2, func() { m.WithTags(at).RecordSuccess("op") }},
		{"WithTag", 2, func() { m.WithTag("a", "1").RecordSuccess("op") }},
	} {
		for range 200 {
			c.f() // warm
		}
		_ = m.Flush()
		assert.LessOrEqual(t, testing.AllocsPerRun(1000, c.f), c.want, c.name)
	}
}
