package middleware

import "context"

// LiftApp returns a function that handles events with a whole application, such as the
// HandleRequest of Lift's App, and records them as [Lambda] does:
//
//	handle := middleware.LiftApp(observer, app.HandleRequest, func(out any) middleware.Request {
//		if r, ok := out.(*lift.Response); ok {
//			return middleware.Request{Status: r.StatusCode, ResponseBytes: size(r)}
//		}
//		return middleware.Request{ResponseBytes: -1}
//	})
//	lambda.Start(handle)
//
// Being outermost it sees what the application's own middlewares do not: the final status of
// an error, requests of unknown routes, panics, and events that are no requests. describe says
// what the result tells of the request; what is empty in it changes nothing, and a negative
// size is none. With it a request also fails with a status from 500 on, and response.size is
// recorded. It may be nil.
//
// Put [Lift] with the same observer inside the application to add what only a request's own
// context knows: its method, route, path, tenant and user.
func LiftApp[In, Out any](o *Observer, handle func(context.Context, In) (Out, error), describe func(Out) Request) func(context.Context, In) (Out, error) {
	return invocations(o, handle, describe)
}
