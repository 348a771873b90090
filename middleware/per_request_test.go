package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
)

// members returns a document's properties and dimensions.
func members(t *testing.T, metrics *emftest.Capture, keys ...string) (got []any) {
	t.Helper()
	for _, key := range keys {
		values := metrics.Property(key)
		require.LessOrEqual(t, len(values), 1, key)
		got = append(got, append(values, nil)[0])
	}
	return got
}

func TestPerRequest(t *testing.T) {
	e, metrics := emftest.New(t)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		emf.SetProperty(r.Context(), "order", r.PathValue("id"))
		emf.FromContext(r.Context()).Counter("orders.placed").Add(3)
		w.WriteHeader(201)
		fmt.Fprint(w, "four")
	})
	h := MetricsOnly(e, PerRequest(), WithTenantHeader("X-Tenant-Id"), WithMetricName(RequestsActive, "")).HTTP(mux)
	r := httptest.NewRequest("POST", "/orders/17?secret=1", strings.NewReader("body"))
	for name, value := range map[string]string{
		"X-Tenant-Id": "acme", "X-Request-Id": "r-1", "User-Agent": "test/1", "Authorization": "Bearer hush",
		"Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	} {
		r.Header.Set(name, value)
	}
	h.ServeHTTP(httptest.NewRecorder(), r)

	require.Len(t, metrics.Documents(), 1)
	require.Equal(t,
		[]any{"17", "r-1", "4bf92f3577b34da6a3ce929d0e0e4736", "/orders/17", "test/1", "acme", "POST", "/orders/{id}", 201.0},
		members(t, metrics, "order", "request_id", "trace_id", "path", "user_agent", "TenantID", "method", "route", "status"))
	text := string(metrics.Documents()[0])
	for _, word := range []string{"secret", "hush", "body"} {
		require.NotContains(t, text, word)
	}
	require.Equal(t, map[string]float64{
		"orders.placed{TenantID=acme}":                      1,
		"requests.total{TenantID=acme}":                     1,
		"requests.total{method=POST,route=/orders/{id}}":    1,
		"requests.duration{TenantID=acme}":                  1,
		"requests.duration{method=POST,route=/orders/{id}}": 1,
		"response.size{TenantID=acme}":                      1,
		"response.size{method=POST,route=/orders/{id}}":     1,
	}, published(metrics))
	require.Equal(t, 4.0, metrics.Sum("response.size", emf.Dim("TenantID", "acme")))
	s := e.Stats()
	require.Zero(t, s.Dropped+s.Pending+s.Late)
}

// A document says whose it was and how it ended also where these are no dimensions.
func TestPerRequestWithoutTheDimensions(t *testing.T) {
	e, metrics := emftest.New(t)
	h := MetricsOnly(e, PerRequest(), tenantHeader, WithMetricName(RequestsActive, ""), WithViews(View{})).HTTP(shop())
	send(h, "GET", "/items/missing", "acme")
	require.Len(t, metrics.Documents(), 1)
	require.Equal(t, []any{"acme", "GET", "/items/{id}", 404.0}, members(t, metrics, "TenantID", "method", "route", "status"))
	require.Zero(t, e.Stats().Dropped)
}

// Sampling chooses documents, never values, and none of those that failed goes without.
func TestSampling(t *testing.T) {
	e, metrics := emftest.New(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/{status}", func(w http.ResponseWriter, r *http.Request) {
		emf.SetProperty(r.Context(), "who", r.PathValue("status"))
		emf.FromContext(r.Context()).Counter("own").Inc()
		if r.PathValue("status") == "fails" {
			w.WriteHeader(500)
		}
	})
	h := MetricsOnly(e, PerRequest(), WithSampling(0), tenantHeader).HTTP(mux)
	for range 10 {
		send(h, "GET", "/works", "acme")
	}
	send(h, "GET", "/fails", "acme")
	require.Len(t, metrics.Documents(), 1)
	require.Equal(t, []any{"fails"}, metrics.Property("who"))
	for _, dim := range []emf.Dimension{emf.Dim("TenantID", "acme"), emf.Dim("route", "/{status}")} {
		require.Equal(t, 11.0, metrics.Sum("requests.total", dim))
		require.Equal(t, 1.0, metrics.Sum("requests.errors", dim))
		require.Equal(t, 11.0, metrics.Count("requests.duration", dim))
	}
	require.Equal(t, 11.0, metrics.Sum("own", emf.Dim("TenantID", "acme")))
	s := e.Stats()
	require.Zero(t, s.Late+s.Dropped+s.Pending)

	e, metrics = emftest.New(t)
	h = MetricsOnly(e, PerRequest(), WithSampling(0.25)).HTTP(mux)
	for range 1000 {
		send(h, "GET", "/works", "")
	}
	require.InDelta(t, 250, len(metrics.Documents()), 150) // ten times what chance varies by
	require.Equal(t, 1000.0, metrics.Sum("requests.total", emf.Dim("route", "/{status}")))
}

