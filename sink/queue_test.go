package sink_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

// queueSink is what a RetrySink and a SpoolSink have in common.
type queueSink interface {
	emf.Sink
	Flush(ctx context.Context) error
	Close() error
	CloseContext(ctx context.Context) error
	Stats() sink.QueueStats
}

// quiet keeps what is expected to fail from the test's output.
var quiet = sink.WithQueueLogger(slog.New(slog.DiscardHandler))

// eachQueue runs a test with both of them.
func eachQueue(t *testing.T, test func(t *testing.T, open func(next emf.Sink, opts ...sink.QueueOption) queueSink)) {
	t.Run("Retry", func(t *testing.T) {
		test(t, func(next emf.Sink, opts ...sink.QueueOption) queueSink {
			all := []sink.RetryOption{quiet}
			for _, o := range opts {
				all = append(all, o)
			}
			return sink.Retry(next, all...)
		})
	})
	t.Run("Spool", func(t *testing.T) {
		dir := t.TempDir()
		test(t, func(next emf.Sink, opts ...sink.QueueOption) queueSink {
			all := []sink.SpoolOption{quiet, sink.WithSync(sink.SyncNever)}
			for _, o := range opts {
				all = append(all, o)
			}
			s, err := sink.Spool(dir, next, all...)
			require.NoError(t, err)
			return s
		})
	})
}

// queueTarget holds what it was given, and answers as it is told to.
type queueTarget struct {
	mu     sync.Mutex
	docs   []emf.Document
	calls  int
	answer func(ctx context.Context, call int, docs []emf.Document) error // nil: takes all
	closed int
}

func (q *queueTarget) Write(ctx context.Context, docs []emf.Document) error {
	q.mu.Lock()
	q.calls++
	call, answer := q.calls, q.answer
	q.mu.Unlock()
	var err error
	if answer != nil {
		err = answer(ctx, call, docs)
	}
	var partial *emf.UndeliveredError
	if err != nil && !errors.As(err, &partial) {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, d := range docs {
		if partial == nil || !slices.Contains(partial.Retry, i) && !slices.Contains(partial.Reject, i) {
			d.JSON = bytes.Clone(d.JSON)
			q.docs = append(q.docs, d)
		}
	}
	return err
}

func (q *queueTarget) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed++
	return nil
}

func (q *queueTarget) texts() (texts []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, d := range q.docs {
		texts = append(texts, string(d.JSON))
	}
	return texts
}

// numbered are the documents {"n":from} and so on.
func numbered(from, to int) (docs []emf.Document) {
	for i := from; i < to; i++ {
		docs = append(docs, emf.Document{
			Time: time.UnixMilli(1795521600000 + int64(i)).UTC(), JSON: fmt.Appendf(nil, `{"n":%d}`, i), Values: i%7 + 1,
		})
	}
	return docs
}

func texts(docs []emf.Document) (texts []string) {
	for _, d := range docs {
		texts = append(texts, string(d.JSON))
	}
	return texts
}

func amount(docs []emf.Document) (a sink.Amount) {
	for _, d := range docs {
		a.Documents++
		a.Bytes += uint64(len(d.JSON))
		a.Values += uint64(d.Values)
	}
	return a
}

// lawful holds the numbers against each other.
func lawful(t *testing.T, s sink.QueueStats) {
	t.Helper()
	sum := func(all ...sink.Amount) (a sink.Amount) {
		for _, b := range all {
			a = sink.Amount{Documents: a.Documents + b.Documents, Bytes: a.Bytes + b.Bytes, Values: a.Values + b.Values}
		}
		return a
	}
	assert.Equal(t, sum(s.Recovered, s.Accepted), sum(s.Delivered, s.Dropped, s.Pending))
	var drops sink.Amount
	for _, a := range s.Drops {
		drops = sum(drops, a)
	}
	assert.Equal(t, s.Dropped, drops)
}

func TestQueueDeliversCopiesInOrder(t *testing.T) {
	eachQueue(t, func(t *testing.T, open func(emf.Sink, ...sink.QueueOption) queueSink) {
		defer goleak.VerifyNone(t)
		target := new(queueTarget)
		q := open(target)
		want := numbered(0, 25_000)
		for docs := range slices.Chunk(want, 1000) {
			mine := slices.Clone(docs)
			for i := range mine {
				mine[i].JSON = bytes.Clone(mine[i].JSON)
			}
			require.NoError(t, q.Write(t.Context(), mine))
			for i := range mine {
				clear(mine[i].JSON) // whoever wrote it may do so
			}
		}
		require.NoError(t, q.Write(t.Context(), nil))
		require.NoError(t, q.Close())
		assert.Equal(t, want, target.docs)
		s := q.Stats()
		lawful(t, s)
		assert.Equal(t, amount(want), s.Accepted)
		assert.Equal(t, amount(want), s.Delivered)
		assert.Equal(t, 1, target.closed)

		require.NoError(t, q.Close())
		require.ErrorIs(t, q.Write(t.Context(), want[:1]), emf.ErrClosed)
		assert.Equal(t, 1, target.closed)
		assert.Equal(t, s, q.Stats())
	})
}

