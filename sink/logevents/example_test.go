package logevents_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink/logevents"
)

func ExampleNew() {
	srv := cwtest.Start() // stands for CloudWatch
	defer srv.Close()
	cfg := srv.Config() // of your own: config.LoadDefaultConfig(ctx)

	logs, err := logevents.New(cloudwatchlogs.NewFromConfig(cfg), "/shop/metrics", logevents.WithRetention(30))
	if err != nil {
		fmt.Println(err)
		return
	}
	metrics := emf.Must(emf.New("Shop", emf.WithSink(logs), emf.WithMaxDocumentSize(logevents.MaxDocument)))
	metrics.WithTenant("acme").Counter("orders").Add(3)
	if err := metrics.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(srv.Metric("Shop", "orders", map[string]string{"TenantID": "acme"}).Sum)
	fmt.Println(logs.Stats().Delivered)
	// Output:
	// 3
	// 1
}
