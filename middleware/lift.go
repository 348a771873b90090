package middleware

import (
	"context"
	"net/http"
)

// Handler is what a framework of Lift's kind calls a handler, for a context C of its own.
type Handler[C any] interface {
	Handle(ctx C) error
}

// Lift returns a middleware for a framework whose handlers take a context C and whose
// middlewares wrap an H, as Lift's do. It needs two functions: describe says what is known of a
// request, toHandler makes an H of a function:
//
//	app.Use(middleware.Lift(observer,
//		func(c *lift.Context, err error) middleware.Request {
//			return middleware.Request{
//				Method: c.Request.Method, Route: routes(c.Request.Path), Path: c.Request.Path,
//				TenantID: c.TenantID(), UserID: c.UserID(), RequestID: c.RequestID(),
//				Status: c.Response.StatusCode, ResponseBytes: -1,
//			}
//		},
//		func(f func(*lift.Context) error) lift.Handler { return lift.HandlerFunc(f) }))
//
// Requests are recorded as [Observer.HTTP] does, under the observer's views. A framework that
// does not tell which pattern a path matched leaves it to [Routes]. One whose errors become
// responses only after its middlewares, as Lift's do, leaves the status of err to describe.
//
// A middleware sees neither requests of unknown routes nor other events, and not what becomes
// of an error. Put [LiftApp] around the whole application for that: with the same observer, this
// middleware then only describes the request, and LiftApp records it, once.
//
// describe is called when the handler has returned, with its error, or panicked, with nil; with
// a logger, [PerRequest] or [RequestsActive] before it too, with nil. A request fails with a
// status from 500 on, with an error where the status is 0, and with a panic, which goes on.
// describe must not keep the context. It may panic as the handler may.
//
// [PerRequest]'s event is not known to the handler, for want of a way to give C a context; with
// LiftApp it is, if C is a [context.Context] made of the one that LiftApp passes on.
//
// For an Observer that is nil, or has neither an emitter nor a logger, the middleware is none.
func Lift[C any, H Handler[C]](o *Observer, describe func(ctx C, err error) Request, toHandler func(func(C) error) H) func(H) H {
	if o.idle() || describe == nil || toHandler == nil {
		return func(next H) H { return next }
	}
	return func(next H) H {
		return toHandler(func(ctx C) error { return observeHandler(o, describe, next, ctx) })
	}
}

func observeHandler[C any, H Handler[C]](o *Observer, describe func(C, error) Request, next H, of C) (err error) {
	ctx, outer := contextOf(any(of), o)
	switch outer := outer.(type) {
	case *exchange:
		return next.Handle(of)
	case *invocation:
		return describeHandler(outer, describe, next, of)
	}
	u := newUnit(o)
	var req Request
	returned := false
	defer func() {
		var panicked any
		if !returned {
			panicked = recover()
		}
		defer func() {
			if panicked != nil {
				panic(panicked)
			}
		}()
		var failed bool
		var why any
		defer func() { u.finish(ctx, &req, failed, why) }()
		failed, why = true, errGoexit // in case describe panics
		req = describe(of, err)
		failed, why = handled(&req, returned, panicked, err)
	}()
	if o.tells() || o.active != nil {
		req = describe(of, nil)
	}
	u.begin(ctx, &req, o.perRequest)
	err = next.Handle(of)
	returned = true
	return err
}

// describeHandler lets the handler go on in an invocation that is recorded where its outcome
// is known.
func describeHandler[C any, H Handler[C]](x *invocation, describe func(C, error) Request, next H, of C) (err error) {
	returned := false
	defer func() {
		x.safely(func() { // a panic of the handler's goes on
			req := describe(of, err)
			if !returned {
				req.Status, req.ResponseBytes = http.StatusInternalServerError, -1
			}
			x.identify(sized(req))
		})
	}()
	req := describe(of, nil) // for documents that are written before the end
	req.Status, req.ResponseBytes = 0, -1
	x.identify(req)
	err = next.Handle(of)
	returned = true
	return err
}

// sized returns req without a size of 0, which a middleware inside the application says where
// it does not know the response yet.
func sized(req Request) Request {
	if req.ResponseBytes == 0 {
		req.ResponseBytes = -1
	}
	return req
}

// handled returns whether a request failed, and with what, by what its handler did.
func handled(req *Request, returned bool, panicked any, err error) (failed bool, why any) {
	switch {
	case returned && err == nil:
		return req.Status >= http.StatusInternalServerError, nil
	case returned:
		return req.Status >= http.StatusInternalServerError || req.Status == 0, err
	}
	req.Status, req.ResponseBytes = http.StatusInternalServerError, -1
	if panicked == nil {
		panicked = errGoexit
	}
	return true, panicked
}

// contextOf returns the framework's context as a context.Context, if it is one, and what o sees
// it with already, if it does.
func contextOf(of any, o *Observer) (ctx context.Context, outer any) {
	ctx, ok := of.(context.Context)
	if !ok {
		return context.Background(), nil
	}
	defer func() {
		if recover() != nil { // a nil pointer, for one
			ctx = context.Background()
		}
	}()
	return ctx, ctx.Value(seenKey{o})
}
