package emf

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// idleFlushes is how many flushes without a value make a recorder idle.
const idleFlushes = 5

// store holds an emitter's recorders: those that look-ups find, those that others pass
// values on to, and a list of those to flush.
//
// A recorder nobody records on becomes idle: it leaves the list, later the table, and
// is then held by a weak pointer only. While somebody keeps it or one of its metrics
// it is still found, so that the same dimensions always give the same recorder, and
// the first value wakes it up. When nobody does, the collector takes it; there is
// nothing in it.
type store struct {
	e     *Emitter
	keys  keyring
	known directory
	views directory // of split and folded recorders; users never see them

	mu      sync.Mutex
	flushed []*Recorder // in order of first use
	using   int         // of them, those whose values are their own: the others are there for their gauges
	flushes int
	rested  atomic.Int64 // when recorders were last let go, in ns
	sealed  bool
	guard   guard
}

func newStore(e *Emitter) *store {
	s := &store{e: e, guard: newGuard(e.config)}
	s.rested.Store(e.now().UnixNano())
	s.known.init()
	s.views.init()
	return s
}

// recorder returns the recorder with these dimensions, whose names are all different; a new
// one is made from base.
func (s *store) recorder(base *Recorder, dims []Dimension) *Recorder {
	if r := s.known.find(hashOf(dims), len(dims), nil, dims); r != nil {
		return r
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.obtain(&s.known, base, dims)
}

// view returns the recorder with these dimensions to pass values on to. The caller holds the
// lock.
func (s *store) view(dims []Dimension) *Recorder { return s.obtain(&s.views, nil, dims) }

func (s *store) obtain(d *directory, base *Recorder, dims []Dimension) *Recorder {
	hash := hashOf(dims)
	if r := d.find(hash, len(dims), nil, dims); r != nil {
		return r
	}
	r := d.wake(hash, dims)
	if r == nil {
		r = newRecorder(s.keys.of(s.e, dims, d == &s.views), base, hash, dims)
		switch {
		case len(s.e.config.rollups) > 0 && !r.hidden:
			s.split(r, dims)
		case s.sealed:
			r.enter(sealed)
		}
	}
	s.insert(r)
	return r
}

func (s *store) directory(r *Recorder) *directory {
	if r.hidden {
		return &s.views
	}
	return &s.known
}

func (s *store) insert(r *Recorder) {
	d := s.directory(r)
	if d.table.Load().full() {
		s.rebuild(d)
	}
	d.insert(r)
}

func (s *store) rebuild(d *directory) {
	for _, r := range d.rebuild(s.e.config.maxRecorders) {
		s.guard.weigh(r) // it may not be asked again
	}
}

// use follows the first use of a recorder. The caller holds the lock.
func (s *store) use(r *Recorder) {
	if r.state.Load() == fresh {
		s.list(r)
	}
}

// list puts a recorder among those that are flushed, unless the guard has no room for it.
func (s *store) list(r *Recorder) {
	if s.sealed {
		r.enter(sealed)
		return
	}
	before := r.state.Load()
	full := s.guard.admit(r)
	if full != nil && r.onward() == nil && s.other(r, full) == r {
		full = s.guard.admit(r) // as one of the others it is exempt now
	}
	if full != nil {
		s.fold(r, full)
	} else {
		r.enter(active)
		r.quiet = 0
		s.using++
		if !r.listed {
			r.listed = true
			s.flushed = append(s.flushed, r)
		}
	}
	if d := s.directory(r); !d.table.Load().has(r) {
		s.insert(r)
	} else if before == idle {
		d.idle--
	}
}

// unlist lets an active recorder go, of whose values nothing may be left. The caller takes it
// out of flushed.
func (s *store) unlist(r *Recorder) {
	r.listed = false
	s.using--
	s.guard.leave(r)
}

// hold puts a recorder whose values are not its own among those that are flushed, for the
// sake of its gauges, which stay with it until then.
func (s *store) hold(r *Recorder) {
	if !r.listed && !s.sealed {
		r.listed = true
		r.quiet = 0
		s.flushed = append(s.flushed, r)
		r.enter(r.state.Load())
		s.insert(r)
	}
}

// wake makes an idle recorder active again, or one that was let go with its gauges. It
// reports whether there was anything to do.
func (s *store) wake(r *Recorder) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.state.Load() {
	case idle:
		s.list(r)
	case split:
		if r.listed || s.sealed {
			return r.listed
		}
		s.hold(r)
	default:
		return false
	}
	return true
}

