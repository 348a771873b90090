package awssend

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Watch counts the attempts of one call, the client's own repeats among them.
type Watch struct {
	Attempts int
	Lost     int   // attempts that may have been taken, and whose answer was lost
	Bytes    int64 // of the bodies of all attempts, as sent
}

// Install adds the watch to a client's options for one call:
//
//	client.PutLogEvents(ctx, in, func(o *cloudwatchlogs.Options) { o.APIOptions = append(o.APIOptions, w.Install) })
func (w *Watch) Install(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("liftemf:Watch", w.attempt), "Retry", middleware.After)
}

func (w *Watch) attempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	w.Attempts++
	if request, ok := in.Request.(*smithyhttp.Request); ok && request.ContentLength > 0 {
		w.Bytes += request.ContentLength
	}
	var t trace
	out, metadata, err := next.HandleFinalize(t.observe(ctx), in)
	if err != nil && unanswered(err) && t.mayBeTaken(err) {
		w.Lost++
	}
	return out, metadata, err
}

// Settle ends a call that returned err. A client that does not let itself be watched made
// one attempt.
func (w *Watch) Settle(err error) {
	if w.Attempts > 0 {
		return
	}
	w.Attempts = 1
	if err != nil && lost(err) {
		w.Lost = 1
	}
}

// trace is how far an attempt came on the network. Its hooks may be called after the attempt
// has failed.
type trace struct {
	asked, connected, failed atomic.Bool
}

func (t *trace) observe(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { t.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.connected.Store(true) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err != nil {
				t.failed.Store(true)
			}
		},
	})
}

// mayBeTaken reports whether the service may have got the whole request. Where a request was
// given up while it was written nobody can tell, so it may.
func (t *trace) mayBeTaken(err error) bool {
	if !t.asked.Load() { // a transport that does not trace
		return lost(err)
	}
	return t.connected.Load() && !t.failed.Load()
}
