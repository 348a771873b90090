package middleware

import "github.com/liftemf/liftemf/emf"

// DashboardPreset records what the two dashboards that Lift ships read: requests by
// environment, method, status and tenant, each metric under exactly the dimensions of the
// widgets, because CloudWatch shows a widget nothing else. The dashboards are for the
// environment production, and for an emitter with the namespace PayTheory/Lift whose own
// dimensions, see emf.WithDimensions, are none.
//
// It costs 14 metrics for 4 methods and 7 statuses, and 6 for each tenant. requests.active is
// left out: no widget reads it. Options given after it change what it says.
func DashboardPreset(environment string) Option {
	const env = "Environment"
	return func(c *config) {
		for _, opt := range []Option{
			WithDimensions(emf.Dim(env, environment)),
			WithMetricViews(RequestsTotal, View{env}, View{env, MethodDimension}, View{env, StatusDimension},
				View{env, TenantDimension}, View{TenantDimension}),
			WithMetricViews(RequestsErrors, View{env}, View{env, TenantDimension}, View{TenantDimension}),
			WithMetricViews(RequestsDuration, View{env}, View{env, TenantDimension}),
			WithMetricViews(ResponseSize, View{env, TenantDimension}),
			WithMetricName(RequestsActive, ""),
		} {
			opt(c)
		}
	}
}
