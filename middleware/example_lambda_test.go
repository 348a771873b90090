package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/middleware"
)

// printing writes documents to standard output, as the default sink does, stamped alike.
func printing(opts ...emf.Option) *emf.Emitter {
	print := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
		for _, d := range docs {
			fmt.Println(string(d.JSON))
		}
		return nil
	})
	midnight := func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	return emf.Must(emf.New("Shop", append(opts, emf.WithSink(print), emf.WithFlushInterval(0), emf.WithClock(midnight))...))
}

// A function is given to lambda.Start:
//
//	lambda.StartWithOptions(handler, lambda.WithEnableSIGTERM(observer.Drain))
func ExampleLambda() {
	observer := middleware.MetricsOnly(printing(), middleware.WithMetricName(middleware.RequestsDuration, ""))
	handler := middleware.Lambda(observer, func(ctx context.Context, items int) (string, error) {
		if items == 0 {
			return "", errors.New("the order is empty")
		}
		emf.FromContext(ctx).Histogram("order.items", emf.Count).Observe(float64(items))
		return "thank you", nil
	})

	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "8476a536"})
	fmt.Println(handler(ctx, 3))
	fmt.Println(handler(ctx, 0))

	// Output:
	// {"_aws":{"Timestamp":1767225600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"order.items","Unit":"Count"},{"Name":"requests.total","Unit":"Count"}]}]},"request_id":"8476a536","order.items":3,"requests.total":1}
	// thank you <nil>
	// {"_aws":{"Timestamp":1767225600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"requests.total","Unit":"Count"},{"Name":"requests.errors","Unit":"Count"}]}]},"request_id":"8476a536","requests.total":1,"requests.errors":1}
	//  the order is empty
}

func ExampleLambdaHandler() {
	observer := middleware.MetricsOnly(printing(), middleware.WithMetricName(middleware.RequestsDuration, ""))
	handler := middleware.LambdaHandler(observer, lambda.NewHandler(func(ctx context.Context) error {
		emf.FromContext(ctx).Counter("ticks").Inc()
		return nil
	}))
	_, _ = handler.Invoke(context.Background(), nil)
	// Output:
	// {"_aws":{"Timestamp":1767225600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"ticks","Unit":"Count"},{"Name":"requests.total","Unit":"Count"}]}]},"ticks":1,"requests.total":1}
}

func ExampleWithLambdaTenant() {
	observer := middleware.MetricsOnly(printing(), middleware.WithLambdaTenant(), middleware.WithMetricName(middleware.RequestsDuration, ""))
	handler := middleware.Lambda(observer, func(ctx context.Context, _ int) (int, error) {
		emf.FromContext(ctx).Counter("orders").Inc()
		return 0, nil
	})
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "8476a536", TenantID: "acme"})
	_, _ = handler(ctx, 0)
	// Output:
	// {"_aws":{"Timestamp":1767225600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"}]},{"Namespace":"Shop","Dimensions":[[],["TenantID"]],"Metrics":[{"Name":"requests.total","Unit":"Count"}]}]},"TenantID":"acme","request_id":"8476a536","orders":1,"requests.total":1}
}

func ExampleObserver_Drain() {
	metrics := printing()
	observer := middleware.MetricsOnly(metrics)
	metrics.Counter("cache.refreshed").Inc() // by a goroutine, after the last invocation
	observer.Drain()                         // on SIGTERM
	// Output:
	// {"_aws":{"Timestamp":1767225600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"cache.refreshed","Unit":"Count"}]}]},"cache.refreshed":1}
}
