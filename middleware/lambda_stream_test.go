package middleware_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	"github.com/liftemf/liftemf/middleware"
)

// A stream is the caller's to read. Until then there is more to record.
func TestStream(t *testing.T) {
	e, metrics := emftest.New(t)
	stream := &events.LambdaFunctionURLStreamingResponse{Body: strings.NewReader("text")}
	ctx, done := context.WithCancel(invoked("id", ""))
	var inside context.Context
	handle := middleware.Lambda(middleware.MetricsOnly(e), func(ctx context.Context, _ int) (*events.LambdaFunctionURLStreamingResponse, error) {
		inside = ctx
		emf.FromContext(ctx).Counter("orders").Inc()
		return stream, nil
	})
	out, err := handle(ctx, 0)
	require.NoError(t, err)
	assert.Same(t, stream, out)
	require.Len(t, metrics.Documents(), 1)
	assert.Equal(t, map[string]any{"request_id": "id", "orders": 1.0, "requests.total": 1.0}, members(t, metrics.Documents()[0]))

	text, err := io.ReadAll(out)
	require.NoError(t, err)
	assert.Contains(t, string(text), "text")
	emf.FromContext(inside).Counter("orders").Inc()
	done() // as aws-lambda-go does when it has sent the response
	require.Eventually(t, func() bool { return len(metrics.Documents()) == 2 }, time.Minute, time.Millisecond)
	assert.Equal(t, map[string]any{"request_id": "id", "orders": 1.0}, members(t, metrics.Documents()[1]))
	assert.Zero(t, e.Stats().Late)
}

// A stream that takes too long is written before the deadline, and no time-out of the handler.
func TestStreamUntilTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, metrics := emftest.New(t)
		var inside context.Context
		ctx, done := context.WithTimeout(invoked("id", ""), time.Second)
		defer done()
		_, err := middleware.Lambda(middleware.MetricsOnly(e), func(ctx context.Context, _ int) (io.Reader, error) {
			inside = ctx
			return strings.NewReader(""), nil
		})(ctx, 0)
		require.NoError(t, err)
		emf.FromContext(inside).Counter("reads").Inc()
		time.Sleep(950 * time.Millisecond)
		synctest.Wait()
		require.Len(t, metrics.Documents(), 2)
		assert.Equal(t, map[string]any{"request_id": "id", "reads": 1.0}, members(t, metrics.Documents()[1]))
		time.Sleep(time.Second)
		assert.Equal(t, 1.0, metrics.Sum("requests.total"))
	})
}

func TestPartialBatchResponse(t *testing.T) {
	e, _ := emftest.New(t)
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{{ItemIdentifier: "7"}}}
	out, err := middleware.LambdaHandler(middleware.MetricsOnly(e), lambda.NewHandler(
		middleware.Lambda(middleware.MetricsOnly(e), func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
			return response, nil
		}))).Invoke(invoked("id", ""), []byte(`{}`))
	require.NoError(t, err)
	assert.JSONEq(t, `{"batchItemFailures":[{"itemIdentifier":"7"}]}`, string(out))
}
