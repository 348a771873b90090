package middleware

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/liftemf/liftemf/emf"
)

// HTTP returns a handler that serves requests with next and records them.
//
// The route is the pattern of [http.Request].Pattern, which [http.ServeMux] sets: put the
// observer around the mux, or around single handlers inside it. Where none matched, or
// where another handler between the observer and the mux copies the request, it is
// "unmatched". For other routers there is [WithRoute].
//
// The request's context carries the recorder of the tenant, or the emitter's own, so
// that handlers can record values of theirs with [emf.FromContext]; they are not under
// method and route. With [PerRequest] it carries the request's [emf.Event].
//
// A request fails if its status is 5xx or its handler panics, and the panic goes on.
// [http.ErrAbortHandler] is a failure too, unless the client went away first. A client that
// went away before there was a status makes it 499. A request is recorded when its handler
// returns, so a stream counts when it is over, and of a connection that was hijacked, whose
// status is 101, no size is recorded.
//
// The response writer that next gets implements [http.Flusher], [http.Hijacker],
// [http.Pusher] and [io.ReaderFrom] if the server's does, and [http.ResponseController]
// reaches through it.
//
// A request that passes the same observer again, as the context tells, is recorded once: by the
// outermost. Within an invocation that the observer sees through [Lambda] or [LiftApp] the
// handler only says what the request was, and the invocation is recorded under its method and
// route.
func (o *Observer) HTTP(next http.Handler) http.Handler {
	if o.idle() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch outer := r.Context().Value(seenKey{o}).(type) {
		case *exchange:
			next.ServeHTTP(w, r)
			return
		case *invocation:
			outer.serve(next, w, r)
			return
		}
		// One allocation serves as response writer and as context.
		x := &exchange{
			response: response{inner: w, bodiless: r.Method == http.MethodHead},
			Context:  r.Context(),
			unit:     newUnit(o),
		}
		o.observe(x, next, r)
	})
}

func (o *Observer) observe(x *exchange, next http.Handler, outer *http.Request) {
	r := outer.WithContext(x)
	req, at := Request{Method: methodOf(r)}, pathOf(r)
	returned := false
	defer func() {
		var panicked any
		if !returned { // panicked, or ended its goroutine
			panicked = recover()
		}
		defer func() {
			handBack(outer, r)
			if panicked != nil {
				panic(panicked)
			}
		}()
		failed, why := x.outcome(x.Context, &req, returned, panicked)
		req.Route = unmatched
		routed := false
		defer func() { x.unit.finish(x, &req, failed || !routed, why) }()
		req.Route = o.routeOf(r, at)
		routed = true
		if agent := first(outer.Header["User-Agent"]); agent != "" && x.unit.event != nil {
			x.unit.event.SetProperty("user_agent", clip(agent))
		}
	}()
	o.identify(&req, outer)
	req.TenantID = o.tenantOf(outer) // may panic as the handler may
	x.unit.begin(x, &req, o.perRequest)
	next.ServeHTTP(x.writer(), r)
	returned = true
}

// serve lets a handler go on in an invocation, and says what the request was.
func (x *invocation) serve(next http.Handler, w http.ResponseWriter, outer *http.Request) {
	o, r := x.host.Observer, outer
	req, at := Request{Method: methodOf(r), Path: pathOf(r), ResponseBytes: -1}, pathOf(r)
	req.TenantID = o.tenantOf(r)
	if req.TenantID != "" {
		r = r.WithContext(emf.ContextWithRecorder(r.Context(), x.recorder.WithTenant(req.TenantID)))
	}
	x.identify(req) // for documents that are written before the end
	if agent := first(r.Header["User-Agent"]); agent != "" && x.event != nil {
		x.event.SetProperty("user_agent", clip(agent))
	}
	resp, returned := &response{inner: w, bodiless: r.Method == http.MethodHead}, false
	defer func() { // a panic of the handler's goes on
		handBack(outer, r)
		x.safely(func() {
			resp.outcome(outer.Context(), &req, returned, nil)
			req.Route = o.routeOf(r, at)
			x.identify(req)
		})
	}()
	next.ServeHTTP(resp.writer(), r)
	returned = true
}

// handBack does for the server's request what handlers did to the copy: outer handlers
// can read the pattern, and the server removes the temporary files of an upload.
func handBack(outer, r *http.Request) {
	if outer.Pattern == "" {
		outer.Pattern = r.Pattern
	}
	if outer.MultipartForm == nil {
		outer.MultipartForm = r.MultipartForm
	}
}

// exchange is a request on its way: the writer of its response, and its context. It is
// made anew for each request and never used again, because handlers may keep either.
type exchange struct {
	response
	context.Context // of the request as it came
	unit            unit

	once   sync.Once
	filled context.Context
}

// Value returns what the context with the recorder holds. That is made at the first
// question, because most requests never ask.
func (x *exchange) Value(key any) any {
	if key == any(seenKey{x.unit.o}) {
		return x
	}
	x.once.Do(func() { x.filled = x.unit.context(x.Context) })
	return x.filled.Value(key)
}

// String keeps a context that is logged from showing the request's headers.
func (x *exchange) String() string { return fmt.Sprint(x.Context) + ".WithRecorder" }