// Each document meets the fate that the next sink's indexes give it, and no other.
func TestQueueReadsPartialAnswers(t *testing.T) {
	errSome := errors.New("some")
	eachQueue(t, func(t *testing.T, open func(emf.Sink, ...sink.QueueOption) queueSink) {
		var offered [][]string
		target := &queueTarget{answer: func(_ context.Context, call int, docs []emf.Document) error {
			offered = append(offered, texts(docs))
			switch call {
			case 1: // by pointer and wrapped, with numbers that are none
				return fmt.Errorf("wrapped: %w", &emf.UndeliveredError{Retry: []int{1, 3, 4, 99, -1}, Reject: []int{0, 99}, Err: errSome})
			case 2: // in both lists: refused
				return &emf.UndeliveredError{Retry: []int{0, 1, 2}, Reject: []int{1}, Err: errSome}
			case 3:
				return errSome
			case 4:
				panic("for once")
			}
			return nil
		}}
		q := open(target, sink.WithBackoff(time.Millisecond, time.Millisecond))
		docs := numbered(0, 6)
		require.NoError(t, q.Write(t.Context(), docs))
		require.NoError(t, q.Close())
		d := texts(docs)
		assert.Equal(t, [][]string{d, {d[1], d[3], d[4]}, {d[1], d[4]}, {d[1], d[4]}, {d[1], d[4]}}, offered)
		assert.Equal(t, []string{d[2], d[5], d[1], d[4]}, target.texts())
		s := q.Stats()
		lawful(t, s)
		assert.Equal(t, amount([]emf.Document{docs[0], docs[3]}), s.Drops[sink.DropRejected])
		assert.Equal(t, amount([]emf.Document{docs[1], docs[4]}), s.Ambiguous, "of the panic")
		assert.EqualValues(t, 5, s.Attempts)
		assert.EqualValues(t, 4, s.Failures)
		assert.Zero(t, s.Pending)
		assert.ErrorContains(t, s.LastError, "panicked: for once")
	})
}

// errorValue is an UndeliveredError that is no pointer, and panics when asked what it says.
type hostileError struct{ emf.UndeliveredError }

func (hostileError) Error() string { panic("no text") }

func TestQueueSurvivesErrorsThatPanic(t *testing.T) {
	eachQueue(t, func(t *testing.T, open func(emf.Sink, ...sink.QueueOption) queueSink) {
		target := &queueTarget{answer: func(_ context.Context, call int, _ []emf.Document) error {
			if call < 3 {
				return hostileError{}
			}
			return nil
		}}
		q := open(target, sink.WithBackoff(time.Millisecond, time.Millisecond))
		require.NoError(t, q.Write(t.Context(), numbered(0, 3)))
		require.NoError(t, q.Close())
		assert.Equal(t, texts(numbered(0, 3)), target.texts())
	})
}

// Sinks that fail at random, many writers: each document arrives once or is refused, and those of
// one writer in order, but for what was put off.
func TestQueueLawUnderFaults(t *testing.T) {
	eachQueue(t, func(t *testing.T, open func(emf.Sink, ...sink.QueueOption) queueSink) {
		defer goleak.VerifyNone(t)
		random := rand.New(rand.NewPCG(1, 2))
		rejected := map[string]bool{}
		target := &queueTarget{answer: func(_ context.Context, _ int, docs []emf.Document) error {
			switch random.IntN(4) {
			case 0:
				return errors.New("not now")
			case 1:
				e := &emf.UndeliveredError{Err: errors.New("in part")}
				for i := range docs {
					switch random.IntN(3) {
					case 0:
						e.Retry = append(e.Retry, i)
					case 1:
						if random.IntN(100) == 0 {
							e.Reject = append(e.Reject, i)
							rejected[string(docs[i].JSON)] = true
						}
					}
				}
				return e
			}
			return nil
		}}
		q := open(target, sink.WithBackoff(time.Microsecond, time.Millisecond), sink.WithDrainTimeout(time.Minute))
		const writers, each = 8, 3000
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for docs := range slices.Chunk(numbered(w*each, (w+1)*each), 50) {
					assert.NoError(t, q.Write(context.Background(), docs))
				}
			})
		}
		all.Wait()
		require.NoError(t, q.Flush(t.Context()))
		s := q.Stats()
		lawful(t, s)
		assert.Zero(t, s.Pending)
		require.NoError(t, q.Close())
		assert.Equal(t, amount(numbered(0, writers*each)), s.Accepted)
		assert.EqualValues(t, len(rejected), s.Dropped.Documents)
		assert.Equal(t, amount(target.docs), s.Delivered)
		seen := map[string]bool{}
		for _, text := range target.texts() {
			require.False(t, seen[text] || rejected[text], "%s arrived twice, or was refused", text)
			seen[text] = true
		}
		assert.Len(t, seen, writers*each-len(rejected))
		assert.Zero(t, s.Ambiguous)
	})
}

