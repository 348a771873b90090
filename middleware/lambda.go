package middleware

import (
	"context"
	"io"
)

// Lambda returns a function that handles invocations with h and records them: give it to
// lambda.Start. For an Observer that is nil, or has neither an emitter nor a logger, that is h.
//
// Each invocation is an [emf.Event], which its context carries: what h records with
// [emf.FromContext] and sets with [emf.SetProperty] goes into documents of this invocation
// alone, with request_id, function_version and, if X-Ray samples the invocation, trace_id.
// Several invocations at once in one process do not mix. The invocation itself is
// recorded as
//
//	requests.total     counter                  invocations
//	requests.errors    counter                  of these, those with an error or a panic
//	requests.duration  histogram, Milliseconds  from the call of h to its return
//	requests.timeouts  counter                  those that were still running shortly before the deadline
//	ColdStart          counter                  1 with the first invocation of a process, see [WithColdStart]
//
// under the observer's views, without method and route unless [Observer.HTTP] or [Lift] inside
// of h tells them; response.size is recorded if they tell it too. requests.active is not.
//
// All documents are written before h's result is returned, whether h succeeds, fails, panics or
// ends its goroutine, and with them whatever else was recorded with the emitter: between
// invocations nothing runs. Shortly before the deadline what there is so far is written, see
// [WithEarlyFlush]; values recorded after it follow in a further document if the function
// lives to see the end of h. Values that goroutines record after h has returned
// are written with the next invocation.
//
// The result of h is passed on as it is, and so are panics. A sink that fails or hangs changes
// neither: it is waited for at most two seconds, and at most half of the time to the
// deadline; then its documents stay with the emitter for the next flush. Before the first
// invocation of a process, whose ColdStart has a document of its own, that may be once more.
//
// Where h returns an [io.Reader] that is a streamed response, the event stays open until
// aws-lambda-go has sent it: values recorded meanwhile follow in a further document, which
// may be written with the next invocation only. The duration ends with h.
//
// An invocation that passes through the same observer again inside h is recorded once.
func Lambda[In, Out any](o *Observer, h func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return invocations(o, h, nil)
}

// invocations is Lambda for handlers whose results may tell more of a request.
func invocations[In, Out any](o *Observer, h func(context.Context, In) (Out, error), describe func(Out) Request) func(context.Context, In) (Out, error) {
	if o.idle() || h == nil {
		return h
	}
	host := newLambdaHost(o)
	return func(ctx context.Context, in In) (Out, error) {
		x := host.invocation(ctx)
		if x == nil {
			return h(ctx, in)
		}
		defer x.end()
		out, err := h(x.begin(), in)
		_, stream := any(out).(io.Reader)
		x.returned(err, stream)
		if describe != nil && err == nil {
			x.safely(func() { x.identify(describe(out)) })
		}
		return out, err
	}
}
