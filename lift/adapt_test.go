package lift_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	standin "github.com/liftemf/liftemf/internal/standin/lift"
	"github.com/liftemf/liftemf/internal/standin/observability"
	"github.com/liftemf/liftemf/lift"
)

// metrics is the collector of the framework that stands in for Lift.
type metrics = lift.Full[observability.MetricsCollector, observability.MetricEntry,
	observability.MetricsStats, standin.Counter, standin.Histogram, standin.Gauge]

var (
	_ observability.MetricsCollector = (*metrics)(nil)
	_ standin.MetricsCollector       = (*lift.Adapter[standin.Counter, standin.Histogram, standin.Gauge])(nil)
)

func toCounter(c *emf.Counter) standin.Counter              { return c }
func toHistogram(h *emf.Histogram) standin.Histogram        { return h }
func toGauge(g *emf.Gauge) standin.Gauge                    { return g }
func toCollector(m *metrics) observability.MetricsCollector { return m }

// adapted returns an adapted collector as the framework sees it.
func adapted(t testing.TB, opts ...lift.Option) (observability.MetricsCollector, *emf.Emitter, *emftest.Capture) {
	e, c := emftest.New(t)
	return lift.AdaptFull(lift.NewCollector(e, opts...), toCounter, toHistogram, toGauge, toCollector), e, c
}

func dims(nameAndValue ...string) (dims []emf.Dimension) {
	for i := 0; i < len(nameAndValue); i += 2 {
		dims = append(dims, emf.Dim(nameAndValue[i], nameAndValue[i+1]))
	}
	return dims
}

// shop is an app of the framework behind a middleware.
func shop(m observability.MetricsCollector, middleware standin.Middleware) *standin.App {
	return standin.New().WithMetrics(m).Use(middleware).
		Handle("GET", "/orders/:id", func(c *standin.Context) error {
			c.Metrics.Counter("orders.read").Inc()
			c.Metrics.Gauge("depth", nil).Set(3)
			if c.Param("id") == "0" {
				return standin.NotFound("no such order")
			}
			return c.JSON(c.Param("id"))
		})
}

func get(t testing.TB, app *standin.App, path, tenant string) int {
	t.Helper()
	out, err := app.HandleRequest(t.Context(), &standin.Request{
		Method: "GET", Path: path, Headers: map[string]string{"X-Tenant-Id": tenant},
	})
	require.NoError(t, err)
	return out.(*standin.Response).StatusCode
}

