package lift

import (
	"context"
	"errors"

	"github.com/liftemf/liftemf/emf"
)

// Flush hands the sink all that was recorded before the call, by any copy. It returns when
// the sink has taken it, or with an error that says how much it has not, which the next
// flush offers again. It is bounded by [WithTimeout]. After the emitter is closed it
// returns [emf.ErrClosed]. See [emf.Emitter.Flush].
func (c *Collector) Flush() error {
	if c.common().emitter == nil {
		return nil
	}
	ctx, cancel := c.common().context()
	defer cancel()
	return c.common().emitter.Flush(ctx)
}

// Close closes the emitter if c was made by [NewCollector], see [emf.Emitter.Close]; what
// is recorded afterwards is dropped and counted. On a copy it flushes, and everything goes
// on. It is bounded by [WithTimeout]. Closing what is closed returns nil.
func (c *Collector) Close() error {
	if c.common().emitter == nil {
		return nil
	}
	if c.parent != nil {
		if err := c.Flush(); !errors.Is(err, emf.ErrClosed) {
			return err
		}
		return nil
	}
	ctx, cancel := c.common().context()
	defer cancel()
	return c.common().emitter.Close(ctx)
}

// context returns the context of a call that is not given one.
func (s *shared) context() (context.Context, context.CancelFunc) {
	if s.timeout <= 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), s.timeout)
}

// isClosed reports whether somebody has closed the emitter. A flush says so first, and
// does nothing under a context that is done.
func (s *shared) isClosed() bool {
	return s.emitter != nil && errors.Is(s.emitter.Flush(done), emf.ErrClosed)
}

// done is a context that is done.
var done = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()
