package contract

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/middleware"
)

type (
	handler interface{ Handle(ctx *int) error }
	handle  = func(context.Context, string) (int, error)
)

func TestMiddleware(*testing.T) {
	is[func(e *emf.Emitter, opts ...middleware.Option) *middleware.Observer](middleware.MetricsOnly)
	is[func(e *emf.Emitter, logger *slog.Logger, opts ...middleware.Option) *middleware.Observer](middleware.Observability)
	is[func(*middleware.Observer, http.Handler) http.Handler]((*middleware.Observer).HTTP)
	is[func(*middleware.Observer, handle) handle](middleware.Lambda[string, int])
	is[func(*middleware.Observer, lambda.Handler) lambda.Handler](middleware.LambdaHandler)
	is[func(
		o *middleware.Observer,
		describe func(ctx *int, err error) middleware.Request,
		toHandler func(func(*int) error) handler,
	) func(handler) handler](middleware.Lift[*int, handler])
	is[struct {
		Method, Route, Path, TenantID, UserID, RequestID, TraceID string
		Status, ResponseBytes                                     int
	}](struct {
		Method, Route, Path, TenantID, UserID, RequestID, TraceID string
		Status, ResponseBytes                                     int
	}(middleware.Request{
		Method: "", Route: "", Path: "", TenantID: "", UserID: "", RequestID: "", TraceID: "", Status: 0, ResponseBytes: 0,
	}))
}
