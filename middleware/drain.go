package middleware

import (
	"context"
	"time"
)

// Lambda kills a process half a second after SIGTERM.
//
// Source: the AWS Lambda developer guide, "execution environment lifecycle".
const drainTime = 400 * time.Millisecond

// Drain closes the observer's emitter within 400 ms: what invocations have recorded that are
// still running is written too. It is for functions that are told when their process is to
// end:
//
//	lambda.StartWithOptions(middleware.Lambda(observer, handle), lambda.WithEnableSIGTERM(observer.Drain))
//
// Of a nil Observer, or one without an emitter, it does nothing.
func (o *Observer) Drain() {
	if o == nil || o.root == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	// The emitter does not wait for the End of an event that is being written.
	for half := time.Now().Add(drainTime / 2); o.writing.Load() > 0 && time.Now().Before(half); {
		time.Sleep(time.Millisecond)
	}
	if err := o.emitter.Close(ctx); err != nil {
		report(o.emitter, "closing the emitter failed", err)
	}
}
