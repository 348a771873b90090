package middleware

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

// LambdaHandler returns a handler that handles invocations with h and records them as
// [Lambda] does.
//
// A handler that is invoked through this interface answers with bytes: aws-lambda-go then
// does not stream the response, and sends it as application/octet-stream. Use [Lambda] where
// either matters.
func LambdaHandler(o *Observer, h lambda.Handler) lambda.Handler {
	if o.idle() || h == nil {
		return h
	}
	return bytesHandler(Lambda(o, h.Invoke))
}

type bytesHandler func(context.Context, []byte) ([]byte, error)

func (h bytesHandler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return h(ctx, payload)
}
