package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	standin "github.com/liftemf/liftemf/internal/standin/lift"
	"github.com/liftemf/liftemf/middleware"
)

var liftRoutes = middleware.Routes("/orders/:id", "/fail/:how")

// describeLift says of a request what Lift's context knows, and what becomes of an error after
// all middlewares.
func describeLift(c *standin.Context, err error) middleware.Request {
	req := middleware.Request{
		Method: c.Request.Method, Route: liftRoutes(c.Request.Path), Path: c.Request.Path,
		TenantID: c.TenantID(), UserID: c.UserID(), RequestID: c.RequestID(),
		Status: c.Response.StatusCode, ResponseBytes: -1,
	}
	var known *standin.Error
	switch {
	case errors.As(err, &known):
		req.Status = known.StatusCode
	case err != nil:
		req.Status = 500
	}
	return req
}

func toHandler(f func(*standin.Context) error) standin.Handler { return standin.HandlerFunc(f) }

func describeResult(out any) middleware.Request {
	r, ok := out.(*standin.Response)
	if !ok {
		return middleware.Request{ResponseBytes: -1}
	}
	body, _ := json.Marshal(r.Body)
	return middleware.Request{Status: r.StatusCode, ResponseBytes: len(body)}
}

// ownPanic is a value to panic with.
type ownPanic struct{ n int }

// liftApp is an application with a route for each way to end.
func liftApp(o *middleware.Observer) *standin.App {
	return standin.New().
		Use(middleware.Lift(o, describeLift, toHandler)).
		Handle("GET", "/orders/:id", func(c *standin.Context) error {
			emf.FromContext(c).Counter("orders.read").Inc()
			emf.SetProperty(c, "order", c.Param("id"))
			return c.JSON("order")
		}).
		Handle("POST", "/orders/:id", func(c *standin.Context) error {
			c.Response.StatusCode = 201
			return nil
		}).
		Handle("GET", "/fail/:how", func(c *standin.Context) error {
			switch c.Param("how") {
			case "404":
				return standin.NotFound("no such thing")
			case "panic":
				panic(ownPanic{7})
			case "slow":
				c.Response.StatusCode = 503
				return nil
			}
			return errors.New("plain")
		}).
		HandleEvents(func(ctx context.Context, event any) error {
			emf.FromContext(ctx).Counter("messages").Inc()
			if event == "bad" {
				return errors.New("undecodable")
			}
			return nil
		})
}

type handle = func(context.Context, any) (any, error)

func request(t testing.TB, h handle, method, path, tenant string) (panicked any, err error) {
	t.Helper()
	defer func() { panicked = recover() }()
	_, err = h(t.Context(), &standin.Request{Method: method, Path: path, Headers: map[string]string{
		"X-Tenant-Id": tenant, "X-User-Id": "u-1", "X-Request-Id": "r-1",
	}})
	return nil, err
}

var byStatus = middleware.WithViews(
	middleware.View{middleware.MethodDimension, middleware.RouteDimension, middleware.StatusDimension},
	middleware.View{middleware.TenantDimension})

// In a chain without the wrapper around it, requests that reach it are recorded.
func TestLiftMiddleware(t *testing.T) {
	t.Parallel()
	e, c := emftest.New(t)
	app := liftApp(middleware.MetricsOnly(e, byStatus)).HandleRequest
	_, _ = request(t, app, "GET", "/orders/7", "acme")
	_, _ = request(t, app, "POST", "/orders/7", "acme")
	_, _ = request(t, app, "GET", "/fail/404", "acme")
	_, _ = request(t, app, "GET", "/fail/plain", "")
	_, _ = request(t, app, "GET", "/fail/slow", "")
	panicked, _ := request(t, app, "GET", "/fail/panic", "globex")
	assert.Equal(t, ownPanic{7}, panicked)
	_, _ = request(t, app, "GET", "/nowhere", "acme")

	at := func(method, route, status string) []emf.Dimension {
		return []emf.Dimension{emf.Dim("method", method), emf.Dim("route", route), emf.Dim("status", status)}
	}
	exactly := c.Exactly()
	assert.Equal(t, 1.0, exactly.Sum("requests.total", at("GET", "/orders/:id", "200")...))
	assert.Equal(t, 1.0, exactly.Sum("requests.total", at("POST", "/orders/:id", "201")...))
	assert.Equal(t, 1.0, exactly.Sum("requests.total", at("GET", "/fail/:how", "404")...))
	assert.Equal(t, 0.0, exactly.Count("requests.errors", at("GET", "/fail/:how", "404")...))
	assert.Equal(t, 2.0, exactly.Sum("requests.errors", at("GET", "/fail/:how", "500")...))
	assert.Equal(t, 1.0, exactly.Sum("requests.errors", at("GET", "/fail/:how", "503")...))
	assert.Equal(t, 3.0, exactly.Sum("requests.total", emf.Dim("TenantID", "acme")))
	assert.Equal(t, 1.0, exactly.Sum("requests.errors", emf.Dim("TenantID", "globex")))
	assert.Equal(t, 6.0, c.Sum("requests.total", emf.Dim("method", "GET"))+c.Sum("requests.total", emf.Dim("method", "POST")))
	assert.Equal(t, 6.0, c.Count("requests.duration", emf.Dim("method", "GET"))+c.Count("requests.duration", emf.Dim("method", "POST")))
	assert.Zero(t, c.Count("response.size"))
}

