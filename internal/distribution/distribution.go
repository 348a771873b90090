// Package distribution is a placeholder until the real one lands.
package distribution

import "sync"

const MaxEntries = 100

type Entry struct {
	Value float64
	Count uint64
}

type Distribution struct {
	mu sync.Mutex
	v  []float64
}

func (d *Distribution) Observe(v float64) { d.mu.Lock(); d.v = append(d.v, v); d.mu.Unlock() }
func (d *Distribution) Count() uint64     { d.mu.Lock(); defer d.mu.Unlock(); return uint64(len(d.v)) }
func (d *Distribution) Take(s *Snapshot) {
	d.mu.Lock()
	s.v = append(s.v[:0], d.v...)
	d.v = d.v[:0]
	d.mu.Unlock()
}

type Snapshot struct{ v []float64 }

func (s *Snapshot) Count() uint64     { return uint64(len(s.v)) }
func (s *Snapshot) Values() []float64 { return s.v }
func (s *Snapshot) Entries() []Entry  { return nil }
