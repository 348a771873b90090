package lift

import "github.com/liftemf/liftemf/emf"

// deltaGauge is a gauge of [WithDeltaGauges]. It has the size of a pointer, so that it
// becomes a Gauge without an allocation.
type deltaGauge struct{ changes *emf.Counter }

func (g deltaGauge) Set(value float64) { g.changes.Add(value) }
func (g deltaGauge) Inc()              { g.changes.Inc() }
func (g deltaGauge) Dec()              { g.changes.Add(-1) }
func (g deltaGauge) Add(value float64) { g.changes.Add(value) }
