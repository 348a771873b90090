package emf_test

import (
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
)

// shop is a small program that uses all there is.
func shop(t testing.TB) *emftest.Capture {
	e, c := emftest.New(t,
		emf.WithDimensions(emf.Dim("Service", "shop")),
		emf.WithProperties(map[string]any{"version": "1.2.0", "region": "eu-west-1", "build": 17}),
		emf.WithLogGroup("/shop/metrics"))
	for i, id := range []string{"globex", "initech", "acme"} {
		r := e.WithTenant(id)
		r.Counter("orders").Add(float64(i + 1))
		r.Counter("revenue", emf.None).Add(19.99)
		r.Gauge("carts.open").Set(float64(10 * i))
		latency := r.Histogram("latency", emf.Milliseconds, emf.HighResolution)
		for j := range i * 3 {
			latency.Observe(12.5 + float64(j)/8)
		}
	}
	e.GaugeFunc("workers", func() float64 { return 4 })
	many := e.With(emf.Dim("Queue", "mail")).Histogram("size", emf.Bytes)
	for i := range 1000 {
		many.Observe(float64(i * i % 977))
	}
	ev := e.Begin(emf.Dim("Operation", "checkout"))
	ev.SetProperty("RequestId", "8d9f2c31")
	ev.SetProperty("items", []map[string]any{{"sku": "A-1", "qty": 2}, {"sku": "B-7", "qty": 1}})
	ev.Counter("orders").Inc()
	ev.WithTenant("acme").Counter("orders").Inc()
	ev.SetTimestamp(emftest.Time.Add(-90 * time.Second))
	require.NoError(t, ev.End(t.Context()))
	flush(t, e)
	e.WithTenant("globex").Counter("orders").Inc()
	require.NoError(t, e.Close(t.Context()))
	return c
}

func TestGolden(t *testing.T) {
	for i := range 100 {
		procs := runtime.GOMAXPROCS(1 + i%8)
		emftest.Golden(t, filepath.Join("..", "testdata", "golden", "shop.jsonl"), shop(t))
		runtime.GOMAXPROCS(procs)
	}
}
