package emf

import (
	"slices"
	"sync"
)

// Counter returns the counter of that name. Its unit is [Count] unless another is
// given.
//
// The same name gives the same counter. Names are 1 to 255 printable ASCII characters:
// other runes become underscores. What a longer or blank name, one that is also the
// name of a dimension, or one that was declared before as another kind of metric or
// with another unit or resolution returns is a counter whose recordings are dropped
// and counted. Options left out are those the name was first declared with, anywhere
// in the emitter.
func (r *Recorder) Counter(name string, opts ...MetricOption) *Counter {
	return (*Counter)(r.series(counter, name, declared(opts)))
}

// Gauge returns the gauge of that name; see [Recorder.Counter] for names and options.
// Its unit is [None] unless another is given.
func (r *Recorder) Gauge(name string, opts ...MetricOption) *Gauge {
	return (*Gauge)(r.series(gauge, name, declared(opts)))
}

// Histogram returns the histogram of that name; see [Recorder.Counter] for names and
// options. Its unit is [None] unless another is given.
func (r *Recorder) Histogram(name string, opts ...MetricOption) *Histogram {
	return (*Histogram)(r.series(histogram, name, declared(opts)))
}

// GaugeFunc makes read the gauge of that name: it is asked at every flush, from the
// goroutine that flushes, and what it returns is emitted. It must be safe to call at
// any time, return soon and not flush the emitter. Registering a name again replaces
// the function. See [Recorder.Counter] for names and options.
func (r *Recorder) GaugeFunc(name string, read func() float64, opts ...MetricOption) {
	if r.discards() || read == nil {
		return
	}
	s := r.series(gaugeFunc, name, declared(opts))
	m := s.extend()
	m.mu.Lock()
	m.read = read
	m.mu.Unlock()
}

// manySeries is how many series a recorder searches one by one.
const manySeries = 8

// series returns the series that a look-up means, made if there is none.
func (r *Recorder) series(k kind, name string, want declaration) *series {
	if r.discards() {
		return nothing[k]
	}
	if x := r.more.Load(); x != nil {
		if x.event != nil {
			return x.event.series(r, k, name, want)
		}
		if index := x.index.Load(); index != nil {
			if s, _ := index.find(k, name, want); s != nil {
				return s
			}
			return r.addSeries(k, name, want)
		}
	}
	if s := r.search(k, name, want); s != nil {
		return s
	}
	return r.addSeries(k, name, want)
}

// search looks at the recorder's series one by one.
func (r *Recorder) search(k kind, name string, want declaration) *series {
	for s := r.first.Load(); s != nil; s = s.next.Load() {
		if s.def.name == name && s.def.answers(k, want) {
			return s
		}
	}
	return nil
}

// index finds a recorder's series by name.
type index struct {
	byName sync.Map // string to *series, or to []*series where several have the name
	last   *series  // of all
}

// find returns the series that a look-up means, and whether there is one of that name.
func (x *index) find(k kind, name string, want declaration) (found *series, named bool) {
	switch s, _ := x.byName.Load(name); s := s.(type) {
	case *series:
		if s.def.answers(k, want) {
			return s, true
		}
		return nil, true
	case []*series:
		for _, s := range s {
			if s.def.answers(k, want) {
				return s, true
			}
		}
		return nil, true
	}
	return nil, false
}

// add adds a series. The caller holds the recorder's lock.
func (x *index) add(s *series) {
	x.last = s
	switch others, _ := x.byName.Load(s.def.name); others := others.(type) {
	case *series:
		x.byName.Store(s.def.name, []*series{others, s})
	case []*series:
		x.byName.Store(s.def.name, append(slices.Clip(others), s))
	default:
		x.byName.Store(s.def.name, s)
	}
}

// nothing is what look-ups on a recorder that discards return.
var nothing = [...]*series{
	counter:   {},
	gauge:     {},
	gaugeFunc: {},
	histogram: {},
}

// addSeries is the slow way of series: it mends what was asked for, searches again,
// and adds what is not there.
func (r *Recorder) addSeries(k kind, name string, want declaration) *series {
	if (k == counter || k == histogram) && r.weight == 1 && r.state.Load() == split {
		return r.onward()[0].series(k, name, want) // nothing to split
	}
	name, want, void := r.mend(name, want)
	s := r.lookUpOrAdd(k, name, want, void)
	r.report(s, void)
	return s
}

// mend returns what a look-up means by a name and options, and why what is recorded has to be
// dropped, if it has.
func (r *Recorder) mend(name string, want declaration) (string, declaration, reason) {
	e := r.e
	want, known := want.known()
	if !known {
		e.diagnostics.report("unit", "unknown unit, storage resolution or precision: the default is used", "metric", name)
	}
	if printed := clean(name); printed != name {
		e.diagnostics.report("name", "a name has characters other than printable ASCII: replaced by underscores", "metric", printed)
		name = printed
	}
	switch {
	case blank(name) || len(name) > maxNameLength:
		// All share one series: a recorder does not grow with bad names.
		e.diagnostics.report("bad name", "a metric name is blank or longer than 255 characters: its values are dropped")
		return "", declaration{}, badName
	case name == "_aws" || r.hasDimension(name):
		e.diagnostics.report("conflict", "a metric is named like a dimension or _aws: its values are dropped", "metric", name)
		return name, want, conflict
	}
	return name, want, kept
}

// report reports a series that conflicts with others, if that is not reported yet.
func (r *Recorder) report(s *series, void reason) {
	if s.def.void == conflict && void == kept {
		r.e.diagnostics.report("declaration", "a metric was declared before as another kind or with another unit or resolution: its values are dropped", "metric", s.def.name)
	}
}

// lookUpOrAdd adds a series unless there is one.
func (r *Recorder) lookUpOrAdd(k kind, name string, want declaration, void reason) *series {
	e := r.e
	e.store.mu.Lock()
	defer e.store.mu.Unlock()
	var names *index
	if x := r.more.Load(); x != nil {
		names = x.index.Load()
	}
	n := 0
	var last, found *series
	named := false
	if names != nil {
		found, named = names.find(k, name, want)
		last = names.last
	} else {
		for s := r.first.Load(); s != nil && found == nil; s = s.next.Load() {
			if s.def.name == name {
				named = true
				if s.def.answers(k, want) {
					found = s
				}
			}
			last = s
			n++
		}
	}
	if found != nil {
		return found
	}
	if named && void == kept {
		void = conflict
	}
	s := &series{r: r, def: e.definitions.declare(k, name, want, void)}
	if e.properties.has(name) {
		r.clash.Store(true)
	}
	if k != counter && k != gauge {
		e.config.hold(&s.extend().values)
	}
	if r.event() == nil {
		e.store.use(r)
		if k == gauge || k == gaugeFunc {
			e.store.hold(r)
		}
	}
	if s.divertedIn(r.state.Load()) {
		s.divert()
	}
	if last != nil {
		last.next.Store(s)
	} else {
		r.first.Store(s)
	}
	switch {
	case names != nil:
		names.add(s)
	case n == manySeries && r.event() == nil:
		names = new(index)
		for s := r.first.Load(); s != nil; s = s.next.Load() {
			names.add(s)
		}
		r.extend().index.Store(names)
	}
	return s
}
