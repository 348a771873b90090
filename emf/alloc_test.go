package emf_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/liftemf/liftemf/emf"
)

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	e := newDiscarding(t)
	ctx := context.Background()
	counter, gauge, histogram := e.Counter("c"), e.Gauge("g"), e.Histogram("h")
	tenants := []string{"tenant-a", "tenant-b", "tenant-c"}
	dims := []emf.Dimension{emf.Dim("a", "1"), emf.Dim("b", "2")}
	var many []*emf.Counter
	for _, id := range tenants {
		for _, name := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"} {
			many = append(many, e.WithTenant(id).Counter(name))
		}
	}
	e.With(dims...)
	for name, f := range map[string]func(){
		"Counter.Inc":          counter.Inc,
		"Counter.Add":          func() { counter.Add(7) },
		"Counter.Add fraction": func() { counter.Add(0.5) },
		"Gauge.Set":            func() { gauge.Set(7) },
		"Gauge.Add":            func() { gauge.Add(7) },
		"Histogram.Observe":    func() { histogram.Observe(1.5) },
		"Counter by name":      func() { e.Counter("c").Inc() },
		"one of many":          func() { e.WithTenant("tenant-a").Counter("12").Inc() },
		"Counter with unit":    func() { e.Counter("c", emf.Count).Inc() },
		"WithTenant":           func() { e.WithTenant(tenants[1]).WithTenant(tenants[2]) },
		"With":                 func() { e.With(dims...) },
		"With literal":         func() { e.With(emf.Dim("b", "2"), emf.Dim("a", "1")) },
		"flush": func() {
			for _, c := range many {
				c.Inc()
			}
			histogram.Observe(1)
			_ = e.Flush(ctx)
		},
	} {
		for range 200 {
			f() // warm
		}
		_ = e.Flush(ctx)
		assert.Zero(t, testing.AllocsPerRun(1000, f), name)
	}
}
