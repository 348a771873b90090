package middleware_test

import (
	"context"
	"fmt"

	"github.com/liftemf/liftemf/emf"
	// Stands in for Lift, with types of the same names and shapes.
	"github.com/liftemf/liftemf/internal/standin/lift"
	"github.com/liftemf/liftemf/middleware"
)

// An application is observed from outside, and from inside for what only its context knows. Both
// are one record.
func ExampleLiftApp() {
	observer := middleware.MetricsOnly(printing(), middleware.WithMetricName(middleware.RequestsDuration, ""))
	routes := middleware.Routes("/orders/:id")

	app := lift.New()
	app.Use(middleware.Lift(observer,
		func(c *lift.Context, _ error) middleware.Request {
			return middleware.Request{
				Method: c.Request.Method, Route: routes(c.Request.Path), Path: c.Request.Path,
				TenantID: c.TenantID(), ResponseBytes: -1,
			}
		},
		func(f func(*lift.Context) error) lift.Handler { return lift.HandlerFunc(f) }))
	app.Handle("GET", "/orders/:id", func(c *lift.Context) error {
		emf.FromContext(c).Counter("orders.read").Inc()
		return c.JSON("an order")
	})

	handle := middleware.LiftApp(observer, app.HandleRequest, func(out any) middleware.Request {
		if r, ok := out.(*lift.Response); ok {
			return middleware.Request{Status: r.StatusCode, ResponseBytes: -1}
		}
		return middleware.Request{ResponseBytes: -1}
	})

	// lambda.Start(handle)
	_, _ = handle(context.Background(), &lift.Request{Method: "GET", Path: "/orders/17", Headers: map[string]string{"X-Tenant-Id": "acme"}})
	// Output:
	// {"_aws":{"Timestamp":1767225600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"orders.read","Unit":"Count"}]},{"Namespace":"Shop","Dimensions":[["method","route"],["TenantID"]],"Metrics":[{"Name":"requests.total","Unit":"Count"}]}]},"method":"GET","route":"/orders/:id","TenantID":"acme","path":"/orders/17","status":200,"orders.read":1,"requests.total":1}
}

func ExampleRoutes() {
	route := middleware.Routes("/orders/:id", "/orders/latest", "/static/*")
	fmt.Println(route("/orders/17"), route("/orders/latest"), route("/static/css/shop.css"), route("/wp-admin"))
	// Output:
	// /orders/:id /orders/latest /static/* unmatched
}
