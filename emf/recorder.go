package emf

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Recorder records values under one set of dimensions. Recorders are cheap, safe for
// concurrent use and meant to be kept; so are the metrics they return. A nil or zero
// Recorder discards what it is given.
type Recorder struct {
	*keys // nil: it discards

	// base is the recorder it was first made from; an event's is the emitter's recorder
	// with the same dimensions.
	base *Recorder
	dims string // the dimensions as JSON members, `"Service":"api","TenantID":"a",`
	hash uint64 // of the set of dimensions; an event's recorder: the number of the event

	first atomic.Pointer[series] // in order of first use
	more  atomic.Pointer[extra]

	state  atomic.Uint32
	quiet  uint8 // flushes without a value, counted by the flush
	listed bool  // among those the store flushes
	exempt bool  // from WithMaxRecorders: it stands for those that are turned away
	form   form  // of dims
}

// extra is what few recorders have. The others, of which there may be one for each tenant,
// take one cache line.
type extra struct {
	event  *core                 // nil: an aggregated recorder of the emitter
	index  atomic.Pointer[index] // where there are many series
	onward []*Recorder           // the views of a split one, the other of a folded one
	hits   atomic.Uint32         // uses that leave no value here, for the guard to weigh
}

// form tells how a recorder's dimensions are written.
type form uint8

const (
	extends form = 1 << iota // those of the base come first
	plain                    // those that follow, or all, are written without escapes
)

// The states of a recorder. In all but the first two some or all of its series are
// diverted, see [series.settle].
const (
	fresh   = iota // never used
	active         // what is recorded is flushed
	idle           // not flushed until something is recorded
	split          // under rollups: what is recorded goes on to the recorder of each set
	folded         // turned away by the guard: what is recorded goes on to the recorder of the others
	ofEvent        // what is recorded goes to the event, or on to the base when that is over
	sealed         // of a closed emitter: what is recorded is dropped
)

// newRecorder returns a recorder with these dimensions and their keys.
func newRecorder(ks *keys, base *Recorder, hash uint64, dims []Dimension) *Recorder {
	var room [128]byte
	members := room[:0]
	for _, d := range dims {
		members = appendDimension(members, d)
	}
	r := &Recorder{keys: ks, base: base, hash: hash, dims: string(members)}
	added := r.dims
	if base != nil && strings.HasPrefix(r.dims, base.dims) {
		r.form |= extends
		added = r.dims[len(base.dims):]
	}
	if strings.IndexByte(added, '\\') < 0 {
		r.form |= plain
	}
	return r
}

// extend returns what few recorders have, made if the recorder has not.
func (r *Recorder) extend() *extra {
	if x := r.more.Load(); x != nil {
		return x
	}
	r.more.CompareAndSwap(nil, new(extra))
	return r.more.Load()
}

// onward returns the recorders that a split or folded one passes values on to.
func (r *Recorder) onward() []*Recorder {
	if x := r.more.Load(); x != nil {
		return x.onward
	}
	return nil
}

// event returns what the recorder's event keeps, nil if it is not one of an event.
func (r *Recorder) event() *core {
	if x := r.more.Load(); x != nil {
		return x.event
	}
	return nil
}

// maxMembers bounds the size of a recorder's dimensions in a document; 30 of
// CloudWatch's longest take 38 kB.
const maxMembers = 64 << 10

// With returns the recorder that has these dimensions beside those of r. The same
// dimensions give the same recorder, in whatever order and by whatever way they were
// given; documents list them in the order of the first. Of a repeated name, here or in
// r, the last value wins. To look up a recorder that exists takes no lock.
//
// A dimension whose value is empty or blank is left out. Characters other than
// printable ASCII become underscores, names are cut off after 250 characters and values
// after 1,024, a colon at the start of a name becomes an underscore, and each of these
// is logged. The 31st and later dimensions do not identify metrics any more, because
// CloudWatch takes 30: documents carry them as properties. Values that are too many for
// [WithMaxRecorders] or [WithDimensionBudget] are published as "other".
func (r *Recorder) With(dims ...Dimension) *Recorder {
	if r.discards() {
		return r
	}
	if ev := r.event(); ev != nil {
		return ev.recorder(r, r.base.With(dims...))
	}
	hash, n := r.hash, int(r.count)
	for i := range dims {
		if dims[i].Value != "" {
			hash += dims[i].hash()
			n++
		}
	}
	if n == int(r.count) {
		return r
	}
	if r.e.config.rewrites == nil {
		if found := r.e.store.known.find(hash, n, r, dims); found != nil {
			return found
		}
	}
	return r.add(dims)
}

