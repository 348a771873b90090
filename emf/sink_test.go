package emf_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

var errSink = errors.New("sink down")

// flaky is a sink that does what the script says, a step a call, then works.
type flaky struct {
	capture
	script []func(ctx context.Context, docs []emf.Document) error
	calls  int
	closed int
}

func (f *flaky) Write(ctx context.Context, docs []emf.Document) error {
	f.calls++
	if f.calls <= len(f.script) {
		return f.script[f.calls-1](ctx, docs)
	}
	return f.capture.Write(ctx, docs)
}

func (f *flaky) Close() error { f.closed++; return nil }

func newFlaky(t testing.TB, script []func(ctx context.Context, docs []emf.Document) error, opts ...emf.Option) (*emf.Emitter, *flaky) {
	f := &flaky{script: script}
	e, _ := newEmitter(t, append([]emf.Option{emf.WithSink(f)}, opts...)...)
	return e, f
}

func fails(context.Context, []emf.Document) error { return errSink }

func TestFailingSink(t *testing.T) {
	e, f := newFlaky(t, []func(context.Context, []emf.Document) error{fails, fails})
	e.WithTenant("a").Counter("n").Inc()
	err := e.Flush(t.Context())
	require.ErrorIs(t, err, errSink)
	require.ErrorContains(t, err, "1 values in 1 documents")
	s := requireLaw(t, e)
	assert.EqualValues(t, 1, s.Pending)
	assert.ErrorIs(t, s.LastError, errSink)

	e.WithTenant("b").Counter("n").Inc()
	require.ErrorIs(t, e.Flush(t.Context()), errSink)
	assert.EqualValues(t, 2, requireLaw(t, e).Pending)

	flush(t, e) // nothing new: what is pending goes out, in order
	docs := f.take()
	require.Len(t, docs, 2)
	assert.Equal(t, "a", docs[0].root["TenantID"])
	assert.Equal(t, "b", docs[1].root["TenantID"])
	s = requireLaw(t, e)
	assert.EqualValues(t, 2, s.Delivered)
	assert.EqualValues(t, 2, s.Errors)
	require.NoError(t, e.Close(t.Context()))
	assert.Equal(t, 1, f.closed)
}

func TestSinkFailsHalfway(t *testing.T) {
	for name, undelivered := range map[string]error{
		"pointer": &emf.UndeliveredError{Retry: []int{1}, Reject: []int{2}, Err: errSink},
		"value":   emf.UndeliveredError{Retry: []int{1}, Reject: []int{2}, Err: errSink},
		"wrapped": fmt.Errorf("network: %w", &emf.UndeliveredError{Retry: []int{1}, Reject: []int{2, 77, -1}, Err: errSink}),
	} {
		t.Run(name, func(t *testing.T) {
			e, f := newFlaky(t, []func(context.Context, []emf.Document) error{
				func(context.Context, []emf.Document) error { return undelivered },
			})
			for _, id := range []string{"a", "b", "c"} {
				e.WithTenant(id).Counter("n").Inc()
			}
			require.ErrorIs(t, e.Flush(t.Context()), errSink)
			s := requireLaw(t, e)
			assert.EqualValues(t, 1, s.Delivered)
			assert.EqualValues(t, 1, s.Pending)
			assert.Equal(t, map[string]uint64{"rejected": 1}, s.Drops)
			flush(t, e)
			docs := f.take()
			require.Len(t, docs, 1)
			assert.Equal(t, "b", docs[0].root["TenantID"])
			requireLaw(t, e)
		})
	}
}

func TestPanickingSink(t *testing.T) {
	e, f := newFlaky(t, []func(context.Context, []emf.Document) error{
		func(context.Context, []emf.Document) error { panic("boom") },
	})
	e.Counter("n").Inc()
	require.ErrorContains(t, e.Flush(t.Context()), "boom")
	assert.EqualValues(t, 1, requireLaw(t, e).Pending)
	flush(t, e)
	assert.Len(t, f.take(), 1)
}

