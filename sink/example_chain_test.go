package sink_test

import (
	"context"
	"fmt"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink"
	"github.com/liftemf/liftemf/sink/logevents"
	"github.com/liftemf/liftemf/sink/metricdata"
)

// Straight to CloudWatch Logs, by PutMetricData while that is down, and in memory while both are.
func Example_chain() {
	cloud := cwtest.Start() // stands in for AWS
	defer cloud.Close()
	logs, err := logevents.New(cloud.LogsClient(), "/shop/metrics") // cloudwatchlogs.NewFromConfig(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	direct, err := metricdata.New(cloud.MetricsClient()) // cloudwatch.NewFromConfig(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	way := sink.Fallback(logs, direct)
	queue := sink.Retry(way)
	metrics := emf.Must(emf.New("Shop", emf.WithSink(queue)))

	cloud.SetFaults(cwtest.Only("PutLogEvents", cwtest.Always(cwtest.Unavailable)))
	metrics.WithTenant("acme").Counter("orders").Add(3)
	if err := metrics.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	q, f := queue.Stats(), way.Stats()
	fmt.Println(q.Accepted.Values, "accepted,", q.Delivered.Values, "delivered,", q.Dropped.Values, "dropped")
	fmt.Println(f.Primary, "by CloudWatch Logs,", f.Secondary, "by PutMetricData")
	fmt.Println(cloud.Metric("Shop", "orders", map[string]string{"TenantID": "acme"}).Sum)
	// Output:
	// 1 accepted, 1 delivered, 0 dropped
	// 0 by CloudWatch Logs, 1 by PutMetricData
	// 3
}