// The wrapper sees what the chain does not, and what both see is recorded once.
func TestLiftApp(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e, c := emftest.New(t)
	o := middleware.Observability(e, slog.New(slog.NewJSONHandler(&log, nil)), byStatus)
	app := middleware.LiftApp(o, liftApp(o).HandleRequest, describeResult)

	type outcome struct {
		name, path string
		event      any
		status     string
		failed     bool
		err        string
		panics     any
		route      string
	}
	for _, want := range []outcome{
		{name: "success", path: "/orders/7", status: "200", route: "/orders/:id"},
		{name: "an error of the framework", path: "/fail/404", status: "404", route: "/fail/:how"},
		{name: "a plain error", path: "/fail/plain", status: "500", failed: true, route: "/fail/:how"},
		{name: "a failure without an error", path: "/fail/slow", status: "503", failed: true, route: "/fail/:how"},
		{name: "no such route", path: "/nowhere", status: "500", failed: true},
		{name: "a panic", path: "/fail/panic", status: "500", failed: true, panics: ownPanic{7}, route: "/fail/:how"},
		{name: "another event", event: "sqs"},
		{name: "an event that fails", event: "bad", failed: true, err: "undecodable"},
	} {
		before := len(c.Documents())
		log.Reset()
		var err error
		var panicked any
		if want.event == nil {
			panicked, err = request(t, app, "GET", want.path, "acme")
		} else {
			_, err = app(t.Context(), want.event)
		}
		assert.Equal(t, want.panics, panicked, want.name)
		if want.err == "" {
			assert.NoError(t, err, want.name)
		} else {
			assert.EqualError(t, err, want.err, want.name)
		}
		docs := c.Documents()[before:] // written before the result
		require.Len(t, docs, 1, want.name)
		var doc map[string]any
		require.NoError(t, json.Unmarshal(docs[0], &doc))
		assert.Equal(t, 1.0, doc["requests.total"], want.name)
		assert.Equal(t, want.failed, doc["requests.errors"] == 1.0, "%s: %s", want.name, docs[0])
		member := func(name, value string) {
			if value == "" {
				assert.NotContains(t, doc, name, want.name)
			} else {
				assert.Equal(t, value, doc[name], want.name)
			}
		}
		member("status", want.status)
		member("route", want.route)
		if want.route != "" {
			member("path", want.path)
			member("TenantID", "acme")
			member("user_id", "u-1")
			member("request_id", "r-1")
		}
		level := "INFO"
		if want.failed {
			level = "ERROR"
		}
		assert.Contains(t, log.String(), `"level":"`+level+`"`, want.name)
	}
	assert.Equal(t, []any{"7"}, c.Property("order"))
	assert.Equal(t, 1.0, c.Sum("orders.read"))
	assert.Equal(t, 2.0, c.Sum("messages"))
	assert.Equal(t, 7.0, c.Max("response.size", emf.Dim("status", "200")))
}

// describe panics as the handler may.
func TestLiftDescribePanics(t *testing.T) {
	t.Parallel()
	e, c := emftest.New(t)
	o := middleware.MetricsOnly(e)
	bad := func(*standin.Context, error) middleware.Request { panic("describe") }
	app := standin.New().Use(middleware.Lift(o, bad, toHandler)).
		Handle("GET", "/", func(*standin.Context) error { return nil })
	panicked, _ := request(t, app.HandleRequest, "GET", "/", "")
	assert.Equal(t, "describe", panicked)
	assert.Equal(t, 1.0, c.Sum("requests.errors"))

	wrapped := middleware.LiftApp(o, func(ctx context.Context, n int) (int, error) { return n, nil },
		func(int) middleware.Request { panic("describe") })
	out, err := wrapped(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, 5, out) // the handler's result is what counts
	assert.Equal(t, 2.0, c.Sum("requests.total"))
}

