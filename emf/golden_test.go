package emf_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// shop is a small program that uses all there is.
func shop(t testing.TB) string {
	e, c := newEmitter(t,
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
	ev.SetTimestamp(start.Add(-90 * time.Second))
	require.NoError(t, ev.End(t.Context()))
	flush(t, e)
	e.WithTenant("globex").Counter("orders").Inc()
	require.NoError(t, e.Close(t.Context()))
	return strings.Join(c.lines, "\n") + "\n"
}

func TestGolden(t *testing.T) {
	path := filepath.Join("..", "testdata", "golden", "shop.jsonl")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(shop(t)), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := range 100 {
		procs := runtime.GOMAXPROCS(1 + i%8)
		got := shop(t)
		runtime.GOMAXPROCS(procs)
		require.Equal(t, string(want), got, "run %d; UPDATE_GOLDEN=1 rewrites the file", i)
	}
}
