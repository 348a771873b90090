package emftest_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
)

// recorder is a test that notes what it is told.
type recorder struct {
	testing.TB
	errors, logs []string
	cleanups     []func()
}

func (*recorder) Helper()                     {}
func (r *recorder) Cleanup(f func())          { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Logf(f string, a ...any)   { r.logs = append(r.logs, fmt.Sprintf(f, a...)) }
func (r *recorder) Errorf(f string, a ...any) { r.errors = append(r.errors, fmt.Sprintf(f, a...)) }
func (r *recorder) Fatalf(f string, a ...any) {
	r.Errorf(f, a...)
	panic("fatal")
}

func (r *recorder) finish() {
	for _, f := range r.cleanups {
		f()
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	e, c := emftest.New(t, emf.WithDimensions(emf.Dim("Service", "shop")))
	e.WithTenant("a").Counter("orders").Add(2)
	e.WithTenant("b").Counter("orders").Inc()
	for i := range 1000 {
		e.WithTenant("a").Histogram("latency", emf.Milliseconds).Observe(float64(i + 1))
	}
	assert.Empty(t, c.Documents())
	assert.Equal(t, 3.0, c.Sum("orders"))
	assert.Equal(t, 2.0, c.Sum("orders", emf.Dim("TenantID", "a")))
	assert.Equal(t, 1.0, c.Sum("orders", emf.Dim("TenantID", "b"), emf.Dim("Service", "shop")))
	assert.Equal(t, 1000.0, c.Count("latency"))
	assert.Equal(t, 1.0, c.Min("latency"))
	assert.Equal(t, 1000.0, c.Max("latency"))
	assert.InEpsilon(t, 500, c.Quantile(0.5, "latency"), 0.02)
	assert.Equal(t, 1.0, c.Quantile(0, "latency"))
	assert.Equal(t, 1000.0, c.Quantile(1, "latency"))
	assert.Zero(t, c.Count("orders", emf.Dim("TenantID", "nobody")))
	assert.Len(t, c.Documents(), 2)
	assert.Len(t, c.Metrics(), 3)
	assert.Equal(t, emftest.Time, c.Metrics()[0].Time)
	assert.Equal(t, emftest.Namespace, c.Metrics()[0].Namespace)

	ev := e.Begin()
	ev.SetProperty("RequestId", "r-1")
	ev.Counter("orders").Inc()
	assert.Empty(t, c.Property("RequestId"))
	require.NoError(t, ev.End(t.Context()))
	assert.Equal(t, []any{"r-1"}, c.Property("RequestId"))
	assert.Equal(t, 4.0, c.Sum("orders"))
	assert.Equal(t, 1.0, c.Exactly().Sum("orders", emf.Dim("Service", "shop")))
	require.NoError(t, e.Close(t.Context()))
	assert.Equal(t, 4.0, c.Sum("orders"))
}

// A value that a document publishes under several sets is one value.
func TestRollupsAreNotCountedTwice(t *testing.T) {
	t.Parallel()
	e, c := emftest.New(t, emf.WithRollups(nil, []string{"TenantID"}))
	ev := e.Begin(emf.Dim("TenantID", "a"))
	ev.Counter("n").Inc()
	require.NoError(t, ev.End(t.Context()))
	assert.Equal(t, 1.0, c.Sum("n"))
	assert.Equal(t, 1.0, c.Sum("n", emf.Dim("TenantID", "a")))
	e.WithTenant("a").Counter("n").Inc()
	assert.Equal(t, 2.0, c.Exactly().Sum("n"))
	assert.Equal(t, 2.0, c.Exactly().Sum("n", emf.Dim("TenantID", "a")))
}

func TestMessages(t *testing.T) {
	t.Parallel()
	for want, ask := range map[string]func(c *emftest.Capture){
		"emftest: Sum(orders, TenantID=a): no such metric; there is orders with TenantID=b": func(c *emftest.Capture) { c.Sum("orders", emf.Dim("TenantID", "a")) },
		"emftest: Max(order): no such metric; there is orders with TenantID=b":              func(c *emftest.Capture) { c.Max("order") },
		"emftest: Min(orders, tenantid=b): no such metric; there is orders with TenantID=b": func(c *emftest.Capture) { c.Min("orders", emf.Dim("tenantid", "b")) },
		"emftest: Quantile(latncy): no such metric; there is latency without dimensions":    func(c *emftest.Capture) { c.Quantile(0.5, "latncy") },
	} {
		r := &recorder{TB: t}
		e, c := emftest.New(r)
		e.WithTenant("b").Counter("orders").Inc()
		e.Histogram("latency").Observe(1)
		e.Counter("x").Inc()
		e.Counter("y").Inc()
		ask(c)
		if assert.Len(t, r.errors, 1) {
			assert.True(t, strings.HasPrefix(r.errors[0], want), r.errors[0])
			assert.Contains(t, r.errors[0], "and 1 more")
		}
		r.finish()
	}

	r := &recorder{TB: t}
	e, c := emftest.New(r)
	assert.Zero(t, c.Sum("n"))
	assert.True(t, math.IsNaN(c.Max("n")))
	ev := e.Begin()
	ev.Counter("n").Inc()
	c.Sum("n")
	e.Counter("bad").Add(math.NaN())
	require.NoError(t, ev.End(t.Context()))
	assert.Equal(t, []string{
		"emftest: Sum(n): no such metric; nothing was recorded",
		"emftest: Max(n): no such metric; nothing was recorded",
		"emftest: Sum(n): no such metric; nothing was written, but 1 values wait in events that have not ended",
	}, r.errors)
	r.finish()
	assert.Contains(t, strings.Join(r.logs, "\n"), "not finite")
	e.Counter("n").Inc() // the log of a test that has ended is left alone
}

// What CloudWatch may not take fails the test.
func TestProblemsFail(t *testing.T) {
	t.Parallel()
	r := &recorder{TB: t}
	e, c := emftest.New(r, emf.WithClock(func() time.Time { return time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC) }))
	e.Counter("n").Inc()
	assert.Equal(t, 1.0, c.Sum("n"))
	assert.Empty(t, r.errors, "the clock is the test's own business")
	emftest.Inject(c, []byte(`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[[]],"Metrics":[{"Name":"gone"}]}]}}`))
	require.Len(t, r.errors, 1)
	assert.Contains(t, r.errors[0], "target-missing")
	r.finish()
}

func TestGolden(t *testing.T) {
	t.Setenv("UPDATE_GOLDEN", "")
	path := filepath.Join(t.TempDir(), "deep", "orders.jsonl")
	r := &recorder{TB: t}
	e, c := emftest.New(r)
	e.WithTenant("a").Counter("orders").Inc()
	assert.Panics(t, func() { emftest.Golden(r, path, c) })
	assert.Contains(t, r.errors[0], "UPDATE_GOLDEN=1")

	t.Setenv("UPDATE_GOLDEN", "1")
	emftest.Golden(t, path, c)
	t.Setenv("UPDATE_GOLDEN", "")
	emftest.Golden(t, path, c)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "\n", "\r\n")), 0o600))
	emftest.Golden(t, path, c)

	e.WithTenant("a").Counter("orders").Add(2)
	emftest.Golden(r, path, c)
	require.Len(t, r.errors, 2)
	assert.Contains(t, r.errors[1], "\n+  \"orders\": 2\n")
	r.finish()
}

