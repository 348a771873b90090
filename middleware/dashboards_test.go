package middleware_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	standin "github.com/liftemf/liftemf/internal/standin/lift"
	"github.com/liftemf/liftemf/middleware"
)

// series is a metric that a widget reads; of a search, dims are names without values.
type series struct {
	metric string
	dims   []emf.Dimension
	search bool
}

func each(metric, name string, values ...string) (all []series) {
	for _, v := range values {
		all = append(all, series{metric: metric, dims: []emf.Dimension{emf.Dim("Environment", "production"), emf.Dim(name, v)}})
	}
	return all
}

func all(metrics ...string) (list []series) {
	for _, m := range metrics {
		list = append(list, series{metric: m, dims: []emf.Dimension{emf.Dim("Environment", "production")}})
	}
	return list
}

var tenants = []string{"tenant-001", "tenant-002", "tenant-003", "tenant-004", "tenant-005"}

// What the widgets of Lift's dashboards read, by title: API first, then multi-tenant.
var widgets = map[string][]series{
	"API Request Volume":        all("requests.total", "requests.errors"),
	"API Response Time":         all("requests.duration"),
	"Error Count (Last 5 min)":  all("requests.errors"),
	"Error Rate":                all("requests.errors", "requests.total"),
	"Avg Response Time":         all("requests.duration"),
	"Requests by HTTP Method":   each("requests.total", "method", "GET", "POST", "PUT", "DELETE"),
	"Requests by Status Code":   each("requests.total", "status", "200", "201", "400", "401", "403", "404", "500"),
	"Response Time Percentiles": all("requests.duration"),

	"Request Volume by Tenant":       each("requests.total", "TenantID", tenants...),
	"Response Time by Tenant":        each("requests.duration", "TenantID", tenants...),
	"Error Count by Tenant":          each("requests.errors", "TenantID", tenants...),
	"Request Distribution by Tenant": all("requests.total"),
	"Top Tenants by Request Volume":  {{"requests.total", []emf.Dimension{{Name: "TenantID"}}, true}},
	"Tenants with Errors":            {{"requests.errors", []emf.Dimension{{Name: "TenantID"}}, true}},
	"Response Size by Tenant":        each("response.size", "TenantID", tenants...),
	"Error Rate by Tenant":           slices.Concat(each("requests.errors", "TenantID", tenants[:3]...), each("requests.total", "TenantID", tenants[:3]...)),
}

// Every widget of the dashboards that Lift ships finds its metrics, and nothing else is paid
// for.
func TestDashboardPreset(t *testing.T) {
	t.Parallel()
	e, c := emftest.New(t)
	o := middleware.MetricsOnly(e, middleware.DashboardPreset("production"))
	app := standin.New().Use(middleware.Lift(o, describeLift, toHandler))
	statuses := []int{200, 201, 400, 401, 403, 404, 500}
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		for _, status := range statuses {
			app.Handle(method, fmt.Sprint("/", status), func(c *standin.Context) error {
				if status < 400 {
					c.Response.StatusCode = status
					return c.JSON("fine")
				}
				return &standin.Error{StatusCode: status, Message: "no"}
			})
		}
	}
	handle := middleware.LiftApp(o, app.HandleRequest, describeResult)
	requests := 0
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		for _, status := range statuses {
			for _, tenant := range tenants {
				panicked, err := request(t, handle, method, fmt.Sprint("/", status), tenant)
				require.NoError(t, err)
				require.Nil(t, panicked)
				requests++
			}
		}
	}

	metrics := make(map[string]bool)
	for _, m := range c.Metrics() {
		metrics[fmt.Sprint(m.Name, m.Dimensions)] = true
	}
	require.Len(t, widgets, 16)
	for title, list := range widgets {
		for _, want := range list {
			found := slices.ContainsFunc(c.Metrics(), func(m emf.Metric) bool {
				if want.search {
					return m.Name == want.metric && len(m.Dimensions) == 1 && m.Dimensions[0].Name == want.dims[0].Name
				}
				return m.Name == want.metric && len(m.Dimensions) == len(want.dims) &&
					!slices.ContainsFunc(want.dims, func(d emf.Dimension) bool { return !slices.Contains(m.Dimensions, d) })
			})
			assert.True(t, found, "%s: %s %v", title, want.metric, want.dims)
		}
	}
	// 14 for 4 methods and 7 statuses, 6 a tenant.
	assert.Len(t, metrics, 14+6*len(tenants))
	env := emf.Dim("Environment", "production")
	assert.Equal(t, float64(requests), c.Exactly().Sum("requests.total", env))
	assert.Equal(t, float64(requests/len(tenants)), c.Exactly().Sum("requests.total", env, emf.Dim("TenantID", tenants[0])))
	assert.Equal(t, float64(requests/len(statuses)), c.Exactly().Sum("requests.errors", env))
}
