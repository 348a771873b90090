package sink_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

func exits([]emf.Document) error {
	runtime.Goexit()
	return nil
}

// A sink that ends its goroutine, as a failed requirement of a test does, has taken nothing.
func TestTeeWithASinkThatExits(t *testing.T) {
	a, b := script(), script(exits)
	s := sink.Tee(a, b)
	err := s.Write(t.Context(), documents(`0`, `1`))
	require.ErrorContains(t, err, "Goexit")
	retry, reject := undeliveredBy(t, err, 2)
	assert.Equal(t, []int{0, 1}, retry)
	assert.Empty(t, reject)
	require.NoError(t, s.Write(t.Context(), documents(`0`, `1`)))
	assert.Equal(t, []string{`0`, `1`}, a.got)
	assert.Equal(t, []string{`0`, `1`}, b.got)
}

func TestFallbackWithASinkThatExits(t *testing.T) {
	secondary := script()
	s := sink.Fallback(script(exits), secondary, sink.WithBreaker(1, sink.DefaultMaxAge))
	require.NoError(t, s.Write(t.Context(), documents(`0`)))
	assert.Equal(t, []string{`0`}, secondary.got)
	assert.Equal(t, sink.BreakerOpen, s.Stats().State)
}

func TestQueueWithASinkThatExits(t *testing.T) {
	eachQueue(t, func(t *testing.T, open func(next emf.Sink, opts ...sink.QueueOption) queueSink) {
		next := script(exits)
		s := open(next)
		require.NoError(t, s.Write(t.Context(), documents(`0`, `1`)))
		require.NoError(t, s.Close())
		assert.Equal(t, []string{`0`, `1`}, next.got)
		assert.EqualValues(t, 2, s.Stats().Ambiguous.Documents)
		lawful(t, s.Stats())
	})
}

// So has a hook, and those of later changes are called.
func TestStateChangeThatExits(t *testing.T) {
	calls := 0
	s := sink.Fallback(script(fails), script(), sink.WithBreaker(1, 1), sink.WithStateChange(func(_, _ sink.BreakerState) {
		if calls++; calls == 1 {
			runtime.Goexit()
		}
	}))
	for range 2 {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = s.Write(t.Context(), documents(`0`))
		}()
		<-ended
	}
	assert.Equal(t, 3, calls, "open, half-open, closed")
}
