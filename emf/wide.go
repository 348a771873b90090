package emf

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// wide writes the recorders of an event into one document: each has a directive of its own
// there. Where two contradict each other, having the same metric or different values of a
// dimension, or where a limit is reached, another document is begun.
type wide struct {
	*batch
	env *envelope
	at  time.Time

	in      []*Recorder // the open document; the last one has the open directive
	dims    string      // of all of them
	start   int         // of the document in buf
	metrics int         // in the document; 0: none is open
	values  uint64
}

// writeWide takes what was recorded on recorders of an emitter, and adds documents with it and
// with the emitter's and the event's properties to b.
func (b *batch) writeWide(e *Emitter, recorders []*Recorder, at time.Time, event *properties) {
	w := wide{batch: b, env: &e.envelope, at: at}
	// Those that have values now; others may be given some meanwhile, and stay for the next time.
	recorders = slices.DeleteFunc(recorders, func(r *Recorder) bool { return r.waiting() == 0 })
	described := false
	for _, r := range recorders {
		last := r.last()
		for s := r.first.Load(); s != nil; s = s.following(last) {
			n, ok := b.take(r, s)
			if !ok {
				continue
			}
			if !described {
				described = true
				b.props = e.appendPropertiesBeside(b.props[:0], recorders, event)
				b.props = e.appendLogLevel(b.props, at, event, recorders...)
			}
			w.add(r, last, s.def, n)
		}
	}
	w.close()
}

// add adds a metric of n values, which stand written in value. The recorder's series up to
// last are those that may be written.
func (w *wide) add(r *Recorder, last *series, def *definition, n uint64) {
	if w.metrics > 0 {
		turn := w.in[len(w.in)-1] != r
		size := len(w.buf) - w.start + len(metricsClose) + len(w.dims) + len(w.props) + len(w.members)
		if turn {
			size += len(nextDirective) + len(w.env.directive()) + len(r.sets) + len(metricsOpen) + len(r.dims)
		}
		if w.metrics == maxMetrics || size+len(def.entry)+len(def.member)+len(w.value)+3 > w.env.max || turn && w.contradicts(r, last) {
			w.close()
		}
	}
	switch {
	case w.metrics == 0:
		w.start = len(w.buf)
		w.buf = append(w.buf, w.env.head...)
		w.buf = strconv.AppendInt(w.buf, w.at.UnixMilli(), 10)
		w.buf = append(w.buf, w.env.body...)
		w.join(r)
	case w.in[len(w.in)-1] != r:
		w.buf = append(w.buf, nextDirective...)
		w.buf = append(w.buf, w.env.directive()...)
		w.join(r)
		w.members = append(w.members, ',')
	default:
		w.buf = append(w.buf, ',')
		w.members = append(w.members, ',')
	}
	w.buf = append(w.buf, def.entry...)
	w.members = append(w.members, def.member...)
	w.members = append(w.members, w.value...)
	w.metrics++
	w.values += n
}

const nextDirective = `]},`

// directive is what a directive starts with, up to its sets of dimensions.
func (env *envelope) directive() string {
	return env.body[strings.Index(env.body, `{"Namespace":`):]
}

// join begins the directive of r.
func (w *wide) join(r *Recorder) {
	w.buf = append(w.buf, r.sets...)
	w.buf = append(w.buf, metricsOpen...)
	w.in = append(w.in, r)
	if w.dims == "" {
		w.dims = r.dims
		return
	}
	var more []byte
	for rest := r.dims; rest != ""; {
		var d Dimension
		if d, rest = cutDimension(rest); !contains(w.dims, d) {
			more = appendDimension(more, d)
		}
	}
	w.dims += string(more)
}

// contradicts reports whether a member of the open document would have two values with r in it.
func (w *wide) contradicts(r *Recorder, last *series) bool {
	for rest := r.dims; rest != ""; {
		var d Dimension
		d, rest = cutDimension(rest)
		for _, other := range w.in {
			if other.hasMetric(d.Name) || other.hasDimension(d.Name) && !contains(other.dims, d) {
				return true
			}
		}
	}
	for s := r.first.Load(); s != nil; s = s.following(last) {
		if s.def.void != kept {
			continue
		}
		for _, other := range w.in {
			if other.hasMetric(s.def.name) || other.hasDimension(s.def.name) {
				return true
			}
		}
	}
	return false
}

// close ends the open document.
func (w *wide) close() {
	if w.metrics == 0 {
		return
	}
	w.buf = append(w.buf, metricsClose...)
	w.buf = append(w.buf, w.dims...)
	w.buf = append(w.buf, w.props...)
	w.buf = append(w.buf, w.members...)
	w.buf = append(w.buf, '}')
	w.docs = append(w.docs, Document{Time: w.at, Values: int(w.values)})
	w.ends = append(w.ends, len(w.buf))
	w.members, w.dims, w.in = w.members[:0], "", w.in[:0]
	w.metrics, w.values = 0, 0
}
