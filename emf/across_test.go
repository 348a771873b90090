package emf_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	"github.com/liftemf/liftemf/internal/hook"
)

var (
	across   = hook.Across.(func(*emf.Event, []*emf.Recorder) *emf.Recorder)
	dissolve = hook.Dissolve.(func(*emf.Event))
)

func TestAcrossIsOneDocument(t *testing.T) {
	e, metrics := emftest.New(t, emf.WithDimensions(emf.Dim("Service", "api")), emf.WithProperties(map[string]any{"build": 7}))
	route := e.With(emf.Dim("method", "GET"), emf.Dim("route", "/"))
	tenant := e.WithTenant("acme")
	ev := e.Begin()
	ev.SetProperty("path", "/x")
	ev.WithTenant("acme").Counter("orders").Add(3)
	both := across(ev, []*emf.Recorder{route, tenant})
	both.Counter("requests").Inc()
	both.Histogram("took").Observe(4)
	across(ev, []*emf.Recorder{tenant}).Counter("calls").Inc()
	require.NoError(t, ev.End(context.Background()))

	require.Len(t, metrics.Documents(), 1)
	require.Equal(t, `{"_aws":{"Timestamp":1767323045000,"CloudWatchMetrics":[`+
		`{"Namespace":"Test","Dimensions":[["Service","TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"},{"Name":"calls","Unit":"Count"}]},`+
		`{"Namespace":"Test","Dimensions":[["Service","method","route"],["Service","TenantID"]],"Metrics":[{"Name":"requests","Unit":"Count"},{"Name":"took"}]}]},`+
		`"Service":"api","TenantID":"acme","method":"GET","route":"/","build":7,"path":"/x","orders":3,"calls":1,"requests":1,"took":4}`,
		string(metrics.Documents()[0]))
	for _, dims := range [][]emf.Dimension{{emf.Dim("TenantID", "acme")}, {emf.Dim("method", "GET"), emf.Dim("route", "/")}} {
		require.Equal(t, 1.0, metrics.Sum("requests", dims...))
	}
	s := e.Stats()
	require.EqualValues(t, 6, s.Delivered) // two under one set, two under two
	require.Equal(t, s.Recorded, s.Delivered)
	require.Zero(t, s.Late)

	// Late values go to both.
	both.Counter("requests").Inc()
	require.Equal(t, 2.0, metrics.Sum("requests", emf.Dim("TenantID", "acme")))
	require.Equal(t, 2.0, metrics.Sum("requests", emf.Dim("route", "/")))
	require.EqualValues(t, 2, e.Stats().Late)
}

// What would give a member two values goes to another document.
func TestAcrossOfWhatContradicts(t *testing.T) {
	e, metrics := emftest.New(t)
	ev := e.Begin()
	for i, r := range []*emf.Recorder{
		e.WithTenant("a"),
		e.WithTenant("b"),         // another value of the dimension
		e.With(emf.Dim("n", "1")), // a dimension like a metric of the one before
		e.With(emf.Dim("x", "1")), // the same metric again
		e.With(emf.Dim("x", "1"), emf.Dim("y", "1")),
	} {
		name := []string{"m", "n", "m", "m", "x2"}[i]
		across(ev, []*emf.Recorder{r}).Counter(name).Inc()
	}
	ev.SetProperty("m", "is a metric")
	ev.SetProperty("y", "is a dimension")
	ev.SetProperty("z", "stays")
	require.NoError(t, ev.End(context.Background()))
	require.Len(t, metrics.Documents(), 4)
	require.Equal(t, 3.0, metrics.Sum("m"))
	require.Equal(t, []any{"stays", "stays", "stays", "stays"}, metrics.Property("z"))
	require.Equal(t, map[string]uint64{"conflict": 2}, e.Stats().Drops)
}

func TestAcrossSplitsAtLimits(t *testing.T) {
	for name, c := range map[string]struct {
		max, metrics, documents int
	}{
		"100 metrics": {emfMax, 130, 2},
		"size":        {1024, 20, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e, metrics := emftest.New(t, emf.WithMaxDocumentSize(c.max))
			ev := e.Begin()
			views := []*emf.Recorder{e.WithTenant("acme"), e.With(emf.Dim("route", "/"))}
			ev.SetProperty("text", strings.Repeat("x", 300))
			ev.WithTenant("acme").Counter("own").Inc()
			r := across(ev, views)
			for i := range c.metrics {
				r.Counter(fmt.Sprintf("metric.%03d", i)).Add(float64(i))
			}
			require.NoError(t, ev.End(context.Background()))
			docs := metrics.Documents()
			if c.documents > 0 {
				require.Len(t, docs, c.documents)
			}
			require.Greater(t, len(docs), 1)
			for _, doc := range docs {
				require.LessOrEqual(t, len(doc), c.max)
				require.Contains(t, string(doc), `"text":"xxx`)
			}
			for i := range c.metrics {
				name := fmt.Sprintf("metric.%03d", i)
				require.Equal(t, float64(i), metrics.Sum(name, emf.Dim("TenantID", "acme")))
				require.Equal(t, float64(i), metrics.Sum(name, emf.Dim("route", "/")))
			}
		})
	}
}

