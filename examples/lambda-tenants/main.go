// Command lambda-tenants is a Lambda function with tenant isolation: what an invocation records
// is under the tenant that it was invoked for, and the invocations are counted both by tenant
// and in all. Each invocation is one document.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/middleware"
)

func main() {
	metrics := emf.Must(emf.New("Shop", emf.WithDimensions(emf.Dim("Service", "mail"))))
	// Logs go to standard error: on standard output are documents.
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr}))
	observer := middleware.Observability(metrics, logger, middleware.WithLambdaTenant())
	lambda.StartWithOptions(middleware.Lambda(observer, handle), lambda.WithEnableSIGTERM(observer.Drain))
}

// handle sends the mails of a batch, and reports which of them to try again.
func handle(ctx context.Context, batch events.SQSEvent) (response events.SQSEventResponse, err error) {
	metrics := emf.FromContext(ctx)
	for _, message := range batch.Records {
		if message.Body == "" {
			metrics.Counter("mails.refused").Inc()
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
			continue
		}
		metrics.Counter("mails.sent").Inc()
		metrics.Histogram("mail.size", emf.Bytes).Observe(float64(len(message.Body)))
	}
	return response, nil
}
