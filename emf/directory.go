package emf

import (
	"math/bits"
	"slices"
	"sync/atomic"
	"weak"
)

// directory finds recorders by their dimensions: without a lock those in its table, with the
// store's lock those that have left the table but are still alive. Its other methods want
// the store's lock too.
type directory struct {
	table   atomic.Pointer[table]
	idle    int // idle recorders in the table
	asleep  map[uint64][]weak.Pointer[Recorder]
	sweepAt int // length of asleep from which it is searched for collected ones
}

func (d *directory) init() {
	d.table.Store(newTable(0))
	d.asleep = make(map[uint64][]weak.Pointer[Recorder])
}

// find returns the recorder in the table whose dimensions are those of base, which may be
// nil, and dims, n in all, in whatever order.
func (d *directory) find(hash uint64, n int, base *Recorder, dims []Dimension) *Recorder {
	return d.table.Load().find(hash, n, base, dims)
}

// wake returns the recorder with these dimensions if it is asleep.
func (d *directory) wake(hash uint64, dims []Dimension) *Recorder {
	for _, p := range d.asleep[hash] {
		if r := p.Value(); r != nil && int(r.count) == len(dims) && r.consistsOf(nil, dims) {
			return r
		}
	}
	return nil
}

// insert puts a recorder into the table, in which there is room, unless it is there.
func (d *directory) insert(r *Recorder) {
	t := d.table.Load()
	if t.has(r) {
		return
	}
	t.insert(r)
	if r.state.Load() == idle {
		d.idle++
	}
	if pointers, ok := d.asleep[r.hash]; ok {
		d.setAsleep(r.hash, slices.DeleteFunc(pointers, func(p weak.Pointer[Recorder]) bool { return p.Value() == r }))
	}
}

// rebuild replaces the table by one without the recorders that are idle, with room for as
// many again as it then holds. Of those that only lead to others or serve events there may
// be many, where every event has dimensions of its own: if they are more than most, those
// that are worth least go too. It returns those that went.
func (d *directory) rebuild(most int) (gone []*Recorder) {
	old := d.table.Load()
	var worth [33]int // how many there are of each worth
	bare, stay := 0, 0
	for r := range old.all {
		switch {
		case r.passing():
			bare++
			worth[r.worth()]++
		case r.state.Load() != idle:
			stay++
		}
	}
	least, room := 0, bare // of the least that stay, so many
	if bare > most {
		least, room = len(worth)-1, most
		for ; least > 1 && room >= worth[least]; least-- {
			room -= worth[least]
		}
		bare = most
	}
	t := newTable(2 * (stay + bare))
	for r := range old.all {
		drop := r.state.Load() == idle
		if r.passing() {
			if w := r.worth(); w == least && room > 0 {
				room--
			} else {
				drop = drop || w <= least
			}
			r.quiet = 1
		}
		if drop {
			d.setAsleep(r.hash, append(d.asleep[r.hash], weak.Make(r)))
			gone = append(gone, r)
		} else {
			t.insert(r)
		}
	}
	d.idle = 0
	d.table.Store(t)
	if len(d.asleep) > d.sweepAt {
		d.forgetCollected()
		d.sweepAt = max(1024, 2*len(d.asleep))
	}
	return gone
}

// worth is what a recorder that leads to others is worth to be kept: more the more often it was
// used since the last flush, something if it is new.
func (r *Recorder) worth() int {
	uses := uint32(0)
	if x := r.more.Load(); x != nil {
		uses = x.hits.Load()
	}
	switch {
	case uses > 1:
		return bits.Len32(uses)
	case r.quiet == 0:
		return 1
	}
	return 0
}

// passing reports whether nothing would be missing if the recorder were made anew.
func (r *Recorder) passing() bool { return !r.listed && r.state.Load() != idle && !r.pinned() }

func (d *directory) setAsleep(hash uint64, pointers []weak.Pointer[Recorder]) {
	if len(pointers) == 0 {
		delete(d.asleep, hash)
	} else {
		d.asleep[hash] = pointers
	}
}

// forgetCollected drops weak pointers to recorders that are gone.
func (d *directory) forgetCollected() {
	for hash, pointers := range d.asleep {
		d.setAsleep(hash, slices.DeleteFunc(pointers, func(p weak.Pointer[Recorder]) bool { return p.Value() == nil }))
	}
}

// all yields the recorders that are alive.
func (d *directory) all(yield func(*Recorder) bool) {
	for r := range d.table.Load().all {
		if !yield(r) {
			return
		}
	}
	for _, pointers := range d.asleep {
		for _, p := range pointers {
			if r := p.Value(); r != nil && !yield(r) {
				return
			}
		}
	}
}

// table is an open-addressed hash table. Readers load recorders; writers hold the store's
// lock, fill empty places and replace the whole table when it fills up.
type table struct {
	recorders []atomic.Pointer[Recorder]
	// tags are bits of the recorders' hashes, so that only the recorder that is looked for is
	// read from memory. A tag is set before the recorder and never again.
	tags []uint16
	used int
}

func tag(hash uint64) uint16 { return uint16(hash >> 48) }

// newTable returns a table with room for n recorders.
func newTable(n int) *table {
	size := 16
	for size*7 < n*8 {
		size *= 2
	}
	return &table{recorders: make([]atomic.Pointer[Recorder], size), tags: make([]uint16, size)}
}

func (t *table) full() bool { return t.used*8 >= len(t.recorders)*7 }

func (t *table) insert(r *Recorder) {
	mask := uint64(len(t.recorders) - 1)
	for i := r.hash; ; i++ {
		if p := &t.recorders[i&mask]; p.Load() == nil {
			t.used++
			t.tags[i&mask] = tag(r.hash)
			p.Store(r)
			return
		}
	}
}

func (t *table) find(hash uint64, n int, base *Recorder, dims []Dimension) *Recorder {
	mask := uint64(len(t.recorders) - 1)
	for i := hash; ; i++ {
		r := t.recorders[i&mask].Load()
		if r == nil || t.tags[i&mask] == tag(hash) && r.hash == hash && int(r.count) == n && r.consistsOf(base, dims) {
			return r
		}
	}
}

// findTenant is find for one dimension after those of base. member is how it begins, up to the
// value. It finds no recorder whose dimensions were given otherwise.
func (t *table) findTenant(hash uint64, base *Recorder, member, value string) *Recorder {
	mask := uint64(len(t.recorders) - 1)
	for i := hash; ; i++ {
		r := t.recorders[i&mask].Load()
		if r == nil {
			return nil
		}
		if t.tags[i&mask] != tag(hash) || r.hash != hash || r.base != base || r.form != extends|plain || r.count != base.count+1 {
			continue
		}
		own := r.dims[len(base.dims):]
		if len(own) == len(member)+len(value)+2 && own[len(member):len(own)-2] == value && own[:len(member)] == member {
			return r
		}
	}
}

func (t *table) has(r *Recorder) bool {
	mask := uint64(len(t.recorders) - 1)
	for i := r.hash; ; i++ {
		switch t.recorders[i&mask].Load() {
		case nil:
			return false
		case r:
			return true
		}
	}
}

func (t *table) all(yield func(*Recorder) bool) {
	for i := range t.recorders {
		if r := t.recorders[i].Load(); r != nil && !yield(r) {
			return
		}
	}
}
