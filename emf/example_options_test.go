package emf_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/liftemf/liftemf/emf"
)

// A mistake in an option is an error that names it.
func ExampleNew() {
	metrics, err := emf.New("Shop",
		emf.WithDimensions(emf.Dim("Service", "checkout")),
		emf.WithProperties(map[string]any{"version": "1.4.2"}),
		emf.WithMaxDocumentSize(16_384), // the log driver splits longer lines
		at(12, 0),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	metrics.Counter("orders").Inc()
	if err := metrics.Close(context.Background()); err != nil {
		fmt.Println(err)
	}

	_, err = emf.New("Shop", emf.WithMaxDocumentSize(10))
	fmt.Println(err)
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service"]],"Metrics":[{"Name":"orders","Unit":"Count"}]}]},"Service":"checkout","version":"1.4.2","orders":1}
	// emf: WithMaxDocumentSize: 10: from 1024 to 1048550
}

// Each tenant is a document, whatever else happens between two flushes.
func ExampleRecorder_WithTenant() {
	metrics := emf.Must(emf.New("Shop", at(12, 0)))
	defer metrics.Close(context.Background())

	metrics.WithTenant("acme").Counter("orders").Inc()
	metrics.WithTenant("globex").Counter("orders").Inc()
	metrics.WithTenant("acme").Counter("orders").Inc()
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"}]}]},"TenantID":"acme","orders":2}
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"}]}]},"TenantID":"globex","orders":1}
}

// Sums over dimensions: by tenant, and all together. No metric is paid for by tenant and route.
func ExampleWithRollups() {
	metrics := emf.Must(emf.New("Shop", at(12, 0), emf.WithRollups([]string{"TenantID"}, []string{})))
	defer metrics.Close(context.Background())

	for _, route := range []string{"/cart", "/orders"} {
		metrics.WithTenant("acme").With(emf.Dim("Route", route)).Counter("requests").Inc()
	}
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["TenantID"]],"Metrics":[{"Name":"requests","Unit":"Count"}]}]},"TenantID":"acme","requests":2}
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"requests","Unit":"Count"}]}]},"requests":2}
}

// What is too much is added up under "other".
func ExampleWithDimensionBudget() {
	metrics := emf.Must(emf.New("Shop", at(12, 0), emf.WithDimensionBudget("TenantID", 1)))
	defer metrics.Close(context.Background())

	for _, tenant := range []string{"acme", "globex", "initech"} {
		metrics.WithTenant(tenant).Counter("orders").Inc()
	}
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"}]}]},"TenantID":"acme","orders":1}
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"}]}]},"TenantID":"other","orders":2}
}

func ExampleWithDimensionValues() {
	metrics := emf.Must(emf.New("Shop", at(12, 0), emf.WithDimensionValues("Plan", "free", "pro")))
	defer metrics.Close(context.Background())

	metrics.With(emf.Dim("Plan", "<script>")).Counter("logins").Inc()
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Plan"]],"Metrics":[{"Name":"logins","Unit":"Count"}]}]},"Plan":"other","logins":1}
}

func ExampleWithDimensionRewrite() {
	route := func(path string) string {
		if strings.HasPrefix(path, "/orders/") {
			return "/orders/{id}"
		}
		return path
	}
	metrics := emf.Must(emf.New("Shop", at(12, 0), emf.WithDimensionRewrite("Route", route)))
	defer metrics.Close(context.Background())

	metrics.With(emf.Dim("Route", "/orders/17")).Counter("requests").Inc()
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Route"]],"Metrics":[{"Name":"requests","Unit":"Count"}]}]},"Route":"/orders/{id}","requests":1}
}

// observed returns how many documents 10,000 different latencies become, and how many entries.
func observed(latency *emf.Histogram, metrics *emf.Emitter, docs *[][]byte) (documents, entries int) {
	for i := range 10_000 {
		latency.Observe(float64(i + 1))
	}
	_ = metrics.Flush(context.Background())
	for _, doc := range *docs {
		extracted, err := emf.Extract(doc)
		if err != nil {
			fmt.Println(err)
		}
		entries += len(extracted[0].Values)
	}
	return len(*docs), entries
}

// keep is a sink that keeps documents.
func keep(docs *[][]byte) emf.Option {
	return emf.WithSink(emf.SinkFunc(func(_ context.Context, batch []emf.Document) error {
		for _, d := range batch {
			*docs = append(*docs, append([]byte(nil), d.JSON...))
		}
		return nil
	}))
}

// Any percentile within 1 %, however many documents it takes.
func ExamplePrecision() {
	var docs [][]byte
	metrics := emf.Must(emf.New("Shop", keep(&docs)))
	defer metrics.Close(context.Background())

	documents, entries := observed(metrics.Histogram("latency", emf.Milliseconds, emf.Precision(0.01)), metrics, &docs)
	fmt.Println(documents, "documents,", entries, "entries")
	// Output:
	// 5 documents, 414 entries
}

// Numbers only, 100 to a document.
func ExampleWithPlainArrays() {
	var docs [][]byte
	metrics := emf.Must(emf.New("Shop", keep(&docs), emf.WithPlainArrays()))
	defer metrics.Close(context.Background())

	documents, entries := observed(metrics.Histogram("latency", emf.Milliseconds), metrics, &docs)
	fmt.Println(documents, "documents,", entries, "entries")
	// Output:
	// 100 documents, 10000 entries
}

// What is emitted, as a month's bill. It counts what was written.
func ExampleEmitter_Cost() {
	var docs [][]byte
	metrics := emf.Must(emf.New("Shop", keep(&docs)))
	defer metrics.Close(context.Background())

	for tenant := range 100 {
		metrics.WithTenant(fmt.Sprint("tenant-", tenant)).Counter("orders").Inc()
	}
	_ = metrics.Flush(context.Background())
	cost := metrics.Cost()
	fmt.Println("about 100 metrics:", cost.Metrics > 95 && cost.Metrics < 105)
	fmt.Println("about $30 for them:", cost.MetricsUSD > 28 && cost.MetricsUSD < 32, "by the prices of", cost.Region)
	// Output:
	// about 100 metrics: true
	// about $30 for them: true by the prices of us-east-1
}
