// Command plain is a Lambda function without metrics, to compare the size of binaries.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

type order struct{ Items int }

func handle(_ context.Context, o order) (int, error) { return o.Items, nil }

func main() { lambda.Start(handle) }
