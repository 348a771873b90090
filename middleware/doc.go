// Package middleware observes requests: it records how many there are, how long they
// take, how many fail and how much they send, as metrics of an [emf.Emitter].
//
//	observer := middleware.MetricsOnly(metrics)
//	http.ListenAndServe(":8080", observer.HTTP(mux))
//
// Metrics are recorded in memory, and leave with the emitter's flushes:
//
//	requests.total     counter                  requests that have ended
//	requests.errors    counter                  of these, those that failed: status 5xx, panics
//	requests.duration  histogram, Milliseconds  until the handler has returned
//	response.size      histogram, Bytes         bytes of the body, as the handler wrote it
//	requests.active    gauge, Count             requests that have not ended yet
//
// They are published under two views, sets of dimensions beside the emitter's own: {method,
// route} and {TenantID}. The route is the pattern that matched; neither it nor the method takes
// text from clients. A request without a tenant is not in the second view. Of requests.active,
// which begins when the route is not known yet, the first view is {method}. As any gauge it is
// in the documents of intervals in which it changed.
//
// Values are added up for each view, so that the views cost the sum of their metrics and not
// the product: four for every method and route that occur together, and four for every tenant,
// beside requests.active. [WithViews] and [WithMetricViews] choose others.
//
// With [PerRequest] each request has a document of its own, and with [Observability] it is
// logged.
//
// [Lambda] observes invocations of a Lambda function, each in a document of its own.
package middleware
