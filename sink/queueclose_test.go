package sink_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

// A next sink that hangs is given up at the deadline, and no goroutine is left behind.
func TestQueueCloseWhileNextHangs(t *testing.T) {
	eachQueue(t, func(t *testing.T, open func(emf.Sink, ...sink.QueueOption) queueSink) {
		defer goleak.VerifyNone(t)
		hung := make(chan struct{})
		target := &queueTarget{answer: func(ctx context.Context, _ int, _ []emf.Document) error {
			close(hung)
			<-ctx.Done()
			return ctx.Err()
		}}
		q := open(target)
		docs := numbered(0, 10)
		require.NoError(t, q.Write(t.Context(), docs))
		<-hung
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		err := q.CloseContext(ctx)
		s := q.Stats()
		lawful(t, s)
		assert.Equal(t, amount(docs), s.Ambiguous)
		assert.Equal(t, 1, target.closed)
		if _, memory := q.(*sink.RetrySink); memory {
			require.ErrorContains(t, err, "10 documents dropped")
			assert.Equal(t, amount(docs), s.Drops[sink.DropClosed])
		} else {
			require.NoError(t, err)
			assert.Equal(t, amount(docs), s.Pending, "still on disk")
		}
	})
}

// One that does not even look at its context keeps what it has until it returns.
func TestQueueCloseWhileNextIgnoresItsContext(t *testing.T) {
	eachQueue(t, func(t *testing.T, open func(emf.Sink, ...sink.QueueOption) queueSink) {
		defer goleak.VerifyNone(t)
		hung, release := make(chan struct{}), make(chan struct{})
		target := &queueTarget{answer: func(context.Context, int, []emf.Document) error {
			close(hung)
			<-release
			return nil
		}}
		q := open(target, sink.WithDrainTimeout(0))
		docs := numbered(0, 10)
		require.NoError(t, q.Write(t.Context(), docs))
		<-hung
		require.ErrorContains(t, q.Close(), "the next sink has not returned")
		lawful(t, q.Stats())
		assert.Equal(t, amount(docs), q.Stats().Pending)
		close(release)
		require.NoError(t, q.CloseContext(t.Context()))
		assert.Equal(t, amount(docs), q.Stats().Delivered)
		assert.Equal(t, 1, target.closed)
	})
}

// An emitter's Close passes its deadline on, through sinks that stand before the queue as well: what
// could not be delivered until then is counted.
func TestQueueCloseWithinTheEmittersContext(t *testing.T) {
	for name, before := range map[string]func(emf.Sink) emf.Sink{
		"alone":    func(queue emf.Sink) emf.Sink { return queue },
		"tee":      func(queue emf.Sink) emf.Sink { return sink.Tee(sink.Retry(&queueTarget{}, quiet), queue) },
		"fallback": func(queue emf.Sink) emf.Sink { return sink.Fallback(failing{}, queue) },
		"queue":    func(queue emf.Sink) emf.Sink { return sink.Retry(queue, quiet) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target := &queueTarget{answer: func(context.Context, int, []emf.Document) error { return errDown }}
				q := sink.Retry(target, quiet, sink.WithDrainTimeout(time.Hour))
				e := emf.Must(emf.New("test", emf.WithSink(before(q)), emf.WithFlushInterval(0), emf.WithLogger(slog.New(slog.DiscardHandler))))
				e.Counter("n").Inc()
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				begin := time.Now()
				require.Error(t, e.Close(ctx))
				assert.Equal(t, 3*time.Second, time.Since(begin))
				synctest.Wait()
				assert.EqualValues(t, 1, q.Stats().Drops[sink.DropClosed].Values)
				assert.Equal(t, 1, target.closed)
			})
		})
	}
}

// failing is a sink that takes nothing.
type failing struct{}

func (failing) Write(context.Context, []emf.Document) error { return errDown }
