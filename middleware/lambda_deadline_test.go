package middleware_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	"github.com/liftemf/liftemf/middleware"
)

// An invocation that takes too long is written before Lambda kills it. If it is not killed what
// follows is in a further document, and nothing is written twice.
func TestEarlyFlush(t *testing.T) {
	for before, at := range map[time.Duration]time.Duration{
		-1:              2900 * time.Millisecond, // not given
		time.Second:     2 * time.Second,
		2 * time.Second: 1500 * time.Millisecond, // half of the time, at the earliest
	} {
		synctest.Test(t, func(t *testing.T) {
			e, metrics := emftest.New(t)
			var options []middleware.Option
			if before >= 0 {
				options = append(options, middleware.WithEarlyFlush(before))
			}
			handle := middleware.Lambda(middleware.MetricsOnly(e, options...), func(ctx context.Context, _ int) (int, error) {
				emf.FromContext(ctx).Counter("orders").Inc()
				e.Counter("beside").Inc()
				time.Sleep(at - time.Millisecond)
				synctest.Wait()
				assert.Empty(t, metrics.Documents())
				time.Sleep(time.Millisecond)
				synctest.Wait()
				require.Len(t, metrics.Documents(), 2)
				assert.Equal(t, map[string]any{"request_id": "id", "orders": 1.0, "requests.total": 1.0, "requests.timeouts": 1.0}, members(t, metrics.Documents()[0]))
				assert.Equal(t, map[string]any{"beside": 1.0}, members(t, metrics.Documents()[1]))
				emf.FromContext(ctx).Counter("orders").Inc()
				return 0, ctx.Err()
			})
			_, err := handle(within(t, 3*time.Second), 0)
			assert.NoError(t, err)
			require.Len(t, metrics.Documents(), 3)
			assert.Equal(t, map[string]any{"request_id": "id", "orders": 1.0}, members(t, metrics.Documents()[2]))
			assert.Equal(t, 1.0, metrics.Count("requests.duration"))
		})
	}
}

// A handler that never ends costs its invocation, and no other.
func TestHandlerThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, metrics := emftest.New(t)
		o := middleware.MetricsOnly(e)
		forever := make(chan struct{})
		handle := middleware.Lambda(o, func(ctx context.Context, n int) (string, error) {
			if n == 0 {
				emf.FromContext(ctx).Counter("orders").Inc()
				<-forever
			}
			return order(ctx, n)
		})
		go func() { _, _ = handle(within(t, 3*time.Second), 0) }()
		time.Sleep(time.Hour)
		require.Len(t, metrics.Documents(), 1)
		_, err := handle(within(t, 3*time.Second), 1)
		require.NoError(t, err)
		assert.Equal(t, 2.0, metrics.Sum("orders"))
		assert.Equal(t, 2.0, metrics.Sum("requests.total"))
		close(forever)
		synctest.Wait()
	})
}

func TestNoEarlyFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, metrics := emftest.New(t)
		o := middleware.MetricsOnly(e, middleware.WithEarlyFlush(0))
		_, err := middleware.Lambda(o, func(context.Context, int) (int, error) {
			time.Sleep(time.Hour)
			return 0, nil
		})(within(t, time.Second), 0)
		require.NoError(t, err)
		assert.Len(t, metrics.Documents(), 1)
		assert.False(t, has(metrics, "requests.timeouts"))
		assert.ErrorContains(t, middleware.MetricsOnly(e, middleware.WithEarlyFlush(-1)).Err(), "WithEarlyFlush")
	})
}

func TestDrain(t *testing.T) {
	e, metrics := emftest.New(t)
	o := middleware.MetricsOnly(e)
	_, err := middleware.Lambda(o, func(ctx context.Context, n int) (string, error) {
		out, err := order(ctx, n)
		o.Drain()
		require.Len(t, metrics.Documents(), 1)
		assert.Equal(t, map[string]any{"request_id": "id", "order": 2.0, "orders": 2.0}, members(t, metrics.Documents()[0]))
		return out, err
	})(invoked("id", ""), 2)
	require.NoError(t, err)
	assert.Equal(t, map[string]uint64{"closed": 2}, e.Stats().Drops)
}

// A sink that hangs does not make a time-out of an invocation that would have ended in time.
func TestSinkHangsBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := emf.SinkFunc(func(ctx context.Context, _ []emf.Document) error {
			<-ctx.Done()
			return ctx.Err()
		})
		e := emf.Must(emf.New("Test", emf.WithSink(hang), emf.WithFlushInterval(0), emf.WithLogger(slog.New(slog.DiscardHandler))))
		ctx := within(t, 3*time.Second)
		out, err := middleware.Lambda(middleware.MetricsOnly(e), func(ctx context.Context, n int) (string, error) {
			time.Sleep(2940 * time.Millisecond) // the early flush waits for the sink then
			return order(ctx, n)
		})(ctx, 1)
		require.NoError(t, err)
		assert.Equal(t, "ordered 1", out)
		assert.NoError(t, ctx.Err())
		synctest.Wait()
		assert.Equal(t, uint64(4), e.Stats().Pending)
	})
}

// What is being written when the process is to end is waited for.
func TestDrainDuringAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		written := 0
		slow := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
			time.Sleep(100 * time.Millisecond)
			written += len(docs)
			return nil
		})
		e := emf.Must(emf.New("Test", emf.WithSink(slow), emf.WithFlushInterval(0)))
		o := middleware.MetricsOnly(e)
		go func() { _, _ = middleware.Lambda(o, order)(invoked("id", ""), 1) }()
		time.Sleep(50 * time.Millisecond)
		o.Drain()
		assert.Equal(t, 1, written)
		assert.Equal(t, uint64(3), e.Stats().Delivered)
		synctest.Wait()
	})
}
