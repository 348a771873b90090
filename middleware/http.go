package middleware

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/liftemf/liftemf/emf"
)

// HTTP returns a handler that serves requests with next and records them.
//
// The route is the pattern of [http.Request].Pattern, which [http.ServeMux] sets: put the
// observer around the mux, or around single handlers inside it. Where none matched, or
// where another handler between the observer and the mux copies the request, it is
// "unmatched".
//
// The request's context carries the recorder of the tenant, or the emitter's own, so
// that handlers can record values of theirs with [emf.FromContext]; they are not under
// method and route.
//
// A request fails if its status is 5xx or its handler panics, and the panic goes on.
// [http.ErrAbortHandler] is a failure too, unless the client went away first. A request
// is recorded when its handler returns, so a stream counts when it is over, and of a
// connection that was hijacked no size is recorded.
//
// The response writer that next gets implements [http.Flusher], [http.Hijacker],
// [http.Pusher] and [io.ReaderFrom] if the server's does, and [http.ResponseController]
// reaches through it.
func (o *Observer) HTTP(next http.Handler) http.Handler {
	if o.idle() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// One allocation serves as response writer and as context.
		x := &exchange{
			response: response{inner: w, bodiless: r.Method == http.MethodHead},
			Context:  r.Context(),
			recorder: o.root,
		}
		o.observe(x, next, r)
	})
}

func (o *Observer) observe(x *exchange, next http.Handler, outer *http.Request) {
	r := outer.WithContext(x)
	method, at := methodOf(r), pathOf(r)
	start := time.Now()
	var active *emf.Gauge
	returned := false
	defer func() {
		var panicked any
		if !returned { // panicked, or ended its goroutine
			panicked = recover()
		}
		out := outcome{
			method: method,
			route:  routeOf(r, at),
			failed: x.status >= 500 || !returned && !abandoned(panicked, x.Context),
			took:   time.Since(start),
			size:   x.size(),
		}
		if !returned && !x.hijacked {
			out.size = -1 // cut off
		}
		out.record(x.recorder)
		active.Dec()
		handBack(outer, r)
		if panicked != nil {
			panic(panicked)
		}
	}()
	if o.tenant != nil { // may panic as the handler may
		x.recorder = o.root.WithTenant(o.tenant(outer))
		start = time.Now()
	}
	active = began(x.recorder, method)
	next.ServeHTTP(x.writer(), r)
	returned = true
}

// abandoned reports whether a handler gave up because the client had gone: that is how
// httputil.ReverseProxy, for one, ends. Nothing of the server's has failed then.
func abandoned(panicked any, client context.Context) bool {
	return panicked == http.ErrAbortHandler && client.Err() != nil
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
	recorder        *emf.Recorder

	once   sync.Once
	filled context.Context
}

// Value returns what the context with the recorder holds. That is made at the first
// question, because most requests never ask.
func (x *exchange) Value(key any) any {
	x.once.Do(func() { x.filled = emf.ContextWithRecorder(x.Context, x.recorder) })
	return x.filled.Value(key)
}

// String keeps a context that is logged from showing the request's headers.
func (x *exchange) String() string { return fmt.Sprint(x.Context) + ".WithRecorder" }
