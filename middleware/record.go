package middleware

import (
	"time"

	"github.com/liftemf/liftemf/emf"
)

// The names, as Lift's middleware has them.
const (
	requestsTotal    = "requests.total"
	requestsErrors   = "requests.errors"
	requestsDuration = "requests.duration"
	requestsActive   = "requests.active"
	responseSize     = "response.size"

	methodDimension = "method"
	routeDimension  = "route"
)

// outcome is what is known of a request at its end, whatever host it came through.
type outcome struct {
	method, route string
	failed        bool
	took          time.Duration
	size          int64 // of the response's body in bytes, -1 if there is none to speak of
}

// began counts a request in. The gauge is to be decreased when the request ends.
func began(base *emf.Recorder, method string) *emf.Gauge {
	active := base.With(emf.Dim(methodDimension, method)).Gauge(requestsActive, emf.Count)
	active.Inc()
	return active
}

// record records a request that has ended.
//
// The size of responses is a distribution. A gauge keeps the last value of an interval,
// which says nothing of the thousand before it; a histogram answers for their average,
// maximum and percentiles.
func (out *outcome) record(base *emf.Recorder) {
	r := base.With(emf.Dim(methodDimension, out.method), emf.Dim(routeDimension, out.route))
	r.Counter(requestsTotal).Inc()
	if out.failed {
		r.Counter(requestsErrors).Inc()
	}
	r.Histogram(requestsDuration, emf.Milliseconds).Observe(float64(out.took) / float64(time.Millisecond))
	if out.size >= 0 {
		r.Histogram(responseSize, emf.Bytes).Observe(float64(out.size))
	}
}
