package metricdata_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink/metricdata"
)

func ExampleNew() {
	srv := cwtest.Start() // stands for CloudWatch
	defer srv.Close()
	cfg := srv.Config() // of your own: config.LoadDefaultConfig(ctx)

	direct, err := metricdata.New(cloudwatch.NewFromConfig(cfg))
	if err != nil {
		fmt.Println(err)
		return
	}
	metrics := emf.Must(emf.New("Shop", emf.WithSink(direct)))
	latency := metrics.Histogram("latency", emf.Milliseconds)
	for _, ms := range []float64{12, 12, 40} {
		latency.Observe(ms)
	}
	if err := metrics.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	held := srv.Metric("Shop", "latency", nil)
	fmt.Println(held.SampleCount, held.Sum, held.Max)
	// Output:
	// 3 64 40
}
