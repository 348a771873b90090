package middleware_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	"github.com/liftemf/liftemf/middleware"
)

// The error is the handler's own.
func TestInvocationFails(t *testing.T) {
	e, metrics := emftest.New(t)
	refused := errors.New("refused")
	_, err := middleware.Lambda(middleware.MetricsOnly(e), func(ctx context.Context, n int) (int, error) {
		emf.FromContext(ctx).Counter("orders").Inc()
		return n, refused
	})(invoked("id", ""), 1)
	assert.Same(t, refused, err)
	require.Len(t, metrics.Documents(), 1)
	assert.Equal(t, map[string]any{"request_id": "id", "orders": 1.0, "requests.total": 1.0, "requests.errors": 1.0}, members(t, metrics.Documents()[0]))
}

// A panic goes on with its value, once what was recorded is written.
func TestInvocationPanics(t *testing.T) {
	e, metrics := emftest.New(t)
	value := &custom{"broken"}
	handle := middleware.Lambda(middleware.MetricsOnly(e), func(ctx context.Context, _ int) (int, error) {
		emf.FromContext(ctx).Counter("orders").Inc()
		panic(value)
	})
	func() {
		defer func() {
			assert.Same(t, value, recover())
			require.Len(t, metrics.Documents(), 1)
		}()
		_, _ = handle(invoked("id", ""), 1)
	}()
	assert.Equal(t, map[string]any{"request_id": "id", "orders": 1.0, "requests.total": 1.0, "requests.errors": 1.0}, members(t, metrics.Documents()[0]))
}

func TestInvocationEndsItsGoroutine(t *testing.T) {
	e, metrics := emftest.New(t)
	handle := middleware.Lambda(middleware.MetricsOnly(e), func(ctx context.Context, _ int) (int, error) {
		emf.FromContext(ctx).Counter("orders").Inc()
		runtime.Goexit()
		return 0, nil
	})
	var group sync.WaitGroup
	group.Go(func() { _, _ = handle(invoked("id", ""), 1) })
	group.Wait()
	require.Len(t, metrics.Documents(), 1)
	assert.Equal(t, map[string]any{"request_id": "id", "orders": 1.0, "requests.total": 1.0, "requests.errors": 1.0}, members(t, metrics.Documents()[0]))
}

// What a sink does is nothing to the invocation, but for two seconds if it hangs.
func TestSinkFails(t *testing.T) {
	for name, write := range map[string]emf.SinkFunc{
		"fails":  func(context.Context, []emf.Document) error { return errors.New("full") },
		"panics": func(context.Context, []emf.Document) error { panic("full") },
		"hangs": func(ctx context.Context, _ []emf.Document) error {
			<-ctx.Done()
			return ctx.Err()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			var log strings.Builder
			e := emf.Must(emf.New("Test", emf.WithSink(write), emf.WithFlushInterval(0), emf.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))))
			start := time.Now()
			out, err := middleware.Lambda(middleware.MetricsOnly(e), order)(within(t, time.Minute), 1)
			require.NoError(t, err, name)
			assert.Equal(t, "ordered 1", out, name)
			assert.LessOrEqual(t, time.Since(start), 2*time.Second, name)
			synctest.Wait()
			s := e.Stats()
			assert.Equal(t, uint64(3), s.Pending, name)
			assert.Error(t, s.LastError, name)
			assert.Contains(t, log.String(), "a flush failed", name)

			// With little time left it is waited for half of it.
			start = time.Now()
			_, err = middleware.Lambda(middleware.MetricsOnly(e), order)(within(t, time.Second), 1)
			require.NoError(t, err, name)
			assert.LessOrEqual(t, time.Since(start), 500*time.Millisecond, name)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_ = e.Close(ctx)
		})
	}
}

// A handler is not called for nobody knows whom.
func TestTenantFunctionPanics(t *testing.T) {
	e, metrics := emftest.New(t)
	o := middleware.MetricsOnly(e, middleware.WithTenantFromContext(func(context.Context) string { panic("who?") }))
	assert.PanicsWithValue(t, "who?", func() {
		_, _ = middleware.Lambda(o, func(context.Context, int) (int, error) {
			t.Error("called")
			return 0, nil
		})(invoked("id", ""), 0)
	})
	assert.Equal(t, 1.0, metrics.Sum("requests.errors"))
	assert.Equal(t, []any{"id"}, metrics.Property("request_id"))
}

// Functions that options bring along do not become the invocation's result.
func TestDimensionFunctionPanics(t *testing.T) {
	e, metrics := emftest.New(t)
	o := middleware.MetricsOnly(e, middleware.WithDimension("kind", func(middleware.Request) string { panic("what?") }),
		middleware.WithViews(middleware.View{"kind"}))
	out, err := middleware.Lambda(o, order)(invoked("id", ""), 2)
	require.NoError(t, err)
	assert.Equal(t, "ordered 2", out)
	assert.Equal(t, 2.0, metrics.Sum("orders"))
}

// brokenLogger panics at every record.
type brokenLogger struct{ slog.Handler }

func (brokenLogger) Enabled(context.Context, slog.Level) bool  { return true }
func (brokenLogger) Handle(context.Context, slog.Record) error { panic("the logger") }

// Neither does a logger that panics, with an emitter and without.
func TestLoggerPanics(t *testing.T) {
	e, metrics := emftest.New(t)
	for _, o := range []*middleware.Observer{
		middleware.Observability(e, slog.New(brokenLogger{})), middleware.Observability(nil, slog.New(brokenLogger{})),
	} {
		out, err := middleware.Lambda(o, order)(invoked("id", ""), 2)
		require.NoError(t, err)
		assert.Equal(t, "ordered 2", out)
	}
	assert.Equal(t, 1.0, metrics.Sum("requests.total"))
	assert.Zero(t, metrics.Count("requests.errors"))
}
