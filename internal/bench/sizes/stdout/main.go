// Command stdout is a Lambda function that writes its metrics to standard output.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/liftemf/liftemf/emf"
)

type order struct{ Items int }

func main() {
	e := emf.Must(emf.New("shop/checkout"))
	lambda.Start(func(ctx context.Context, o order) (int, error) {
		ev := e.Begin()
		ev.SetProperty("Order", o)
		ev.Counter("Items").Add(float64(o.Items))
		return o.Items, ev.End(ctx)
	})
}