// What the framework's own middlewares record arrives, under the tags they give it.
func TestMiddlewaresOfTheFramework(t *testing.T) {
	t.Parallel()
	requests := func(t *testing.T, app *standin.App) {
		assert.Equal(t, 200, get(t, app, "/orders/7", "acme"))
		assert.Equal(t, 200, get(t, app, "/orders/7", "acme"))
		assert.Equal(t, 404, get(t, app, "/orders/0", ""))
		assert.Equal(t, 500, get(t, app, "/nowhere", "acme"))
	}
	t.Run("MetricsOnly", func(t *testing.T) {
		t.Parallel()
		m, _, c := adapted(t)
		requests(t, shop(m, observability.MetricsOnly(m)))
		assert.Equal(t, 2.0, c.Sum("http.requests", dims("method", "GET", "path", "/orders/7")...))
		assert.Equal(t, 1.0, c.Sum("http.errors", dims("method", "GET", "path", "/orders/0")...))
		assert.Equal(t, 3.0, c.Count("http.duration", dims("method", "GET", "status", "200")...))
		assert.Equal(t, 3.0, c.Sum("orders.read"))
		assert.Equal(t, 3.0, c.Max("depth"))
	})
	t.Run("Metrics", func(t *testing.T) {
		t.Parallel()
		m, _, c := adapted(t)
		requests(t, shop(m, observability.Metrics(m)))
		acme := dims("TenantID", "acme", "method", "GET", "path", "/orders/7")
		assert.Equal(t, 2.0, c.Exactly().Sum("requests.total", acme...))
		assert.Equal(t, 1.0, c.Exactly().Sum("requests.total", dims("method", "GET", "path", "/orders/0")...), "a tenant that is empty is none")
		assert.Equal(t, 1.0, c.Sum("requests.errors", dims("error", "true")...))
		assert.Equal(t, 3.0, c.Max("response.size", append(acme, emf.Dim("status", "200"))...))
		assert.Equal(t, 2.0, c.Sum("operation.GET_/orders/7"))
		for _, metric := range c.Metrics() {
			switch metric.Name {
			case "requests.duration", "operation.GET_/orders/7.duration":
				assert.Equal(t, emf.Milliseconds, metric.Unit)
			case "response.size":
				assert.Equal(t, emf.Bytes, metric.Unit)
			}
		}
	})
	t.Run("Enhanced", func(t *testing.T) {
		t.Parallel()
		m, _, c := adapted(t)
		requests(t, shop(m, observability.Enhanced(m, "orders")))
		assert.Equal(t, 2.0, c.Sum("requests.total", dims("TenantID", "acme", "operation", "orders")...))
		assert.Equal(t, 0.0, c.Max("requests.active", dims("TenantID", "acme")...))
		assert.Equal(t, 1.0, c.Sum("requests.errors", dims("error_type", "*lift.Error")...))
		assert.Equal(t, 1.0, c.Sum("operation.orders.errors"))
		assert.Equal(t, 2.0, c.Count("requests.duration", dims("TenantID", "acme", "status_class", "2xx")...))
		assert.Equal(t, 3.0, c.Max("response.size"))
	})
}

// The habits of the framework's callers.
func TestHabits(t *testing.T) {
	t.Parallel()
	m, e, c := adapted(t)
	for range 2 { // no handle is kept
		m.Counter("calls").Inc()
		m.Counter("calls", nil).Add(2)
		m.Counter("calls", nil, nil).Inc()
		m.Histogram("calls.latency", nil).Observe(1)
		m.Gauge("level").Inc()
	}
	assert.Equal(t, 8.0, c.Sum("calls"))
	assert.Equal(t, 2.0, c.Count("calls.latency"))
	assert.Equal(t, 2.0, c.Max("level"))

	given := map[string]string{"a": "1"}
	m.Counter("kept", given).Inc()
	scoped := m.WithTags(given)
	given["a"] = "2" // the map is the caller's
	scoped.Counter("kept").Inc()
	m.Counter("kept", given).Inc()
	assert.Equal(t, 2.0, c.Sum("kept", dims("a", "1")...))
	assert.Equal(t, 1.0, c.Sum("kept", dims("a", "2")...))

	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				scoped := m.WithTags(map[string]string{"b": "1"}).WithTag("c", "2")
				scoped.Counter("scoped").Inc()
				scoped.RecordLatency("op", time.Millisecond)
				scoped.RecordError("op")
				scoped.RecordSuccess("op")
				_ = scoped.Flush()
				_ = scoped.Close() // a copy
				_ = m.GetStats()
			}
		})
	}
	wg.Wait()
	under := dims("b", "1", "c", "2")
	assert.Equal(t, 400.0, c.Sum("scoped", under...))
	assert.Equal(t, 400.0, c.Sum("op.latency", under...))
	assert.Equal(t, 400.0, c.Sum("op.errors", under...))
	assert.Equal(t, 400.0, c.Sum("op.success", under...))

	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	m.Counter("late").Inc()
	stats := m.GetStats()
	assert.EqualValues(t, e.Stats().Recorded, stats.MetricsRecorded)
	assert.EqualValues(t, 1, stats.MetricsDropped)
}

