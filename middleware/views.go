package middleware

import (
	"slices"

	"github.com/liftemf/liftemf/emf"
)

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

// viewOf is a view as it is put to use.
type viewOf []dimension

// dimension is where the value of one comes from.
type dimension struct {
	name string // as published
	kind kind
	text string               // of a fixed one
	of   func(Request) string // of one that is asked for
}

type kind uint8

const (
	byMethod kind = iota
	byRoute
	byStatus
	byStatusClass
	byTenant
	fixed
	asked
)

func (d *dimension) value(req *Request) string {
	switch d.kind {
	case byMethod:
		return req.Method
	case byRoute:
		return req.Route
	case byStatus:
		return statusText(req.Status)
	case byStatusClass:
		return statusClass(req.Status)
	case byTenant:
		return req.TenantID
	case asked:
		return d.of(*req)
	}
	return d.text
}

// decides reports whether a request that lacks the dimension is not in the view.
func (d *dimension) decides() bool { return d.kind == byTenant || d.kind == asked }

// early reports whether the dimension is known when a request begins, in whatever host.
func (d *dimension) early() bool { return d.kind == byMethod || d.kind == byTenant || d.kind == fixed }

// recorder returns the recorder of a request in the view, nil if it is not in it. If the view
// is to hold it in any case, what is missing is left out.
func (v viewOf) recorder(root *emf.Recorder, req *Request, inAnyCase bool) *emf.Recorder {
	var room [8]emf.Dimension
	dims := room[:0]
	for i := range v {
		value := v[i].value(req)
		if value == "" {
			if v[i].decides() && !inAnyCase {
				return nil
			}
			continue
		}
		dims = append(dims, emf.Dim(v[i].name, value))
	}
	return root.With(dims...)
}

// group is metrics that have their views in common.
type group struct {
	views   []viewOf
	metrics []named
}

type named struct {
	metric Metric
	name   string
}

// recorders appends the recorders of a request's views, each once.
func (g *group) recorders(list []*emf.Recorder, root *emf.Recorder, req *Request) []*emf.Recorder {
	for _, v := range g.views {
		if r := v.recorder(root, req, false); r != nil && !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		list = append(list, g.views[0].recorder(root, req, true))
	}
	return list
}

// earlyOnly returns the views without what is not known when a request begins, each once.
func earlyOnly(views []viewOf) (all []viewOf) {
	for _, v := range views {
		v = slices.DeleteFunc(slices.Clone(v), func(d dimension) bool { return !d.early() })
		if !slices.ContainsFunc(all, func(other viewOf) bool { return sameNames(v, other) }) {
			all = append(all, v)
		}
	}
	return all
}

func sameNames(a, b viewOf) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(d dimension) bool {
		return !slices.ContainsFunc(b, func(other dimension) bool { return d.name == other.name })
	})
}

// all are the three-digit statuses, each where it can be cut out.
var all = func() string {
	digits := make([]byte, 0, 3*900)
	for s := 100; s < 1000; s++ {
		digits = append(digits, byte('0'+s/100), byte('0'+s/10%10), byte('0'+s%10))
	}
	return string(digits)
}()

const classes = "1xx2xx3xx4xx5xx6xx7xx8xx9xx"

// other stands for values that must not become one of a dimension's.
const other = "OTHER"

func statusText(status int) string {
	switch {
	case status == 0:
		return ""
	case status < 100 || status > 999:
		return other
	}
	return all[3*(status-100) : 3*(status-99)]
}

func statusClass(status int) string {
	switch {
	case status == 0:
		return ""
	case status < 100 || status > 999:
		return other
	}
	class := status / 100
	return classes[3*(class-1) : 3*class]
}
