package emf

import (
	"slices"
	"strings"
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
