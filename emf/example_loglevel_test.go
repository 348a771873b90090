package emf_test

import (
	"context"
	"fmt"
	"time"

	"github.com/liftemf/liftemf/emf"
)

// A function whose log level is WARN drops lines without one.
func ExampleWithLogLevel() {
	print := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
		fmt.Println(string(docs[0].JSON))
		return nil
	})
	metrics := emf.Must(emf.New("Shop", emf.WithSink(print), emf.WithLogLevel("WARN"),
		emf.WithClock(func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) })))
	metrics.Counter("orders").Inc()
	_ = metrics.Close(context.Background())
	// Output:
	// {"_aws":{"Timestamp":1767225600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"orders","Unit":"Count"}]}]},"level":"WARN","timestamp":"2026-01-01T00:00:00.000Z","orders":1}
}
