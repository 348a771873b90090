package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	"github.com/liftemf/liftemf/middleware"
)

// invoked is the context of an invocation.
func invoked(id, tenant string) context.Context {
	return lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: id, TenantID: tenant})
}

// within is invoked with a deadline.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(invoked("id", ""), d)
	t.Cleanup(cancel)
	return ctx
}

func order(ctx context.Context, n int) (string, error) {
	emf.FromContext(ctx).Counter("orders").Add(float64(n))
	emf.SetProperty(ctx, "order", n)
	return fmt.Sprint("ordered ", n), nil
}

// has reports whether there is a metric of that name, with these dimensions among its own.
func has(c *emftest.Capture, name string, dims ...emf.Dimension) bool {
	return slices.ContainsFunc(c.Metrics(), func(m emf.Metric) bool {
		return m.Name == name && !slices.ContainsFunc(dims, func(d emf.Dimension) bool { return !slices.Contains(m.Dimensions, d) })
	})
}

// members returns a captured document without its directive.
func members(t *testing.T, doc []byte) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(doc, &m))
	delete(m, "_aws")
	delete(m, "requests.duration")
	return m
}

// traced returns a context with the header of X-Ray where aws-lambda-go puts it.
func traced(ctx context.Context, header any) context.Context {
	//lint:ignore SA1029 as aws-lambda-go does
	return context.WithValue(ctx, "x-amzn-trace-id", header)
}

func TestInvocation(t *testing.T) {
	e, metrics := emftest.New(t, emf.WithDimensions(emf.Dim("Service", "shop")))
	handle := middleware.Lambda(middleware.MetricsOnly(e), order)
	out, err := handle(traced(invoked("id-1", "acme"), "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"), 3)
	require.NoError(t, err)
	assert.Equal(t, "ordered 3", out)

	require.Len(t, metrics.Documents(), 1)
	assert.Equal(t, map[string]any{
		"Service": "shop", "request_id": "id-1", "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
		"order": 3.0, "orders": 3.0, "requests.total": 1.0,
	}, members(t, metrics.Documents()[0]))
	assert.Equal(t, 1.0, metrics.Count("requests.duration"))
}

type custom struct{ why string }

// Without an observer, an emitter or a context a handler works as it does alone.
func TestNothingToRecordInvocationsWith(t *testing.T) {
	for name, o := range map[string]*middleware.Observer{
		"nil observer": nil,
		"nil emitter":  middleware.MetricsOnly(nil),
		"zero emitter": middleware.MetricsOnly(new(emf.Emitter)),
		"only a log":   middleware.Observability(nil, slog.New(slog.DiscardHandler)),
	} {
		out, err := middleware.Lambda(o, order)(invoked("id", ""), 1)
		assert.NoError(t, err, name)
		assert.Equal(t, "ordered 1", out, name)
		o.Drain()
	}
	e, metrics := emftest.New(t)
	out, err := middleware.Lambda(middleware.MetricsOnly(e, middleware.WithLambdaTenant()), order)(nil, 1)
	assert.NoError(t, err)
	assert.Equal(t, "ordered 1", out)
	assert.Equal(t, 1.0, metrics.Sum("requests.total"))
	assert.Nil(t, middleware.Lambda[int, int](middleware.MetricsOnly(e), nil))
	assert.Nil(t, middleware.LambdaHandler(middleware.MetricsOnly(e), nil))
}

// All that the emitter has is written with the invocation: between two of them nothing runs.
func TestWhatIsBesideTheInvocation(t *testing.T) {
	e, metrics := emftest.New(t)
	var kept context.Context
	handle := middleware.Lambda(middleware.MetricsOnly(e), func(ctx context.Context, _ int) (int, error) {
		e.WithTenant("acme").Counter("cached").Inc()
		kept = ctx
		return 0, nil
	})
	_, _ = handle(invoked("id-1", ""), 0)
	require.Len(t, metrics.Documents(), 2)
	assert.Equal(t, map[string]any{"TenantID": "acme", "cached": 1.0}, members(t, metrics.Documents()[1]))

	emf.FromContext(kept).Counter("late").Inc() // by a goroutine that the handler has left behind
	_, _ = handle(invoked("id-2", ""), 0)
	require.Len(t, metrics.Documents(), 5)
	assert.Equal(t, map[string]any{"late": 1.0}, members(t, metrics.Documents()[3]))
	assert.Equal(t, uint64(1), e.Stats().Late)
}

