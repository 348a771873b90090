package emf_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liftemf/liftemf/emf"
)

// The examples' clock stands still, so that their output is always the same.
func at(hour, minute int) emf.Option {
	return emf.WithClock(func() time.Time { return time.Date(2026, 11, 24, hour, minute, 0, 0, time.UTC) })
}

func Example() {
	metrics := emf.Must(emf.New("Shop", emf.WithDimensions(emf.Dim("Service", "checkout")), at(12, 0)))
	defer metrics.Close(context.Background())

	tenant := metrics.WithTenant("acme")
	tenant.Counter("orders").Inc()
	tenant.Counter("orders").Inc()
	tenant.Histogram("payment.duration", emf.Milliseconds).Observe(12.5)
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service","TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"},{"Name":"payment.duration","Unit":"Milliseconds"}]}]},"Service":"checkout","TenantID":"acme","orders":2,"payment.duration":12.5}
}

func ExampleEmitter_Begin() {
	ctx := context.Background()
	metrics := emf.Must(emf.New("Shop", at(12, 0)))
	defer metrics.Close(ctx)

	ev := metrics.Begin(emf.Dim("Operation", "import"))
	ev.SetProperty("JobId", "j-17")
	ev.Counter("rows").Add(250)
	if err := ev.End(ctx); err != nil {
		fmt.Println("the sink failed:", err)
	}
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Operation"]],"Metrics":[{"Name":"rows","Unit":"Count"}]}]},"Operation":"import","JobId":"j-17","rows":250}
}

func ExampleRecorder_With() {
	metrics := emf.Must(emf.New("Shop", at(12, 0)))
	defer metrics.Close(context.Background())

	queue := metrics.With(emf.Dim("Queue", "mail"), emf.Dim("Priority", "low"))
	queue.Gauge("depth", emf.Count).Set(42)
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Queue","Priority"]],"Metrics":[{"Name":"depth","Unit":"Count"}]}]},"Queue":"mail","Priority":"low","depth":42}
}

func ExampleRecorder_GaugeFunc() {
	metrics := emf.Must(emf.New("Shop", at(12, 0)))
	defer metrics.Close(context.Background())

	connections := make(chan struct{}, 10)
	connections <- struct{}{}
	metrics.GaugeFunc("connections", func() float64 { return float64(len(connections)) }, emf.Count)
	_ = metrics.Flush(context.Background())
	connections <- struct{}{}
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"connections","Unit":"Count"}]}]},"connections":1}
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"connections","Unit":"Count"}]}]},"connections":2}
}

func ExampleHistogram_Start() {
	metrics := emf.Must(emf.New("Shop", at(12, 0)))
	defer metrics.Close(context.Background())

	stop := metrics.Histogram("query.duration", emf.Milliseconds).Start()
	// ... the query ...
	stop()
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"query.duration","Unit":"Milliseconds"}]}]},"query.duration":0}
}

func ExampleFromContext() {
	ctx := context.Background()
	metrics := emf.Must(emf.New("Shop", at(12, 0)))
	defer metrics.Close(ctx)

	ev := metrics.Begin()
	ctx = emf.NewContext(ctx, ev)

	// Somewhere deep inside:
	emf.FromContext(ctx).Counter("cache.hits").Inc()
	emf.SetProperty(ctx, "UserId", "u-1")

	_ = ev.End(ctx)
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"cache.hits","Unit":"Count"}]}]},"UserId":"u-1","cache.hits":1}
}

func ExampleContextWithRecorder() {
	ctx := context.Background()
	metrics := emf.Must(emf.New("Shop", at(12, 0)))
	defer metrics.Close(ctx)

	ctx = emf.ContextWithRecorder(ctx, metrics.WithTenant("acme"))
	emf.FromContext(ctx).Counter("logins").Inc()
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["TenantID"]],"Metrics":[{"Name":"logins","Unit":"Count"}]}]},"TenantID":"acme","logins":1}
}

func ExampleSinkFunc() {
	metrics := emf.Must(emf.New("Shop", at(12, 0), emf.WithSink(emf.SinkFunc(
		func(ctx context.Context, docs []emf.Document) error {
			for _, d := range docs {
				fmt.Println(d.Values, "values in", len(d.JSON), "bytes")
			}
			return nil
		}))))
	metrics.Counter("orders").Inc()
	_ = metrics.Close(context.Background())
	// Output:
	// 1 values in 153 bytes
}

// A sink tells which documents it has not taken: the emitter offers them again.
func ExampleUndeliveredError() {
	full := errors.New("queue full")
	calls := 0
	metrics := emf.Must(emf.New("Shop", at(12, 0), emf.WithSink(emf.SinkFunc(
		func(ctx context.Context, docs []emf.Document) error {
			if calls++; calls == 1 {
				return &emf.UndeliveredError{Retry: []int{0}, Err: full}
			}
			fmt.Println("took", len(docs))
			return nil
		}))))
	ctx := context.Background()
	metrics.Counter("orders").Inc()
	if err := metrics.Flush(ctx); errors.Is(err, full) {
		fmt.Println("pending:", metrics.Stats().Pending)
	}
	_ = metrics.Close(ctx)
	// Output:
	// pending: 1
	// took 1
}

func ExampleEmitter_Stats() {
	metrics := emf.Must(emf.New("Shop", emf.WithSink(emf.SinkFunc(func(context.Context, []emf.Document) error { return nil }))))
	metrics.Counter("orders").Inc()
	metrics.Counter("").Inc()
	_ = metrics.Close(context.Background())
	s := metrics.Stats()
	fmt.Println(s.Recorded, "=", s.Delivered, "+", s.Dropped, "+", s.Pending, s.Drops)
	// Output:
	// 2 = 1 + 1 + 0 map[bad name:1]
}
