package emf

import (
	"strings"

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
	ev.mu.Lock()
	ev.wide = true
	ev.mu.Unlock()
	if len(views) == 1 {
		return ev.recorder(views[0])
	}
	e := ev.e
	r := &Recorder{e: e, event: ev, onward: append([]*Recorder(nil), views...)}
	var (
		room [8]Dimension
		sets [4]string
	)
	dims, names := room[:0], sets[:0]
	for _, view := range views {
		to := e.store.admit(view)
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
		names = append(names, to.sets)
		r.weight += to.weight
		if to.clash.Load() {
			r.clash.Store(true)
		}
	}
	var text [256]byte
	members := text[:0]
	for _, d := range dims {
		members = appendDimension(members, d)
	}
	r.dims, r.count = string(members), uint16(len(dims))
	r.sets = strings.Join(names, ",")
	ev.mu.Lock()
	defer ev.mu.Unlock()
	if ev.over {
		r.state.Store(ended)
	}
	ev.recorders = append(ev.recorders, r)
	return r
}

// dissolve ends the event without a document.
func (ev *Event) dissolve() {
	ev.mu.Lock()
	if ev.over {
		ev.mu.Unlock()
		return
	}
	ev.over, ev.dissolved = true, true
	ev.freeProperties()
	recorders := ev.recorders
	for _, r := range recorders {
		r.enter(ended)
	}
	ev.mu.Unlock()
	for _, r := range recorders {
		for s := r.first.Load(); s != nil; s = s.next.Load() {
			s.pass()
		}
	}
	ev.e.events.close(ev)
}
