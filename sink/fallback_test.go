package sink_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

func ExampleFallback() {
	dead := emf.SinkFunc(func(context.Context, []emf.Document) error { return errDown })
	s := sink.Fallback(dead, sink.Stdout(),
		sink.WithBreaker(1, time.Minute),
		sink.WithStateChange(func(from, to sink.BreakerState) { fmt.Println(from, "->", to) }))
	_ = s.Write(context.Background(), []emf.Document{{JSON: []byte(`{"orders":1}`), Values: 1}})
	stats := s.Stats()
	fmt.Println(stats.Primary, stats.Secondary, stats.State)
	// Output:
	// closed -> open
	// {"orders":1}
	// 0 1 open
}

// The secondary gets what the primary did not take, and nothing else; indexes are those of
// the caller.
func TestFallbackHandsOverWhatIsLeft(t *testing.T) {
	docs := documents(`0`, `1`, `2`, `3`, `4`, `5`)
	for name, c := range map[string]struct {
		primary, secondary     func([]emf.Document) error
		byPrimary, bySecondary []string
		retry, reject          []int
	}{
		"all by the primary":       {takes, panics, []string{"0", "1", "2", "3", "4", "5"}, nil, nil, nil},
		"none by the primary":      {fails, takes, nil, []string{"0", "1", "2", "3", "4", "5"}, nil, nil},
		"the primary panics":       {panics, takes, nil, []string{"0", "1", "2", "3", "4", "5"}, nil, nil},
		"some":                     {leaves([]int{5, 1}, []int{3}), takes, []string{"0", "2", "4"}, []string{"1", "3", "5"}, nil, nil},
		"refused by the primary":   {leaves(nil, []int{2}), takes, []string{"0", "1", "3", "4", "5"}, []string{"2"}, nil, nil},
		"the secondary leaves one": {leaves([]int{1, 3, 5}, nil), leaves([]int{1}, []int{2}), []string{"0", "2", "4"}, []string{"1"}, []int{3}, []int{5}},
		"refused by both":          {leaves(nil, []int{4}), leaves(nil, []int{0}), []string{"0", "1", "2", "3", "5"}, nil, nil, []int{4}},
		"both fail":                {fails, fails, nil, nil, []int{0, 1, 2, 3, 4, 5}, nil},
		"both panic":               {panics, panics, nil, nil, []int{0, 1, 2, 3, 4, 5}, nil},
		"nonsense":                 {leaves([]int{-1, 6, 2, 2}, []int{2, 99}), leaves([]int{0, 0, 1}, []int{0}), []string{"0", "1", "3", "4", "5"}, nil, nil, []int{2}},
	} {
		t.Run(name, func(t *testing.T) {
			primary, secondary := script(c.primary), script(c.secondary)
			s := sink.Fallback(primary, secondary)
			err := s.Write(t.Context(), docs)
			retry, reject := undeliveredBy(t, err, len(docs))
			assert.Equal(t, c.retry, nilIfEmpty(retry))
			assert.Equal(t, c.reject, nilIfEmpty(reject))
			assert.Equal(t, c.bySecondary, secondary.got)
			if name != "nonsense" {
				assert.Equal(t, c.byPrimary, primary.got)
			}
			if err != nil {
				require.ErrorContains(t, err, "primary: ")
				require.ErrorContains(t, err, "secondary: ")
			}
			stats := s.Stats()
			assert.EqualValues(t, len(c.byPrimary), stats.Primary)
			assert.EqualValues(t, len(c.bySecondary), stats.Secondary)
			assert.EqualValues(t, len(c.retry), stats.Undelivered)
			assert.EqualValues(t, len(c.reject), stats.Rejected)
		})
	}
}

func nilIfEmpty(list []int) []int {
	if len(list) == 0 {
		return nil
	}
	return list
}

// A dead primary is left alone and let back in, in the breaker's time.
func TestFallbackBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		primary := script(fails, fails, fails, fails)
		secondary := script()
		var changes []string
		var s *sink.FallbackSink
		s = sink.Fallback(primary, secondary, sink.WithStateChange(func(from, to sink.BreakerState) {
			changes = append(changes, fmt.Sprintf("%s %s %s", from, to, s.Stats().State))
			panic("a hook")
		}))
		write := func() {
			t.Helper()
			require.NoError(t, s.Write(t.Context(), documents(`0`, `1`, `2`)))
		}
		for range 10 {
			write()
		}
		assert.Equal(t, 3, primary.calls, "not asked each time")
		assert.Len(t, secondary.got, 30)
		assert.Equal(t, sink.BreakerOpen, s.Stats().State)

		time.Sleep(30*time.Second + 1)
		write() // one document tries
		write()
		assert.Equal(t, 4, primary.calls)
		assert.Len(t, secondary.got, 36)

		time.Sleep(30*time.Second + 1)
		write() // one document tries, and the others follow
		assert.Equal(t, 6, primary.calls)
		assert.Equal(t, []string{"0", "1", "2"}, primary.got)
		assert.Len(t, secondary.got, 36)
		assert.Equal(t, []string{
			"closed open open",
			"open half-open open", "half-open open open",
			"open half-open closed", "half-open closed closed",
		}, changes)
		stats := s.Stats()
		assert.EqualValues(t, 4, stats.Failures)
		require.ErrorIs(t, stats.PrimaryError, errDown)
		assert.EqualValues(t, 3, stats.Primary)
		assert.EqualValues(t, 36, stats.Secondary)
	})
}

