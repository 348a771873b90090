package lift_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/lift"
)

func TestFlushOfAnyCopyFlushesAll(t *testing.T) {
	m, e, sink := collector(t)
	a, b := m.WithTenant("a"), m.WithTenant("b")
	a.RecordCount("n", 1)
	b.RecordCount("n", 2)
	require.NoError(t, a.Flush())
	docs := sink.documents(t)
	require.Len(t, docs, 2)
	require.Equal(t, 1.0, docs[0].sum("n"))
	require.Equal(t, tags{"TenantID": "b"}, docs[1].dimensions)
	require.NoError(t, m.Flush())
	require.Len(t, sink.docs, 2, "drained once")
	requireLaw(t, e)
}

func TestCloseOfACopyLeavesTheRootWorking(t *testing.T) {
	m, e, sink := collector(t)
	c := m.WithTag("a", "1")
	c.RecordSuccess("op")
	require.NoError(t, c.Close())
	require.Len(t, sink.docs, 1, "flushed")
	require.NoError(t, c.Close())
	m.RecordSuccess("op")
	c.RecordSuccess("op")
	require.NoError(t, m.Flush())
	require.Len(t, sink.docs, 3)
	require.EqualValues(t, 3, requireLaw(t, e).Delivered)
}

func TestCloseOfTheRoot(t *testing.T) {
	m, e, sink := collector(t)
	c := m.WithTenant("")
	counter := m.Counter("n")
	counter.Inc()
	require.NoError(t, m.Close())
	require.Len(t, sink.docs, 1)
	require.NoError(t, m.Close())
	require.NoError(t, c.Close())
	require.ErrorIs(t, c.Flush(), emf.ErrClosed)
	counter.Inc()
	c.Gauge("g", tags{"a": "1"}).Set(1)
	s := requireLaw(t, e)
	require.EqualValues(t, 2, s.Drops["closed"])
	require.EqualValues(t, 2, c.GetStats().MetricsDropped)
}

// Lift's interface has no context, so that a sink which hangs must not hang its caller.
func TestFlushAndCloseAreBounded(t *testing.T) {
	release := make(chan struct{})
	hang := emf.SinkFunc(func(context.Context, []emf.Document) error {
		<-release
		return nil
	})
	m, e, _ := collectorOf(t, []emf.Option{emf.WithSink(hang)}, lift.WithTimeout(20*time.Millisecond))
	m.RecordCount("n", 1)
	require.ErrorIs(t, m.Flush(), context.DeadlineExceeded)
	m.RecordCount("n", 1)
	require.ErrorIs(t, m.WithTenant("t").Close(), context.DeadlineExceeded)
	require.ErrorIs(t, m.RecordBatch([]*lift.MetricEntry{{Name: "x", Timestamp: noon}}), context.DeadlineExceeded)
	require.ErrorIs(t, m.Close(), context.DeadlineExceeded)
	require.NoError(t, m.Close())
	close(release)
	require.Eventually(t, func() bool {
		s := e.Stats()
		return s.Pending == 0 && s.Recorded == s.Delivered+s.Dropped
	}, 10*time.Second, time.Millisecond)
}

func TestWithoutTimeout(t *testing.T) {
	deadline := make(chan bool, 1)
	look := emf.SinkFunc(func(ctx context.Context, _ []emf.Document) error {
		_, ok := ctx.Deadline()
		deadline <- ok
		return nil
	})
	for _, c := range []struct {
		timeout time.Duration
		want    bool
	}{{0, false}, {-1, false}, {time.Minute, true}} {
		m, _, _ := collectorOf(t, []emf.Option{emf.WithSink(look)}, lift.WithTimeout(c.timeout))
		m.RecordCount("n", 1)
		require.NoError(t, m.Flush())
		require.Equal(t, c.want, <-deadline)
	}
}

func TestFlushReturnsTheSinksError(t *testing.T) {
	m, _, sink := collector(t)
	down := errors.New("down")
	sink.fail(down)
	m.RecordCount("n", 1)
	require.ErrorIs(t, m.Flush(), down)
	require.ErrorIs(t, m.WithTenant("t").Close(), down)
	sink.fail(nil)
	require.NoError(t, m.Flush())
	require.Equal(t, 1.0, sink.one(t).sum("n"))
}
