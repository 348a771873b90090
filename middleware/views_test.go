package middleware

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
)

// shop is a service whose tenant is a header.
func shop() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		switch r.PathValue("id") {
		case "missing":
			w.WriteHeader(404)
		case "broken":
			w.WriteHeader(503)
		}
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201) })
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	return mux
}

func send(h http.Handler, method, path, tenant string) {
	r := httptest.NewRequest(method, path, nil)
	if tenant != "" {
		r.Header.Set("X-Tenant-Id", tenant)
	}
	h.ServeHTTP(httptest.NewRecorder(), r)
}

var tenantHeader = WithTenantHeader("x-tenant-id")

// published are the metrics that CloudWatch would have, each as "name{a=1,b=2}", with the
// number of values in all documents.
func published(c *emftest.Capture) map[string]float64 {
	sums := map[string]float64{}
	for _, m := range c.Metrics() {
		var dims []string
		for _, d := range m.Dimensions {
			dims = append(dims, d.Name+"="+d.Value)
		}
		slices.Sort(dims)
		n := float64(len(m.Values))
		if m.Name == "requests.total" || m.Name == "requests.errors" {
			n = 0
			for _, v := range m.Values {
				n += v
			}
		}
		sums[fmt.Sprintf("%s{%s}", m.Name, strings.Join(dims, ","))] += n
	}
	return sums
}

