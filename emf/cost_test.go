package emf_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// hourly is an emitter whose clock the test sets.
func hourly(t testing.TB, opts ...emf.Option) (*emf.Emitter, *capture, *time.Time) {
	now := start
	e, c := newEmitter(t, append(opts, emf.WithClock(func() time.Time { return now }))...)
	return e, c, &now
}

func size(docs []document) (bytes int) {
	for _, d := range docs {
		bytes += len(d.json)
	}
	return bytes
}

// requireAbout compares numbers of metrics: small ones come out exactly, but for a hash in some
// hundreds of runs.
func requireAbout(t testing.TB, want, got int) {
	t.Helper()
	require.InDelta(t, want, got, 1+0.03*float64(want))
}

func TestCost(t *testing.T) {
	e, c, now := hourly(t)
	for minute := range 30 {
		for i := range 1000 {
			r := e.WithTenant(fmt.Sprint("tenant-", i))
			for _, name := range []string{"a", "b", "c", "d", "e"} {
				r.Counter(name).Inc()
			}
			r.Counter("TenantID").Inc() // dropped, and so not billed
		}
		*now = now.Add(time.Minute)
		flush(t, e)
		if minute == 0 {
			requireAbout(t, 5000, e.Cost().Metrics)
		}
	}
	cost := e.Cost()
	requireAbout(t, 5000, cost.Metrics)
	assert.InEpsilon(t, 1500, cost.MetricsUSD, 0.03, "5,000 times 30 cents")
	assert.Equal(t, 30*time.Minute, cost.Observed)
	month := size(c.take()) * 2 * 730
	assert.InEpsilon(t, month, cost.LogBytes, 1e-9)
	assert.InEpsilon(t, 0.5*float64(month)/1e9, cost.LogsUSD, 1e-9)
	assert.Equal(t, cost.MetricsUSD+cost.LogsUSD, cost.USD())
	assert.Equal(t, "us-east-1", cost.Region)
	assert.Equal(t, "2025-09-01", cost.Prices)
}

// A metric counts once an hour, and the last full hour counts as long as this one has less.
func TestCostOfHours(t *testing.T) {
	e, c, now := hourly(t)
	use := func(n int) {
		for i := range n {
			e.WithTenant(fmt.Sprint(i)).Counter("n").Inc()
		}
		*now = now.Add(5 * time.Minute)
		flush(t, e)
	}
	assert.Zero(t, e.Cost().USD())
	for range 6 { // until 12:30:30
		use(200)
	}
	requireAbout(t, 200, e.Cost().Metrics)
	for range 8 { // until 13:10:30
		use(10)
	}
	requireAbout(t, 200, e.Cost().Metrics)
	c.take()
	for range 11 { // until 14:05:30
		use(10)
	}
	requireAbout(t, 10, e.Cost().Metrics)
	*now = now.Add(5 * time.Hour)
	use(300)
	requireAbout(t, 300, e.Cost().Metrics)
}

// Events, rollups and the guard are counted as they are published.
func TestCostOfEvents(t *testing.T) {
	e, _, _ := hourly(t, emf.WithRollups([]string{"Service"}, []string{"Service", "TenantID"}), emf.WithDimensions(emf.Dim("Service", "api")),
		emf.WithDimensionBudget("TenantID", 10))
	for range 3 {
		for i := range 50 {
			ev := e.Begin(emf.Dim("TenantID", fmt.Sprint(i)))
			ev.Counter("requests").Inc()
			ev.Histogram("latency").Observe(1)
			require.NoError(t, ev.End(t.Context()))
		}
	}
	requireAbout(t, 2*(1+10+1), e.Cost().Metrics)
}

func TestWithPrices(t *testing.T) {
	e, _, now := hourly(t, emf.WithPrices(strings.NewReader(`{"region":"eu-west-1","date":"2026-01-01","metrics":[{"usd":2}],"logs":[{"usd":1000}]}`)))
	e.Counter("n").Inc()
	flush(t, e)
	*now = now.Add(time.Hour)
	cost := e.Cost()
	assert.Equal(t, emf.Cost{
		Metrics: 1, Observed: time.Hour, LogBytes: int64(e.Stats().Bytes) * 730,
		MetricsUSD: 2, LogsUSD: float64(e.Stats().Bytes*730) / 1e6, Region: "eu-west-1", Prices: "2026-01-01",
	}, cost)
	for _, opt := range []emf.Option{emf.WithPrices(nil), emf.WithPrices(new(bytes.Buffer)), emf.WithPrices(strings.NewReader(`{"logs":[{"usd":-1}]}`))} {
		_, err := emf.New("test", opt)
		assert.ErrorContains(t, err, "WithPrices")
	}
	t.Setenv("POWERTOOLS_METRICS_DISABLED", "true")
	e, _, _ = hourly(t)
	e.Counter("n").Inc()
	flush(t, e)
	assert.Zero(t, e.Cost().USD(), "nothing is published")
}
