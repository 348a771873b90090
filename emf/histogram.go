package emf

import (
	"sync/atomic"
	"time"

	"github.com/liftemf/liftemf/internal/distribution"
)

// Histogram keeps the distribution of values. A document carries up to 100
// observations as they are and in order, more as at most 100 values with counts; count,
// minimum and maximum stay exact, the sum to 10^-9, and p50, p75, p90, p95, p99 and p99.9
// within 1 %. [Precision] has any percentile be as exact, [WithPlainArrays] each value.
// Its methods are safe for concurrent use and never fail; no flush holds up a recording
// for longer than it takes to hand the values over.
type Histogram series

// Observe records v. NaN, infinities and magnitudes beyond 2^360 are dropped and
// counted.
func (h *Histogram) Observe(v float64) {
	if h == nil {
		return
	}
	if !inRange(v) {
		(*series)(h).lose(v)
		return
	}
	if h.r == nil {
		return
	}
	if h.flags.Load() != 0 && (*series)(h).passOn(v) {
		return
	}
	h.more.Load().values.Observe(v)
	if h.flags.Load() != 0 {
		(*series)(h).settle()
	}
}

// observeAll observes what was taken from another histogram.
func (h *Histogram) observeAll(snap *distribution.Snapshot) {
	s := (*series)(h)
	if h.flags.Load() != 0 && s.passAllOn(snap) {
		return
	}
	h.more.Load().values.Merge(snap)
	if h.flags.Load() != 0 {
		s.settle()
	}
}

// Start starts a stopwatch by the emitter's clock. The function it returns observes the
// time passed since, in the histogram's unit if that is Seconds, Milliseconds or
// Microseconds, else in milliseconds. Calling it again does nothing.
func (h *Histogram) Start() (stop func()) {
	if h == nil || h.r == nil {
		return func() {}
	}
	now := h.r.e.now
	begin := now()
	var stopped atomic.Bool
	return func() {
		if !stopped.Swap(true) {
			h.Observe(inUnit(now().Sub(begin), h.def.unit))
		}
	}
}

// inUnit returns d as a number of unit, or of milliseconds if that is no unit of time.
func inUnit(d time.Duration, unit Unit) float64 {
	switch unit {
	case Seconds:
		return d.Seconds()
	case Microseconds:
		return float64(d) / float64(time.Microsecond)
	}
	return float64(d) / float64(time.Millisecond)
}
