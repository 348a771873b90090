package middleware_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/middleware"
)

func Example() {
	print := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
		varies := regexp.MustCompile(`("Timestamp"|"requests.duration"):[0-9.e-]+`)
		for _, d := range docs {
			fmt.Println(varies.ReplaceAllString(string(d.JSON), "$1:0"))
		}
		return nil
	})
	metrics := emf.Must(emf.New("Shop", emf.WithSink(print)))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		emf.FromContext(r.Context()).Counter("items.seen").Inc()
		fmt.Fprintln(w, "item", r.PathValue("id"))
	})
	tenant := func(r *http.Request) string { return r.Header.Get("X-Tenant-Id") }
	handler := middleware.MetricsOnly(metrics, middleware.WithTenant(tenant)).HTTP(mux)

	r := httptest.NewRequest("GET", "/items/17", nil)
	r.Header.Set("X-Tenant-Id", "acme")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	_ = metrics.Close(context.Background())

	// Output:
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["method"]],"Metrics":[{"Name":"requests.active","Unit":"Count"}]}]},"method":"GET","requests.active":0}
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["TenantID"]],"Metrics":[{"Name":"requests.active","Unit":"Count"},{"Name":"items.seen","Unit":"Count"},{"Name":"requests.total","Unit":"Count"},{"Name":"requests.duration","Unit":"Milliseconds"},{"Name":"response.size","Unit":"Bytes"}]}]},"TenantID":"acme","requests.active":0,"items.seen":1,"requests.total":1,"requests.duration":0,"response.size":8}
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["method","route"]],"Metrics":[{"Name":"requests.total","Unit":"Count"},{"Name":"requests.duration","Unit":"Milliseconds"},{"Name":"response.size","Unit":"Bytes"}]}]},"method":"GET","route":"/items/{id}","requests.total":1,"requests.duration":0,"response.size":8}
}

// show is a sink that prints documents without what differs from run to run.
var show = emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
	varies := regexp.MustCompile(`("Timestamp"):[0-9]+`)
	for _, d := range docs {
		fmt.Println(varies.ReplaceAllString(string(d.JSON), "$1:0"))
	}
	return nil
})

// without leaves metrics out, to keep examples short.
func without(metrics ...middleware.Metric) (opts []middleware.Option) {
	for _, m := range metrics {
		opts = append(opts, middleware.WithMetricName(m, ""))
	}
	return opts
}

func ExampleObservability() {
	metrics := emf.Must(emf.New("Shop", emf.WithSink(emf.SinkFunc(func(context.Context, []emf.Document) error { return nil }))))
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { // what differs from run to run
			if a.Key == slog.TimeKey || a.Key == "duration" {
				return slog.Attr{}
			}
			return a
		},
	}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	handler := middleware.Observability(metrics, logger, middleware.WithTenantHeader("X-Tenant-Id")).HTTP(mux)

	r := httptest.NewRequest("GET", "/items/17?token=secret", nil)
	r.Header.Set("X-Tenant-Id", "acme")
	r.Header.Set("X-Request-Id", "8d9f2c31")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	_ = metrics.Close(context.Background())

	// Output:
	// level=DEBUG msg="request started" request_id=8d9f2c31 tenant_id=acme method=GET path=/items/17
	// level=ERROR msg="request failed" request_id=8d9f2c31 tenant_id=acme method=GET route=/items/{id} path=/items/17 status=503
}

func ExamplePerRequest() {
	metrics := emf.Must(emf.New("Shop", emf.WithSink(show)))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		emf.SetProperty(r.Context(), "item", r.PathValue("id"))
	})
	options := append(without(middleware.RequestsActive, middleware.RequestsDuration, middleware.ResponseSize),
		middleware.PerRequest(), middleware.WithTenantHeader("X-Tenant-Id"))
	handler := middleware.MetricsOnly(metrics, options...).HTTP(mux)

	r := httptest.NewRequest("GET", "/items/17", nil)
	r.Header.Set("X-Tenant-Id", "acme")
	r.Header.Set("X-Request-Id", "8d9f2c31")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	_ = metrics.Close(context.Background())

	// Output:
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["method","route"],["TenantID"]],"Metrics":[{"Name":"requests.total","Unit":"Count"}]}]},"method":"GET","route":"/items/{id}","TenantID":"acme","item":"17","path":"/items/17","request_id":"8d9f2c31","status":200,"requests.total":1}
}

