package middleware

import (
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/liftemf/liftemf/emf"
)

// group is metrics that have their views in common. Those without a name are not in it.
type group struct {
	views                                             []*view
	total, errors, duration, size, inFlight, timeouts string // names
}

func newGroup(views []dimensions) *group {
	g := &group{}
	for _, dims := range views {
		v := &view{dimensions: dims, kinds: dims.kinds()}
		if v.kinds&asked == 0 {
			v.recent = new([slots]atomic.Pointer[handles])
		}
		g.views = append(g.views, v)
	}
	return g
}

func (g *group) add(m Metric, name string) {
	switch m {
	case RequestsTotal:
		g.total = name
	case RequestsErrors:
		g.errors = name
	case RequestsDuration:
		g.duration = name
	case RequestsActive:
		g.inFlight = name
	case ResponseSize:
		g.size = name
	case RequestsTimeouts:
		g.timeouts = name
	}
}

// handles are what a group records with under one set of dimensions.
type handles struct {
	key            key
	recorder       *emf.Recorder
	total          *emf.Counter
	duration, size *emf.Histogram
	active         *emf.Gauge
}

// fill looks up the handles. That of errors is not among them, because most recorders never
// need one.
func (g *group) fill(h *handles, r *emf.Recorder) {
	h.recorder = r
	if g.total != "" {
		h.total = r.Counter(g.total)
	}
	if g.duration != "" {
		h.duration = r.Histogram(g.duration, emf.Milliseconds)
	}
	if g.size != "" {
		h.size = r.Histogram(g.size, emf.Bytes)
	}
	if g.inFlight != "" {
		h.active = r.Gauge(g.inFlight, emf.Count)
	}
}

// put records a unit of work.
//
// The size of responses is a distribution. A gauge keeps the last value of an interval,
// which says nothing of the thousand before it; a histogram answers for their average,
// maximum and percentiles.
func (g *group) put(h *handles, s *sample) {
	h.total.Inc()
	if s.failed && g.errors != "" {
		h.recorder.Counter(g.errors).Inc()
	}
	h.duration.Observe(s.milliseconds)
	if s.bytes >= 0 {
		h.size.Observe(float64(s.bytes))
	}
}

// view is a view at work. It remembers the handles of recent requests: a few hundred, so that
// it holds no more recorders in memory than that.
type view struct {
	dimensions
	kinds  kind
	recent *[slots]atomic.Pointer[handles] // nil: the user's functions must be asked each time
}

const slots = 256

// key is what tells requests of a view apart.
type key struct {
	method, route, tenant string
	status                int
}

var seed = maphash.MakeSeed()

func (v *view) key(req *Request) (k key, slot uint64) {
	if v.kinds&byMethod != 0 {
		k.method = req.Method
		slot = maphash.String(seed, k.method)
	}
	if v.kinds&byRoute != 0 {
		k.route = req.Route
		slot = 31*slot + maphash.String(seed, k.route)
	}
	if v.kinds&byTenant != 0 {
		k.tenant = req.TenantID
		slot = 31*slot + maphash.String(seed, k.tenant)
	}
	if v.kinds&(byStatus|byStatusClass) != 0 {
		k.status = req.Status
		slot = 31*slot + uint64(k.status)
	}
	return k, slot % slots
}

// find returns the handles of a request in the view, nil if it is not in it; see
// [dimensions.recorder]. They may be put into room.
func (g *group) find(v *view, root *emf.Recorder, req *Request, inAnyCase bool, room *handles) *handles {
	if v.recent == nil {
		r := v.recorder(root, req, inAnyCase)
		if r == nil {
			return nil
		}
		g.fill(room, r)
		return room
	}
	if v.kinds&byTenant != 0 && isBlank(req.TenantID) && !inAnyCase {
		return nil
	}
	k, slot := v.key(req)
	known := v.recent[slot].Load()
	if known != nil && known.key == k {
		return known
	}
	g.fill(room, v.recorder(root, req, true))
	// Of more keys than there are slots most are not remembered: that costs memory.
	if known == nil || rand.Uint32()%16 == 0 {
		kept := *room
		kept.key = key{strings.Clone(k.method), strings.Clone(k.route), strings.Clone(k.tenant), k.status}
		v.recent[slot].Store(&kept)
	}
	return room
}

// maxViews is how many views a metric can have.
const maxViews = 16

// walk goes through a group's views for one request.
type walk struct {
	at   int
	room handles
	n    int
	seen [maxViews]*emf.Recorder // n of them
}

// next returns the handles of the request in the next of its views, nil after the last; those
// of each recorder once. They are valid until the next call.
func (g *group) next(w *walk, root *emf.Recorder, req *Request) *handles {
	for w.at < len(g.views) {
		v := g.views[w.at]
		w.at++
		if h := g.find(v, root, req, false, &w.room); h != nil && !slices.Contains(w.seen[:w.n], h.recorder) {
			return w.note(h)
		}
	}
	if w.n > 0 {
		return nil
	}
	return w.note(g.find(g.views[0], root, req, true, &w.room))
}

func (w *walk) note(h *handles) *handles {
	w.seen[w.n] = h.recorder
	w.n++
	return h
}
