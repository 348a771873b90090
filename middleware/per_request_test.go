package middleware

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
)

func TestPerRequest(t *testing.T) {
	e, metrics := emftest.New(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		emf.SetProperty(r.Context(), "item", r.PathValue("id"))
	})
	o := MetricsOnly(e, PerRequest(), WithTenantHeader("X-Tenant-Id"))
	r := httptest.NewRequest("GET", "/items/17?secret=1", nil)
	r.Header.Set("X-Tenant-Id", "acme")
	r.Header.Set("X-Request-Id", "r-1")
	r.Header.Set("User-Agent", "test/1")
	o.HTTP(mux).ServeHTTP(httptest.NewRecorder(), r)
	require.Len(t, metrics.Documents(), 1)
	require.Equal(t, []any{"17"}, metrics.Property("item"))
	require.Equal(t, []any{"r-1"}, metrics.Property("request_id"))
	require.Equal(t, []any{"/items/17"}, metrics.Property("path"))
	require.Equal(t, []any{"test/1"}, metrics.Property("user_agent"))
	require.Equal(t, 1.0, metrics.Sum("requests.total", emf.Dim("TenantID", "acme")))
	require.Equal(t, 1.0, metrics.Sum("requests.total", emf.Dim("method", "GET"), emf.Dim("route", "/items/{id}")))
	require.Zero(t, e.Stats().Dropped)
}
