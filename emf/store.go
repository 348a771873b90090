package emf

import (
	"slices"
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
	e     *Emitter
	table atomic.Pointer[table]

	mu      sync.Mutex
	flushed []*Recorder // those with series, in order of first use
	idle    int         // idle recorders in the table
	sweepAt int         // length of asleep from which it is searched for collected ones
	asleep  map[uint64][]weak.Pointer[Recorder]
	flushes int
	folded  int // look-ups turned away
	sealed  bool
}

func newStore(e *Emitter) *store {
	s := &store{e: e, asleep: make(map[uint64][]weak.Pointer[Recorder])}
	s.table.Store(newTable(16))
	return s
}

// table is an open-addressed hash table. Readers load slots; writers hold the store's
// lock, fill empty slots and replace the whole table when it fills up.
type table struct {
	slots []slot
	used  int
}

// slot holds the hash beside the recorder, so that only the recorder that is looked for is
// read from memory. The hash is set before the recorder and never again.
type slot struct {
	recorder atomic.Pointer[Recorder]
	hash     uint64
}

// newTable returns a table with room for n recorders.
func newTable(n int) *table {
	size := 16
	for size*3 < n*4 {
		size *= 2
	}
	return &table{slots: make([]slot, size)}
}

func (t *table) full() bool { return t.used*4 >= len(t.slots)*3 }

func (t *table) insert(r *Recorder) {
	mask := uint64(len(t.slots) - 1)
	for i := r.hash; ; i++ {
		if slot := &t.slots[i&mask]; slot.recorder.Load() == nil {
			t.used++
			slot.hash = r.hash
			slot.recorder.Store(r)
			return
		}
	}
}

// find returns the recorder whose dimensions are those of base, which may be nil, and
// dims, n in all, in whatever order.
func (t *table) find(hash uint64, n int, base *Recorder, dims []Dimension) *Recorder {
	mask := uint64(len(t.slots) - 1)
	for i := hash; ; i++ {
		slot := &t.slots[i&mask]
		r := slot.recorder.Load()
		if r == nil || slot.hash == hash && int(r.count) == n && r.consistsOf(base, dims) {
			return r
		}
	}
}

func (t *table) has(r *Recorder) bool {
	mask := uint64(len(t.slots) - 1)
	for i := r.hash; ; i++ {
		switch t.slots[i&mask].recorder.Load() {
		case nil:
			return false
		case r:
			return true
		}
	}
}

// all yields the recorders in the table.
func (t *table) all(yield func(*Recorder) bool) {
	for i := range t.slots {
		if r := t.slots[i].recorder.Load(); r != nil && !yield(r) {
			return
		}
	}
}

// findOrAdd returns the recorder with these dimensions, whose names are all different. If
// there is none it makes one from base, unless most are in use: then it returns nil.
func (s *store) findOrAdd(base *Recorder, dims []Dimension, most int) *Recorder {
	hash := hashOf(dims)
	if r := s.table.Load().find(hash, len(dims), nil, dims); r != nil {
		return r
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.table.Load().find(hash, len(dims), nil, dims); r != nil {
		return r
	}
	r := s.findAsleep(hash, dims)
	if r == nil {
		if len(s.flushed) >= most {
			s.folded++
			return nil
		}
		r = newRecorder(s.e, base, hash, dims)
		if s.sealed {
			r.enter(sealed)
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
		if r := p.Value(); r != nil && int(r.count) == len(dims) && r.consistsOf(nil, dims) {
			return r
		}
	}
	return nil
}

// insert puts a recorder into the table. It is not asleep any more, if it was.
func (s *store) insert(r *Recorder) {
	t := s.table.Load()
	if t.full() {
		t = s.rebuild()
	}
	t.insert(r)
	if pointers, ok := s.asleep[r.hash]; ok {
		s.setAsleep(r.hash, slices.DeleteFunc(pointers, func(p weak.Pointer[Recorder]) bool { return p.Value() == r }))
	}
}

// rebuild replaces the table by one without the recorders that are idle, with room for as
// many again as it then holds. Those without a series, which only lead to others or serve
// events, are many where every event has dimensions of its own: if there are too many, those
// that were there at the last rebuild go too.
func (s *store) rebuild() *table {
	old := s.table.Load()
	bare, fresh, stay := 0, 0, 0
	for r := range old.all {
		switch {
		case r.first.Load() == nil:
			if bare++; r.quiet == 0 {
				fresh++
			}
		case r.state.Load() != idle:
			stay++
		}
	}
	tooMany := bare > s.e.config.maxRecorders
	if tooMany {
		bare = fresh
	}
	t := newTable(2 * (stay + bare))
	for r := range old.all {
		drop := r.state.Load() == idle
		if r.first.Load() == nil {
			drop = drop || tooMany && r.quiet > 0
			r.quiet = 1
		}
		if drop {
			s.setAsleep(r.hash, append(s.asleep[r.hash], weak.Make(r)))
		} else {
			t.insert(r)
		}
	}
	s.idle = 0
	s.table.Store(t)
	if len(s.asleep) > s.sweepAt {
		s.forgetCollected()
		s.sweepAt = max(1024, 2*len(s.asleep))
	}
	return t
}

func (s *store) setAsleep(hash uint64, pointers []weak.Pointer[Recorder]) {
	if len(pointers) == 0 {
		delete(s.asleep, hash)
	} else {
		s.asleep[hash] = pointers
	}
}

// forgetCollected drops weak pointers to recorders that are gone.
func (s *store) forgetCollected() {
	for hash, pointers := range s.asleep {
		s.setAsleep(hash, slices.DeleteFunc(pointers, func(p weak.Pointer[Recorder]) bool { return p.Value() == nil }))
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
	r.enter(active)
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
	r.enter(idle)
	for s := r.first.Load(); s != nil; s = s.next.Load() {
		if s.waiting() > 0 || s.pinned() {
			r.enter(active)
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
	for r := range s.table.Load().all {
		r.enter(sealed)
	}
	for _, pointers := range s.asleep {
		for _, p := range pointers {
			if r := p.Value(); r != nil {
				r.enter(sealed)
			}
		}
	}
}

// stats is the number of recorders in use and of look-ups turned away.
func (s *store) stats() (inUse, folded int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.flushed), s.folded
}
