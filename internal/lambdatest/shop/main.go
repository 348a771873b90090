// Command shop is a Lambda function for tests of package middleware: it records what an order
// says, writes to standard error what it has recorded, and ends as the order says.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/middleware"
)

// Order is the event of an invocation.
type Order struct {
	Values []float64
	Then   string
}

var metrics = emf.Must(emf.New("Shop", emf.WithDimensions(emf.Dim("Service", "checkout"))))

func main() {
	options := []middleware.Option{middleware.WithLambdaTenant()}
	if before, err := time.ParseDuration(os.Getenv("EARLY")); err == nil {
		options = append(options, middleware.WithEarlyFlush(before))
	}
	observer := middleware.MetricsOnly(metrics, options...)
	handler := middleware.Lambda(observer, handle)
	if os.Getenv("DRAIN") == "" {
		lambda.Start(handler)
	}
	exit := func() { os.Exit(0) } // sooner than SIGKILL, for the tests' sake
	lambda.StartWithOptions(handler, lambda.WithEnableSIGTERM(observer.Drain, exit))
}

func handle(ctx context.Context, o Order) (any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	emf.SetProperty(ctx, "then", o.Then)
	for _, v := range o.Values {
		emf.FromContext(ctx).Histogram("value").Observe(v)
		metrics.Counter("sum").Add(v) // in no invocation's document
		fmt.Fprintln(os.Stderr, "recorded", lc.AwsRequestID, lc.TenantID, v)
		runtime.Gosched()
	}
	switch o.Then {
	case "fail":
		return nil, errors.New("refused")
	case "panic":
		panic("at the disco")
	case "hang":
		deadline, _ := ctx.Deadline()
		time.Sleep(time.Until(deadline) - time.Second) // past the early flush
		emf.FromContext(ctx).Counter("last.words").Inc()
		time.Sleep(time.Minute)
	case "wait":
		time.Sleep(20 * time.Millisecond)
	case "stream":
		return &stream{ctx: ctx, text: strings.NewReader("streamed")}, nil
	}
	return lc.AwsRequestID, nil
}

// stream records while it is read.
type stream struct {
	ctx  context.Context
	text io.Reader
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.text.Read(p)
	emf.FromContext(s.ctx).Counter("reads").Inc()
	fmt.Fprintln(os.Stderr, "read")
	return n, err
}
