// Command lambda is a Lambda function with metrics: one document for each invocation, on
// standard output, where CloudWatch finds it. Build it with
//
//	CGO_ENABLED=0 go build -tags lambda.norpc -ldflags "-s -w" -o bootstrap ./examples/lambda
package main

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/middleware"
)

// Order is what the function is invoked with.
type Order struct {
	ID    string
	Items int
}

// Receipt is what it answers.
type Receipt struct{ Order string }

func main() {
	metrics := emf.Must(emf.New("Shop", emf.WithDimensions(emf.Dim("Service", "checkout"))))
	observer := middleware.MetricsOnly(metrics)
	lambda.StartWithOptions(middleware.Lambda(observer, handle), lambda.WithEnableSIGTERM(observer.Drain))
}

func handle(ctx context.Context, order Order) (Receipt, error) {
	emf.SetProperty(ctx, "order", order.ID)
	if order.Items == 0 {
		return Receipt{}, errors.New("the order is empty")
	}
	metrics := emf.FromContext(ctx)
	metrics.Counter("orders").Inc()
	metrics.Histogram("order.items", emf.Count).Observe(float64(order.Items))
	return Receipt{Order: order.ID}, nil
}