// The same requests, and under each set of views exactly these metrics; in memory or as
// documents of their own.
func TestViews(t *testing.T) {
	environment := WithDimensions(emf.Dim("Environment", "prod"))
	quiet := WithMetricName(RequestsActive, "")
	totalOnly := func(c *config) {
		for _, m := range []Metric{RequestsErrors, RequestsDuration, ResponseSize} {
			WithMetricName(m, "")(c)
		}
		quiet(c)
	}
	for name, c := range map[string]struct {
		emitter []emf.Option
		options []Option
		want    map[string]float64
	}{
		"default": {options: []Option{quiet, WithMetricName(ResponseSize, "")}, want: map[string]float64{
			"requests.total{method=GET,route=/items/{id}}":    4,
			"requests.total{method=POST,route=/orders}":       1,
			"requests.total{TenantID=a}":                      2,
			"requests.total{TenantID=b}":                      2,
			"requests.errors{method=GET,route=/items/{id}}":   1,
			"requests.errors{TenantID=b}":                     1,
			"requests.duration{method=GET,route=/items/{id}}": 4,
			"requests.duration{method=POST,route=/orders}":    1,
			"requests.duration{TenantID=a}":                   2,
			"requests.duration{TenantID=b}":                   2,
		}},
		"emitter's dimensions are in all": {
			emitter: []emf.Option{emf.WithDimensions(emf.Dim("Service", "s")), emf.WithTenantDimension("customer")},
			options: []Option{totalOnly, WithViews(View{}, View{"TenantID"}, View{"status_class"})},
			want: map[string]float64{
				"requests.total{Service=s}":                  5,
				"requests.total{Service=s,customer=a}":       2,
				"requests.total{Service=s,customer=b}":       2,
				"requests.total{Service=s,status_class=2xx}": 3,
				"requests.total{Service=s,status_class=4xx}": 1,
				"requests.total{Service=s,status_class=5xx}": 1,
			},
		},
		"own dimensions": {
			options: []Option{totalOnly, environment, WithDimension("kind", func(r Request) string {
				if r.Status == 404 {
					return ""
				}
				return map[bool]string{true: "read", false: "write"}[r.Method == "GET"]
			}), WithViews(View{"Environment"}, View{"kind"})},
			want: map[string]float64{
				"requests.total{Environment=prod}": 5,
				"requests.total{kind=read}":        3,
				"requests.total{kind=write}":       1,
			},
		},
		"own dimensions in the default views": {
			options: []Option{totalOnly, environment},
			want: map[string]float64{
				"requests.total{Environment=prod,method=GET,route=/items/{id}}": 4,
				"requests.total{Environment=prod,method=POST,route=/orders}":    1,
				"requests.total{Environment=prod,TenantID=a}":                   2,
				"requests.total{Environment=prod,TenantID=b}":                   2,
			},
		},
		"names": {
			options: []Option{
				totalOnly, WithMetricName(RequestsTotal, "requests.total"), WithDimensionName("method", "Verb"), WithDimensionName("route", "Path"),
			},
			want: map[string]float64{
				"requests.total{Path=/items/{id},Verb=GET}": 4,
				"requests.total{Path=/orders,Verb=POST}":    1,
				"requests.total{TenantID=a}":                2,
				"requests.total{TenantID=b}":                2,
			},
		},
		"without a tenant nothing is lost": {
			options: []Option{totalOnly, WithViews(View{"TenantID", "method"})},
			want: map[string]float64{
				"requests.total{TenantID=a,method=GET}":  2,
				"requests.total{TenantID=b,method=GET}":  1,
				"requests.total{TenantID=b,method=POST}": 1,
				"requests.total{method=GET}":             1,
			},
		},
		"the emitter's rollups": {
			emitter: []emf.Option{emf.WithRollups([]string{"Service"}, []string{"Service", "TenantID"}), emf.WithDimensions(emf.Dim("Service", "s"))},
			options: []Option{totalOnly},
			want: map[string]float64{
				"requests.total{Service=s}":            5,
				"requests.total{Service=s,TenantID=a}": 2,
				"requests.total{Service=s,TenantID=b}": 2,
			},
		},
		// The widgets of Lift's dashboards.
		"per metric": {
			options: []Option{
				quiet, environment,
				WithMetricViews(
					RequestsTotal, View{"Environment"}, View{"Environment", "method"}, View{"Environment", "status"},
					View{"Environment", "TenantID"}, View{"TenantID"},
				),
				WithMetricViews(RequestsErrors, View{"Environment"}, View{"Environment", "TenantID"}, View{"TenantID"}),
				WithMetricViews(RequestsDuration, View{"Environment"}, View{"Environment", "TenantID"}),
				WithMetricViews(ResponseSize, View{"Environment", "TenantID"}),
			},
			want: map[string]float64{
				"requests.total{Environment=prod}":               5,
				"requests.total{Environment=prod,method=GET}":    4,
				"requests.total{Environment=prod,method=POST}":   1,
				"requests.total{Environment=prod,status=200}":    2,
				"requests.total{Environment=prod,status=201}":    1,
				"requests.total{Environment=prod,status=404}":    1,
				"requests.total{Environment=prod,status=503}":    1,
				"requests.total{Environment=prod,TenantID=a}":    2,
				"requests.total{Environment=prod,TenantID=b}":    2,
				"requests.total{TenantID=a}":                     2,
				"requests.total{TenantID=b}":                     2,
				"requests.errors{Environment=prod}":              1,
				"requests.errors{Environment=prod,TenantID=b}":   1,
				"requests.errors{TenantID=b}":                    1,
				"requests.duration{Environment=prod}":            5,
				"requests.duration{Environment=prod,TenantID=a}": 2,
				"requests.duration{Environment=prod,TenantID=b}": 2,
				"response.size{Environment=prod,TenantID=a}":     2,
				"response.size{Environment=prod,TenantID=b}":     2,
				"response.size{Environment=prod}":                1, // the one without a tenant
			},
		},
	} {
		for how, option := range map[string]Option{"": nil, ", per request": PerRequest(), ", sampled": func(c *config) { PerRequest()(c); WithSampling(0.5)(c) }} {
			t.Run(name+how, func(t *testing.T) {
				e, metrics := emftest.New(t, c.emitter...)
				o := MetricsOnly(e, append([]Option{tenantHeader, option}, c.options...)...)
				require.NoError(t, o.Err())
				h := o.HTTP(shop())
				send(h, "GET", "/items/1", "a")
				send(h, "GET", "/items/missing", "a")
				send(h, "GET", "/items/broken", "b")
				send(h, "POST", "/orders", "b")
				send(h, "GET", "/items/2", "  ") // blank is none
				if how == ", per request" {
					require.Len(t, metrics.Documents(), 5)
				}
				require.Equal(t, c.want, published(metrics))
				require.Zero(t, e.Stats().Dropped)
				require.Zero(t, e.Stats().Late)
			})
		}
	}
}

