package emf

// Counter adds up values; a document carries the sum of what was added since the
// last one. Its methods are safe for concurrent use, never block and never fail.
type Counter series

// A counter's bits hold how often it was added to above how much, so that one atomic
// add records both. Only whole numbers below 2^24 go there. Past half of the room for the
// count, the bits are moved to the remainder; the other half is for adds that arrive
// meanwhile. The bit above them tells that the counter is diverted.
const (
	sumBits         = 44
	oneAdd          = 1 << sumBits
	sumMask         = oneAdd - 1
	smallSum        = 1 << 24
	spillOver       = 1 << 62
	divertedCounter = 1 << 63
	addMask         = divertedCounter - 1
)

// Inc adds 1.
func (c *Counter) Inc() {
	if c != nil && c.bits.Add(oneAdd+1) >= spillOver {
		c.spill(oneAdd + 1)
	}
}

// Add adds v, which may be negative. NaN, infinities and magnitudes beyond 2^360 are
// dropped and counted. Whole numbers from 0 to 16,777,215 cost one atomic add; others
// take a lock that is held for a few instructions.
func (c *Counter) Add(v float64) {
	if c == nil {
		return
	}
	if !(v >= 0 && v < smallSum) || v != float64(uint64(v)) {
		if !inRange(v) {
			(*series)(c).lose(v)
			return
		}
		c.addAll(1, v)
		return
	}
	if c.bits.Add(oneAdd+uint64(v)) >= spillOver {
		c.spill(oneAdd + uint64(v))
	}
}

// addAll adds n recordings that sum up to v.
func (c *Counter) addAll(n uint64, v float64) {
	s := (*series)(c)
	if s.r == nil {
		return
	}
	switch s.r.state.Load() {
	case ofEvent:
		if s.r.event().addTo(s, n, v) {
			return
		}
		fallthrough
	case split:
		if s.passed(n) {
			for _, to := range s.targets() {
				(*Counter)(to).addAll(n, v)
			}
		}
		return
	}
	m := s.extend()
	m.mu.Lock()
	m.count += n
	m.sum += v
	m.mu.Unlock()
	if s.bits.Load() >= divertedCounter {
		s.settle()
	}
}

// spill follows the addition to the bits where they are full or the counter is
// diverted. It moves the bits to the remainder, and settles. What was added to a split
// counter, or to one of an event, it takes back, and adds it where it belongs.
func (c *Counter) spill(added uint64) {
	s := (*series)(c)
	if s.r == nil {
		s.bits.Store(0)
		return
	}
	switch s.r.state.Load() {
	case ofEvent:
		s.bits.Add(-added)
		c.addAll(1, float64(added&sumMask))
		return
	case split:
		s.bits.Add(-added)
		if !s.passed(1) {
			return
		}
		for _, to := range s.targets() {
			if to.bits.Add(added) >= spillOver {
				(*Counter)(to).spill(added)
			}
		}
		return
	}
	m := s.extend()
	m.mu.Lock()
	w := s.bits.And(divertedCounter) // under the lock: takeCount finds it in one place or the other
	m.count += w & addMask >> sumBits
	m.sum += float64(w & sumMask)
	m.mu.Unlock()
	if w >= divertedCounter {
		s.settle()
	}
}

func (s *series) takeCount() (n uint64, sum float64) {
	if s.bits.Load()&addMask != 0 { // a load leaves the cache line where it is
		w := s.bits.And(divertedCounter)
		n, sum = w&addMask>>sumBits, float64(w&sumMask)
	}
	if m := s.more.Load(); m != nil {
		m.mu.Lock()
		n += m.count
		sum += m.sum
		m.count, m.sum = 0, 0
		m.mu.Unlock()
	}
	return n, sum
}

func (s *series) waitingCount() uint64 {
	n := s.bits.Load() & addMask >> sumBits
	if m := s.more.Load(); m != nil {
		m.mu.Lock()
		n += m.count
		m.mu.Unlock()
	}
	return n
}