// While the breaker is open the error of a Write that fails says why.
func TestFallbackSaysWhyThePrimaryIsNotAsked(t *testing.T) {
	s := sink.Fallback(script(fails), emf.SinkFunc(func(context.Context, []emf.Document) error { return context.DeadlineExceeded }), sink.WithBreaker(1, 0))
	for range 2 {
		err := s.Write(t.Context(), documents(`0`))
		require.ErrorIs(t, err, errDown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
}

// hangs waits for its context.
func hangs(ctx context.Context, _ []emf.Document) error {
	<-ctx.Done()
	return ctx.Err()
}

// A primary that hangs leaves the secondary half of the time, and takes 10 s at most.
func TestFallbackLeavesTimeForTheSecondary(t *testing.T) {
	for name, c := range map[string]struct {
		flush, option, want time.Duration
	}{
		"without a deadline":  {0, 0, 10 * time.Second},
		"an option":           {0, time.Minute, time.Minute},
		"a bad option":        {0, -1, 10 * time.Second},
		"a deadline":          {2 * time.Second, 0, time.Second},
		"a deadline far away": {time.Hour, 0, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if c.flush > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.flush)
					defer cancel()
				}
				begin := time.Now()
				var took time.Duration
				s := sink.Fallback(emf.SinkFunc(hangs), emf.SinkFunc(func(ctx context.Context, _ []emf.Document) error {
					took = time.Since(begin)
					return ctx.Err()
				}), sink.WithPrimaryTimeout(c.option))
				require.NoError(t, s.Write(ctx, documents(`0`)))
				assert.Equal(t, c.want, took)
				assert.EqualValues(t, 1, s.Stats().Failures)
			})
		})
	}
}

// A flush that is given up says nothing about the primary, and does not ask the secondary.
func TestFallbackGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secondary := script()
		s := sink.Fallback(emf.SinkFunc(hangs), secondary, sink.WithBreaker(1, time.Second))
		for range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			err := s.Write(ctx, documents(`0`, `1`))
			require.ErrorIs(t, err, context.Canceled)
			retry, reject := undeliveredBy(t, err, 2)
			assert.Equal(t, []int{0, 1}, retry)
			assert.Empty(t, reject)
		}
		stats := s.Stats()
		assert.Equal(t, sink.BreakerClosed, stats.State)
		assert.Zero(t, stats.Failures)
		assert.EqualValues(t, 6, stats.Undelivered)
		assert.Zero(t, secondary.calls)
	})
}

// Many emitters, one breaker: only one of them tries, the others do not wait for it.
func TestFallbackOneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sizes []int
		primary := emf.SinkFunc(func(ctx context.Context, docs []emf.Document) error {
			mu.Lock()
			sizes = append(sizes, len(docs))
			mu.Unlock()
			return hangs(ctx, docs)
		})
		secondary := script()
		s := sink.Fallback(primary, secondary, sink.WithBreaker(1, time.Second), sink.WithPrimaryTimeout(time.Minute))
		require.NoError(t, s.Write(t.Context(), documents(`0`, `1`)))
		time.Sleep(2 * time.Second)
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { assert.NoError(t, s.Write(t.Context(), documents(`0`, `1`))) })
		}
		all.Wait()
		assert.Equal(t, []int{2, 1}, sizes)
		assert.Len(t, secondary.got, 12)
	})
}

func TestFallbackClosesBoth(t *testing.T) {
	a, b := script(), script()
	a.failed, b.failed = errDown, context.Canceled
	err := sink.Fallback(a, b, nil).Close()
	require.ErrorIs(t, err, errDown)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, a.closed)
	assert.Equal(t, 1, b.closed)
	require.NoError(t, sink.Fallback(sink.Stdout(), nil).Close())
}

func TestFallbackOfNoSink(t *testing.T) {
	good := script()
	require.NoError(t, sink.Fallback(nil, good).Write(t.Context(), documents(`0`)))
	assert.Equal(t, []string{"0"}, good.got)
	err := sink.Fallback(script(fails), nil).Write(t.Context(), documents(`0`))
	require.ErrorContains(t, err, "secondary: the sink is nil")
}

// Emitters share a fallback whose sinks fail at random, in whole, in part, by panic: what
// both hold together is what was recorded, each value once.
func TestFallbackUnderRandomFailures(t *testing.T) {
	const emitters, rounds, tenants = 3, 100, 20
	var mu sync.Mutex
	held := make(map[string]float64)
	random := rand.New(rand.NewPCG(1, 2))
	flaky := func(rate float64) emf.Sink {
		return emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case random.Float64() < rate/2:
				panic("a sink")
			case random.Float64() < rate:
				return errDown
			}
			var retry []int
			for d := range docs {
				if random.Float64() < rate {
					retry = append(retry, d)
					continue
				}
				metrics, err := emf.Extract(docs[d].JSON)
				if err != nil {
					panic(err)
				}
				for _, m := range metrics {
					held[m.Namespace] += m.Values[0]
				}
			}
			if retry != nil {
				slices.Reverse(retry)
				return &emf.UndeliveredError{Retry: retry, Err: errDown}
			}
			return nil
		})
	}
	s := sink.Fallback(flaky(0.2), flaky(0.3), sink.WithBreaker(2, time.Millisecond))
	recordUntilDelivered(t, s, emitters, rounds, tenants)
	for i := range emitters {
		assert.EqualValues(t, rounds*tenants, held[fmt.Sprint("Shop", i)], "emitter %d", i)
	}
	stats := s.Stats()
	assert.EqualValues(t, emitters*rounds*tenants, stats.Primary+stats.Secondary)
	assert.NotZero(t, stats.Primary)
	assert.NotZero(t, stats.Secondary)
	assert.NotZero(t, stats.Undelivered)
}
