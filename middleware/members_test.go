package middleware

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
)

// What is a dimension of metrics that a document does not have is a property of it.
func TestDimensionsOfMetricsThatAreMissing(t *testing.T) {
	tenant := emf.Dim("TenantID", "a")
	for name, opts := range map[string][]Option{
		"dashboards": {DashboardPreset("production")},
		"of errors only": {
			WithMetricViews(RequestsTotal, View{"TenantID"}), WithMetricViews(RequestsDuration, View{}),
			WithMetricViews(RequestsErrors, View{"route", "method", "status"}), WithMetricViews(ResponseSize, View{}),
			WithMetricName(RequestsActive, ""),
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, metrics := emftest.New(t)
			h := MetricsOnly(e, append(opts, PerRequest(), tenantHeader)...).HTTP(shop())
			send(h, "GET", "/items/1", "a")
			send(h, "GET", "/items/broken", "a")
			require.Equal(t, []any{"/items/{id}", "/items/{id}"}, metrics.Property("route"))
			require.Equal(t, []any{"GET", "GET"}, metrics.Property("method"))
			require.Len(t, metrics.Property("status"), 2)
			require.Equal(t, 2.0, metrics.Sum("requests.total", tenant))
			require.Equal(t, 1.0, metrics.Sum("requests.errors"))
			require.Zero(t, e.Stats().Dropped)
		})
	}
}
