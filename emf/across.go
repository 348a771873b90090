package emf

import (
	"slices"

	"github.com/liftemf/liftemf/internal/distribution"
	"github.com/liftemf/liftemf/internal/hook"
)

func init() {
	hook.HasRollups = func(e *Emitter) bool { return e != nil && e.config != nil && len(e.config.rollups) > 0 }
	hook.Across = (*Event).across
	hook.Dissolve = (*Event).dissolve
}

// across returns a recorder of the event whose documents carry the dimension sets of each of
// these recorders of the emitter. Values that come after the event's end go on to all of them.
// From now on the event writes all its recorders into one document.
func (ev *Event) across(views []*Recorder) *Recorder {
	c := ev.core
	c.mu.Lock()
	if c.number == ev.number {
		c.wide = true
	}
	c.mu.Unlock()
	if len(views) == 1 {
		return c.recorder(ev.Recorder, views[0])
	}
	var (
		roomOfDims  [8]Dimension
		roomOfViews [4]*Recorder
	)
	dims, published := roomOfDims[:0], roomOfViews[:0]
	for _, view := range views {
		to := c.e.store.admit(view)
		published = append(published, to)
		for rest := to.dims; rest != ""; {
			var d Dimension
			d, rest = cutDimension(rest)
			switch i := indexName(dims, d.Name); {
			case i < 0:
				dims = append(dims, d)
			case d.Value == otherValue: // turned away in one set: a document has one value
				dims[i].Value = otherValue
			}
		}
	}
	r := newRecorder(c.e.store.under(published, dims), nil, ev.number, dims)
	x := &extra{event: c, onward: slices.Clone(views)}
	r.more.Store(x)
	r.state.Store(ofEvent)
	c.mu.Lock()
	if c.number == ev.number {
		c.recorders = append(c.recorders, r)
	}
	c.mu.Unlock()
	return r
}

// under returns keys of these dimensions, for what is published under the sets of others.
func (s *store) under(others []*Recorder, dims []Dimension) *keys {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.under(s.keys.of(s.e, dims, false), others)
}

// dissolve ends the event without a document: what was recorded on it goes where it would have
// gone had it been recorded on the emitter.
func (ev *Event) dissolve() {
	taken := ev.core.e.events.end(ev.core, ev.number)
	if taken == nil {
		return
	}
	for i := range taken.tallies {
		taken.tallies[i].passOn()
	}
	taken.e.events.recycle(taken)
}

// follow has the gauge do what was done to that of a dissolved event.
func (g *Gauge) follow(s *tally) {
	if s.handle.flags.Load()&given != 0 {
		g.Set(s.v)
	} else {
		g.Add(s.v)
	}
}

// passOn passes on what was recorded.
func (s *tally) passOn() {
	n := s.waiting()
	switch {
	case n == 0:
		return
	case s.def.void != kept:
		s.r.e.account.lose(s.def.void, n*uint64(s.r.weight))
		return
	}
	var snap distribution.Snapshot
	if s.many != nil {
		s.many.Take(&snap)
	}
	for _, to := range s.handle.targets() {
		switch {
		case s.def.kind == counter:
			(*Counter)(to).addAll(s.n, s.v)
		case s.def.kind == gauge:
			(*Gauge)(to).follow(s)
		case s.many != nil:
			(*Histogram)(to).observeAll(&snap)
		default:
			for _, v := range s.values {
				(*Histogram)(to).Observe(v)
			}
		}
	}
}
