// Command lift-app is an application written with Lift, as a Lambda function: what Lift's own
// middlewares and handlers record goes through the adapter, requests are observed from outside
// and inside of the application, and everything leaves as documents on standard output. Lift
// is stood in for by types of the same names and shapes; with Lift itself nothing but the two
// imports differs.
package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/standin/lift"
	"github.com/liftemf/liftemf/internal/standin/observability"
	emflift "github.com/liftemf/liftemf/lift"
	"github.com/liftemf/liftemf/middleware"
)

// metrics is the collector as Lift wants it.
type metrics = emflift.Full[observability.MetricsCollector, observability.MetricEntry,
	observability.MetricsStats, lift.Counter, lift.Histogram, lift.Gauge]

func main() {
	e := emf.Must(emf.New("PayTheory/Lift"))
	observer := middleware.MetricsOnly(e, middleware.DashboardPreset("production"))
	collector := emflift.AdaptFull(emflift.NewCollector(e),
		func(c *emf.Counter) lift.Counter { return c },
		func(h *emf.Histogram) lift.Histogram { return h },
		func(g *emf.Gauge) lift.Gauge { return g },
		func(m *metrics) observability.MetricsCollector { return m })

	app := lift.New().WithMetrics(collector)
	app.Use(middleware.Lift(observer, describe,
		func(f func(*lift.Context) error) lift.Handler { return lift.HandlerFunc(f) }))
	app.Handle("GET", "/orders/:id", getOrder)
	app.HandleEvents(func(ctx context.Context, _ any) error {
		emf.FromContext(ctx).Counter("messages").Inc()
		return nil
	})

	handle := middleware.LiftApp(observer, app.HandleRequest, result)
	lambda.StartWithOptions(func(ctx context.Context, event json.RawMessage) (any, error) {
		return handle(ctx, decode(event))
	}, lambda.WithEnableSIGTERM(observer.Drain))
}

func getOrder(c *lift.Context) error {
	c.Metrics.Counter("orders.read", map[string]string{"tenant_id": c.TenantID()}).Inc()
	emf.SetProperty(c, "order", c.Param("id"))
	switch c.Param("id") {
	case "0":
		return lift.NotFound("no such order")
	case "broken":
		return errors.New("the store is down")
	}
	return c.JSON(map[string]string{"id": c.Param("id")})
}

var routes = middleware.Routes("/orders/:id")

// describe says what Lift's context knows of a request. Its final status is the result's.
func describe(c *lift.Context, _ error) middleware.Request {
	return middleware.Request{
		Method: c.Request.Method, Route: routes(c.Request.Path), Path: c.Request.Path,
		TenantID: c.TenantID(), UserID: c.UserID(), ResponseBytes: -1,
	}
}

// result says what the outcome of the application tells of a request.
func result(out any) middleware.Request {
	r, ok := out.(*lift.Response)
	if !ok {
		return middleware.Request{ResponseBytes: -1}
	}
	body, err := json.Marshal(r.Body)
	if err != nil {
		return middleware.Request{Status: r.StatusCode, ResponseBytes: -1}
	}
	return middleware.Request{Status: r.StatusCode, ResponseBytes: len(body)}
}

// decode makes the stand-in's request of an API Gateway event, which Lift does by itself.
func decode(event json.RawMessage) any {
	var request struct {
		Method  string            `json:"httpMethod"`
		Path    string            `json:"path"`
		Headers map[string]string `json:"headers"`
	}
	if err := json.Unmarshal(event, &request); err != nil || request.Method == "" {
		return event
	}
	return &lift.Request{Method: request.Method, Path: request.Path, Headers: request.Headers}
}
