package middleware_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	standin "github.com/liftemf/liftemf/internal/standin/lift"
	"github.com/liftemf/liftemf/middleware"
)

// A request that passes the same observer again is recorded once, where its outcome is known;
// one that passes two observers by both.
func TestNestedRequests(t *testing.T) {
	for name, opts := range map[string][]middleware.Option{"in memory": nil, "per request": {middleware.PerRequest()}} {
		t.Run(name, func(t *testing.T) {
			e, c := emftest.New(t)
			o := middleware.MetricsOnly(e, opts...)
			other := middleware.MetricsOnly(e, middleware.WithMetricName(middleware.RequestsTotal, "other.total"),
				middleware.WithMetricName(middleware.RequestsDuration, ""), middleware.WithMetricName(middleware.ResponseSize, ""))
			mux := http.NewServeMux()
			mux.Handle("/items/{id}", o.HTTP(other.HTTP(o.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = middleware.Lambda(o, func(ctx context.Context, _ int) (int, error) {
					emf.FromContext(ctx).Counter("own").Inc()
					return 0, middleware.Lift(o, describeLift, toHandler)(standin.HandlerFunc(func(*standin.Context) error { return nil })).
						Handle(&standin.Context{Context: ctx})
				})(r.Context(), 0)
				w.WriteHeader(http.StatusTeapot)
			})))))
			w := httptest.NewRecorder()
			o.HTTP(mux).ServeHTTP(w, httptest.NewRequest("GET", "/items/7", nil))
			assert.Equal(t, http.StatusTeapot, w.Code)
			at := []emf.Dimension{emf.Dim("method", "GET"), emf.Dim("route", "/items/{id}")}
			assert.Equal(t, 1.0, c.Sum("requests.total", at...))
			assert.Equal(t, 1.0, c.Count("requests.duration"))
			assert.Equal(t, 1.0, c.Sum("other.total", at...))
			assert.Equal(t, 1.0, c.Sum("own"))
		})
	}
}

// An HTTP handler in an invocation, behind an adapter, says what the request was; the
// invocation records it.
func TestRequestInAnInvocation(t *testing.T) {
	e, c := emftest.New(t)
	o := middleware.MetricsOnly(e, middleware.WithTenantHeader("X-Tenant-Id"))
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders/{how}", func(w http.ResponseWriter, r *http.Request) {
		emf.FromContext(r.Context()).Counter("orders").Inc()
		switch r.PathValue("how") {
		case "panic":
			panic(ownPanic{3})
		case "fail":
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte("four"))
	})
	handle := middleware.Lambda(o, func(ctx context.Context, how string) (int, error) {
		r := httptest.NewRequestWithContext(ctx, "POST", "/orders/"+how+"?secret=1", nil)
		r.Header.Set("X-Tenant-Id", "acme")
		r.Header.Set("X-Request-Id", "the client's")
		r.Header.Set("User-Agent", "test/1")
		w := httptest.NewRecorder()
		o.HTTP(mux).ServeHTTP(w, r)
		return w.Code, nil
	})
	for how, want := range map[string]struct {
		status int
		failed bool
	}{"fine": {200, false}, "fail": {503, true}, "panic": {500, true}} {
		before := len(c.Documents())
		if how == "panic" {
			assert.PanicsWithValue(t, ownPanic{3}, func() { _, _ = handle(invoked("id-"+how, ""), how) })
		} else {
			status, err := handle(invoked("id-"+how, ""), how)
			require.NoError(t, err)
			assert.Equal(t, want.status, status)
		}
		require.Len(t, c.Documents(), before+1, how)
		m := members(t, c.Documents()[before])
		for key, value := range map[string]any{
			"requests.total": 1.0, "orders": 1.0, "method": "POST", "route": "/orders/{how}", "path": "/orders/" + how,
			"TenantID": "acme", "request_id": "id-" + how, "user_agent": "test/1", "status": float64(want.status),
		} {
			assert.Equal(t, value, m[key], "%s: %s", how, key)
		}
		assert.Equal(t, want.failed, m["requests.errors"] == 1.0, how)
		assert.NotContains(t, string(c.Documents()[before]), "secret")
	}
	assert.Equal(t, 3.0, c.Sum("orders", emf.Dim("TenantID", "acme")))
	assert.Equal(t, 4.0, c.Max("response.size"))
	assert.Zero(t, e.Stats().Dropped)
}