// Wrapped twice is recorded once.
func TestNestedInvocation(t *testing.T) {
	e, metrics := emftest.New(t)
	o := middleware.MetricsOnly(e)
	_, err := middleware.LambdaHandler(o, lambda.NewHandler(middleware.Lambda(o, order))).Invoke(invoked("id", ""), []byte("2"))
	require.NoError(t, err)
	assert.Len(t, metrics.Documents(), 1)
	assert.Equal(t, 1.0, metrics.Sum("requests.total"))
}

func TestLambdaHandler(t *testing.T) {
	e, metrics := emftest.New(t)
	out, err := middleware.LambdaHandler(middleware.MetricsOnly(e), lambda.NewHandler(order)).Invoke(invoked("id", ""), []byte("2"))
	require.NoError(t, err)
	assert.Equal(t, `"ordered 2"`, string(out))
	assert.Equal(t, 2.0, metrics.Sum("orders"))
	assert.Equal(t, []any{"id"}, metrics.Property("request_id"))
}

func TestLambdaTenant(t *testing.T) {
	e, metrics := emftest.New(t)
	handle := middleware.Lambda(middleware.MetricsOnly(e, middleware.WithLambdaTenant()), order)
	_, _ = handle(invoked("id-1", "acme"), 3)
	_, _ = handle(invoked("id-2", "globex"), 4)
	_, _ = handle(invoked("id-3", ""), 5)
	assert.Equal(t, 3.0, metrics.Sum("orders", emf.Dim("TenantID", "acme")))
	assert.Equal(t, 4.0, metrics.Sum("orders", emf.Dim("TenantID", "globex")))
	assert.Equal(t, 12.0, metrics.Sum("orders"))
	assert.Equal(t, 1.0, metrics.Sum("requests.total", emf.Dim("TenantID", "acme")))
	assert.Equal(t, 3.0, metrics.Sum("requests.total"))
	assert.Len(t, metrics.Documents(), 3)
	for _, doc := range metrics.Documents() {
		m := members(t, doc)
		assert.Equal(t, map[any]any{"id-1": "acme", "id-2": "globex", "id-3": nil}[m["request_id"]], m["TenantID"])
	}
}

// An invocation of an ignored route keeps what its handler has recorded.
func TestIgnoredInvocations(t *testing.T) {
	var log bytes.Buffer
	e, metrics := emftest.New(t)
	o := middleware.Observability(e, slog.New(slog.NewTextHandler(&log, nil)), middleware.WithIgnoredRoutes("/orders/:id"))
	app := middleware.LiftApp(o, liftApp(o).HandleRequest, describeResult)
	_, err := request(t, app, "GET", "/orders/7", "acme")
	require.NoError(t, err)
	require.Len(t, metrics.Documents(), 1)
	assert.Equal(t, map[string]any{"orders.read": 1.0}, members(t, metrics.Documents()[0]))
	assert.Empty(t, log.String())
	_, err = request(t, app, "GET", "/fail/404", "acme")
	require.NoError(t, err)
	assert.Equal(t, 1.0, metrics.Sum("requests.total"))
	assert.Zero(t, e.Stats().Late)
}

// Invocations that are all under way at once keep to themselves.
func TestInvocationsAtOnce(t *testing.T) {
	const atOnce = 50
	e, metrics := emftest.New(t)
	var all sync.WaitGroup
	all.Add(atOnce)
	handle := middleware.Lambda(middleware.MetricsOnly(e, middleware.WithLambdaTenant()), func(ctx context.Context, n int) (string, error) {
		all.Done()
		all.Wait()
		out, err := order(ctx, n)
		all.Wait()
		return out, err
	})
	var group sync.WaitGroup
	for n := range atOnce {
		group.Go(func() {
			out, err := handle(invoked(fmt.Sprint("id-", n), fmt.Sprint("tenant-", n)), n)
			assert.NoError(t, err)
			assert.Equal(t, fmt.Sprint("ordered ", n), out)
		})
	}
	group.Wait()
	orders := 0
	for _, doc := range metrics.Documents() {
		m := members(t, doc)
		n := m["order"]
		assert.Equal(t, fmt.Sprint("id-", n), m["request_id"])
		assert.Equal(t, fmt.Sprint("tenant-", n), m["TenantID"])
		if m["orders"] != nil {
			assert.Equal(t, n, m["orders"])
			orders++
		}
	}
	assert.Equal(t, atOnce, orders)
}

