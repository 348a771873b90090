package emf_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// view is what CloudWatch holds of a metric under one combination of dimensions.
type view struct{ sum, count, min, max float64 }

// views returns what CloudWatch would make of documents, by name and dimensions.
func views(t testing.TB, docs []document) map[string]view {
	t.Helper()
	all := map[string]view{}
	values := 0
	for _, d := range docs {
		metrics, err := emf.Extract([]byte(d.json))
		require.NoError(t, err, d.json)
		for _, m := range metrics {
			slices.SortFunc(m.Dimensions, func(a, b emf.Dimension) int { return cmp.Compare(a.Name, b.Name) })
			var key strings.Builder
			key.WriteString(m.Name)
			for _, dim := range m.Dimensions {
				fmt.Fprintf(&key, " %s=%s", dim.Name, dim.Value)
			}
			v, ok := all[key.String()]
			if !ok {
				v.min, v.max = math.Inf(1), math.Inf(-1)
			}
			for i, x := range m.Values {
				n := 1.0
				if m.Counts != nil {
					n = m.Counts[i]
				}
				v.sum += n * x
				v.count += n
				v.min, v.max = min(v.min, x), max(v.max, x)
			}
			all[key.String()] = v
		}
		values += d.values
	}
	return all
}

func TestRollups(t *testing.T) {
	e, c := newEmitter(t, emf.WithDimensions(emf.Dim("Service", "api")),
		emf.WithRollups([]string{"Service"}, []string{"Service", "TenantID"}, []string{"Route"}))
	for i := range 3 {
		r := e.WithTenant(fmt.Sprint("t", i)).With(emf.Dim("Route", fmt.Sprint("/", i%2)))
		r.Counter("requests").Inc()
		r.Counter("requests").Add(2)
		r.Counter("requests").Add(0.5)
		r.Histogram("latency", emf.Milliseconds).Observe(float64(10 * (i + 1)))
		r.Gauge("queue").Set(7)
		r.Gauge("queue").Set(float64(i))
		r.GaugeFunc("live", func() float64 { return 5 })
	}
	e.Counter("requests").Inc()
	e.Gauge("queue").Set(100)
	assert.EqualValues(t, 3*(3+1+1)*3+2, e.Stats().Pending, "each value under three sets, but for the emitter's own")
	flush(t, e)
	docs := c.take()
	got := views(t, docs)
	assert.Equal(t, map[string]view{
		"requests Service=api":             {11.5, 4, 1, 3.5},
		"requests Service=api TenantID=t0": {3.5, 1, 3.5, 3.5},
		"requests Service=api TenantID=t1": {3.5, 1, 3.5, 3.5},
		"requests Service=api TenantID=t2": {3.5, 1, 3.5, 3.5},
		"requests Route=/0":                {7, 1, 7, 7},
		"requests Route=/1":                {3.5, 1, 3.5, 3.5},
		"latency Service=api":              {60, 3, 10, 30},
		"latency Service=api TenantID=t0":  {10, 1, 10, 10},
		"latency Service=api TenantID=t1":  {20, 1, 20, 20},
		"latency Service=api TenantID=t2":  {30, 1, 30, 30},
		"latency Route=/0":                 {40, 2, 10, 30},
		"latency Route=/1":                 {20, 1, 20, 20},
		"queue Service=api":                {103, 4, 0, 100},
		"queue Service=api TenantID=t0":    {0, 1, 0, 0},
		"queue Service=api TenantID=t1":    {1, 1, 1, 1},
		"queue Service=api TenantID=t2":    {2, 1, 2, 2},
		"queue Route=/0":                   {2, 2, 0, 2},
		"queue Route=/1":                   {1, 1, 1, 1},
		"live Service=api":                 {15, 3, 5, 5},
		"live Service=api TenantID=t0":     {5, 1, 5, 5},
		"live Service=api TenantID=t1":     {5, 1, 5, 5},
		"live Service=api TenantID=t2":     {5, 1, 5, 5},
		"live Route=/0":                    {10, 2, 5, 5},
		"live Route=/1":                    {5, 1, 5, 5},
	}, mergeScalars(got, "requests Service=api", view{11.5, 4, 1, 3.5}))
	assert.Len(t, docs, 6)
	assert.NotContains(t, docs[1].root, "Route")
	s := requireLaw(t, e)
	assert.EqualValues(t, 3*(3+1+1+1)*3+2, s.Recorded)
	assert.Equal(t, 6, s.Recorders)

	// An event carries the sets that it belongs to.
	ev := e.Begin(emf.Dim("TenantID", "t9"))
	ev.Counter("n").Inc()
	ev.Histogram("h").Observe(1)
	handle := ev.Counter("n")
	late := ev.Histogram("h")
	require.NoError(t, ev.End(context.Background()))
	handle.Inc()
	late.Observe(2)
	docs = c.take()
	require.Len(t, docs, 1)
	assert.Contains(t, docs[0].json, `"Dimensions":[["Service"],["Service","TenantID"]],"Metrics"`)
	assert.Equal(t, 4, docs[0].values)
	flush(t, e)
	got = views(t, c.take())
	assert.Equal(t, view{1, 1, 1, 1}, got["n Service=api TenantID=t9"])
	assert.Equal(t, view{2, 1, 2, 2}, got["h Service=api"])
	s = requireLaw(t, e)
	assert.EqualValues(t, 4, s.Late)
	require.NoError(t, e.Close(context.Background()))
	requireLaw(t, e)
}

