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
//	requests.duration  histogram, Milliseconds  from the call of the handler to its end
//	response.size      histogram, Bytes         bytes of the body, as the handler wrote it
//	requests.active    gauge, Count             requests that have not ended yet
//
// All are under the dimension "method", all but requests.active also under "route", the
// pattern that matched: a route is known only once the router has seen the request. Neither
// dimension takes text from clients. With [WithTenant] everything has the tenant dimension
// too. As any gauge, requests.active is in the documents of intervals in which it changed.
package middleware
