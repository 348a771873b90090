package sink_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

func TestRetryBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		target := &queueTarget{answer: func(_ context.Context, call int, docs []emf.Document) error {
			at = append(at, time.Since(begin))
			if call == 9 { // some progress starts over
				return &emf.UndeliveredError{Retry: []int{1}, Err: errDown}
			}
			if call < 11 {
				return errDown
			}
			return nil
		}}
		r := sink.Retry(target, quiet, sink.WithBackoff(time.Second, 30*time.Second))
		require.NoError(t, r.Write(t.Context(), numbered(0, 2)))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		require.Len(t, at, 11)
		assert.Zero(t, at[0])
		for i, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30, 1, 2} {
			assert.InEpsilon(t, float64(pause*time.Second), float64(at[i+1]-at[i]), 0.500001, "pause %d", i)
		}
		assert.Len(t, target.docs, 2)
		require.NoError(t, r.Close())
	})
}

// An outage of ten minutes at 600 kB a second, 360 MB in all: memory stays at the bound, the
// newest documents survive, and the others are counted.
func TestRetryOutageInFlatMemory(t *testing.T) {
	const bound, perSecond = 8 << 20, 1000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	synctest.Test(t, func(t *testing.T) {
		down := true
		target := &queueTarget{answer: func(context.Context, int, []emf.Document) error {
			if down {
				return errDown
			}
			return nil
		}}
		before := heap()
		r := sink.Retry(target, quiet, sink.WithMaxBytes(bound))
		filler := strings.Repeat("x", 600)
		for second := range 600 {
			docs := numbered(second*perSecond, (second+1)*perSecond)
			for i := range docs {
				docs[i].JSON = fmt.Appendf(nil, `{"n":%d,"filler":"%s"}`, second*perSecond+i, filler)
			}
			require.NoError(t, r.Write(t.Context(), docs))
			if second%60 == 59 {
				docs = nil
				if now := heap(); now > before {
					assert.Less(t, now-before, uint64(bound*5/4), "after %d seconds", second)
				}
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		s := r.Stats()
		lawful(t, s)
		assert.LessOrEqual(t, s.Pending.Bytes+128*s.Pending.Documents, uint64(bound))
		assert.Greater(t, s.Pending.Bytes, uint64(bound/2))
		assert.EqualValues(t, 600*perSecond, s.Accepted.Documents)
		assert.Equal(t, s.Dropped, s.Drops[sink.DropOverflow])

		down = false
		require.NoError(t, r.Close())
		pending := int(s.Pending.Documents)
		require.Len(t, target.docs, pending)
		for i, d := range target.docs {
			require.True(t, bytes.HasPrefix(d.JSON, fmt.Appendf(nil, `{"n":%d,`, 600*perSecond-pending+i)))
		}
		assert.Zero(t, r.Stats().Pending)
	})
}

func TestRetryDropsByAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		target := &queueTarget{answer: func(context.Context, int, []emf.Document) error {
			if down {
				return errDown
			}
			return nil
		}}
		r := sink.Retry(target, quiet, sink.WithMaxAge(time.Minute), sink.WithBackoff(time.Second, time.Second))
		old, young := numbered(0, 10), numbered(10, 20)
		require.NoError(t, r.Write(t.Context(), old))
		time.Sleep(50 * time.Second)
		require.NoError(t, r.Write(t.Context(), young))
		time.Sleep(50 * time.Second)
		synctest.Wait()
		assert.Equal(t, amount(old), r.Stats().Drops[sink.DropAge])
		assert.Equal(t, amount(young), r.Stats().Pending)
		down = false
		require.NoError(t, r.Close())
		assert.Equal(t, texts(young), target.texts())
	})
}

// What the next sink is busy with is not dropped under its hands: younger documents are.
func TestRetryOverflowWhileNextIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &queueTarget{answer: func(context.Context, int, []emf.Document) error {
			time.Sleep(time.Second)
			return nil
		}}
		const room = 10 * (128 + 7)
		r := sink.Retry(target, quiet, sink.WithMaxBytes(room))
		require.NoError(t, r.Write(t.Context(), numbered(0, 6)))
		synctest.Wait()
		require.NoError(t, r.Write(t.Context(), numbered(6, 10)))
		require.NoError(t, r.Write(t.Context(), numbered(0, 2)))
		require.NoError(t, r.Close())
		assert.Equal(t, texts(append(append(numbered(0, 6), numbered(8, 10)...), numbered(0, 2)...)), target.texts())
		assert.Equal(t, amount(numbered(6, 8)), r.Stats().Dropped)
	})
}

// A stalled attempt ends at its time-out, is offered again, and counted as ambiguous.
func TestRetryAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &queueTarget{answer: func(ctx context.Context, call int, _ []emf.Document) error {
			if call == 1 {
				<-ctx.Done()
				return context.Cause(ctx)
			}
			return nil
		}}
		r := sink.Retry(target, quiet)
		docs := numbered(0, 3)
		require.NoError(t, r.Write(t.Context(), docs))
		time.Sleep(time.Minute)
		synctest.Wait()
		s := r.Stats()
		assert.Equal(t, amount(docs), s.Delivered)
		assert.Equal(t, amount(docs), s.Ambiguous)
		require.ErrorIs(t, s.LastError, context.DeadlineExceeded)
		require.NoError(t, r.Close())
	})
}

// During an outage, Close tries once more at once, goes on until its time is over, and says what
// is lost.
func TestRetryCloseDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := &queueTarget{answer: func(context.Context, int, []emf.Document) error { return errDown }}
		r := sink.Retry(target, quiet, sink.WithBackoff(time.Hour, time.Hour), sink.WithDrainTimeout(5*time.Second))
		require.NoError(t, r.Write(t.Context(), numbered(0, 3)))
		synctest.Wait()
		begin := time.Now()
		require.ErrorContains(t, r.Close(), "3 documents dropped")
		assert.Equal(t, 5*time.Second, time.Since(begin))
		assert.Equal(t, 2, target.calls)
		assert.Equal(t, amount(numbered(0, 3)), r.Stats().Drops[sink.DropClosed])
		lawful(t, r.Stats())
	})
}

func TestRetryWithBadOptions(t *testing.T) {
	var log bytes.Buffer
	target := new(queueTarget)
	r := sink.Retry(target, sink.WithMaxBytes(-1), sink.WithMaxAge(0), nil, sink.WithQueueLogger(slog.New(slog.NewTextHandler(&log, nil))))
	require.NoError(t, r.Write(t.Context(), numbered(0, 3)))
	require.NoError(t, r.Close())
	assert.Len(t, target.docs, 3)
	assert.Contains(t, log.String(), "WithMaxBytes: -1 is out of range")
	assert.Equal(t, 1, strings.Count(log.String(), "\n"))
}

func TestRetryToNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := sink.Retry(nil, quiet)
		require.NoError(t, r.Write(t.Context(), numbered(0, 3)))
		require.ErrorContains(t, r.Close(), "3 documents dropped")
		assert.ErrorContains(t, r.Stats().LastError, "the sink is nil")
	})
}
