package middleware_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
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