// The trace is the invocation's, if there is one to look at.
func TestTrace(t *testing.T) {
	e, metrics := emftest.New(t)
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-another;Sampled=1")
	handle := middleware.Lambda(middleware.MetricsOnly(e), order)
	for _, header := range []any{nil, "Root=1-5;Parent=5;Sampled=0", 5} {
		_, _ = handle(traced(invoked("id", ""), header), 1)
	}
	assert.Empty(t, metrics.Property("trace_id"))
}

// Values are exact whatever share of the invocations has a document.
func TestSampledInvocations(t *testing.T) {
	e, metrics := emftest.New(t)
	handle := middleware.Lambda(middleware.MetricsOnly(e, middleware.WithSampling(0)), func(ctx context.Context, n int) (string, error) {
		if n == 3 {
			return "", errors.New("refused")
		}
		return order(ctx, n)
	})
	for n := range 4 {
		_, _ = handle(invoked(fmt.Sprint("id-", n), ""), n)
	}
	assert.Equal(t, 4.0, metrics.Sum("requests.total"))
	assert.Equal(t, 0.0+1+2, metrics.Sum("orders"))
	assert.Equal(t, []any{"id-3"}, metrics.Property("request_id"))
	assert.Zero(t, e.Stats().Late)
}

func TestInvocationLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		e, _ := emftest.New(t)
		handle := middleware.Lambda(middleware.Observability(e, logger, middleware.WithLambdaTenant()), func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Duration(n) * time.Second)
			if n > 1 {
				return 0, errors.New("refused")
			}
			return 0, nil
		})
		ctx, cancel := context.WithTimeout(invoked("id", "acme"), 3*time.Second)
		defer cancel()
		_, _ = handle(ctx, 1)
		_, _ = handle(ctx, 2)
		assert.Equal(t, `level=DEBUG msg="request started" request_id=id tenant_id=acme
level=INFO msg="request completed" request_id=id tenant_id=acme duration=1s
level=DEBUG msg="request started" request_id=id tenant_id=acme
level=ERROR msg="request is about to time out" request_id=id tenant_id=acme duration=1.9s
level=ERROR msg="request failed" request_id=id tenant_id=acme duration=2s error=refused
`, log.String())
	})
}

// All documents have a log level where Lambda wants one, and an emitter with rollups its sets.
func TestInvocationOfAnotherEmitter(t *testing.T) {
	e, metrics := emftest.New(t, emf.WithLogLevel("ERROR"))
	_, _ = middleware.Lambda(middleware.MetricsOnly(e, middleware.WithLambdaTenant()), order)(invoked("id", "acme"), 1)
	require.Len(t, metrics.Documents(), 1)
	assert.Equal(t, map[string]any{
		"TenantID": "acme", "request_id": "id", "order": 1.0, "orders": 1.0, "requests.total": 1.0,
		"level": "ERROR", "timestamp": "2026-01-02T03:04:05.000Z",
	}, members(t, metrics.Documents()[0]))

	e, metrics = emftest.New(t, emf.WithDimensions(emf.Dim("Service", "shop")), emf.WithRollups([]string{"Service"}, []string{"TenantID"}))
	_, _ = middleware.Lambda(middleware.MetricsOnly(e, middleware.WithLambdaTenant()), order)(invoked("id", "acme"), 1)
	for _, name := range []string{"orders", "requests.total"} {
		var sets [][]emf.Dimension
		for _, m := range metrics.Metrics() {
			if m.Name == name {
				sets = append(sets, m.Dimensions)
			}
		}
		assert.ElementsMatch(t, [][]emf.Dimension{{emf.Dim("Service", "shop")}, {emf.Dim("TenantID", "acme")}}, sets, name)
	}
}