func TestPendingIsBounded(t *testing.T) {
	script := make([]func(context.Context, []emf.Document) error, 100)
	for i := range script {
		script[i] = fails
	}
	e, f := newFlaky(t, script, emf.WithMaxPending(1000))
	for i := range 100 {
		e.Counter("n").Add(float64(i))
		require.Error(t, e.Flush(t.Context()))
		requireLaw(t, e)
	}
	s := e.Stats()
	assert.EqualValues(t, 100, s.Pending+s.Drops["undelivered"])
	flush(t, e)
	docs := f.take()
	assert.Len(t, docs, int(s.Pending))
	assert.Equal(t, 99.0, docs[len(docs)-1].root["n"], "the oldest are dropped")
	size := 0
	for _, d := range docs {
		size += len(d.json)
	}
	assert.LessOrEqual(t, size, 1000)
	requireLaw(t, e)
}

// While the sink is down, a flush pushes out no more pending documents than it takes to ask
// the sink; what finds no room stays in memory as it is, and adds up.
func TestOutage(t *testing.T) {
	e, f := newFlaky(t, []func(context.Context, []emf.Document) error{fails, fails, fails, fails, fails})
	const tenants = 40_000
	for range 5 {
		for i := range tenants {
			e.WithTenant(fmt.Sprint(i%9000)).Counter("n", emf.Bytes).Inc()
		}
		require.Error(t, e.Flush(t.Context()))
		requireLaw(t, e)
	}
	flush(t, e)
	var sum float64
	for _, d := range f.take() {
		sum += d.root["n"].(float64)
	}
	s := requireLaw(t, e)
	assert.EqualValues(t, 5*tenants, sum+float64(s.Dropped))
	assert.Zero(t, s.Pending)
	assert.Less(t, s.Dropped, s.Recorded/10)
}

func TestBlockedSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		e, f := newFlaky(t, []func(context.Context, []emf.Document) error{
			func(context.Context, []emf.Document) error { <-unblock; return nil },
		})
		e.Counter("n").Inc()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, e.Flush(ctx), context.DeadlineExceeded)

		// No recording call blocks, nor does Stats.
		e.Counter("n").Add(2)
		e.WithTenant("a").Histogram("h").Observe(1)
		assert.EqualValues(t, 3, requireLaw(t, e).Pending)

		// An event that cannot get through waits among the pending documents.
		ev := e.Begin()
		ev.Counter("e").Inc()
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, ev.End(ctx), context.DeadlineExceeded)
		assert.EqualValues(t, 4, requireLaw(t, e).Pending)

		close(unblock)
		synctest.Wait()
		assert.EqualValues(t, 1, requireLaw(t, e).Delivered, "the write that hung has ended well")
		flush(t, e)
		docs := f.take()
		require.Len(t, docs, 3)
		assert.Equal(t, []string{"e"}, docs[0].metrics)
		assert.Equal(t, 2.0, docs[1].root["n"])
		s := requireLaw(t, e)
		assert.EqualValues(t, 4, s.Delivered)
	})
}

func TestCloseWithDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		e, f := newFlaky(t, []func(context.Context, []emf.Document) error{
			func(context.Context, []emf.Document) error { <-unblock; return errSink },
		}, emf.WithFlushInterval(time.Minute), emf.WithClock(time.Now))
		e.Counter("n").Inc()
		time.Sleep(time.Minute + time.Second) // the timer's flush hangs
		e.Counter("n").Inc()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		require.ErrorIs(t, e.Close(ctx), context.DeadlineExceeded)
		assert.Equal(t, 2*time.Second, time.Since(begin))
		s := requireLaw(t, e)
		assert.EqualValues(t, 1, s.Pending, "with the sink that hangs")
		assert.Equal(t, map[string]uint64{"undelivered": 1}, s.Drops)

		close(unblock)
		synctest.Wait()
		s = requireLaw(t, e)
		assert.Zero(t, s.Pending)
		assert.Equal(t, map[string]uint64{"undelivered": 2}, s.Drops)
		assert.Equal(t, 1, f.closed, "closed when the write has ended")
	})
}