// A batch is what one call of PutLogEvents takes, with its 26 bytes an event, and not much less.
func TestQueueBatchesFitOneCall(t *testing.T) {
	eachQueue(t, func(t *testing.T, open func(emf.Sink, ...sink.QueueOption) queueSink) {
		ready := make(chan struct{})
		var sizes, counts []int
		target := &queueTarget{answer: func(_ context.Context, call int, docs []emf.Document) error {
			if call == 1 {
				<-ready
				return errDown
			}
			size := 0
			for _, d := range docs {
				size += len(d.JSON) + 26
			}
			sizes, counts = append(sizes, size), append(counts, len(docs))
			return nil
		}}
		q := open(target, sink.WithBackoff(time.Millisecond, time.Millisecond))
		large := numbered(0, 4000)
		for i := range large {
			large[i].JSON = bytes.Repeat([]byte{'x'}, 1000)
		}
		require.NoError(t, q.Write(t.Context(), large))
		require.NoError(t, q.Write(t.Context(), numbered(0, 25_000)))
		close(ready)
		require.NoError(t, q.Close())
		assert.LessOrEqual(t, slices.Max(sizes), 1<<20)
		assert.Equal(t, 10_000, slices.Max(counts))
		assert.Greater(t, sizes[0], 900<<10)
		assert.LessOrEqual(t, len(sizes), 8)
	})
}

func TestQueueFlush(t *testing.T) {
	eachQueue(t, func(t *testing.T, open func(emf.Sink, ...sink.QueueOption) queueSink) {
		var up sync.Mutex
		down := true
		target := &queueTarget{answer: func(context.Context, int, []emf.Document) error {
			up.Lock()
			defer up.Unlock()
			if down {
				return errors.New("down")
			}
			return nil
		}}
		q := open(target, sink.WithBackoff(time.Hour, time.Hour))
		require.NoError(t, q.Flush(t.Context()), "nothing to wait for")
		require.NoError(t, q.Write(t.Context(), numbered(0, 10)))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, q.Flush(ctx), context.DeadlineExceeded)
		up.Lock()
		down = false
		up.Unlock()
		require.NoError(t, q.Flush(t.Context()), "does not wait for the pause of an hour")
		assert.Len(t, target.texts(), 10)
		require.NoError(t, q.Close())
	})
}

func TestQueueRefusesWhatCanNeverFit(t *testing.T) {
	eachQueue(t, func(t *testing.T, open func(emf.Sink, ...sink.QueueOption) queueSink) {
		target := new(queueTarget)
		q := open(target, sink.WithMaxBytes(64<<10))
		docs := numbered(0, 3)
		docs[1].JSON = bytes.Repeat([]byte{'x'}, 64<<10)
		var undelivered *emf.UndeliveredError
		require.ErrorAs(t, q.Write(t.Context(), docs), &undelivered)
		assert.Equal(t, []int{1}, undelivered.Reject)
		assert.Empty(t, undelivered.Retry)
		require.NoError(t, q.Close())
		assert.Equal(t, []string{`{"n":0}`, `{"n":2}`}, target.texts())
		assert.EqualValues(t, 2, q.Stats().Accepted.Documents)
	})
}

// The emitter's law and the queue's are one chain.
func TestQueueBehindAnEmitter(t *testing.T) {
	eachQueue(t, func(t *testing.T, open func(emf.Sink, ...sink.QueueOption) queueSink) {
		defer goleak.VerifyNone(t)
		target := &queueTarget{answer: func(_ context.Context, call int, _ []emf.Document) error {
			if call%2 == 1 {
				return errors.New("every other time")
			}
			return nil
		}}
		q := open(target, sink.WithBackoff(time.Millisecond, time.Millisecond))
		e := emf.Must(emf.New("test", emf.WithSink(q), emf.WithFlushInterval(0)))
		for i := range 100 {
			e.WithTenant(fmt.Sprint(i)).Counter("n").Add(1)
		}
		require.NoError(t, e.Close(t.Context()))
		assert.EqualValues(t, 100, e.Stats().Delivered)
		assert.EqualValues(t, 100, q.Stats().Accepted.Values)
		assert.EqualValues(t, 100, q.Stats().Delivered.Values)
		assert.Len(t, target.docs, 100)
	})
}
