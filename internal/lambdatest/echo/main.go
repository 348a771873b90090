// Command echo is a Lambda function without metrics, for the tests of package lambdatest and
// as what the size of functions with metrics is measured against.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

func main() {
	lambda.StartWithOptions(handle, lambda.WithEnableSIGTERM(func() {
		fmt.Println("SIGTERM")
		os.Exit(0) // sooner than SIGKILL, for the tests' sake
	}))
}

func handle(ctx context.Context, order string) (io.Reader, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	fmt.Println(order, lc.AwsRequestID, lc.TenantID, ctx.Value("x-amzn-trace-id"), os.Getenv("_X_AMZN_TRACE_ID"))
	switch order {
	case "fail":
		return nil, errors.New("refused")
	case "panic":
		panic("at the disco")
	case "exit":
		os.Exit(7)
	case "hang":
		time.Sleep(time.Minute)
	case "wait":
		time.Sleep(50 * time.Millisecond)
	case "break":
		return io.MultiReader(strings.NewReader("half"), broken{}), nil
	}
	return strings.NewReader(order), nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
