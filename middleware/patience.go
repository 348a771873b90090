package middleware

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/liftemf/liftemf/emf"
)

// longestWait is how long requests wait for the sink to take their documents, at least; it is
// twice as long at most.
const longestWait = time.Second

// patience is what an observer's requests have with the sink. Once one has waited in vain none
// waits until the sink answers again: their documents stay with the emitter.
type patience struct {
	current atomic.Pointer[spell]
	lost    atomic.Bool
}

// spell is a context that the requests of a second have in common, so that none needs a timer
// of its own.
type spell struct {
	context.Context
	over   time.Time // from then on there is another
	cancel context.CancelFunc
}

// at returns the context for a document that is written now.
func (p *patience) at(now time.Time) context.Context {
	if p.lost.Load() {
		return impatient
	}
	for {
		old := p.current.Load()
		if old != nil && now.Before(old.over) {
			return old
		}
		s := &spell{over: now.Add(longestWait)}
		s.Context, s.cancel = context.WithTimeout(context.Background(), 2*longestWait)
		if p.current.CompareAndSwap(old, s) {
			return s // which ends by itself
		}
		s.cancel()
	}
}

// impatient is a context that is done.
var impatient = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// end ends an event. Its error is in the emitter's Stats and diagnostics, and the documents
// wait there.
func (p *patience) end(e *emf.Emitter, ev *emf.Event, now time.Time) {
	ctx := p.at(now)
	err := ev.End(ctx)
	if err == nil || ctx.Err() != context.DeadlineExceeded || time.Since(now) < longestWait || p.lost.Swap(true) {
		return
	}
	report(e, "the sink hangs: documents of requests wait for it, and requests do not", err)
	go func() {
		defer p.lost.Store(false)
		_ = e.Flush(context.Background()) // returns when the sink does, or the emitter is closed
	}()
}
