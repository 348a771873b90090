package emftest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
)

// t is the test's own in a test.
var t = new(testing.T)

// checkout is what a program under test could be.
func checkout(e *emf.Emitter, tenant string, euros float64) {
	r := e.WithTenant(tenant)
	r.Counter("orders").Inc()
	r.Histogram("order.value").Observe(euros)
}

func ExampleNew() {
	e, metrics := emftest.New(t)
	checkout(e, "acme", 20)
	checkout(e, "globex", 30)
	fmt.Println(metrics.Sum("orders"), metrics.Sum("order.value", emf.Dim("TenantID", "acme")))
	_ = e.Close(context.Background())
	// Output: 2 20
}

func ExampleCapture_Quantile() {
	e, metrics := emftest.New(t)
	for i := range 100 {
		checkout(e, "acme", float64(i+1))
	}
	fmt.Println(metrics.Count("order.value"), metrics.Min("order.value"), metrics.Quantile(0.95, "order.value"), metrics.Max("order.value"))
	// Output: 100 1 95 100
}

// With rollups a value is in several metrics: Exactly names one of them.
func ExampleCapture_Exactly() {
	e, metrics := emftest.New(t, emf.WithRollups([]string{}, []string{"TenantID"}))
	checkout(e, "acme", 20)
	checkout(e, "globex", 30)
	all := metrics.Exactly()
	fmt.Println(all.Sum("orders"), all.Sum("orders", emf.Dim("TenantID", "acme")))
	// Output: 2 1
}

func ExampleCapture_Property() {
	e, metrics := emftest.New(t)
	request := e.Begin(emf.Dim("Route", "/orders"))
	request.SetProperty("RequestId", "r-1")
	request.Counter("requests").Inc()
	_ = request.End(context.Background())
	fmt.Println(metrics.Property("RequestId"))
	// Output: [r-1]
}

// The documents as they are written, to see what a program costs and whether it flushes.
func ExampleCapture_Documents() {
	e, metrics := emftest.New(t)
	checkout(e, "acme", 20)
	fmt.Println(len(metrics.Documents()), "documents")
	_ = e.Flush(context.Background())
	for _, doc := range metrics.Documents() {
		fmt.Printf("%s\n", doc)
	}
	// Output:
	// 0 documents
	// {"_aws":{"Timestamp":1767323045000,"CloudWatchMetrics":[{"Namespace":"Test","Dimensions":[["TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"},{"Name":"order.value"}]}]},"TenantID":"acme","orders":1,"order.value":20}
}

// UPDATE_GOLDEN=1 go test writes the file; without, the test fails where documents differ from
// it.
func ExampleGolden() {
	e, metrics := emftest.New(t)
	checkout(e, "acme", 20)
	emftest.Golden(t, "testdata/checkout.jsonl", metrics)
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}