func TestCloseReportsWhatIsLost(t *testing.T) {
	e, _ := newFlaky(t, []func(context.Context, []emf.Document) error{fails, fails, fails})
	e.Counter("n").Inc()
	require.ErrorIs(t, e.Close(t.Context()), errSink)
	s := requireLaw(t, e)
	assert.Zero(t, s.Pending)
	assert.Equal(t, map[string]uint64{"undelivered": 1}, s.Drops)
}

// Recorders, flushes, a sink that fails at random and a Close in the middle of it all:
// each value arrives once or is counted.
func TestLawUnderFaults(t *testing.T) {
	for seed := range 20 {
		var calls int
		f := &capture{}
		e, _ := newEmitter(t, emf.WithMaxPending(20_000), emf.WithSink(emf.SinkFunc(func(ctx context.Context, docs []emf.Document) error {
			calls++
			switch (calls + seed) % 5 {
			case 0:
				return errSink
			case 1:
				panic("boom")
			case 2:
				half := len(docs) / 2
				if err := f.Write(ctx, docs[:half]); err != nil {
					return err
				}
				u := &emf.UndeliveredError{Err: errSink}
				for i := half; i < len(docs); i++ {
					if i%7 == 0 {
						u.Reject = append(u.Reject, i)
					} else {
						u.Retry = append(u.Retry, i)
					}
				}
				return u
			}
			return f.Write(ctx, docs)
		})))
		const goroutines, each = 8, 2000
		var all sync.WaitGroup
		for g := range goroutines {
			all.Go(func() {
				for i := range each {
					r := e.WithTenant(fmt.Sprint((g + i) % 50))
					switch i % 4 {
					case 0:
						r.Counter("n").Inc()
					case 1:
						r.Counter("n").Add(1.0)
					case 2:
						ev := e.Begin()
						ev.Counter("n").Inc()
						_ = ev.End(context.Background())
					case 3:
						r.Counter("n").Add(1)
						if i%500 == 3 {
							_ = e.Flush(context.Background())
						}
					}
				}
			})
		}
		if seed%2 == 0 {
			all.Wait()
		}
		_ = e.Close(context.Background())
		all.Wait()
		s := requireLaw(t, e)
		require.EqualValues(t, goroutines*each, s.Recorded)
		require.Zero(t, s.Pending)
		var sum float64
		var values int
		for _, d := range f.take() {
			n, _ := d.sum("n")
			sum += n
			values += d.values
		}
		require.EqualValues(t, s.Delivered, sum)
		require.EqualValues(t, s.Delivered, values)
	}
}

func TestNilUndeliveredError(t *testing.T) {
	e, f := newFlaky(t, []func(context.Context, []emf.Document) error{
		func(context.Context, []emf.Document) error { var u *emf.UndeliveredError; return u },
	})
	e.Counter("n").Inc()
	require.Error(t, e.Flush(t.Context()))
	assert.EqualValues(t, 1, requireLaw(t, e).Pending)
	flush(t, e)
	assert.Len(t, f.take(), 1)
}

func TestNilContext(t *testing.T) {
	e, c := newEmitter(t)
	var none context.Context
	ev := e.Begin()
	ev.Counter("n").Inc()
	require.NoError(t, ev.End(none))
	e.Counter("n").Inc()
	require.NoError(t, e.Flush(none))
	require.NoError(t, e.Close(none))
	assert.Len(t, c.take(), 2)
}

// An End that is under way when the emitter is closed comes to an end.
func TestEndDuringClose(t *testing.T) {
	e, _ := newFlaky(t, nil)
	ev := e.Begin()
	inside, goOn := make(chan struct{}), make(chan struct{})
	ev.GaugeFunc("g", func() float64 { close(inside); <-goOn; return 1 })
	ended := make(chan error, 1)
	go func() { ended <- ev.End(context.Background()) }()
	<-inside
	require.NoError(t, e.Close(t.Context()))
	close(goOn)
	require.ErrorIs(t, <-ended, emf.ErrClosed)
	s := requireLaw(t, e)
	assert.Zero(t, s.Pending)
	assert.EqualValues(t, 1, s.Dropped)
}