const emfMax = 262_118

func TestDissolveAddsUpInTheEmitter(t *testing.T) {
	e, metrics := emftest.New(t)
	views := []*emf.Recorder{e.WithTenant("acme"), e.With(emf.Dim("route", "/"))}
	own := e.WithTenant("acme").Histogram("own")
	own.Observe(1)
	ev := e.Begin()
	ev.SetProperty("gone", true)
	late := ev.WithTenant("acme").Histogram("own")
	late.Observe(2)
	ev.WithTenant("acme").Gauge("level").Set(5)
	across(ev, views).Counter("requests").Add(2)
	dissolve(ev)
	dissolve(ev)
	require.NoError(t, ev.End(context.Background()))
	require.Empty(t, metrics.Documents())
	late.Observe(3)
	require.Equal(t, 6.0, metrics.Sum("own", emf.Dim("TenantID", "acme")))
	require.Equal(t, 5.0, metrics.Sum("level", emf.Dim("TenantID", "acme")))
	require.Equal(t, 4.0, metrics.Sum("requests"))
	require.Empty(t, metrics.Property("gone"))
	s := e.Stats()
	require.Equal(t, s.Recorded, s.Delivered)
	require.EqualValues(t, 1, s.Late) // what came after it
	require.Zero(t, s.Dropped)
}

// A gauge that an event has only moved moves the emitter's, which others move too.
func TestDissolveMovesGauges(t *testing.T) {
	e, metrics := emftest.New(t)
	views := []*emf.Recorder{e.WithTenant("acme"), e.With(emf.Dim("route", "/"))}
	for i, view := range views {
		view.Gauge("open").Add(float64(5 + i))
		view.Gauge("level").Add(5)
	}
	for range 2 {
		ev := e.Begin()
		r := across(ev, views)
		r.Gauge("open").Inc()
		r.Gauge("open").Inc()
		r.Gauge("open").Dec()
		r.Gauge("level").Inc()
		r.Gauge("level").Set(3)
		r.Gauge("level").Inc()
		dissolve(ev)
	}
	require.Equal(t, 7.0, metrics.Max("open", emf.Dim("TenantID", "acme")))
	require.Equal(t, 8.0, metrics.Max("open", emf.Dim("route", "/")))
	require.Equal(t, 4.0, metrics.Max("level"))
}

// Recording while events are dissolved, ended and flushed loses nothing.
func TestDissolveUnderFire(t *testing.T) {
	const workers, each = 4, 300
	e, metrics := emftest.New(t)
	views := []*emf.Recorder{e.WithTenant("acme"), e.With(emf.Dim("route", "/"))}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				ev := e.Begin()
				var inner sync.WaitGroup
				c := ev.WithTenant("acme").Counter("own")
				inner.Go(func() {
					for range 10 {
						c.Inc()
					}
				})
				across(ev, views).Counter("requests").Inc()
				if (i+w)%3 == 0 {
					_ = ev.End(context.Background())
				} else {
					dissolve(ev)
				}
				inner.Wait()
				if i%50 == 0 {
					_ = e.Flush(context.Background())
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 10.0*workers*each, metrics.Sum("own"))
	require.Equal(t, 1.0*workers*each, metrics.Sum("requests", emf.Dim("TenantID", "acme")))
	require.Equal(t, 1.0*workers*each, metrics.Sum("requests", emf.Dim("route", "/")))
	s := e.Stats()
	require.Equal(t, s.Recorded, s.Delivered+s.Dropped+s.Pending)
	require.Zero(t, s.Dropped)
}

// The guard turns away dimension values, in documents of events as well.
func TestAcrossWithTheGuard(t *testing.T) {
	e, metrics := emftest.New(t, emf.WithMaxRecorders(3)) // one is the events' own
	route := e.With(emf.Dim("route", "/"))
	for _, tenant := range []string{"a", "b", "c"} {
		for range 2 {
			ev := e.Begin()
			across(ev, []*emf.Recorder{route, e.WithTenant(tenant)}).Counter("requests").Inc()
			require.NoError(t, ev.End(context.Background()))
		}
		ev := e.Begin()
		across(ev, []*emf.Recorder{route, e.WithTenant(tenant)}).Counter("requests").Inc()
		dissolve(ev)
	}
	require.Equal(t, 9.0, metrics.Sum("requests", emf.Dim("route", "/")))
	require.Equal(t, 3.0, metrics.Sum("requests", emf.Dim("TenantID", "a")))
	require.Equal(t, 6.0, metrics.Sum("requests", emf.Dim("TenantID", "other")))
	require.Zero(t, e.Stats().Dropped)
}
