package emf

import "github.com/liftemf/liftemf/internal/distribution"

// A recorder that is split or folded, or of an event that is over, passes on what is recorded on it, to
// those in onward or to its base: each of its series adds to the series of the same name there.

// divertedIn reports whether recordings on the series take the detour by settle while its
// recorder is in that state.
func (s *series) divertedIn(state uint32) bool {
	held := s.def.kind == gauge || s.def.kind == gaugeFunc
	switch state {
	case fresh, active:
		return false
	case split:
		return !held || !s.r.listed
	case folded:
		return s.def.kind != gaugeFunc || !s.r.listed
	}
	return true
}

// targets returns the series that this one passes values on to.
func (s *series) targets() []*series {
	m := s.extend()
	if to := m.onward.Load(); to != nil {
		return *to
	}
	k, recorders := s.def.kind, s.r.onward()
	switch {
	case s.r.event() != nil:
		recorders = []*Recorder{s.r.base}
	case k == gauge || k == gaugeFunc:
		k = samples
	}
	to := make([]*series, len(recorders))
	for i, r := range recorders {
		to[i] = r.series(k, s.def.name, declaration{s.def.unit, s.def.resolution, s.def.precision})
	}
	m.onward.Store(&to)
	return to
}

// pass moves on what was recorded, on a folded recorder or on that of an event that is over.
// No recording returns before what it recorded has been moved, by whomever: a flush that
// follows it finds it.
func (s *series) pass() {
	m := s.extend()
	m.passing.Lock()
	defer m.passing.Unlock()
	if s.def.kind == gaugeFunc || s.waiting() == 0 {
		return
	}
	var snap distribution.Snapshot
	n, v := s.take(&snap)
	if !s.passed(n) {
		return
	}
	for _, to := range s.targets() {
		switch {
		case to.def.kind == counter:
			(*Counter)(to).addAll(n, v)
		case to.def.kind == gauge:
			(*Gauge)(to).Set(v)
		case s.def.kind != histogram:
			(*Histogram)(to).Observe(v)
		default:
			(*Histogram)(to).observeAll(&snap)
		}
	}
}

// passed counts n values that are about to be passed on. It reports whether they can be.
func (s *series) passed(n uint64) bool {
	r := s.r
	weight := n * uint64(r.weight)
	if r.event() != nil {
		r.e.account.late.Add(weight)
	}
	if s.def.void != kept {
		r.e.account.lose(s.def.void, weight)
		return false
	}
	if r.state.Load() == folded {
		r.extend().hits.Add(uint32(n))
	}
	return true
}

// passOn passes a histogram's value on at once. It is not called where the value could have
// to wait: what the recorder keeps is a matter of settle.
func (s *series) passOn(v float64) bool {
	switch s.r.state.Load() {
	case split, folded:
	case ofEvent:
		if s.r.event().observe(s, v) {
			return true
		}
	default:
		return false
	}
	if s.passed(1) {
		for _, to := range s.targets() {
			(*Histogram)(to).Observe(v)
		}
	}
	return true
}

// passAllOn is passOn for what was taken from another histogram; none of an event is given it.
func (s *series) passAllOn(snap *distribution.Snapshot) bool {
	switch s.r.state.Load() {
	case split, folded:
	default:
		return false
	}
	if s.passed(snap.Count()) {
		for _, to := range s.targets() {
			(*Histogram)(to).observeAll(snap)
		}
	}
	return true
}

// collect passes on what the gauges hold of a recorder whose values are not its own. It
// reports whether there was anything.
func (r *Recorder) collect() (found bool) {
	for s := r.first.Load(); s != nil; s = s.next.Load() {
		if s.def.kind != gauge && s.def.kind != gaugeFunc {
			continue
		}
		n, v := s.take(nil)
		if n == 0 {
			continue
		}
		found = true
		if s.passed(n) {
			for _, to := range s.targets() {
				(*Histogram)(to).Observe(v)
			}
		}
	}
	return found
}
