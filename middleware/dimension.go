package middleware

import (
	"slices"
	"strings"

	"github.com/liftemf/liftemf/emf"
)

// dimension is where the value of one comes from.
type dimension struct {
	name string // as published
	kind kind
	text string               // of a fixed one
	of   func(Request) string // of one that is asked for
}

type kind uint8

const (
	byMethod kind = 1 << iota
	byRoute
	byStatus
	byStatusClass
	byTenant
	fixed
	asked
)

// builtin are the dimensions that every observer knows.
var builtin = map[string]kind{
	MethodDimension:      byMethod,
	RouteDimension:       byRoute,
	StatusDimension:      byStatus,
	StatusClassDimension: byStatusClass,
	TenantDimension:      byTenant,
}

const (
	// deciding are those without whose value a request is not in the view.
	deciding = byTenant | asked
	// early are those that are known when a request begins, in whatever host.
	early = byMethod | byTenant | fixed
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

// dimensions are a view's.
type dimensions []dimension

// kinds are those that occur.
func (ds dimensions) kinds() (all kind) {
	for i := range ds {
		all |= ds[i].kind
	}
	return all
}

func (ds dimensions) has(name string) bool {
	return slices.ContainsFunc(ds, func(d dimension) bool { return d.name == name })
}

func (ds dimensions) same(other dimensions) bool {
	return len(ds) == len(other) && !slices.ContainsFunc(ds, func(d dimension) bool { return !other.has(d.name) })
}

// recorder returns the recorder of a request, nil if it is not in the view. If the view is to
// hold it in any case, what is missing is left out.
func (ds dimensions) recorder(root *emf.Recorder, req *Request, inAnyCase bool) *emf.Recorder {
	var room [8]emf.Dimension
	dims := room[:0]
	for i := range ds {
		value := ds[i].value(req)
		switch {
		case !isBlank(value):
			dims = append(dims, emf.Dim(ds[i].name, value))
		case ds[i].kind&deciding != 0 && !inAnyCase:
			return nil
		}
	}
	return root.With(dims...)
}

// isBlank reports whether a value makes no dimension.
func isBlank(value string) bool {
	return value == "" || value[0] == ' ' && strings.Trim(value, " ") == ""
}

// earlyOnly returns views without what is not known when a request begins, each once.
func earlyOnly(views []dimensions) (all []dimensions) {
	for _, v := range views {
		v = slices.DeleteFunc(slices.Clone(v), func(d dimension) bool { return d.kind&early == 0 })
		if !slices.ContainsFunc(all, v.same) {
			all = append(all, v)
		}
	}
	return all
}
