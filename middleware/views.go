package middleware

// Metric is one of the metrics that an [Observer] records, by its default name.
type Metric string

// The metrics, by the names that Lift's middleware has for them.
const (
	RequestsTotal    Metric = "requests.total"    // counter, Count: requests that have ended
	RequestsErrors   Metric = "requests.errors"   // counter, Count: of these, those that failed
	RequestsDuration Metric = "requests.duration" // histogram, Milliseconds
	RequestsActive   Metric = "requests.active"   // gauge, Count: requests that have not ended yet
	ResponseSize     Metric = "response.size"     // histogram, Bytes
)

// occasion is when a document has a metric.
type occasion uint8

const (
	always occasion = 1 << iota
	ifFailed
	ifSized
	ifLate
)

func (m Metric) occasion() occasion {
	switch m {
	case RequestsErrors:
		return ifFailed
	case ResponseSize:
		return ifSized
	case RequestsTimeouts:
		return ifLate
	}
	return always
}

// occasion tells which metrics a unit's document has.
func (s *sample) occasion() occasion {
	on := always
	if s.failed {
		on |= ifFailed
	}
	if s.bytes >= 0 {
		on |= ifSized
	}
	return on
}

// The dimensions that an [Observer] knows, by their default names.
const (
	MethodDimension      = "method"
	RouteDimension       = "route"
	StatusDimension      = "status"       // "200"
	StatusClassDimension = "status_class" // "2xx"
	// TenantDimension stands for the tenant dimension, whatever emf.WithTenantDimension has
	// named it.
	TenantDimension = "TenantID"
)

// View is a set of dimensions that metrics are published under, beside the emitter's own:
// [MethodDimension], [RouteDimension], [StatusDimension], [StatusClassDimension],
// [TenantDimension] and those of [WithDimensions] and [WithDimension], by name. The empty view
// is everything together.
//
// Values are added up for each view, so that views cost the sum of their sizes: CloudWatch
// bills a metric for each combination of values that occurs in a view.
//
// A request without a tenant, or without a value of a dimension of WithDimension, is not in
// the views that have that dimension. A method, route or status that a host does not know is
// left out of the set. A metric of a request that would then be in no view at all is in the
// first one, without what is missing: no value is lost.
type View []string
