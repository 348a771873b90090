package emf

import (
	"sync"
	"sync/atomic"
	"weak"
)

// idleFlushes is how many flushes without a value make a recorder idle.
const idleFlushes = 5

// store holds an emitter's recorders: a table to find them by their dimensions, which
// is read without a lock, and a list of those to flush.
//
// A recorder nobody records on becomes idle: it leaves the list, later the table, and
// is then held by a weak pointer only. While somebody keeps it or one of its metrics
// it is still found, so that the same dimensions always give the same recorder, and
// the first value wakes it up. When nobody does, the collector takes it; there is
// nothing in it.
type store struct {
	table atomic.Pointer[table]

	mu      sync.Mutex
	flushed []*Recorder // those with series, in order of first use
	idle    int         // idle recorders in the table
	asleep  map[uint64][]weak.Pointer[Recorder]
	flushes int
	sealed  bool
}

func newStore() *store {
	s := &store{asleep: make(map[uint64][]weak.Pointer[Recorder])}
	s.table.Store(newTable(16))
	return s
}

// table is an open-addressed hash table. Readers load slots; writers hold the store's
// lock, fill empty slots and replace the whole table when it fills up.
type table struct {
	slots []atomic.Pointer[Recorder]
	used  int
}

// newTable returns a table with room for n recorders.
func newTable(n int) *table {
	size := 16
	for size*3 < n*4 {
		size *= 2
	}
	return &table{slots: make([]atomic.Pointer[Recorder], size)}
}

func (t *table) full() bool { return t.used*4 >= len(t.slots)*3 }

func (t *table) insert(r *Recorder) {
	mask := uint64(len(t.slots) - 1)
	for i := r.hash; ; i++ {
		if slot := &t.slots[i&mask]; slot.Load() == nil {
			t.used++
			slot.Store(r)
			return
		}
	}
}

// find returns the recorder whose dimensions are those in from and dims, n in all, in
// whatever order.
func (t *table) find(hash uint64, n int, from string, dims []Dimension) *Recorder {
	mask := uint64(len(t.slots) - 1)
	for i := hash; ; i++ {
		r := t.slots[i&mask].Load()
		if r == nil || r.hash == hash && int(r.count) == n && r.consistsOf(from, dims) {
			return r
		}
	}
}

func (t *table) has(r *Recorder) bool {
	mask := uint64(len(t.slots) - 1)
	for i := r.hash; ; i++ {
		switch t.slots[i&mask].Load() {
		case nil:
			return false
		case r:
			return true
		}
	}
}

// intern returns the recorder with these dimensions, whose names are all different,
// made if there is none.
func (s *store) intern(e *Emitter, hash uint64, dims []Dimension) *Recorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.table.Load().find(hash, len(dims), "", dims); r != nil {
		return r
	}
	r := s.findAsleep(hash, dims)
	if r == nil {
		r = newRecorder(e, hash, dims)
		if s.sealed {
			r.state.Store(sealed)
		}
	}
	s.insert(r)
	if r.state.Load() == idle {
		s.idle++
	}
	return r
}

func (s *store) findAsleep(hash uint64, dims []Dimension) *Recorder {
	for _, p := range s.asleep[hash] {
		if r := p.Value(); r != nil && int(r.count) == len(dims) && r.consistsOf("", dims) {
			return r
		}
	}
	return nil
}

func (s *store) insert(r *Recorder) {
	t := s.table.Load()
	if t.full() {
		t = s.rebuild()
	}
	t.insert(r)
}

// rebuild replaces the table by one without the recorders that are idle or have no
// series, with room for as many again as it then holds.
func (s *store) rebuild() *table {
	old := s.table.Load()
	keep := func(r *Recorder) bool { return r.state.Load() != idle && r.first.Load() != nil }
	n := 0
	for i := range old.slots {
		if r := old.slots[i].Load(); r != nil && keep(r) {
			n++
		}
	}
	s.forgetCollected()
	t := newTable(2 * n)
	for i := range old.slots {
		switch r := old.slots[i].Load(); {
		case r == nil:
		case keep(r):
			t.insert(r)
		default:
			s.asleep[r.hash] = append(s.asleep[r.hash], weak.Make(r))
		}
	}
	s.idle = 0
	s.table.Store(t)
	return t
}

// forgetCollected drops weak pointers to recorders that are gone or back in the table.
func (s *store) forgetCollected() {
	t := s.table.Load()
	for hash, pointers := range s.asleep {
		left := pointers[:0]
		for _, p := range pointers {
			if r := p.Value(); r != nil && !t.has(r) {
				left = append(left, p)
			}
		}
		if len(left) == 0 {
			delete(s.asleep, hash)
		} else {
			s.asleep[hash] = left
		}
	}
}

// join adds a recorder that got its first series to those that are flushed. The caller
// holds the lock.
func (s *store) join(r *Recorder) {
	s.flushed = append(s.flushed, r)
	if !s.table.Load().has(r) {
		s.insert(r)
	}
}

// wake makes an idle recorder active again.
func (s *store) wake(r *Recorder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.state.Load() != idle {
		return
	}
	r.state.Store(active)
	r.quiet = 0
	s.flushed = append(s.flushed, r)
	if s.table.Load().has(r) {
		s.idle--
	} else {
		s.insert(r)
	}
}

// recorders appends the recorders to flush to list.
func (s *store) recorders(list []*Recorder) []*Recorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(list, s.flushed...)
}

// rest lets recorders go idle that were quiet for long enough. It follows every flush.
func (s *store) rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed {
		return
	}
	left := s.flushed[:0]
	for _, r := range s.flushed {
		if r.quiet < idleFlushes || !r.sleep() {
			left = append(left, r)
			continue
		}
		s.idle++
	}
	clear(s.flushed[len(left):])
	s.flushed = left
	s.flushes++
	switch t := s.table.Load(); {
	case s.idle > 16 && s.idle > t.used/4:
		s.rebuild()
	case s.flushes%idleFlushes == 0:
		s.forgetCollected()
	}
}

// sleep makes a recorder idle unless something is in it.
func (r *Recorder) sleep() bool {
	r.state.Store(idle)
	for s := r.first.Load(); s != nil; s = s.next.Load() {
		if s.waiting() > 0 || s.pinned() {
			r.state.Store(active)
			r.quiet = 0
			return false
		}
	}
	return true
}

// seal closes all recorders, those to come too.
func (s *store) seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	t := s.table.Load()
	for i := range t.slots {
		if r := t.slots[i].Load(); r != nil {
			r.state.Store(sealed)
		}
	}
	for _, pointers := range s.asleep {
		for _, p := range pointers {
			if r := p.Value(); r != nil {
				r.state.Store(sealed)
			}
		}
	}
}

// len is the number of recorders in use.
func (s *store) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.table.Load().used - s.idle
}