// WithTenant returns the recorder that has the tenant dimension beside those of r, see
// [WithTenantDimension]. An empty id gives r.
func (r *Recorder) WithTenant(id string) *Recorder {
	if r.discards() || id == "" {
		return r
	}
	if ev := r.event(); ev != nil {
		return ev.recorder(r, r.base.WithTenant(id))
	}
	e := r.e
	dims := [1]Dimension{{e.config.tenant, id}}
	if e.config.rewrites == nil {
		hash := r.hash + pairHash(e.tenantHash, id)
		if found := e.store.known.table.Load().findTenant(hash, r, e.tenantMember, id); found != nil {
			return found
		}
		if found := e.store.known.find(hash, int(r.count)+1, r, dims[:]); found != nil {
			return found
		}
	}
	return r.add(dims[:])
}

// add is the slow way of With: for dimensions that are new, and for those that have to
// be mended or replace others.
func (r *Recorder) add(dims []Dimension) *Recorder {
	var room [maxDimensions]Dimension
	return r.e.store.recorder(r, r.union(room[:0], dims))
}

// union appends the recorder's dimensions and dims to all, mended, each name once.
func (r *Recorder) union(all, dims []Dimension) []Dimension {
	for rest := r.dims; rest != ""; {
		var d Dimension
		d, rest = cutDimension(rest)
		all = append(all, d)
	}
	size := len(r.dims)
	for _, d := range dims {
		d, problem, ok := r.e.config.restrict(d).mend()
		if problem != "" {
			r.e.diagnostics.report("dimension", problem, "dimension", clean(d.Name))
		}
		if !ok {
			continue
		}
		if d.Name != r.e.config.tenant && r.e.identifiers.look(d) {
			r.e.diagnostics.report("identifier "+d.Name, "the values of a dimension look like identifiers, and CloudWatch bills each as a metric: what identifies a request should be a property", "dimension", d.Name, "value", d.Value)
		}
		if i := indexName(all, d.Name); i >= 0 {
			all[i].Value = d.Value
			continue
		}
		if size += len(d.Name) + len(d.Value); size > maxMembers {
			r.e.diagnostics.report("dimensions", "too many dimensions for a document: the last are left out")
			break
		}
		all = append(all, d)
	}
	if len(all) > maxDimensions {
		r.e.diagnostics.report("dimensions", "more than 30 dimensions: those after the 30th become properties")
	}
	return all
}

// consistsOf reports whether the recorder's dimensions are those of base, which may be
// nil, and dims, provided that it has as many as they have together.
func (r *Recorder) consistsOf(base *Recorder, dims []Dimension) bool {
	from := ""
	if base != nil {
		if r.base == base && r.form == extends|plain && spells(r.dims[len(base.dims):], dims) {
			return true
		}
		from = base.dims
	}
	for rest := r.dims; rest != ""; {
		var d Dimension
		if d, rest = cutDimension(rest); !slices.Contains(dims, d) && !contains(from, d) {
			return false
		}
	}
	return true
}

// contains reports whether d is among members.
func contains(members string, d Dimension) bool {
	for members != "" {
		var other Dimension
		if other, members = cutDimension(members); other == d {
			return true
		}
	}
	return false
}

func (r *Recorder) hasDimension(name string) bool { return slices.Contains(r.names, name) }

// last returns the recorder's last series, nil if it has none.
func (r *Recorder) last() (last *series) {
	for s := r.first.Load(); s != nil; s = s.next.Load() {
		last = s
	}
	return last
}

func (r *Recorder) hasMetric(name string) bool {
	for s := r.first.Load(); s != nil; s = s.next.Load() {
		if s.def.name == name && s.def.void == kept {
			return true
		}
	}
	return false
}

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

// pinned reports whether a series must stay in memory although nothing is recorded.
func (r *Recorder) pinned() bool {
	for s := r.first.Load(); s != nil; s = s.next.Load() {
		if s.pinned() {
			return true
		}
	}
	return false
}

func (r *Recorder) discards() bool { return r == nil || r.keys == nil }

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

// enter changes the recorder's state. The caller holds the lock.
func (r *Recorder) enter(state uint32) {
	r.state.Store(state)
	for s := r.first.Load(); s != nil; s = s.next.Load() {
		if s.divertedIn(state) {
			s.divert()
		} else {
			s.restore()
		}
	}
}
