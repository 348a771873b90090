package emf_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// handler is a slog handler that calls a function.
type handler struct {
	slog.Handler
	handle func(slog.Record)
}

func newLogger(handle func(slog.Record)) *slog.Logger {
	return slog.New(handler{slog.DiscardHandler, handle})
}

func (handler) Enabled(context.Context, slog.Level) bool { return true }

func (h handler) Handle(_ context.Context, r slog.Record) error {
	h.handle(r)
	return nil
}

// No recording waits for a logger.
func TestLoggerThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		var mu sync.Mutex
		var logged []string
		e, _ := newEmitter(t, emf.WithLogger(newLogger(func(r slog.Record) {
			<-unblock
			mu.Lock()
			defer mu.Unlock()
			logged = append(logged, r.Message)
		})))
		e.Counter("n").Add(math.NaN())
		e.Gauge("n").Set(1)
		for i := range 1000 { // topics of their own
			e.With(emf.Dim(fmt.Sprintf("name%d\n", i), "é")).Counter("é").Inc()
		}
		flush(t, e)
		requireLaw(t, e)
		begin := time.Now()
		require.NoError(t, e.Close(context.Background()))
		assert.LessOrEqual(t, time.Since(begin), time.Second, "Close does not wait for ever either")
		close(unblock)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		assert.Contains(t, strings.Join(logged, "\n"), "not finite")
		assert.Less(t, len(logged), 100)
	})
}

// Close gives the logger all that was reported, and time to take it.
func TestCloseDrainsDiagnostics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged atomic.Int32
		e, _ := newEmitter(t, emf.WithLogger(newLogger(func(slog.Record) {
			time.Sleep(100 * time.Millisecond)
			logged.Add(1)
		})))
		e.Counter("n").Add(math.NaN())
		e.Counter("n").Add(math.NaN())
		e.Counter("é").Inc()
		require.NoError(t, e.Close(t.Context()))
		assert.EqualValues(t, 2, logged.Load())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		e.Counter("n").Inc() // after the end: logged by a goroutine that comes and goes
		require.NoError(t, e.Close(ctx))
		time.Sleep(time.Second)
		synctest.Wait()
		assert.EqualValues(t, 3, logged.Load())
	})
}

// A logger may use the emitter, though a flush is what it tells of.
func TestLoggerThatFlushes(t *testing.T) {
	var e *emf.Emitter
	done := make(chan struct{})
	e, _ = newEmitter(t, emf.WithLogger(newLogger(func(r slog.Record) {
		e.Counter("logged").Inc()
		assert.NoError(t, e.Flush(context.Background()))
		close(done)
	})))
	e.GaugeFunc("g", func() float64 { panic("boom") })
	flush(t, e)
	<-done
	require.NoError(t, e.Close(t.Context()))
	requireLaw(t, e)
}

func TestLoggerThatPanicsOrExits(t *testing.T) {
	for _, end := range []func(){func() { panic("boom") }, runtime.Goexit} {
		calls := 0
		e, _ := newEmitter(t, emf.WithLogger(newLogger(func(slog.Record) { calls++; end() })))
		e.Counter("n").Add(math.NaN())
		e.Counter("é").Inc()
		e.Counter(" ").Inc()
		require.NoError(t, e.Close(t.Context()))
		assert.Equal(t, 3, calls)
	}
}

// What a sink has that ends the goroutine, as t.FailNow does, stays pending.
func TestSinkThatExits(t *testing.T) {
	exits := func(context.Context, []emf.Document) error { runtime.Goexit(); return nil }
	e, f := newFlaky(t, []func(context.Context, []emf.Document) error{exits, exits, exits})
	e.Counter("n").Inc()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = e.Flush(context.Background()) // in this goroutine, which ends
		t.Error("not reached")
	}()
	<-done
	s := requireLaw(t, e)
	assert.EqualValues(t, 1, s.Pending)
	assert.EqualValues(t, 1, s.Errors)
	assert.ErrorContains(t, s.LastError, "Goexit")

	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	require.ErrorContains(t, e.Flush(ctx), "Goexit", "at once")
	ev := e.Begin()
	ev.Counter("n").Inc()
	require.ErrorContains(t, ev.End(ctx), "Goexit")
	assert.EqualValues(t, 2, requireLaw(t, e).Pending)
	flush(t, e)
	assert.Len(t, f.take(), 2)
	assert.Zero(t, requireLaw(t, e).Pending)
}

