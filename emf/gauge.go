package emf

import (
	"math"
)

// Gauge holds a value that goes up and down; a document carries the last one, if the
// gauge was touched since the document before. Its methods are safe for concurrent
// use, never block and never fail.
//
// A gauge that stands at something other than zero because of Inc, Dec or Add stays in
// memory until it is back at zero, however long nothing touches it. One that was only set
// is forgotten after a few flushes without a value, unless somebody keeps it or its
// recorder: moved then by way of a look-up, it starts at zero.
type Gauge series

// Set makes v the value. NaN, infinities and magnitudes beyond 2^360 are dropped and
// counted.
func (g *Gauge) Set(v float64) {
	if g == nil {
		return
	}
	if !inRange(v) {
		(*series)(g).lose(v)
		return
	}
	g.bits.Store(math.Float64bits(v))
	if g.flags.Load()&(touched|given|diverted) != touched|given {
		g.touch(touched | given)
	}
}

// Inc adds 1 to the value.
func (g *Gauge) Inc() { g.Add(1) }

// Dec takes 1 from the value.
func (g *Gauge) Dec() { g.Add(-1) }

// Add adds v, which may be negative, to the value. An addition that is NaN or infinite
// or leads beyond 2^360 is dropped and counted.
func (g *Gauge) Add(v float64) {
	if g == nil {
		return
	}
	for {
		old := g.bits.Load()
		sum := math.Float64frombits(old) + v
		if !inRange(v) || !inRange(sum) {
			(*series)(g).lose(v)
			return
		}
		if g.bits.CompareAndSwap(old, math.Float64bits(sum)) {
			break
		}
	}
	g.touch(touched | moved)
}

// touch sets flags after the value has changed. While they are set already nothing is
// written: whoever clears them reads the value afterwards.
func (g *Gauge) touch(flags uint32) {
	now := g.flags.Load()
	if now&(flags|diverted) == flags {
		return
	}
	if now&flags != flags {
		now = g.flags.Or(flags)
	}
	if now&diverted != 0 {
		(*series)(g).settle()
	}
}

func (s *series) takeGauge() (n uint64, v float64) {
	if s.flags.Load()&touched == 0 || s.flags.And(^uint32(touched))&touched == 0 {
		return 0, 0
	}
	return 1, s.value()
}

// value is what a gauge stands at.
func (s *series) value() float64 { return math.Float64frombits(s.bits.Load()) }

// ask asks a gauge function.
func (s *series) ask() (n uint64, v float64) {
	defer func() {
		if p := recover(); p != nil {
			n = 0
			s.r.e.diagnostics.report("gauge function", "a gauge function panicked", "metric", s.def.name, "panic", p)
		}
	}()
	m := s.extend()
	m.mu.Lock()
	read := m.read
	m.mu.Unlock()
	if read == nil { // about to be registered
		return 0, 0
	}
	if v = read(); !inRange(v) {
		s.lose(v)
		return 0, 0
	}
	return 1, v
}