// However a handler ends, its document is written, once.
func TestPerRequestHoweverItEnds(t *testing.T) {
	custom := &struct{ error }{errors.New("mine")}
	for name, c := range map[string]struct {
		end    func()
		failed bool
		status float64
	}{
		"panic":           {func() { panic(custom) }, true, 500},
		"nil panic":       {func() { panic(nil) }, true, 500}, //nolint:govet // what runtime makes of it
		"runtime panic":   {func() { _ = []int{}[len(custom.Error())] }, true, 500},
		"ErrAbortHandler": {func() { panic(http.ErrAbortHandler) }, true, 500},
		"Goexit":          {runtime.Goexit, true, 500},
		"return":          {func() {}, false, 200},
	} {
		t.Run(name, func(t *testing.T) {
			e, metrics := emftest.New(t)
			h := MetricsOnly(e, PerRequest(), tenantHeader).HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				emf.FromContext(r.Context()).Counter("own").Inc()
				c.end()
			}))
			done := make(chan any)
			go func() {
				var p any
				defer func() { done <- p }()
				defer func() { p = recover() }()
				send(h, "GET", "/", "acme")
			}()
			p := <-done
			if name == "panic" {
				require.Equal(t, custom, p)
			}
			require.Len(t, metrics.Documents(), 1)
			require.Equal(t, []any{c.status}, metrics.Property("status"))
			sums := published(metrics)
			require.Equal(t, 1.0, sums["own{TenantID=acme}"])
			require.Equal(t, 1.0, sums["requests.total{TenantID=acme}"])
			require.Equal(t, map[bool]float64{true: 1}[c.failed], sums["requests.errors{TenantID=acme}"])
		})
	}
}

// A sink that fails is no matter of the request's, and the documents come later.
func TestPerRequestWithAFailingSink(t *testing.T) {
	fail := true
	var docs int
	e := emf.Must(emf.New("Test", emf.WithFlushInterval(0), emf.WithSink(emf.SinkFunc(func(_ context.Context, d []emf.Document) error {
		if fail {
			return errors.New("full")
		}
		docs += len(d)
		return nil
	}))))
	h := MetricsOnly(e, PerRequest(), WithMetricName(RequestsActive, "")).HTTP(answer(201, "made"))
	for range 3 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, 201, w.Code)
		require.Equal(t, "made", w.Body.String())
	}
	fail = false
	require.NoError(t, e.Close(t.Context()))
	require.Equal(t, 3, docs)
	require.Zero(t, e.Stats().Dropped)
}

// Requests that outlive the emitter, and handlers that outlive the request, crash nothing, and
// what they record is counted.
func TestAfterTheEnd(t *testing.T) {
	for name, option := range map[string]Option{"in memory": nil, "per request": PerRequest()} {
		t.Run(name, func(t *testing.T) {
			e, metrics := emftest.New(t)
			entered, leave := make(chan context.Context), make(chan bool)
			h := MetricsOnly(e, option, tenantHeader).HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				emf.FromContext(r.Context()).Counter("own").Inc()
				entered <- r.Context()
				<-leave
			}))
			done := make(chan bool)
			serve := func() { send(h, "GET", "/", "acme"); done <- true }
			go serve()
			kept := <-entered
			leave <- true
			<-done
			emf.FromContext(kept).Counter("own").Inc()
			emf.SetProperty(kept, "late", true)
			require.Equal(t, 2.0, metrics.Sum("own", emf.Dim("TenantID", "acme")))
			require.Empty(t, metrics.Property("late"))

			go serve() // and does not end before the emitter
			<-entered
			require.NoError(t, e.Close(t.Context()))
			require.Equal(t, 3.0, metrics.Sum("own", emf.Dim("TenantID", "acme")))
			before := e.Stats()
			require.Zero(t, before.Dropped)
			leave <- true
			<-done
			s := e.Stats()
			require.Equal(t, s.Recorded, s.Delivered+s.Dropped)
			require.NotZero(t, s.Drops["closed"])
		})
	}
}