// mergeScalars puts what is expected in the place of a counter, whose count is not kept.
func mergeScalars(got map[string]view, key string, want view) map[string]view {
	if got[key].sum == want.sum {
		got[key] = want
	}
	return got
}

// A recorder that belongs to no set is published as it is.
func TestRollupOfNothing(t *testing.T) {
	e, c := newEmitter(t, emf.WithRollups([]string{"Route", "Method"}))
	e.Counter("n").Inc()
	e.WithTenant("a").Counter("n").Inc()
	e.With(emf.Dim("Method", "GET"), emf.Dim("Route", "/"), emf.Dim("Status", "200")).Counter("n").Inc()
	assert.Same(t, e.WithTenant("a").Counter("n"), e.WithTenant("a").Counter("n"))
	flush(t, e)
	docs := c.take()
	require.Len(t, docs, 3)
	assert.Equal(t, map[string]view{"n": {1, 1, 1, 1}, "n TenantID=a": {1, 1, 1, 1}, "n Method=GET Route=/": {1, 1, 1, 1}}, views(t, docs))
	assert.Contains(t, docs[2].json, `"Dimensions":[["Route","Method"]]`)
	requireLaw(t, e)
}

func TestRollupsToTheEmptySet(t *testing.T) {
	e, c := newEmitter(t, emf.WithRollups(nil, []string{"TenantID"}))
	e.WithTenant("a").Counter("n").Inc()
	e.WithTenant("b").Counter("n").Add(math.NaN())
	e.WithTenant("b").Counter(" ").Inc()
	e.WithTenant("b").Counter("TenantID").Inc()
	flush(t, e)
	assert.Equal(t, map[string]view{"n": {1, 1, 1, 1}, "n TenantID=a": {1, 1, 1, 1}}, views(t, c.take()))
	s := requireLaw(t, e)
	assert.EqualValues(t, 2, s.Drops["not finite"])
	assert.EqualValues(t, 2, s.Drops["bad name"])
	assert.EqualValues(t, 2, s.Drops["conflict"])
	require.NoError(t, e.Close(context.Background()))
	e.WithTenant("a").Counter("n").Inc()
	e.WithTenant("a").Gauge("g").Set(1)
	e.WithTenant("new").Histogram("h").Observe(1)
	s = requireLaw(t, e)
	assert.EqualValues(t, 6, s.Drops["closed"])
	assert.Zero(t, s.Pending)
}

