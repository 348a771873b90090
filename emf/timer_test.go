package emf_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

func TestTimerIsAlignedToTheWallClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(17 * time.Second)
		minute := time.Now().Truncate(time.Minute)
		e, c := newEmitter(t, emf.WithFlushInterval(time.Minute), emf.WithClock(time.Now))
		e.Counter("n").Inc()
		time.Sleep(42 * time.Second) // 59 s past the minute
		synctest.Wait()
		assert.Empty(t, c.take())
		time.Sleep(2 * time.Second)
		synctest.Wait()
		docs := c.take()
		require.Len(t, docs, 1)
		assert.Equal(t, minute, docs[0].at.Round(0), "stamped with the start of its interval")

		e.Counter("n").Inc()
		require.NoError(t, e.Flush(t.Context()))
		assert.Equal(t, time.Now(), c.take()[0].at, "any other flush with its own time")

		e.Counter("n").Inc()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, minute.Add(time.Minute), c.take()[0].at.Round(0))
		require.NoError(t, e.Close(t.Context()))
	})
}

func TestNoTimerInsideLambda(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
	synctest.Test(t, func(t *testing.T) {
		c := new(capture)
		e := emf.Must(emf.New("test", emf.WithSink(c)))
		e.Counter("n").Inc()
		time.Sleep(time.Hour)
		assert.Empty(t, c.take()) // and no goroutine is left: synctest would fail
	})
}

func TestTimerGoesOnAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, f := newFlaky(t, nil, emf.WithFlushInterval(10*time.Second), emf.WithClock(time.Now))
		f.script = append(f.script, fails, fails)
		e.Counter("n").Inc()
		time.Sleep(25 * time.Second)
		assert.EqualValues(t, 1, e.Stats().Pending)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Len(t, f.take(), 1)
		s := requireLaw(t, e)
		assert.EqualValues(t, 3, s.Flushes)
		assert.Equal(t, time.Now().Add(-5*time.Second), s.LastFlush)
		require.NoError(t, e.Close(t.Context()))
	})
}

func TestStopwatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, c := newEmitter(t, emf.WithClock(time.Now))
		for _, unit := range []emf.Unit{emf.Seconds, emf.Milliseconds, emf.Microseconds, emf.None} {
			stop := e.Histogram("h"+string(unit), unit).Start()
			time.Sleep(1500 * time.Microsecond)
			stop()
			stop()
		}
		flush(t, e)
		assert.Contains(t, c.take()[0].json, `"hSeconds":0.0015,"hMilliseconds":1.5,"hMicroseconds":1500,"hNone":1.5}`)
	})
}
