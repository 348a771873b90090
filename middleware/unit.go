package middleware

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/hook"
)

// unit is one unit of work under observation, whatever host it came through: a request, an
// invocation. A host calls newUnit, begin and finish, each once; begin may be left out where
// something went wrong before it.
type unit struct {
	o        *Observer
	recorder *emf.Recorder // for handlers: under the tenant, of the event if there is one
	event    *emf.Event    // nil: values are added up in memory
	start    time.Time

	gauges [2]*emf.Gauge // requests.active, in each view
	more   []*emf.Gauge
}

// errGoexit is why a unit failed whose handler ended its goroutine.
var errGoexit = errors.New("the handler ended its goroutine (runtime.Goexit)")

// newUnit returns a unit that starts now.
func newUnit(o *Observer) unit { return unit{o: o, recorder: o.root, start: time.Now()} }

// begin counts a unit of work in. If it is wide it has an event of its own. The request has
// what is known at the beginning. ctx is for the log.
func (u *unit) begin(ctx context.Context, req *Request, wide bool) {
	ctx = orBackground(ctx)
	o := u.o
	if wide && o.emitter != nil {
		u.event = o.emitter.Begin()
		u.recorder = u.event.Recorder
	}
	u.recorder = u.recorder.WithTenant(req.TenantID)
	if o.root != nil {
		u.activate(req)
	}
	if o.logger != nil {
		o.logStarted(ctx, req)
	}
}

// activate raises requests.active.
func (u *unit) activate(req *Request) {
	g := u.o.active
	if g == nil {
		return
	}
	var w walk
	for n := 0; ; n++ {
		h := g.next(&w, u.o.root, req)
		switch {
		case h == nil:
			return
		case n < len(u.gauges):
			u.gauges[n] = h.active
		default:
			u.more = append(u.more, h.active)
		}
		h.active.Inc()
	}
}

// deactivate lowers requests.active where it was raised.
func (u *unit) deactivate() {
	for _, gauge := range u.gauges {
		if gauge != nil {
			gauge.Dec()
		}
	}
	for _, gauge := range u.more {
		gauge.Dec()
	}
}

// context returns a context that carries the unit's recorder and event.
func (u *unit) context(ctx context.Context) context.Context {
	ctx = orBackground(ctx)
	if u.event != nil {
		ctx = emf.NewContext(ctx, u.event)
	}
	return emf.ContextWithRecorder(ctx, u.recorder)
}

// finish records a unit that has ended, ends its event and logs it. The request has all that
// is known by now. Why is what it failed with: an error, the value of a panic, or nil.
//
// A host whose handler has panicked goes on with the panic afterwards. Functions of the user's
// are called here, for dimensions and by the logger: if one of them panics the unit is over
// all the same, and that panic goes on unless the host has one already.
func (u *unit) finish(ctx context.Context, req *Request, failed bool, why any) {
	o, took := u.o, time.Since(u.start)
	defer u.end()
	u.deactivate()
	if o.ignored[req.Route] {
		return
	}
	if o.root != nil {
		s := &sample{failed, float64(took) / float64(time.Millisecond), req.ResponseBytes}
		if u.event != nil && (failed || o.share == 1 || rand.Float64() < o.share) {
			u.document(req, s, u.start.Add(took))
		} else {
			o.record(req, s)
		}
	}
	if o.logger != nil {
		o.logEnded(orBackground(ctx), req, took, failed, why)
	}
}

// document records a unit that has ended now in a document of its own.
func (u *unit) document(req *Request, s *sample, now time.Time) {
	for _, g := range u.o.groups {
		var w walk
		for g.next(&w, u.o.root, req) != nil {
		}
		var h handles
		g.fill(&h, across(u.event, w.seen[:w.n]))
		g.put(&h, s)
	}
	u.o.describe(u.event, req, s.occasion())
	// Not under the unit's context: it may be over, and the document is to be written all the same.
	u.o.patience.end(u.o.emitter, u.event, now)
}

// end ends the event if no document has.
func (u *unit) end() {
	if u.event != nil {
		dissolve(u.event)
	}
}

// sample is what there is to record of a unit.
type sample struct {
	failed       bool
	milliseconds float64
	bytes        int
}

// record adds a unit's values up in memory.
func (o *Observer) record(req *Request, s *sample) {
	for _, g := range o.groups {
		var w walk
		for h := g.next(&w, o.root, req); h != nil; h = g.next(&w, o.root, req) {
			g.put(h, s)
		}
	}
}

// describe sets the properties of a unit's document, but for those that are dimensions in it.
func (o *Observer) describe(ev *emf.Event, req *Request, on occasion) {
	set := func(key, value string) {
		if value != "" && o.members[key]&on == 0 {
			ev.SetProperty(key, clip(value))
		}
	}
	set(o.published(MethodDimension), req.Method)
	set(o.published(RouteDimension), req.Route)
	set("path", req.Path)
	set(o.published(TenantDimension), req.TenantID)
	set("user_id", req.UserID)
	set("request_id", req.RequestID)
	set("trace_id", req.TraceID)
	if key := o.published(StatusDimension); req.Status != 0 && o.members[key]&on == 0 {
		ev.SetProperty(key, req.Status)
	}
}

// orBackground returns ctx, which may be nil.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

func across(ev *emf.Event, views []*emf.Recorder) *emf.Recorder {
	return hook.Across.(func(*emf.Event, []*emf.Recorder) *emf.Recorder)(ev, views)
}

func dissolve(ev *emf.Event) { hook.Dissolve.(func(*emf.Event))(ev) }