// Tenants times routes cost tenants plus routes.
func TestRollupsCostTheirSum(t *testing.T) {
	tenants, routes := 10_000, 50
	if raceEnabled || testing.Short() {
		tenants = 500
	}
	e, c := newEmitter(t, emf.WithMaxRecorders(2*tenants), emf.WithRollups([]string{"TenantID"}, []string{"Route"}))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range tenants {
		for j := range routes {
			e.With(emf.Dim("TenantID", fmt.Sprint("tenant-", i)), emf.Dim("Route", fmt.Sprint("/route/", j))).Counter("requests").Add(float64(i%7 + j))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	perView := float64(after.HeapAlloc-min(before.HeapAlloc, after.HeapAlloc)) / float64(tenants+routes)
	t.Logf("%.0f bytes for each of %d views", perView, tenants+routes)
	assert.Less(t, perView, 4000.0)
	flush(t, e)
	docs := c.take()
	assert.Len(t, docs, tenants+routes)
	got := views(t, docs)
	for i := range tenants {
		require.Equal(t, float64(routes*(i%7)+routes*(routes-1)/2), got[fmt.Sprint("requests TenantID=tenant-", i)].sum)
	}
	var all float64
	for j := range routes {
		all += got[fmt.Sprint("requests Route=/route/", j)].sum
	}
	for i := range tenants {
		all -= got[fmt.Sprint("requests TenantID=tenant-", i)].sum
	}
	assert.Zero(t, all)
	s := requireLaw(t, e)
	assert.EqualValues(t, 2*tenants*routes, s.Delivered)
	assert.Equal(t, tenants+routes, s.Recorders)
}

// Recording, flushing, going idle and closing at once, under rollups and budgets.
func TestRollupsRaces(t *testing.T) {
	e, c := newEmitter(t, emf.WithMaxRecorders(60), emf.WithDimensionBudget("TenantID", 5),
		emf.WithRollups(nil, []string{"TenantID"}, []string{"TenantID", "Route"}))
	const goroutines, each = 8, 4000
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(g)))
			kept := e.WithTenant("kept").Counter("n")
			for range each {
				r := e.With(emf.Dim("TenantID", fmt.Sprint(int(random.ExpFloat64()*10))), emf.Dim("Route", fmt.Sprint(random.IntN(20))))
				switch random.IntN(4) {
				case 0:
					r.Counter("n").Inc()
				case 1:
					r.Histogram("h").Observe(1)
				case 2:
					kept.Inc()
				default:
					ev := e.Begin(emf.Dim("TenantID", fmt.Sprint(random.IntN(20))), emf.Dim("Route", "event"))
					ev.Counter("n").Inc()
					assert.NoError(t, ev.End(context.Background()))
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	total := map[string]view{}
	collect := func() {
		flush(t, e)
		for key, v := range views(t, c.take()) {
			total[key] = view{sum: total[key].sum + v.sum}
		}
		runtime.GC()
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		collect()
	}
	collect()
	var byTenant, byRoute float64
	for key, v := range total {
		switch {
		case strings.Contains(key, "Route"):
			byRoute += v.sum
		case strings.Contains(key, "TenantID"):
			byTenant += v.sum
		}
	}
	assert.EqualValues(t, goroutines*each, total["n"].sum+total["h"].sum)
	assert.EqualValues(t, goroutines*each, byTenant)
	kept := total["n TenantID=kept"].sum
	assert.LessOrEqual(t, byRoute, float64(goroutines*each)-kept)
	s := requireLaw(t, e)
	assert.Zero(t, s.Dropped)
	require.NoError(t, e.Close(context.Background()))
	requireLaw(t, e)
}

func TestRollupOptions(t *testing.T) {
	for name, opt := range map[string]emf.Option{
		"none":      emf.WithRollups(),
		"twice":     emf.WithRollups([]string{"a", "b"}, []string{"b", "a"}),
		"same name": emf.WithRollups([]string{"a", "a"}),
		"bad name":  emf.WithRollups([]string{" "}),
		"too many":  emf.WithRollups(strings.Split(strings.Repeat("x", 31), "")),
		"budget":    emf.WithDimensionBudget("a", 0),
		"bad":       emf.WithDimensionBudget(":a", 1),
		"values":    emf.WithDimensionValues(""),
		"rewrite":   emf.WithDimensionRewrite("a", nil),
	} {
		_, err := emf.New("test", opt)
		assert.Error(t, err, name)
	}
	_, err := emf.New("test", emf.WithDimensionBudget("a", 1), emf.WithDimensionBudget("a", 2))
	assert.Error(t, err)
}
