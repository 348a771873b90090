package emf_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// What events keep is used again by others, but no value may get from one to another:
// handles of events that are over are used while thousands of events of another tenant come
// and go.
func TestHandlesOfEndedEvents(t *testing.T) {
	const keepers, events, each = 4, 3000, 3
	e, c := newEmitter(t)
	ctx := context.Background()

	var running atomic.Bool
	running.Store(true)
	var late atomic.Uint64
	var all sync.WaitGroup
	for k := range keepers {
		all.Go(func() {
			for i := 0; running.Load() || i < 100; i++ {
				// One that is ended and whose handles are kept, of every kind.
				ev := e.Begin(emf.Dim("TenantID", fmt.Sprint("kept-", k)))
				n, g, h := ev.Counter("n"), ev.Gauge("g"), ev.Histogram("h")
				n.Inc()
				if err := ev.End(ctx); err != nil {
					t.Error(err)
				}
				for range each {
					n.Inc()
					n.Add(0.5)
					g.Set(-1)
					h.Observe(-1)
					ev.Counter("n").Inc()
					ev.WithTenant("moved").Counter("n").Add(100)
					ev.SetProperty("whose", "not mine")
					ev.SetTimestamp(start.AddDate(-1, 0, 0))
					late.Add(5) // and the gauge, once an interval at least
				}
			}
		})
	}
	for g := range 2 {
		all.Go(func() {
			defer running.Store(false)
			for i := range events {
				ev := e.Begin(emf.Dim("TenantID", fmt.Sprint("own-", g)))
				ev.SetProperty("whose", fmt.Sprint("own-", g))
				ev.Counter("n").Add(7)
				ev.Gauge("g").Set(7)
				ev.Histogram("h").Observe(7)
				ev.Histogram("h").Observe(7)
				if i%3 == 0 {
					if err := ev.Flush(ctx); err != nil {
						t.Error(err)
					}
					ev.Histogram("h").Observe(8)
				}
				if err := ev.End(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	flush(t, e)

	own := 0
	for _, d := range c.take() {
		id := d.root["TenantID"].(string)
		switch id {
		case "own-0", "own-1":
			own++
			require.Equal(t, id, d.root["whose"])
			require.Equal(t, start, d.at)
			if d.root["h"] != 8.0 {
				require.Equal(t, []any{7.0, 7.0}, d.root["h"])
				require.Equal(t, 7.0, d.root["n"])
				require.Equal(t, 7.0, d.root["g"])
			}
		default:
			require.NotContains(t, d.root, "whose")
			require.NotEqual(t, 7.0, d.root["g"])
		}
	}
	assert.Equal(t, 2*(events+events/3), own)
	s := requireLaw(t, e)
	assert.GreaterOrEqual(t, s.Late, late.Load())
	assert.Zero(t, s.Pending)
	assert.Empty(t, s.Drops)
}

// An event uses the memory of the one before, and looks like new.
func TestEventsBeginEmpty(t *testing.T) {
	e, c := newEmitter(t)
	for i := range 5 {
		ev := e.Begin(emf.Dim("Operation", fmt.Sprint(i%2)))
		if i%2 == 0 {
			for m := range 40 {
				name := fmt.Sprint("m", m)
				ev.Histogram(name).Observe(float64(m))
				require.Same(t, ev.Histogram(name), ev.Histogram(name))
			}
			for range 150 {
				ev.Histogram("m7").Observe(1)
			}
			ev.SetProperty("p", i)
			ev.SetTimestamp(start.Add(-1))
			ev.WithTenant("a").Counter("n").Inc()
		}
		ev.Counter("last").Inc()
		require.NoError(t, ev.End(t.Context()))
		docs := c.take()
		if i%2 == 0 {
			require.Len(t, docs, 2)
			assert.Len(t, docs[0].root, 44)
			assert.Equal(t, 151, int(docs[0].values)-40)
			continue
		}
		require.Len(t, docs, 1)
		assert.JSONEq(t, fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"test","Dimensions":[["Operation"]],
			"Metrics":[{"Name":"last","Unit":"Count"}]}]},"Operation":"1","last":1}`, start.UnixMilli()), docs[0].json)
	}
	requireLaw(t, e)
}

// A name is the first kind of metric that it was, in each event anew.
func TestConflictsInEvents(t *testing.T) {
	e, c := newEmitter(t)
	for i := range 4 {
		ev := e.Begin()
		if i%2 == 0 {
			ev.Counter("n").Inc()
			ev.Histogram("n").Observe(5)
			ev.Counter("n", emf.Bytes).Inc()
		} else {
			ev.Histogram("n").Observe(5)
			ev.Counter("n").Inc()
			ev.Counter("n", emf.Bytes).Inc()
		}
		require.NoError(t, ev.End(t.Context()))
		docs := c.take()
		require.Len(t, docs, 1)
		assert.Equal(t, []float64{1, 5}[i%2], docs[0].root["n"])
	}
	assert.Equal(t, map[string]uint64{"conflict": 8}, requireLaw(t, e).Drops)
}

// A function as a gauge of an event is asked when the event is emitted, and never again.
func TestGaugeFuncOfAnEvent(t *testing.T) {
	e, c := newEmitter(t)
	ev := e.Begin()
	v := 0.0
	ev.GaugeFunc("g", func() float64 { v++; return v })
	require.NoError(t, ev.Flush(t.Context()))
	require.NoError(t, ev.End(t.Context()))
	flush(t, e)
	docs := c.take()
	require.Len(t, docs, 2)
	assert.Equal(t, 1.0, docs[0].root["g"])
	assert.Equal(t, 2.0, docs[1].root["g"])
	requireLaw(t, e)
}