// The environment of the machine that runs the test does not matter.
func TestEnvironmentIsIgnored(t *testing.T) {
	t.Setenv("AWS_EMF_NAMESPACE", "elsewhere")
	t.Setenv("AWS_EMF_SERVICE_NAME", "service")
	t.Setenv("POWERTOOLS_METRICS_DISABLED", "true")
	e, c := emftest.New(t)
	e.Counter("n").Inc()
	assert.Equal(t, 1.0, c.Exactly().Sum("n"))
	assert.Equal(t, emftest.Namespace, c.Metrics()[0].Namespace)
}

func TestOptionsThatFail(t *testing.T) {
	r := &recorder{TB: t}
	assert.Panics(t, func() { emftest.New(r, emf.WithMaxRecorders(0)) })
	assert.Contains(t, r.errors[0], "WithMaxRecorders")
}

// A difference of many documents is no flood.
func TestGoldenShowsTheFirstLines(t *testing.T) {
	t.Setenv("UPDATE_GOLDEN", "")
	path := filepath.Join(t.TempDir(), "many.jsonl")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	r := &recorder{TB: t}
	e, c := emftest.New(r)
	for i := range 100 {
		e.WithTenant(fmt.Sprint(i)).Counter("n").Inc()
	}
	emftest.Golden(r, path, c)
	require.Len(t, r.errors, 1)
	assert.Less(t, strings.Count(r.errors[0], "\n"), 210)
	assert.Regexp(t, `and \d+ more lines\n$`, r.errors[0])
	r.finish()
}

// Tests beside each other, and goroutines of one test, do not meet.
func TestParallel(t *testing.T) {
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			e, c := emftest.New(t)
			var recording sync.WaitGroup
			for range 4 {
				recording.Go(func() {
					for range 100 {
						e.Counter("n").Add(float64(i))
						c.Count("n")
						c.Documents()
					}
				})
			}
			recording.Wait()
			assert.Equal(t, float64(400*i), c.Sum("n"))
		})
	}
}