// A host that knows no method and no route has its requests once under each set all the same.
func TestViewsOfAHostWithoutRoutes(t *testing.T) {
	e, metrics := emftest.New(t)
	o := MetricsOnly(e, WithViews(View{}, View{"method"}, View{"status", "route"}, View{"TenantID"}))
	for _, wide := range []bool{false, true} {
		u, req := newUnit(o), &Request{TenantID: "a", ResponseBytes: -1}
		u.begin(t.Context(), req, wide)
		u.finish(t.Context(), req, true, nil)
	}
	require.Equal(t, map[string]float64{
		"requests.total{}":              2,
		"requests.total{TenantID=a}":    2,
		"requests.errors{}":             2,
		"requests.errors{TenantID=a}":   2,
		"requests.duration{}":           2,
		"requests.duration{TenantID=a}": 2,
		"requests.active{}":             1,
		"requests.active{TenantID=a}":   1,
	}, published(metrics))
}

// Of a nil context, a request without anything and an observer without an emitter nothing
// crashes.
func TestNothingIsKnown(t *testing.T) {
	var none context.Context // as a host may be given
	e, _ := emftest.New(t)
	logger := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, o := range []*Observer{MetricsOnly(e), Observability(e, logger), Observability(nil, logger), Observability(&emf.Emitter{}, logger), MetricsOnly(nil), {}} {
		for _, wide := range []bool{false, true} {
			u := newUnit(o)
			u.begin(none, &Request{}, wide)
			emf.FromContext(u.context(none)).Counter("own").Inc()
			u.finish(none, &Request{}, true, "why")
		}
		o.HTTP(answer(200, "")).ServeHTTP(httptest.NewRecorder(), &http.Request{})
	}
	u := newUnit(MetricsOnly(e, PerRequest()))
	u.finish(none, &Request{}, false, nil) // begin was not reached
	require.Zero(t, e.Stats().Dropped)
}

// requests.active goes up and down in each view by what is known when a request begins.
func TestActiveInEachView(t *testing.T) {
	e, metrics := emftest.New(t)
	only := WithMetricViews(RequestsActive, View{}, View{"method", "route"}, View{"status"}, View{"TenantID"}, View{"Environment"}, View{"Environment", "status"})
	o := MetricsOnly(e, tenantHeader, WithDimensions(emf.Dim("Environment", "prod")), only)
	h := o.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		for _, dims := range [][]emf.Dimension{{}, {emf.Dim("method", "GET")}, {emf.Dim("TenantID", "a")}, {emf.Dim("Environment", "prod")}} {
			require.Equal(t, 1.0, metrics.Exactly().Max("requests.active", dims...), dims)
		}
	}))
	send(h, "GET", "/", "a")
	for _, m := range metrics.Metrics() {
		require.False(t, m.Name == "requests.active" && m.Values[0] != 0 && m.Values[0] != 1)
	}
	last := map[string]float64{}
	for _, m := range metrics.Metrics() {
		if m.Name == "requests.active" {
			last[fmt.Sprint(m.Dimensions)] = m.Values[0]
		}
	}
	require.Len(t, last, 4)
	for dims, v := range last {
		require.Zero(t, v, dims)
	}
}

