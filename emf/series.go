package emf

import (
	"sync"
	"sync/atomic"

	"github.com/liftemf/liftemf/internal/distribution"
)

// series is one metric under one recorder: what Counter, Gauge and Histogram are.
//
// A recording first leaves its value in the series and then looks at the state of
// the recorder; whoever changes the state changes it first and then takes what is in
// the series. Atomic operations are sequentially consistent, so at least one of the
// two sees the other, and taking is a swap: each value is taken exactly once, without
// a lock or a counter of writers.
type series struct {
	r    *Recorder // nil: recordings are discarded
	def  *definition
	next atomic.Pointer[series] // the recorder's next series, in order of first use

	bits  atomic.Uint64 // counter: count and sum packed, see counter.go; gauge: its value
	flags atomic.Uint32 // gauge: touched, moved
	more  atomic.Pointer[remainder]
}

// remainder is what few series need: a counter that was given fractions, a gauge
// function, every histogram.
type remainder struct {
	mu    sync.Mutex
	count uint64 // counter: recordings in sum
	sum   float64

	read   func() float64            // gauge function
	values distribution.Distribution // histogram
}

// extend returns the series' remainder, made if there is none.
func (s *series) extend() *remainder {
	if m := s.more.Load(); m != nil {
		return m
	}
	s.more.CompareAndSwap(nil, new(remainder))
	return s.more.Load()
}

// take takes what was recorded since it was last called: the number of values, and
// the counter's sum or the gauge's value. A histogram's values are moved to snap.
func (s *series) take(snap *distribution.Snapshot) (n uint64, v float64) {
	switch s.def.kind {
	case counter:
		return s.takeCount()
	case gauge:
		return s.takeGauge()
	case gaugeFunc:
		return s.ask()
	default:
		s.more.Load().values.Take(snap)
		return snap.Count(), 0
	}
}

// waiting is the number of values that take would return now.
func (s *series) waiting() uint64 {
	switch s.def.kind {
	case counter:
		return s.waitingCount()
	case gauge:
		return uint64(s.flags.Load() & touched)
	case histogram:
		return s.more.Load().values.Count()
	}
	return 0
}

// pinned reports whether the series must stay in memory although nothing is
// recorded: a gauge that was moved up is expected to be moved down again.
func (s *series) pinned() bool {
	switch s.def.kind {
	case gauge:
		return s.flags.Load()&moved != 0 && s.bits.Load() != 0
	case gaugeFunc:
		return true
	}
	return false
}

// settle follows a recording on a series whose recorder was not active when the
// value had been left in it.
func (s *series) settle() {
	if s.r == nil {
		s.bits.Store(0)
		return
	}
	switch s.r.state.Load() {
	case idle:
		s.r.e.store.wake(s.r)
	case ended:
		s.forward()
	case sealed:
		var snap distribution.Snapshot
		if n, _ := s.take(&snap); n > 0 {
			s.r.e.account.lose(closed, n)
			s.r.e.diagnostics.report("closed", "recorded after Close: dropped", "metric", s.def.name)
		}
	}
}

// forward moves what was recorded on an event after its end to the emitter's own
// series of that name and dimensions.
func (s *series) forward() {
	var snap distribution.Snapshot
	n, v := s.take(&snap)
	if n == 0 {
		return
	}
	e := s.r.e
	e.account.late.Add(n)
	if s.def.void != kept {
		e.account.lose(s.def.void, n)
		return
	}
	to := s.r.base.series(s.def.kind, s.def.name, declaration{s.def.unit, s.def.resolution})
	switch s.def.kind {
	case counter:
		(*Counter)(to).addAll(n, v)
	case gauge:
		(*Gauge)(to).Set(v)
	case histogram:
		h := (*Histogram)(to)
		for _, v := range snap.Values() {
			h.Observe(v)
		}
		for _, entry := range snap.Entries() {
			for range entry.Count {
				h.Observe(entry.Value)
			}
		}
	}
}

// lose counts a value that cannot be recorded.
func (s *series) lose(v float64) {
	if s.r == nil {
		return
	}
	why := whyOut(v)
	s.r.e.account.lose(why, 1)
	s.r.e.diagnostics.report(why.String(), "value dropped: "+why.String(), "metric", s.def.name, "value", v)
}
