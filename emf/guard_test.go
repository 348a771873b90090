package emf_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// heap is what is in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A million values of a dimension with a budget of a hundred.
func TestBudgetKeepsTheHeaviest(t *testing.T) {
	const budget, distinct, intervals = 100, 1_000_000, 8
	each := 250_000
	if raceEnabled || testing.Short() {
		each = 40_000
	}
	e, c := newEmitter(t, emf.WithDimensionBudget("Customer", budget))
	random := rand.New(rand.NewPCG(3, 4))
	zipf := rand.NewZipf(random, 1.1, 1, distinct-1)
	before := heap()
	for interval := range intervals {
		want := make(map[string]float64)
		for range each {
			id := zipf.Uint64()
			e.With(emf.Dim("Customer", fmt.Sprint(id))).Counter("orders").Inc()
			if id < 2*budget {
				want[fmt.Sprint("orders Customer=", id)]++
			}
		}
		flush(t, e)
		got := views(t, c.take())
		require.LessOrEqual(t, len(got), budget+1)
		var sum float64
		for key, v := range got {
			sum += v.sum
			if n, counted := want[key]; counted {
				require.LessOrEqual(t, v.sum, n, key)
			}
		}
		require.EqualValues(t, each, sum)
		if interval < 2 {
			continue
		}
		for i := range 50 {
			require.Equal(t, want[fmt.Sprint("orders Customer=", i)], got[fmt.Sprint("orders Customer=", i)].sum, "interval %d", interval)
		}
		if !raceEnabled {
			assert.Less(t, heap()-before, 40<<20, "interval %d", interval)
		}
	}
	t.Logf("%d kB after %d values, %d times", (heap()-before)>>10, each, intervals)
	s := requireLaw(t, e)
	assert.LessOrEqual(t, s.Recorders, budget+1)
	runtime.KeepAlive(e)
}

// What a recording costs under a budget: of values that are as many as it has room for, and of
// a million, most of which it turns away, with and without it.
func BenchmarkBudget(b *testing.B) {
	random := rand.New(rand.NewPCG(3, 4))
	zipf := rand.NewZipf(random, 1.1, 1, 999_999)
	ids := make([]string, 1<<20)
	for i := range ids {
		ids[i] = fmt.Sprint("customer-", zipf.Uint64())
	}
	for _, bench := range []struct {
		name string
		ids  int // different values
		opt  emf.Option
	}{
		{"100 values, no budget", 100, nil},
		{"100 values, budget", 100, emf.WithDimensionBudget("Customer", 100)},
		{"1,000,000 values, no budget", 0, nil},
		{"1,000,000 values, budget", 0, emf.WithDimensionBudget("Customer", 100)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			e := emf.Must(emf.New("bench", emf.WithSink(discard), emf.WithFlushInterval(0), emf.WithMaxRecorders(2_000_000),
				emf.WithLogger(slog.New(slog.DiscardHandler)), bench.opt))
			stream := ids
			if bench.ids > 0 {
				stream = make([]string, 1<<20)
				for i := range stream {
					stream[i] = fmt.Sprint("customer-", random.IntN(bench.ids))
				}
			}
			i := 0
			record := func() {
				e.With(emf.Dim("Customer", stream[i&(len(stream)-1)])).Counter("orders").Inc()
				if i++; i%len(stream) == 0 {
					_ = e.Flush(context.Background())
				}
			}
			for range 2 * len(stream) {
				record()
			}
			b.ReportAllocs()
			for b.Loop() {
				record()
			}
		})
	}
}

// What keeps a value keeps it as long as nothing much changes.
func TestBudgetIsStable(t *testing.T) {
	e, c := newEmitter(t, emf.WithDimensionBudget("C", 2))
	r := func(name string) *emf.Recorder { return e.With(emf.Dim("C", name)) }
	play := func(counts map[string]int) map[string]view {
		for _, name := range []string{"a", "b", "c", "d"} { // in this order
			for range counts[name] {
				r(name).Counter("n").Inc()
			}
		}
		flush(t, e)
		return views(t, c.take())
	}
	three := view{3, 1, 3, 3}
	assert.Equal(t, map[string]view{"n C=a": three, "n C=b": three}, play(map[string]int{"a": 3, "b": 3}))
	assert.Equal(t, map[string]view{"n C=a": three, "n C=b": three, "n C=other": {9, 1, 9, 9}}, play(map[string]int{"a": 3, "b": 3, "c": 5, "d": 4}))
	for range 5 {
		assert.Contains(t, play(map[string]int{"a": 3, "b": 3, "c": 5, "d": 4}), "n C=a", "less than twice as heavy")
	}
	// c takes a's place. What a has recorded by then is still published, as other.
	got := play(map[string]int{"a": 3, "b": 3, "c": 100})
	assert.Equal(t, map[string]view{"n C=b": three, "n C=other": {103, 1, 103, 103}}, got)
	kept := r("a").Counter("n")
	got = play(map[string]int{"a": 3, "b": 3, "c": 100})
	assert.Equal(t, map[string]view{"n C=b": three, "n C=c": {100, 1, 100, 100}, "n C=other": three}, got)
	assert.Same(t, kept, r("a").Counter("n"))
	// When nobody uses the others any more, a new value is published at once.
	for range 20 {
		play(nil)
	}
	assert.Equal(t, map[string]view{"n C=a": three, "n C=d": three}, play(map[string]int{"a": 3, "d": 3}))
	requireLaw(t, e)
}