// More tenants than a view remembers, at once and flushed meanwhile.
func TestMoreTenantsThanAreRemembered(t *testing.T) {
	e, metrics := emftest.New(t)
	h := MetricsOnly(e, tenantHeader, WithMetricName(RequestsActive, "")).HTTP(shop())
	done := make(chan bool)
	for range 4 {
		go func() {
			defer func() { done <- true }()
			for i := range 4 * slots {
				send(h, "GET", "/items/1", fmt.Sprintf("t%04d", i%(2*slots)))
				if i%500 == 0 {
					_ = e.Flush(t.Context())
				}
			}
		}()
	}
	for range 4 {
		<-done
	}
	sums := published(metrics)
	require.Equal(t, 16.0*slots, sums["requests.total{method=GET,route=/items/{id}}"])
	for i := range 2 * slots {
		require.Equal(t, 8.0, sums[fmt.Sprintf("requests.total{TenantID=t%04d}", i)])
	}
}

func TestIgnoredRoutes(t *testing.T) {
	for name, option := range map[string]Option{"in memory": nil, "per request": PerRequest()} {
		t.Run(name, func(t *testing.T) {
			e, metrics := emftest.New(t)
			mux := shop().(*http.ServeMux)
			mux.HandleFunc("GET /own", func(_ http.ResponseWriter, r *http.Request) {
				emf.FromContext(r.Context()).Counter("own").Inc()
				panic(http.ErrAbortHandler)
			})
			h := MetricsOnly(e, option, tenantHeader, WithIgnoredRoutes("/healthz", "/own")).HTTP(mux)
			send(h, "GET", "/healthz", "a")
			require.PanicsWithValue(t, http.ErrAbortHandler, func() { send(h, "GET", "/own", "a") })
			require.Empty(t, metrics.Documents())
			require.Equal(t, map[string]float64{
				"requests.active{method=GET}": 1,
				"requests.active{TenantID=a}": 1,
				"own{TenantID=a}":             1,
			}, published(metrics))
		})
	}
}

func TestBadOptionsAreErrors(t *testing.T) {
	nothing := func(Request) string { return "" }
	for want, opt := range map[string]Option{
		"WithTenant: the function is nil":                                 WithTenant(nil),
		"WithTenantHeader: no name":                                       WithTenantHeader(""),
		"WithTenantFromContext: the function is nil":                      WithTenantFromContext(nil),
		"WithRoute: the function is nil":                                  WithRoute(nil),
		`WithMetricName: no metric "x"`:                                   WithMetricName("x", "y"),
		`WithDimensionName: no dimension "x"`:                             WithDimensionName("x", "y"),
		`WithDimensionName: no dimension "TenantID"`:                      WithDimensionName("TenantID", "y"),
		`a dimension of your own cannot be named "method"`:                WithDimensions(emf.Dim("method", "x")),
		`a dimension of your own cannot be named ""`:                      WithDimension("", nothing),
		`WithDimension: the function for "x" is nil`:                      WithDimension("x", nil),
		"WithViews: no views":                                             WithViews(),
		`view ["x"]: no dimension "x"`:                                    WithViews(View{"x"}),
		`view ["method" "method"]: "method" twice`:                        WithViews(View{"method", "method"}),
		`view ["route" "method"] comes twice`:                             WithViews(View{"method", "route"}, View{"route", "method"}),
		`WithMetricViews: no metric "x"`:                                  WithMetricViews("x", View{}),
		`WithMetricViews: no views for "requests.total"`:                  WithMetricViews(RequestsTotal),
		"WithSampling: 1.5: from 0 to 1":                                  WithSampling(1.5),
		`two metrics are named "a"`:                                       func(c *config) { WithMetricName(RequestsTotal, "a")(c); WithMetricName(RequestsErrors, "a")(c) },
		`the metric "requests.total" is named "method", like a dimension`: WithMetricName(RequestsTotal, "method"),
		`two dimensions are named "status"`:                               WithDimensionName("method", "status"),
	} {
		t.Run(want, func(t *testing.T) {
			e, metrics := emftest.New(t)
			o := MetricsOnly(e, opt)
			require.ErrorContains(t, o.Err(), want)
			send(o.HTTP(shop()), "GET", "/items/1", "")
			require.NotEmpty(t, metrics.Metrics()) // it works without the option
		})
	}
	require.NoError(t, MetricsOnly(nil).Err())
	require.NoError(t, (*Observer)(nil).Err())
}