// What clients write is not copied without end, whatever host it came through.
func TestLiftLongTexts(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	long := strings.Repeat("x", 5000)
	for name, wrap := range map[string]bool{"alone": false, "in the application": true} {
		log.Reset()
		e, c := emftest.New(t)
		o := middleware.Observability(e, slog.New(slog.NewTextHandler(&log, nil)), middleware.PerRequest(),
			middleware.WithViews(middleware.View{}))
		describe := func(*standin.Context, error) middleware.Request {
			return middleware.Request{Path: long, TenantID: long, UserID: long, RequestID: long, TraceID: long, Status: 200, ResponseBytes: -1}
		}
		app := standin.New().Use(middleware.Lift(o, describe, toHandler)).
			Handle("GET", "/", func(*standin.Context) error { return nil }).HandleRequest
		if wrap {
			app = middleware.LiftApp(o, app, describeResult)
		}
		_, err := request(t, app, "GET", "/", "")
		require.NoError(t, err)
		for _, key := range []string{"path", "user_id", "request_id", "trace_id", "TenantID"} {
			assert.Equal(t, []any{long[:1024]}, c.Property(key), "%s: %s", name, key)
		}
		assert.Contains(t, log.String(), "tenant_id=", name)
		assert.NotContains(t, log.String(), long[:1025], name)
	}
}

// Nothing to record with, or nothing to go by, is no reason to fail.
func TestLiftWithout(t *testing.T) {
	t.Parallel()
	e, c := emftest.New(t)
	for name, o := range map[string]*middleware.Observer{
		"no observer": nil, "no emitter": middleware.MetricsOnly(nil), "an emitter": middleware.MetricsOnly(e),
	} {
		h := middleware.Lift(o, func(*standin.Context, error) middleware.Request { return middleware.Request{} }, toHandler)(
			standin.HandlerFunc(func(*standin.Context) error { return errors.New("mine") }))
		assert.EqualError(t, h.Handle(nil), "mine", name)
		assert.EqualError(t, h.Handle(&standin.Context{}), "mine", name)
		assert.EqualError(t, h.Handle(&standin.Context{Context: t.Context()}), "mine", name)
		_, err := middleware.LiftApp(o, func(context.Context, int) (int, error) { return 0, errors.New("mine") }, nil)(nil, 1) //nolint:staticcheck // what frameworks do
		assert.EqualError(t, err, "mine", name)
	}
	assert.Equal(t, 4.0, c.Sum("requests.errors"))
	o := middleware.MetricsOnly(e)
	h := middleware.Lift[*standin.Context, standin.Handler](o, nil, nil)(standin.HandlerFunc(func(*standin.Context) error { return nil }))
	assert.NoError(t, h.Handle(nil))

	// A context that is no context.Context is recorded as well.
	plain := middleware.Lift(o, func(n int, _ error) middleware.Request { return middleware.Request{Method: "GET"} },
		func(f func(int) error) middleware.Handler[int] { return plainHandler(f) })(plainHandler(func(int) error { return nil }))
	require.NoError(t, plain.Handle(3))
	assert.Equal(t, 1.0, c.Sum("requests.total", emf.Dim("method", "GET")))
}

type plainHandler func(int) error

func (f plainHandler) Handle(n int) error { return f(n) }

// Lift builds its chain anew for every request.
func BenchmarkLift(b *testing.B) {
	e := emf.Must(emf.New("Bench", emf.WithFlushInterval(0), emf.WithSink(emf.SinkFunc(func(context.Context, []emf.Document) error { return nil }))))
	b.Cleanup(func() { _ = e.Close(context.Background()) })
	ok := standin.HandlerFunc(func(*standin.Context) error { return nil })
	c := &standin.Context{
		Context:  context.Background(),
		Request:  &standin.Request{Method: "GET", Path: "/orders/7", Headers: map[string]string{"X-Tenant-Id": "acme"}},
		Response: &standin.Response{StatusCode: 200},
	}
	var bare standin.Middleware = func(next standin.Handler) standin.Handler {
		return standin.HandlerFunc(func(c *standin.Context) error { return next.Handle(c) })
	}
	for name, m := range map[string]standin.Middleware{
		"bare":     bare,
		"observed": middleware.Lift(middleware.MetricsOnly(e), describeLift, toHandler),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_ = m(ok).Handle(c)
				if i%100_000 == 0 {
					_ = e.Flush(context.Background())
				}
			}
		})
	}
}
