package emf

import (
	"context"
	"time"
)

// timer flushes an emitter at the end of every interval of the wall clock.
type timer struct {
	quit    chan struct{}
	stopped chan struct{}
	cancel  context.CancelFunc // of a flush that runs
}

func (t *timer) start(e *Emitter, interval time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	t.quit, t.stopped, t.cancel = make(chan struct{}), make(chan struct{}), cancel
	go func() {
		defer close(t.stopped)
		for {
			now := e.now()
			begin := now.Truncate(interval)
			select {
			case <-time.After(begin.Add(interval).Sub(now)):
			case <-t.quit:
				return
			}
			// The interval that has passed is the one these values belong to.
			if err := e.flush(ctx, begin); err != nil {
				e.diagnostics.report("flush", "a flush failed", "error", err)
			}
		}
	}()
}

// stop ends the flushing. A flush that runs may go on until ctx is done.
func (t *timer) stop(ctx context.Context) {
	if t.quit == nil {
		return
	}
	defer t.cancel()
	close(t.quit)
	select {
	case <-t.stopped:
	case <-ctx.Done():
	}
}