// A gauge function that hangs does not hold up those who have set a time limit.
func TestGaugeFuncThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		hang := func() float64 { <-unblock; return 1 }
		e, c := newEmitter(t)
		limit := func() context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			t.Cleanup(cancel)
			return ctx
		}
		ended, left := e.Begin(), e.Begin()
		for _, ev := range []*emf.Event{ended, left} {
			ev.GaugeFunc("g", hang)
			ev.Counter("n").Inc()
		}
		begin := time.Now()
		require.ErrorIs(t, ended.End(limit()), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(begin))
		require.ErrorIs(t, left.Flush(limit()), context.DeadlineExceeded)
		assert.Equal(t, 2*time.Second, time.Since(begin))
		requireLaw(t, e)
		e.GaugeFunc("aggregated", hang)
		require.ErrorIs(t, e.Close(limit()), context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(begin))
		close(unblock)
		synctest.Wait()
		s := requireLaw(t, e)
		assert.Zero(t, s.Pending)
		c.take()
	})
}

// Documents come in the order of their writes also where a write hangs, and then fails.
func TestOrderBehindAHungWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		e, f := newFlaky(t, []func(context.Context, []emf.Document) error{
			func(context.Context, []emf.Document) error { <-unblock; return errSink },
		})
		for _, name := range []string{"first", "second"} {
			ev := e.Begin()
			ev.Counter(name).Inc()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, ev.End(ctx), context.DeadlineExceeded)
		}
		close(unblock)
		synctest.Wait()
		assert.EqualValues(t, 2, requireLaw(t, e).Pending)
		flush(t, e)
		docs := f.take()
		require.Len(t, docs, 2)
		assert.Equal(t, []string{"first"}, docs[0].metrics)
		assert.Equal(t, []string{"second"}, docs[1].metrics)
	})
}

// A second Close returns when the first has delivered.
func TestCloseTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		e, _ := newFlaky(t, []func(context.Context, []emf.Document) error{
			func(context.Context, []emf.Document) error { <-unblock; return nil },
		})
		e.Counter("n").Inc()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				assert.NoError(t, e.Close(context.Background()))
				assert.EqualValues(t, 1, e.Stats().Delivered)
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, e.Close(ctx), context.DeadlineExceeded)
		close(unblock)
		all.Wait()
		require.NoError(t, e.Close(ctx), "after the end, whatever the context")
	})
}

// A context that is done asks no sink: the documents wait, and are written once.
func TestEndWithADoneContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, f := newFlaky(t, nil)
		why := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		ev := e.Begin()
		ev.Counter("n").Inc()
		require.ErrorIs(t, ev.End(ctx), why)
		synctest.Wait()
		assert.Zero(t, f.calls)
		assert.EqualValues(t, 1, requireLaw(t, e).Pending)
		flush(t, e)
		assert.Len(t, f.take(), 1)
	})
}

// Names that were declared in two ways are found like others.
func TestManyNamesOfTwoKinds(t *testing.T) {
	e, c := newEmitter(t)
	const names = 300
	for range 2 {
		for i := range names {
			name := fmt.Sprint("n", i)
			e.Counter(name).Inc()
			e.Histogram(name).Observe(1)
			assert.Same(t, e.Histogram(name), e.Histogram(name))
			e.Histogram(name, emf.Seconds).Observe(1)
			assert.Same(t, e.Counter(name), e.Counter(name))
		}
	}
	flush(t, e)
	sum := 0.0
	for _, d := range c.take() {
		for _, name := range d.metrics {
			sum += d.root[name].(float64)
		}
	}
	assert.Equal(t, 2.0*names, sum)
	s := requireLaw(t, e)
	assert.EqualValues(t, 4*names, s.Drops["conflict"])
}

func TestManyProperties(t *testing.T) {
	e, c := newEmitter(t)
	ev := e.Begin()
	ev.Counter("n").Inc()
	const many = 3000
	for round := range 2 {
		for i := range many {
			ev.SetProperty(fmt.Sprint("p", i), i+round)
		}
	}
	require.NoError(t, ev.End(t.Context()))
	root := c.take()[0].root
	for i := range many {
		require.EqualValues(t, i+1, root[fmt.Sprint("p", i)])
	}
	requireLaw(t, e)
}

func BenchmarkManyNamesOfTwoKinds(b *testing.B) {
	e := newDiscarding(b)
	names := make([]string, 20_000)
	for i := range names {
		names[i] = fmt.Sprint("n", i)
		e.Counter(names[i]).Inc()
		e.Gauge(names[i]).Set(1)
	}
	for i := 0; b.Loop(); i++ {
		e.Gauge(names[i%len(names)]).Set(1)
	}
}

func BenchmarkManyProperties(b *testing.B) {
	e := newDiscarding(b)
	names := make([]string, 20_000)
	for i := range names {
		names[i] = fmt.Sprint("p", i)
	}
	for b.Loop() {
		ev := e.Begin()
		for _, name := range names {
			ev.SetProperty(name, 1)
		}
		_ = ev.End(context.Background())
	}
}
