package main

import (
	"context"
	"testing"
	"time"

	"github.com/liftemf/liftemf/emf"
	app "github.com/liftemf/liftemf/internal/standin/lift"
	"github.com/liftemf/liftemf/internal/standin/observability"
	"github.com/liftemf/liftemf/lift"
)

// BenchmarkLiftRequest sends a request through an application of Lift's shape behind a
// middleware that makes the calls of Lift's ObservabilityMiddleware: six look-ups by tags or
// name, six values. What the middleware itself costs, with maps, formatting and a body that is
// marshalled, is the floor, where the collector does nothing.
func BenchmarkLiftRequest(b *testing.B) {
	type metrics = lift.Full[observability.MetricsCollector, observability.MetricEntry,
		observability.MetricsStats, app.Counter, app.Histogram, app.Gauge]
	compete(b,
		contestant{"liftemf", func(b *testing.B) {
			c := lift.NewCollector(newEmitter(b, withFixed()))
			requests(b, lift.AdaptFull(c,
				func(c *emf.Counter) app.Counter { return c },
				func(h *emf.Histogram) app.Histogram { return h },
				func(g *emf.Gauge) app.Gauge { return g },
				func(m *metrics) observability.MetricsCollector { return m }), func() { _ = c.Flush() })
		}},
		contestant{"lift", func(b *testing.B) { requests(b, &queueCollector{queue: newQueue()}, func() {}) }},
		contestant{"floor:nothing", func(b *testing.B) { requests(b, nothing{}, func() {}) }},
	)
}

// flushEach is how many requests are served between two flushes, outside of the time.
const flushEach = 1 << 14

func requests(b *testing.B, m observability.MetricsCollector, flush func()) {
	a := app.New().Use(observability.Metrics(m)).
		Handle("GET", "/orders/:id", func(c *app.Context) error { return c.JSON("order") })
	request := &app.Request{Method: "GET", Path: "/orders/7", Headers: map[string]string{"X-Tenant-Id": "t-0017"}}
	serve := func() {
		if _, err := a.HandleRequest(context.Background(), request); err != nil {
			b.Error(err)
		}
	}
	parallel(b, func(pb *testing.PB) {
		for n := 1; pb.Next(); n++ {
			serve()
			if n%flushEach == 0 {
				flush()
			}
		}
	})
}

// nothing is a collector that does nothing.
type nothing struct{}

func (nothing) Counter(string, ...map[string]string) app.Counter { return nothing{} }

func (nothing) Histogram(string, ...map[string]string) app.Histogram { return nothing{} }

func (nothing) Gauge(string, ...map[string]string) app.Gauge              { return nothing{} }
func (nothing) Flush() error                                              { return nil }
func (nothing) RecordLatency(string, time.Duration)                       {}
func (nothing) RecordError(string)                                        {}
func (nothing) RecordSuccess(string)                                      {}
func (nothing) WithTags(map[string]string) observability.MetricsCollector { return nothing{} }

func (nothing) WithTag(string, string) observability.MetricsCollector { return nothing{} }
func (nothing) RecordBatch([]*observability.MetricEntry) error        { return nil }
func (nothing) Close() error                                          { return nil }
func (nothing) GetStats() (s observability.MetricsStats)              { return s }
func (nothing) Inc()                                                  {}
func (nothing) Dec()                                                  {}
func (nothing) Add(float64)                                           {}
func (nothing) Set(float64)                                           {}
func (nothing) Observe(float64)                                       {}

// queueCollector has Lift's data flow behind Lift's interface.
type queueCollector struct {
	nothing
	queue *queue
}

func (c *queueCollector) Counter(name string, tags ...map[string]string) app.Counter {
	return queueMetric{h: c.queue.handle(name, "Count", tags...)}
}

func (c *queueCollector) Histogram(name string, tags ...map[string]string) app.Histogram {
	return queueMetric{h: c.queue.handle(name, "None", tags...)}
}

func (c *queueCollector) Gauge(name string, tags ...map[string]string) app.Gauge {
	return queueMetric{h: c.queue.handle(name, "None", tags...)}
}

type queueMetric struct {
	nothing
	h *queueHandle
}

func (m queueMetric) Inc()              { m.h.record(1) }
func (m queueMetric) Dec()              { m.h.record(-1) }
func (m queueMetric) Add(v float64)     { m.h.record(v) }
func (m queueMetric) Set(v float64)     { m.h.record(v) }
func (m queueMetric) Observe(v float64) { m.h.record(v) }