// admit makes room for the use of a recorder by an event, and returns the recorder whose
// dimensions its values are published under.
func (s *store) admit(r *Recorder) *Recorder {
	for {
		switch r.state.Load() {
		case fresh, idle:
			s.mu.Lock()
			if state := r.state.Load(); state == fresh || state == idle {
				s.list(r)
			}
			s.mu.Unlock()
			continue
		case folded:
			s.guard.hit(r)
			r = r.onward()[0]
			continue
		}
		s.guard.hit(r)
		return r
	}
}

// recorders appends the recorders to flush to list.
func (s *store) recorders(list []*Recorder) []*Recorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(list, s.flushed...)
}

// collect has gauges passed on that are flushed elsewhere, and appends the recorders to flush
// to list.
func (s *store) collect(list []*Recorder) []*Recorder {
	if list = s.recorders(list); !slices.ContainsFunc(list, (*Recorder).passesOn) {
		return list
	}
	for _, r := range list {
		switch {
		case !r.passesOn():
		case r.collect():
			r.quiet = 0
		default:
			r.quiet = min(r.quiet+1, idleFlushes)
		}
	}
	return slices.DeleteFunc(s.recorders(list[:0]), (*Recorder).passesOn)
}

// passesOn reports whether the recorder's values are published by others.
func (r *Recorder) passesOn() bool {
	state := r.state.Load()
	return state == split || state == folded
}

// rest lets recorders go idle that were quiet for long enough. It follows every flush.
func (s *store) rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed {
		return
	}
	s.release(func(r *Recorder) bool { return r.quiet >= idleFlushes })
	s.flushes++
	for _, d := range []*directory{&s.known, &s.views} {
		switch {
		case d.idle > 16 && d.idle > d.table.Load().used/4:
			s.rebuild(d)
		case s.flushes%idleFlushes == 0:
			d.forgetCollected()
		}
	}
}

// oldAge is after how long without a use a recorder may go where nothing flushes: a function
// may emit nothing but events.
const oldAge = 2 * time.Minute

// relieve lets recorders go that were not used since it last did, every two minutes without a
// flush. Events call it.
func (s *store) relieve(now time.Time) {
	if now.UnixNano()-s.rested.Load() < int64(oldAge) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.UnixNano()-s.rested.Load() >= int64(oldAge) && !s.sealed {
		s.release(func(r *Recorder) bool { return r.takeHits() == 0 })
	}
}

// release makes those recorders idle that are quiet, unless something is in them.
func (s *store) release(quiet func(*Recorder) bool) {
	s.rested.Store(s.e.now().UnixNano())
	s.flushed = slices.DeleteFunc(s.flushed, func(r *Recorder) bool { return quiet(r) && s.sleep(r) })
}

// sleep makes a listed recorder idle unless something is in it.
func (s *store) sleep(r *Recorder) bool {
	before := r.state.Load()
	r.listed = false
	if before == active {
		r.enter(idle)
	} else {
		r.enter(before)
	}
	if r.waiting() > 0 || r.pinned() {
		r.listed = true
		r.enter(before)
		r.quiet = 0
		return false
	}
	if before == active {
		s.unlist(r)
		s.directory(r).idle++
	}
	return true
}

// seal closes all recorders, those to come too.
func (s *store) seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	for _, d := range []*directory{&s.known, &s.views} {
		for r := range d.all {
			switch r.state.Load() {
			case split, folded: // what they pass on is dropped there
				r.listed = false
				r.enter(r.state.Load())
			default:
				r.enter(sealed)
			}
		}
	}
}

// stats is the number of recorders in use and of those turned away.
func (s *store) stats() (inUse, folded int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.using, s.guard.folded
}