func TestRecordBatchOfTheFramework(t *testing.T) {
	t.Parallel()
	m, _, c := adapted(t)
	at := emftest.Time.Add(-time.Minute)
	err := m.RecordBatch([]*observability.MetricEntry{
		{Name: "rows", Value: 2, Unit: "Count", Timestamp: at, Tags: map[string]string{"tenant_id": "acme"}, Fields: map[string]any{"job": "import"}},
		nil,
		{Name: "", Value: 1},
	})
	var entry *lift.EntryError
	require.ErrorAs(t, err, &entry)
	assert.Equal(t, 2, entry.Index)
	assert.Equal(t, 2.0, c.Sum("rows", dims("TenantID", "acme")...))
	assert.Equal(t, at, c.Metrics()[0].Time)
	assert.Equal(t, []any{"import"}, c.Property("job"))
}

func TestDeltaGaugesOfTheFramework(t *testing.T) {
	t.Parallel()
	m, _, c := adapted(t, lift.WithDeltaGauges("open"))
	for range 3 {
		m.Gauge("open", map[string]string{"event": "CONNECT"}).Inc()
	}
	m.Gauge("open", map[string]string{"event": "DISCONNECT"}).Dec()
	assert.Equal(t, 3.0, c.Sum("open", dims("event", "CONNECT")...))
	assert.Equal(t, 2.0, c.Sum("open"))

	// A type of the framework that is no interface can only be a gauge.
	type wrapped struct{ *emf.Gauge }
	e, c := emftest.New(t)
	a := lift.Adapt(lift.NewCollector(e, lift.WithDeltaGauges("open")), toCounter, toHistogram,
		func(g *emf.Gauge) wrapped { return wrapped{g} })
	a.Gauge("open").Set(5)
	a.Gauge("open").Dec()
	assert.Equal(t, 4.0, c.Max("open"))
}

// What is missing is found out at the start, or does nothing.
func TestAdaptNothing(t *testing.T) {
	t.Parallel()
	assert.Panics(t, func() { lift.Adapt[standin.Counter](nil, nil, toHistogram, toGauge) })
	assert.Panics(t, func() {
		lift.AdaptFull(nil, toCounter, toHistogram, toGauge, (func(*metrics) observability.MetricsCollector)(nil))
	})
	m := lift.AdaptFull(nil, toCounter, toHistogram, toGauge, toCollector)
	m.Counter("n").Inc()
	m.WithTenant("acme").WithTag("a", "b").Gauge("n").Set(1)
	m.Histogram("n", map[string]string{"a": "b"}).Observe(1)
	assert.NoError(t, errors.Join(m.Flush(), m.Close(), m.RecordBatch(nil)))
	assert.Zero(t, m.GetStats())
}

// A look-up through the framework's interface costs the slice of maps that Go makes for it.
func TestAdapterAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var m standin.MetricsCollector = lift.Adapt(newDiscarding(t), toCounter, toHistogram, toGauge)
	at := map[string]string{"method": "GET", "tenant_id": "acme"}
	record := func() {
		m.Counter("n", at).Inc()
		m.Histogram("h.duration", at).Observe(1)
		m.Gauge("g", at).Set(1)
	}
	for range 200 {
		record()
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(50, record), 3.0)
}

func BenchmarkAdapter(b *testing.B) {
	c := newDiscarding(b)
	at := map[string]string{"method": "GET", "tenant_id": "acme"}
	for name, m := range map[string]standin.MetricsCollector{
		"adapter": lift.Adapt(c, toCounter, toHistogram, toGauge),
		"full":    lift.AdaptFull(c, toCounter, toHistogram, toGauge, toCollector),
	} {
		b.Run(name+"/lookUpAndInc", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Counter("n", at).Inc()
			}
		})
		b.Run(name+"/inc", func(b *testing.B) {
			handle := m.Counter("n", at)
			b.ReportAllocs()
			for b.Loop() {
				handle.Inc()
			}
		})
	}
	b.Run("full/WithTags", func(b *testing.B) {
		m := toCollector(lift.AdaptFull(c, toCounter, toHistogram, toGauge, toCollector))
		b.ReportAllocs()
		for b.Loop() {
			m.WithTags(at)
		}
	})
}
