package middleware

import "net/http"

// Option is a setting of an [Observer].
type Option func(*Observer)

type tenantFunc func(*http.Request) string

// WithTenant records requests under the tenant that of returns, in the dimension named by
// emf.WithTenantDimension. An empty tenant adds no dimension. The recorder in the request's
// context carries the tenant as well.
//
// It is asked before the handler, from the goroutine of the request: it can read headers,
// the host and a context that an outer handler has filled, but not path values. It must not
// trust what a client claims to be: every new value makes new metrics. If it panics the
// handler is not called: the request is recorded as failed, without tenant and unmatched,
// and the panic goes on.
//
// Tenants multiply. CloudWatch bills each combination of dimension values as a metric of
// its own: four for every method and route that are used together, one more for every
// method, and with this option all of that again for every tenant.
func WithTenant(of func(*http.Request) string) Option {
	return func(o *Observer) { o.tenant = of }
}
