package emf

import (
	"sync"
	"sync/atomic"

	"github.com/liftemf/liftemf/internal/distribution"
)

// series is one metric under one recorder: what Counter, Gauge and Histogram are.
//
// Recording on a series is one or two atomic operations that also tell whether the series
// is diverted, which it is while its recorder is not active. Taking is one that leaves
// nothing behind. So each value is taken exactly once, by whoever comes first, and what is
// recorded after a series was diverted is noticed by the recording, without a lock and
// without a count of writers.
type series struct {
	r    *Recorder // nil: recordings are discarded
	def  *definition
	next atomic.Pointer[series] // the recorder's next series, in order of first use

	bits  atomic.Uint64 // counter: count and sum packed, see counter.go; gauge: its value
	flags atomic.Uint32
	tally uint32 // of an event's metric: where the event keeps it; else: when it was billed last
	more  atomic.Pointer[remainder]
}

// The flags of a series. A counter has its own, among its bits.
const (
	touched  = 1 << iota // a gauge: since it was last taken
	moved                // a gauge: by Inc, Dec or Add
	given                // a gauge: by Set
	diverted             // recordings take the detour by settle
)

// divert sends recordings on the detour.
func (s *series) divert() {
	if s.def.kind == counter {
		s.bits.Or(divertedCounter)
	} else {
		s.flags.Or(diverted)
	}
}

// restore ends the detour.
func (s *series) restore() {
	if s.def.kind == counter {
		s.bits.And(^uint64(divertedCounter))
	} else {
		s.flags.And(^uint32(diverted))
	}
}

// remainder is what few series need: a counter that was given fractions, a gauge
// function, every histogram.
type remainder struct {
	mu    sync.Mutex
	count uint64 // counter: recordings in sum
	sum   float64

	read   func() float64            // gauge function
	values distribution.Distribution // histogram, samples

	passing sync.Mutex                // held while values are passed on, see [series.pass]
	onward  atomic.Pointer[[]*series] // to these
}

// following returns the next series, nil after last.
func (s *series) following(last *series) *series {
	if s == last {
		return nil
	}
	return s.next.Load()
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
		if s.flags.Load()&diverted != 0 { // its recorder has come to its end
			return 0, 0
		}
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
	case histogram, samples:
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

// settle follows a recording on a diverted series, and does with it what the state of the
// recorder demands.
func (s *series) settle() {
	switch s.r.state.Load() {
	case idle:
		s.r.e.store.wake(s.r)
		if s.r.state.Load() != active { // no room, or closed meanwhile
			s.settle()
		}
	case split: // a gauge
		if !s.r.e.store.wake(s.r) {
			s.drop()
		}
	case folded:
		s.pass()
	case ofEvent: // a gauge
		if !s.r.event().set(s) {
			s.pass()
		}
	case sealed:
		s.drop()
	}
}

// drop counts what was recorded after Close.
func (s *series) drop() {
	var snap distribution.Snapshot
	if n, _ := s.take(&snap); n > 0 {
		s.r.e.account.lose(closed, n*uint64(s.r.weight))
		s.r.e.diagnostics.report("closed", "recorded after Close: dropped", "metric", s.def.name)
	}
}

// lose counts a value that cannot be recorded.
func (s *series) lose(v float64) {
	if s.r == nil {
		return
	}
	why := whyOut(v)
	s.r.e.account.lose(why, uint64(s.r.weight))
	s.r.e.diagnostics.report(why.String(), "value dropped: "+why.String(), "metric", s.def.name, "value", v)
}
