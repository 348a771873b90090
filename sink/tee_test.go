package sink_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

func ExampleTee() {
	first, second := &scripted{}, &scripted{}
	metrics := emf.Must(emf.New("Shop", emf.WithSink(sink.Tee(first, second))))
	metrics.Counter("orders").Inc()
	if err := metrics.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(first.got), len(second.got))
	// Output: 1 1
}

// A document is retried only with the sinks that have not taken it.
func TestTeeRetriesWithTheSinkThatFailed(t *testing.T) {
	for name, failure := range map[string]func([]emf.Document) error{"fails": fails, "panics": panics, "leaves all": leaves([]int{0, 1, 2}, nil)} {
		t.Run(name, func(t *testing.T) {
			good, bad := script(), script(failure, failure)
			tee := sink.Tee(good, bad)
			docs := documents(`{"a":1}`, `{"b":1}`, `{"a":1}`) // two of them are equal
			for range 2 {
				retry, reject := undeliveredBy(t, tee.Write(t.Context(), docs), 3)
				require.Equal(t, []int{0, 1, 2}, retry)
				require.Empty(t, reject)
			}
			require.NoError(t, tee.Write(t.Context(), append(docs, documents(`{"c":1}`)...)))
			want := []string{`{"a":1}`, `{"b":1}`, `{"a":1}`, `{"c":1}`}
			assert.Equal(t, want, good.got)
			assert.Equal(t, want, bad.got)
			assert.Equal(t, 2, good.calls, "not asked for what it has")

			// What is settled is forgotten: the same again is new.
			require.NoError(t, tee.Write(t.Context(), docs))
			assert.Len(t, good.got, 7)
			assert.Len(t, bad.got, 7)
		})
	}
}

func TestTeePartialAnswers(t *testing.T) {
	a := script(leaves([]int{0}, []int{1}), takes)
	b := script(leaves([]int{3}, []int{2}), takes)
	tee := sink.Tee(a, b)
	docs := documents(`0`, `1`, `2`, `3`)
	err := tee.Write(t.Context(), docs)
	require.ErrorIs(t, err, errDown)
	require.ErrorContains(t, err, "sink 1 of 2")
	require.ErrorContains(t, err, "sink 2 of 2")
	retry, reject := undeliveredBy(t, err, 4)
	assert.Equal(t, []int{0, 3}, retry)
	assert.Equal(t, []int{1, 2}, reject)
	require.NoError(t, tee.Write(t.Context(), pickDocs(docs, retry)))
	assert.Equal(t, []string{"2", "3", "0"}, a.got)
	assert.Equal(t, []string{"0", "1", "3"}, b.got)
}

// A document that one sink refused is not delivered, even if the others take it later.
func TestTeeRemembersARefusal(t *testing.T) {
	a, b := script(leaves(nil, []int{0})), script(fails, fails)
	tee := sink.Tee(a, b)
	for range 2 {
		retry, reject := undeliveredBy(t, tee.Write(t.Context(), documents(`0`, `1`)), 2)
		require.Equal(t, []int{0, 1}, retry)
		require.Empty(t, reject)
	}
	err := tee.Write(t.Context(), documents(`0`, `1`))
	require.ErrorContains(t, err, "refused")
	retry, reject := undeliveredBy(t, err, 2)
	assert.Empty(t, retry)
	assert.Equal(t, []int{0}, reject)
	assert.Equal(t, []string{"1"}, a.got)
	assert.Equal(t, []string{"0", "1"}, b.got)
}

func TestTeeOfNoSinks(t *testing.T) {
	require.ErrorContains(t, sink.Tee().Write(t.Context(), documents(`0`)), "no sinks")
	good := script()
	tee := sink.Tee(good, nil)
	err := tee.Write(t.Context(), documents(`0`))
	require.ErrorContains(t, err, "sink 2 of 2: the sink is nil")
	retry, _ := undeliveredBy(t, err, 1)
	assert.Equal(t, []int{0}, retry)
	assert.Equal(t, []string{"0"}, good.got)
}

func TestTeeClosesAll(t *testing.T) {
	a, b := script(), script()
	a.failed = errDown
	closer := sink.Tee(a, sink.Stdout(), nil, closePanics{}, b).(interface{ Close() error })
	err := closer.Close()
	require.ErrorIs(t, err, errDown)
	require.ErrorContains(t, err, "sink 4 of 5: closing the sink panicked")
	assert.Equal(t, 1, a.closed)
	assert.Equal(t, 1, b.closed)
}

// Two sinks that need their whole time to close take that time, and not twice.
func TestTeeClosesAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		closer := sink.Tee(closesIn(10*time.Second), closesIn(8*time.Second)).(interface{ Close() error })
		require.NoError(t, closer.Close())
		assert.Equal(t, 10*time.Second, time.Since(begin))
	})
}

type closesIn time.Duration

func (closesIn) Write(context.Context, []emf.Document) error { return nil }

func (c closesIn) Close() error {
	time.Sleep(time.Duration(c))
	return nil
}

type closePanics struct{ emf.Sink }

func (closePanics) Close() error { panic("close") }

// A sink that waits for its context does not keep the documents from the others.
func TestTeeDoesNotQueueSinks(t *testing.T) {
	arrived := make(chan struct{})
	slow := emf.SinkFunc(func(ctx context.Context, _ []emf.Document) error {
		<-arrived
		return nil
	})
	quick := emf.SinkFunc(func(context.Context, []emf.Document) error {
		close(arrived)
		return nil
	})
	require.NoError(t, sink.Tee(slow, quick).Write(t.Context(), documents(`0`)))
}

// Emitters with a common Tee whose sinks fail at random, in whole, in part and by panic: each
// sink gets each value once, and the emitters' law holds.
func TestTeeUnderRandomFailures(t *testing.T) {
	const emitters, rounds, tenants = 3, 60, 20
	sums := make([]map[string]float64, 3)
	var sinks []emf.Sink
	for i := range sums {
		sums[i] = make(map[string]float64)
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(1, uint64(i)))
		sinks = append(sinks, emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
			mu.Lock()
			defer mu.Unlock()
			mood := random.IntN(4)
			var retry []int
			for d := range docs {
				if mood >= 2 || mood == 1 && random.IntN(2) == 0 {
					retry = append(retry, d)
					continue
				}
				metrics, err := emf.Extract(docs[d].JSON)
				if err != nil {
					panic(err)
				}
				for _, m := range metrics {
					sums[i][m.Namespace] += m.Values[0]
				}
			}
			switch {
			case mood == 2:
				panic("a sink")
			case mood == 3:
				return errDown
			case retry != nil:
				return &emf.UndeliveredError{Retry: retry, Err: errDown}
			}
			return nil
		}))
	}
	tee := sink.Tee(sinks...)
	recordUntilDelivered(t, tee, emitters, rounds, tenants)
	for i := range sums {
		for n := range emitters {
			assert.EqualValues(t, rounds*tenants, sums[i][fmt.Sprint("Shop", n)], "sink %d, emitter %d", i, n)
		}
	}
}
