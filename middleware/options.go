package middleware

import (
	"context"
	"net/http"

	"github.com/liftemf/liftemf/emf"
)

// Option is a setting of an [Observer]. What is wrong with one is logged to standard error
// when the observer is made, and [Observer.Err] returns it; the observer works without it.
type Option func(*config)

// config is what options say.
type config struct {
	names      map[Metric]string
	dimensions map[string]string // names of the dimensions that every observer knows
	own        []dimension
	views      []View
	viewsOf    map[Metric][]View

	tenant        func(*http.Request) string
	contextTenant func(context.Context) string
	route         func(*http.Request) string
	ignored       map[string]bool
	requestID     []string // headers

	perRequest bool
	share      float64

	lambda lambdaConfig

	problems []error
}

// WithTenant records requests under the tenant that of returns, in the dimension named by
// emf.WithTenantDimension. A request with an empty tenant is in no view of tenants. The
// recorder in the request's context carries the tenant as well.
//
// It is asked before the handler, from the goroutine of the request: it can read headers,
// the host and a context that an outer handler has filled, but not path values. It must not
// trust what a client claims to be: every new value makes new metrics. If it panics the
// handler is not called: the request is recorded as failed, without tenant and unmatched,
// and the panic goes on.
//
// CloudWatch bills each tenant as four metrics more, and one more for requests.active.
func WithTenant(of func(*http.Request) string) Option {
	return func(c *config) {
		if of == nil {
			c.complain("WithTenant: the function is nil")
		}
		c.tenant = of
	}
}

// WithTenantHeader records requests under the tenant that a header names; see [WithTenant].
// Clients choose their headers: use one that a proxy sets or has verified.
func WithTenantHeader(name string) Option {
	key := http.CanonicalHeaderKey(name)
	return func(c *config) {
		if name == "" {
			c.complain("WithTenantHeader: no name")
			return
		}
		c.tenant = func(r *http.Request) string { return first(r.Header[key]) }
	}
}

// WithTenantFromContext records work under the tenant that of finds in its context, in every
// host; see [WithTenant]. A tenant found in the request itself goes before it.
func WithTenantFromContext(of func(context.Context) string) Option {
	return func(c *config) {
		if of == nil {
			c.complain("WithTenantFromContext: the function is nil")
		}
		c.contextTenant = of
	}
}

// WithRoute takes the routes of HTTP requests from of, for routers that do not set
// [http.Request].Pattern. It is asked when the handler has returned, with the request that the
// handler was given: put the observer where the router has seen it, as chi's Use and gorilla's
// Use do. It must return a pattern, never the path, because every new value makes new metrics;
// for an empty one the route is "unmatched".
func WithRoute(of func(*http.Request) string) Option {
	return func(c *config) {
		if of == nil {
			c.complain("WithRoute: the function is nil")
		}
		c.route = of
	}
}

// WithIgnoredRoutes leaves requests of these routes out, such as health checks: they are
// not recorded, but for requests.active while they last, not logged at their end, and have no
// documents. What their handlers record stays. Of invocations it is what [Lift] or
// [Observer.HTTP] inside say that tells the route.
func WithIgnoredRoutes(routes ...string) Option {
	return func(c *config) {
		for _, route := range routes {
			c.ignored[route] = true
		}
	}
}

// WithRequestIDHeader takes the ids of HTTP requests from the first of these headers that a
// request has. The default is X-Request-Id, then X-Amzn-RequestId. A request without one gets
// a random id where there is something to write it to: a log, a document of its own.
func WithRequestIDHeader(names ...string) Option {
	return func(c *config) {
		c.requestID = nil
		for _, name := range names {
			c.requestID = append(c.requestID, http.CanonicalHeaderKey(name))
		}
	}
}

// WithMetricName records a metric under another name; under an empty one it is left out.
func WithMetricName(m Metric, name string) Option {
	return func(c *config) {
		if !m.known() {
			c.complain("WithMetricName: no metric %q", m)
			return
		}
		c.names[m] = name
	}
}

// WithDimensionName publishes one of the dimensions that every observer knows under another
// name. Views still name it by its constant. The tenant dimension is named by
// emf.WithTenantDimension.
func WithDimensionName(dimension, name string) Option {
	return func(c *config) {
		if _, known := builtin[dimension]; !known || dimension == TenantDimension {
			c.complain("WithDimensionName: no dimension %q", dimension)
			return
		}
		c.dimensions[dimension] = name
	}
}

// WithDimensions adds dimensions of one value that views can name, such as the environment.
// Those of the emitter are in every view; these are in the views that name them, and in the
// default ones.
func WithDimensions(dims ...emf.Dimension) Option {
	return func(c *config) {
		for _, d := range dims {
			c.add(dimension{name: d.Name, kind: fixed, text: d.Value})
		}
	}
}

// WithDimension adds a dimension that views can name. Its value is asked for when a request
// has ended; it must be one of few, never what clients choose, because CloudWatch bills each
// as metrics of its own. It is in no default view.
func WithDimension(name string, of func(Request) string) Option {
	return func(c *config) {
		if of == nil {
			c.complain("WithDimension: the function for %q is nil", name)
			return
		}
		c.add(dimension{name: name, kind: asked, of: of})
	}
}

// WithViews publishes metrics under these views instead of {method, route} and {TenantID}.
// With emf.WithRollups the emitter's sets decide what is published, and views only say which
// dimensions requests have.
func WithViews(views ...View) Option {
	return func(c *config) {
		if len(views) == 0 {
			c.complain("WithViews: no views")
		}
		c.views = views
	}
}

// WithMetricViews publishes one metric under views of its own, see [WithViews]. Of those of
// [RequestsActive] only what is known when a request begins counts: the method, the tenant and
// the dimensions of [WithDimensions].
func WithMetricViews(m Metric, views ...View) Option {
	return func(c *config) {
		switch {
		case !m.known():
			c.complain("WithMetricViews: no metric %q", m)
		case len(views) == 0:
			c.complain("WithMetricViews: no views for %q", m)
		default:
			c.viewsOf[m] = views
		}
	}
}

// PerRequest writes one document for each request when it ends, an [emf.Event]: its metrics
// under all views, with path, request id, trace id, user agent and user as properties, and
// whatever handlers add with [emf.SetProperty]. What handlers record with [emf.FromContext] is
// in it too. The document is written before the handler's end is reported to the server; an
// error of the sink is the emitter's, and never the request's. For a sink that hangs requests
// wait two seconds at most, and then not at all until it answers: their documents stay with the
// emitter, within emf.WithMaxPending.
//
// Only requests.active is added up in memory all the same: it is not the request's.
func PerRequest() Option { return func(c *config) { c.perRequest = true } }

// WithSampling writes the documents of [PerRequest], and of [Lambda]'s invocations, for a share
// only, from 0 to 1, chosen at random, and for all that fail. The values of the others are added
// up in memory: metrics stay exact.
func WithSampling(share float64) Option {
	return func(c *config) {
		if !(share >= 0 && share <= 1) {
			c.complain("WithSampling: %v: from 0 to 1", share)
			return
		}
		c.share = share
	}
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
