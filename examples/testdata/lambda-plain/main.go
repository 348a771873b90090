// Command lambda-plain is examples/lambda without metrics.
package main

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"
)

// Order is what the function is invoked with.
type Order struct {
	ID    string
	Items int
}

// Receipt is what it answers.
type Receipt struct{ Order string }

func main() { lambda.StartWithOptions(handle, lambda.WithEnableSIGTERM()) }

func handle(_ context.Context, order Order) (Receipt, error) {
	if order.Items == 0 {
		return Receipt{}, errors.New("the order is empty")
	}
	return Receipt{Order: order.ID}, nil
}
