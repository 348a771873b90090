package emf

import (
	"cmp"
	"slices"
)

// otherValue stands for the values of a dimension that are too many.
const otherValue = "other"

// guard decides which recorders are published under dimensions of their own: at most
// [WithMaxRecorders], and at most [WithDimensionBudget] values of a dimension. The first
// ones are, until there are too many; from then on it is those that were recorded on most in
// the last intervals. It is guarded by the store's lock.
type guard struct {
	whole   quota // of recorders; their keys are their dimensions
	budgets []*quota
	counted int // recorders that count for whole
	others  int // recorders in use that stand for whole's others
	folded  int
}

// quota keeps n keys, and counts uses of the others to see which should be kept instead.
type quota struct {
	name string // of the dimension whose values are the keys
	n    int
	kept map[string]*tenure
	cold sketch
}

// tenure is what is known of a key that is kept.
type tenure struct {
	recorders int
	weight    float64 // values in the last intervals, halved with each
	now       float64 // values in this one
	reserved  bool    // just chosen: it may not have a recorder yet
}

// A key has to be used so many times as often as one that is kept to take its place, so that
// what is published does not change from interval to interval.
const upset = 2

func newGuard(c *config) guard {
	g := guard{whole: quota{n: c.maxRecorders}}
	g.whole.cold.most = max(1024, min(2*c.maxRecorders, 1<<16))
	for _, b := range c.budgets {
		q := &quota{name: b.name, n: b.n, kept: make(map[string]*tenure)}
		q.cold.most = max(1024, 10*b.n)
		g.budgets = append(g.budgets, q)
	}
	return g
}

// key is what the quota counts a recorder under, if it does.
func (q *quota) key(r *Recorder) (string, bool) {
	if q.name == "" {
		return r.dims, !r.exempt
	}
	for rest := r.dims; rest != ""; {
		var d Dimension
		if d, rest = cutDimension(rest); d.Name == q.name {
			return d.Value, d.Value != otherValue
		}
	}
	return "", false
}

// has reports whether there is room for a key. While some are turned away what becomes free
// is given to the heaviest of them.
func (q *quota) has(key string) bool {
	return q.kept[key] != nil || len(q.kept) < q.n && q.cold.empty()
}

func (q *quota) enter(key string) {
	t := q.kept[key]
	if t == nil {
		t = new(tenure)
		q.kept[key] = t
	}
	t.recorders++
}

func (q *quota) leave(key string) {
	if t := q.kept[key]; t != nil {
		if t.recorders--; t.recorders == 0 && !t.reserved {
			delete(q.kept, key)
		}
	}
}

// admit takes the room that a recorder needs. If there is none it returns the quota that is
// used up.
func (g *guard) admit(r *Recorder) *quota {
	for _, q := range g.budgets {
		if key, ok := q.key(r); ok && !q.has(key) {
			return q
		}
	}
	if r.exempt {
		g.others++
	} else {
		if g.whole.kept == nil && g.counted >= g.whole.n {
			g.whole.kept = make(map[string]*tenure)
			for _, other := range r.e.store.flushed {
				if other.state.Load() == active && !other.exempt {
					g.whole.enter(other.dims)
				}
			}
		}
		if g.whole.kept != nil {
			if !g.whole.has(r.dims) {
				return &g.whole
			}
			g.whole.enter(r.dims)
		}
		g.counted++
	}
	for _, q := range g.budgets {
		if key, ok := q.key(r); ok {
			q.enter(key)
		}
	}
	return nil
}

// leave gives back the room that a recorder had.
func (g *guard) leave(r *Recorder) {
	if r.exempt {
		g.others--
	} else {
		g.counted--
		if g.whole.kept != nil {
			g.whole.leave(r.dims)
		}
	}
	for _, q := range g.budgets {
		if key, ok := q.key(r); ok {
			q.leave(key)
		}
	}
}

// hit counts a use of a recorder that leaves no value there.
func (g *guard) hit(r *Recorder) {
	if len(g.budgets) > 0 || r.state.Load() == folded {
		r.extend().hits.Add(1) // an event weighs as much as a value
	} else if hits := &r.extend().hits; hits.Load() == 0 {
		hits.Store(1)
	}
}

// takeHits returns what was counted by hit since it was last called.
func (r *Recorder) takeHits() uint32 {
	if x := r.more.Load(); x != nil {
		return x.hits.Swap(0)
	}
	return 0
}

// weigh counts the uses of a recorder that is turned away.
func (g *guard) weigh(r *Recorder) {
	if r.state.Load() != folded {
		return
	}
	hits := float64(r.takeHits())
	if hits == 0 {
		return
	}
	away := false
	for _, q := range g.budgets {
		if key, ok := q.key(r); ok && q.kept[key] == nil {
			q.cold.add(key, hits)
			away = true
		}
	}
	if key, ok := g.whole.key(r); ok && !away && g.whole.kept[key] == nil {
		g.whole.cold.add(key, hits)
	}
}