func TestBudgetOfAllKinds(t *testing.T) {
	e, c := newEmitter(t, emf.WithDimensionBudget("C", 1))
	for _, name := range []string{"a", "b", "c"} {
		r := e.With(emf.Dim("C", name), emf.Dim("Route", "/"))
		r.Counter("n").Add(1.5)
		r.Counter("n").Inc()
		r.Gauge("g").Set(1)
		r.Gauge("g").Set(2)
		r.GaugeFunc("f", func() float64 { return 4 })
		for i := range 150 {
			r.Histogram("h").Observe(float64(i))
		}
	}
	flush(t, e)
	got := views(t, c.take())
	assert.Equal(t, 2.5, got["n C=a Route=/"].sum)
	assert.Equal(t, 5.0, got["n C=other Route=/"].sum)
	assert.Equal(t, view{2, 1, 2, 2}, got["g C=a Route=/"])
	assert.Equal(t, view{6, 4, 1, 2}, got["g C=other Route=/"], "all that were set")
	assert.Equal(t, view{8, 2, 4, 4}, got["f C=other Route=/"])
	assert.Equal(t, view{4, 1, 4, 4}, got["f C=a Route=/"])
	assert.Equal(t, 300.0, got["h C=other Route=/"].count)
	requireLaw(t, e)
	require.NoError(t, e.Close(context.Background()))
	requireLaw(t, e)
}

// A tenant whose name is other is nobody else's.
func TestTenantOther(t *testing.T) {
	e, c := newEmitter(t, emf.WithDimensionBudget("TenantID", 1))
	e.WithTenant("a").Gauge("g").Set(1)
	e.WithTenant("other").Gauge("g").Set(2)
	e.WithTenant("b").Gauge("g").Set(3)
	flush(t, e)
	assert.Equal(t, map[string]view{"g TenantID=a": {1, 1, 1, 1}, "g TenantID=other": {5, 2, 2, 3}}, views(t, c.take()))
	requireLaw(t, e)
}

// Recorders of dimensions that were looked up before, and those of events, count too.
func TestGuardHasNoBackDoor(t *testing.T) {
	e, c := newEmitter(t, emf.WithMaxRecorders(10))
	var recorders []*emf.Recorder
	for i := range 1000 {
		recorders = append(recorders, e.WithTenant(fmt.Sprint(i)).With(emf.Dim("Route", fmt.Sprint(i))))
	}
	for i, r := range recorders {
		r.Counter("n").Inc()
		ev := e.Begin(emf.Dim("Session", fmt.Sprint(i)))
		ev.Counter("events").Inc()
		require.NoError(t, ev.End(t.Context()))
	}
	flush(t, e)
	got := views(t, c.take())
	assert.LessOrEqual(t, len(got), 10+17)
	var n, events float64
	for key, v := range got {
		if strings.HasPrefix(key, "n ") {
			n += v.sum
		}
	}
	for _, v := range got {
		events += v.sum
	}
	assert.Equal(t, 1000.0, n)
	s := requireLaw(t, e)
	assert.EqualValues(t, 2000, s.Delivered)
}

// A function that emits nothing but events makes room for new tenants.
func TestGuardForgetsWithoutFlushes(t *testing.T) {
	now := start
	e, c := newEmitter(t, emf.WithMaxRecorders(10), emf.WithClock(func() time.Time { return now }))
	use := func(tenant string) {
		ev := e.Begin(emf.Dim("TenantID", tenant))
		ev.Counter("n").Inc()
		require.NoError(t, ev.End(t.Context()))
	}
	for round := range 5 {
		for i := range 9 {
			use(fmt.Sprint(round, "-", i))
		}
		for range 6 {
			now = now.Add(time.Minute)
			use("steady")
		}
	}
	for key := range views(t, c.take()) {
		assert.NotContains(t, key, "other")
	}
	assert.Zero(t, e.Stats().Folded)
}

func TestDimensionValuesAndRewrite(t *testing.T) {
	e, c := newEmitter(t,
		emf.WithDimensionValues("Plan", "free", "pro"),
		emf.WithDimensionRewrite("Route", func(s string) string {
			if s == "panic" {
				panic(s)
			}
			return strings.TrimRight(s, "0123456789")
		}))
	for i := range 3 {
		e.With(emf.Dim("Plan", fmt.Sprint("x", i))).Counter("n").Inc()
		e.With(emf.Dim("Route", fmt.Sprint("/orders/", i))).Counter("n").Inc()
	}
	e.With(emf.Dim("Plan", "pro")).Counter("n").Inc()
	e.With(emf.Dim("Route", "17")).Counter("n").Inc()
	e.With(emf.Dim("Route", "panic")).Counter("n").Inc()
	flush(t, e)
	one, three := view{1, 1, 1, 1}, view{3, 1, 3, 3}
	assert.Equal(t, map[string]view{"n": one, "n Plan=pro": one, "n Plan=other": three, "n Route=/orders/": three, "n Route=other": one}, views(t, c.take()))
	requireLaw(t, e)
}

func TestIdentifierWarning(t *testing.T) {
	var log bytes.Buffer
	e, _ := newEmitter(t, emf.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	for i := range 300 {
		e.With(emf.Dim("Route", "/orders/{id}"), emf.Dim("RequestId", fmt.Sprintf("5f0c7a8e-1b2c-4d3e-9f00-%012x", i))).Counter("n").Inc()
		e.WithTenant(fmt.Sprintf("5f0c7a8e-1b2c-4d3e-9f00-%012x", i)).Counter("n").Inc()
	}
	require.NoError(t, e.Close(context.Background()))
	assert.Equal(t, 1, strings.Count(log.String(), "look like identifiers"), log.String())
	assert.Contains(t, log.String(), "dimension=RequestId")
}
