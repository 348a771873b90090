package lift

import (
	"github.com/liftemf/liftemf/emf"
)

// Adapter is a [Collector] as a framework's own MetricsCollector: its methods return the
// framework's types C, H and G, which this module need not know. It is safe for concurrent use.
//
// A look-up through it allocates what one through the Collector does.
type Adapter[C, H, G any] struct {
	collector *Collector
	handles   *handles[C, H, G]
}

// handles turn metrics into a framework's types.
type handles[C, H, G any] struct {
	counter   func(*emf.Counter) C
	histogram func(*emf.Histogram) H
	gauge     func(*emf.Gauge) G
	deltas    bool // a deltaGauge is a G
}

// Adapt makes c the collector of a framework whose interface for it has the methods of
// [MetricsCollector] on types of its own, as Lift's pkg/lift has:
//
//	app.WithMetrics(emflift.Adapt(c,
//		func(c *emf.Counter) lift.Counter { return c },
//		func(h *emf.Histogram) lift.Histogram { return h },
//		func(g *emf.Gauge) lift.Gauge { return g }))
//
// The functions do nothing but convert, so that the compiler holds the metrics to the
// framework's interfaces; one that is nil makes Adapt panic. They are called at every look-up.
//
// A gauge of [WithDeltaGauges] is no *emf.Gauge. It becomes a G by assertion, as one with the
// methods of [Gauge]; where G wants others, or is no interface, the name stays an ordinary
// gauge.
func Adapt[C, H, G any](c *Collector, toCounter func(*emf.Counter) C, toHistogram func(*emf.Histogram) H, toGauge func(*emf.Gauge) G) *Adapter[C, H, G] {
	if toCounter == nil || toHistogram == nil || toGauge == nil {
		panic("lift: Adapt needs a function for each kind of metric")
	}
	_, deltas := any(deltaGauge{}).(G)
	return &Adapter[C, H, G]{c, &handles[C, H, G]{toCounter, toHistogram, toGauge, deltas}}
}

// Counter is [Collector.Counter].
func (a *Adapter[C, H, G]) Counter(name string, tags ...map[string]string) C {
	return a.handles.counter(a.collector.tagged(tags).Counter(name))
}

// Histogram is [Collector.Histogram].
func (a *Adapter[C, H, G]) Histogram(name string, tags ...map[string]string) H {
	c := a.collector
	return a.handles.histogram(c.tagged(tags).Histogram(name, c.common().declared(name).options...))
}

// Gauge is [Collector.Gauge].
func (a *Adapter[C, H, G]) Gauge(name string, tags ...map[string]string) G {
	c := a.collector
	d := c.common().declared(name)
	if d.delta && a.handles.deltas {
		return any(deltaGauge{c.tagged(tags).Counter(name)}).(G)
	}
	return a.handles.gauge(c.tagged(tags).Gauge(name, d.options...))
}

// Flush is [Collector.Flush].
func (a *Adapter[C, H, G]) Flush() error { return a.collector.Flush() }

// Collector returns the collector that was adapted.
func (a *Adapter[C, H, G]) Collector() *Collector { return a.collector }