func ExampleWithViews() {
	metrics := emf.Must(emf.New("Shop", emf.WithSink(show), emf.WithDimensions(emf.Dim("Service", "api"))))
	options := append(without(middleware.RequestsActive, middleware.RequestsDuration, middleware.ResponseSize),
		middleware.WithViews(
			middleware.View{}, // the emitter's dimensions alone
			middleware.View{middleware.RouteDimension, middleware.StatusClassDimension},
		))
	handler := middleware.MetricsOnly(metrics, options...).HTTP(http.NotFoundHandler())
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	_ = metrics.Close(context.Background())

	// Output:
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service"]],"Metrics":[{"Name":"requests.total","Unit":"Count"}]}]},"Service":"api","requests.total":1}
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service","route","status_class"]],"Metrics":[{"Name":"requests.total","Unit":"Count"}]}]},"Service":"api","route":"unmatched","status_class":"4xx","requests.total":1}
}

// Routers other than http.ServeMux keep the pattern in places of their own.
func ExampleWithRoute() {
	metrics := emf.Must(emf.New("Shop", emf.WithSink(show)))
	type matched struct{}
	options := append(without(middleware.RequestsActive, middleware.RequestsDuration, middleware.ResponseSize),
		middleware.WithRoute(func(r *http.Request) string {
			// With chi: chi.RouteContext(r.Context()).RoutePattern()
			pattern, _ := r.Context().Value(matched{}).(string)
			return pattern
		}))
	handler := middleware.MetricsOnly(metrics, options...).HTTP(http.NotFoundHandler())

	ctx := context.WithValue(context.Background(), matched{}, "/users/{id}") // the router's work
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/users/7", nil))
	_ = metrics.Close(context.Background())

	// Output:
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["method","route"]],"Metrics":[{"Name":"requests.total","Unit":"Count"}]}]},"method":"GET","route":"/users/{id}","requests.total":1}
}

// Errors by status, everything else by route.
func ExampleWithMetricViews() {
	metrics := emf.Must(emf.New("Shop", emf.WithSink(show)))
	options := append(without(middleware.RequestsActive, middleware.RequestsDuration, middleware.ResponseSize),
		middleware.WithViews(middleware.View{middleware.RouteDimension}),
		middleware.WithMetricViews(middleware.RequestsErrors, middleware.View{middleware.StatusDimension}),
	)
	handler := middleware.MetricsOnly(metrics, options...).HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	_ = metrics.Close(context.Background())

	// Output:
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["route"]],"Metrics":[{"Name":"requests.total","Unit":"Count"}]}]},"route":"unmatched","requests.total":1}
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["status"]],"Metrics":[{"Name":"requests.errors","Unit":"Count"}]}]},"status":"502","requests.errors":1}
}

// A hundred requests, of which one fails: a document for that one, and one for all others.
func ExampleWithSampling() {
	metrics := emf.Must(emf.New("Shop", emf.WithSink(show)))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "50" {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	options := append(without(middleware.RequestsActive, middleware.RequestsDuration, middleware.ResponseSize),
		middleware.PerRequest(), middleware.WithSampling(0))
	handler := middleware.MetricsOnly(metrics, options...).HTTP(mux)

	for item := range 100 {
		r := httptest.NewRequest("GET", fmt.Sprint("/items/", item), nil)
		r.Header.Set("X-Request-Id", fmt.Sprint("r-", item))
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	_ = metrics.Close(context.Background())

	// Output:
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["method","route"]],"Metrics":[{"Name":"requests.total","Unit":"Count"},{"Name":"requests.errors","Unit":"Count"}]}]},"method":"GET","route":"/items/{id}","path":"/items/50","request_id":"r-50","status":502,"requests.total":1,"requests.errors":1}
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["method","route"]],"Metrics":[{"Name":"requests.total","Unit":"Count"}]}]},"method":"GET","route":"/items/{id}","requests.total":99}
}