// choose decides which keys are kept from now on, and returns those that are not any more.
func (q *quota) choose() (gone map[string]bool) {
	type incumbent struct {
		key string
		*tenure
	}
	var incumbents []incumbent
	for key, t := range q.kept {
		t.weight, t.now = t.weight/2+t.now, 0
		if t.recorders == 0 && !t.reserved {
			delete(q.kept, key)
			continue
		}
		t.reserved = false
		incumbents = append(incumbents, incumbent{key, t})
	}
	slices.SortFunc(incumbents, func(a, b incumbent) int {
		return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(a.key, b.key))
	})
	gone = make(map[string]bool)
	for _, c := range q.cold.heaviest() {
		if len(q.kept) >= q.n {
			if len(gone) == len(incumbents) || c.count-c.over <= upset*incumbents[len(gone)].weight {
				break
			}
			out := incumbents[len(gone)]
			gone[out.key] = true
			delete(q.kept, out.key)
		}
		q.kept[c.key] = &tenure{weight: c.count, reserved: true}
		q.cold.remove(c.key)
	}
	q.cold.fade()
	return gone
}

// rebalance gives the room that there is to those recorders that were used most. What was
// recorded on those that lose theirs goes to the others with the flush that follows.
func (s *store) rebalance() {
	s.mu.Lock()
	out := s.choose()
	s.mu.Unlock()
	for _, r := range out {
		for series := r.first.Load(); series != nil; series = series.next.Load() {
			series.pass()
		}
	}
}

func (s *store) choose() (out []*Recorder) {
	g := &s.guard
	if s.sealed || g.whole.kept == nil && len(g.budgets) == 0 {
		return nil
	}
	for _, d := range []*directory{&s.known, &s.views} {
		for r := range d.all {
			g.weigh(r)
		}
	}
	quotas := g.budgets
	if g.whole.kept != nil {
		quotas = append(slices.Clip(quotas), &g.whole)
	}
	for _, r := range s.flushed {
		if r.state.Load() != active {
			continue
		}
		now := float64(r.waiting()) + float64(r.takeHits())
		for _, q := range quotas {
			if key, ok := q.key(r); ok && q.kept[key] != nil {
				q.kept[key].now += now
			}
		}
	}
	for _, q := range quotas {
		gone := q.choose()
		if len(gone) == 0 {
			continue
		}
		s.flushed = slices.DeleteFunc(s.flushed, func(r *Recorder) bool {
			key, ok := q.key(r)
			if !ok || !gone[key] || r.state.Load() != active || r.onward() == nil && s.other(r, q) == r {
				return false
			}
			s.unlist(r)
			s.fold(r, q)
			out = append(out, r)
			return !r.listed
		})
	}
	if g.whole.cold.empty() && g.counted < g.whole.n {
		g.whole.kept = nil // nobody is turned away any more
	}
	for _, d := range []*directory{&s.known, &s.views} {
		for _, r := range slices.Collect(d.all) {
			if r.state.Load() == folded && g.welcome(r) {
				s.unfold(r)
			}
		}
	}
	return out
}

// welcome reports whether there is room for a recorder that was turned away.
func (g *guard) welcome(r *Recorder) bool {
	for _, q := range g.budgets {
		if key, ok := q.key(r); ok && !q.has(key) {
			return false
		}
	}
	return r.exempt || g.whole.kept == nil || g.whole.has(r.dims)
}

// fold makes a recorder pass on what is recorded to the one of the others, for which it is
// turned away by a quota that is used up. The caller holds the lock.
func (s *store) fold(r *Recorder, full *quota) {
	if r.onward() == nil {
		other := s.other(r, full)
		r.extend().onward = []*Recorder{other}
	}
	s.guard.folded++
	r.enter(folded)
	for series := r.first.Load(); series != nil; series = series.next.Load() {
		if series.def.kind == gaugeFunc {
			s.hold(r)
		}
	}
	if full.name != "" {
		s.e.diagnostics.report("budget "+full.name, "a dimension has more values than its budget: those recorded least become other; what identifies a request or a user should be a property", "dimension", full.name, "budget", full.n)
	} else {
		s.e.diagnostics.report("guard", "more recorders than WithMaxRecorders allows: the dimension values recorded least become other; what identifies a request or a user should be a property", "recorders", full.n, "dimensions", r.sets)
	}
}

// unfold ends that for a recorder for which there is room: the next value wakes it up.
func (s *store) unfold(r *Recorder) {
	if r.listed { // for a gauge function
		s.flushed = slices.DeleteFunc(s.flushed, func(other *Recorder) bool { return other == r })
		r.listed = false
		s.list(r)
		return
	}
	r.enter(idle)
	if d := s.directory(r); d.table.Load().has(r) {
		d.idle++
	}
}

// other returns the recorder that stands for those like r, which a quota has no room for:
// for r itself if it does already.
func (s *store) other(r *Recorder, full *quota) *Recorder {
	keep := s.e.root
	if base := r.base; base != nil && r.form&extends != 0 && s.guard.others < max(16, full.n/10) {
		for base.state.Load() == folded {
			base = base.onward()[0]
		}
		keep = base.dims
	}
	stays := func(d Dimension) bool { return contains(keep, d) }
	if full.name != "" {
		stays = func(d Dimension) bool { return !s.guard.exhausted(d) }
	}
	var dims []Dimension
	for rest := r.dims; rest != ""; {
		var d Dimension
		if d, rest = cutDimension(rest); !stays(d) {
			d.Value = otherValue
		}
		dims = append(dims, d)
	}
	other := s.view(dims)
	if full.name == "" && (other == r || other.state.Load() == fresh) {
		other.exempt = true
	}
	return other
}

// exhausted reports whether a budget has no room for a dimension's value.
func (g *guard) exhausted(d Dimension) bool {
	for _, q := range g.budgets {
		if q.name == d.Name && d.Value != otherValue && !q.has(d.Value) {
			return true
		}
	}
	return false
}
