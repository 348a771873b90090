package middleware

import (
	"context"
	"sync/atomic"
	"time"
)

// How long requests wait for the sink to take their documents: one to two seconds. When it has
// not taken one by then no request waits for a while; their documents stay with the emitter.
const (
	longestWait = time.Second
	noWait      = 10 * time.Second
)

// patience is what an observer's requests have with the sink.
type patience struct{ now atomic.Pointer[spell] }

// spell is a context that the requests of a second have in common, so that none needs a timer
// of its own.
type spell struct {
	context.Context
	over   time.Time // from then on there is another
	cancel context.CancelFunc
	lost   atomic.Bool // patience
}

// at returns the spell of a time.
func (p *patience) at(now time.Time) *spell {
	for {
		old := p.now.Load()
		if old != nil && now.Before(old.over) {
			return old
		}
		s := new(spell)
		s.Context, s.cancel = context.WithTimeout(context.Background(), 2*longestWait)
		s.over = now.Add(longestWait)
		if old != nil && old.lost.Load() {
			s.over = now.Add(noWait)
			s.cancel()
		}
		if p.now.CompareAndSwap(old, s) {
			return s // which ends by itself
		}
		s.cancel()
	}
}

// note notes that a document was not taken. It reports whether that is because the spell has
// ended, for the first time in it.
func (s *spell) note() bool { return s.Err() == context.DeadlineExceeded && !s.lost.Swap(true) }
