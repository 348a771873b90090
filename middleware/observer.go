package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/hook"
)

// Observer records metrics of requests, and with a logger logs them. It is safe for concurrent
// use; one observer may stand before any number of handlers. A nil Observer, and one of a nil
// emitter and no logger, lets requests pass untouched.
type Observer struct {
	config
	emitter *emf.Emitter
	root    *emf.Recorder
	logger  *slog.Logger // nil: nothing is logged

	groups []*group
	active *group // of requests.active; nil: left out
	// published are the names of dimensions in documents: no property can have them.
	published map[string]bool
}

// MetricsOnly returns an observer that records metrics with e, see the package's
// documentation for their names.
func MetricsOnly(e *emf.Emitter, opts ...Option) *Observer { return Observability(e, nil, opts...) }

// Observability returns an observer that records metrics with e, as [MetricsOnly] does, and
// logs requests with logger: their beginning at level debug, their end at info, and at error
// if they failed. Records carry request_id, tenant_id, trace_id, user_id, method, route, path,
// status and duration as far as they are known, and never bodies, queries, headers or
// credentials. A nil logger logs nothing. Do not log to standard output in a text format if
// documents go there too.
func Observability(e *emf.Emitter, logger *slog.Logger, opts ...Option) *Observer {
	o := &Observer{logger: logger, config: config{
		names:      make(map[Metric]string),
		dimensions: make(map[string]string),
		viewsOf:    make(map[Metric][]View),
		ignored:    make(map[string]bool),
		requestID:  []string{"X-Request-Id", "X-Amzn-Requestid"},
		share:      1,
		lambda:     lambdaDefaults,
	}}
	if e != nil && e.Recorder != nil {
		o.emitter, o.root = e, e.Recorder
	}
	for _, opt := range opts {
		if opt != nil {
			opt(&o.config)
		}
	}
	o.compile()
	if err := o.Err(); err != nil {
		slog.New(slog.NewTextHandler(os.Stderr, nil)).Warn("emf middleware: options that are left out", "error", err)
	}
	return o
}

// Err returns what is wrong with the observer's options, nil if nothing is.
func (o *Observer) Err() error {
	if o == nil {
		return nil
	}
	return errors.Join(o.problems...)
}

func (o *Observer) idle() bool { return o == nil || o.root == nil && o.logger == nil }

// tells reports whether ids of requests are of use: there is a log or a document to have them.
func (o *Observer) tells() bool { return o.logger != nil || o.perRequest }

func (c *config) complain(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf(format, args...))
}

func (c *config) add(d dimension) {
	_, known := builtin[d.name]
	if known || d.name == "" || slices.ContainsFunc(c.own, func(other dimension) bool { return other.name == d.name }) {
		c.complain("a dimension of your own cannot be named %q: the name is empty or taken", d.name)
		return
	}
	c.own = append(c.own, d)
}

var metrics = []Metric{RequestsTotal, RequestsErrors, RequestsDuration, ResponseSize, RequestsActive, RequestsTimeouts}

func (m Metric) known() bool { return slices.Contains(metrics, m) }

// compile puts to use what the options say.
func (o *Observer) compile() {
	standard := o.views
	if standard == nil {
		standard = []View{{MethodDimension, RouteDimension}, {TenantDimension}}
		for _, d := range o.own {
			if d.kind == fixed {
				standard[0] = append(standard[0], d.name)
				standard[1] = append(standard[1], d.name)
			}
		}
	}
	rollups := hook.HasRollups.(func(*emf.Emitter) bool)(o.emitter)
	common := o.compileViews(standard, rollups)
	o.published = make(map[string]bool)
	for _, m := range metrics {
		name, renamed := o.names[m]
		if !renamed {
			name = string(m)
		}
		if name == "" {
			continue
		}
		views := common
		if own := o.viewsOf[m]; own != nil {
			views = o.compileViews(own, rollups)
		}
		if m == RequestsActive {
			o.active = newGroup(earlyOnly(views))
			o.active.add(m, name)
			continue
		}
		o.groupOf(views).add(m, name)
		for _, d := range slices.Concat(views...) {
			o.published[d.name] = true
		}
	}
}

// groupOf returns the group that has these views.
func (o *Observer) groupOf(views []dimensions) *group {
	same := func(v *view, dims dimensions) bool { return v.same(dims) }
	for _, g := range o.groups {
		if slices.EqualFunc(g.views, views, same) {
			return g
		}
	}
	g := newGroup(views)
	o.groups = append(o.groups, g)
	return g
}

// compileViews finds the dimensions that views name. There is at least one view in the result;
// if the emitter makes the sets it is one with all of them.
func (o *Observer) compileViews(views []View, rollups bool) (compiled []dimensions) {
	for _, v := range views {
		var c dimensions
		for _, name := range v {
			d, ok := o.dimension(name)
			switch {
			case !ok:
				o.complain("view %q: no dimension %q", []string(v), name)
			case c.has(d.name):
				o.complain("view %q: %q twice", []string(v), name)
			default:
				c = append(c, d)
			}
		}
		if slices.ContainsFunc(compiled, c.same) {
			o.complain("view %q comes twice", []string(v))
			continue
		}
		if len(compiled) == maxViews {
			o.complain("view %q: more than %d views", []string(v), maxViews)
			break
		}
		compiled = append(compiled, c)
	}
	switch {
	case compiled == nil:
		return []dimensions{nil}
	case rollups:
		var union dimensions
		for _, d := range slices.Concat(compiled...) {
			if !union.has(d.name) {
				union = append(union, d)
			}
		}
		return []dimensions{union}
	}
	return compiled
}

// dimension finds the dimension that a view names.
func (o *Observer) dimension(name string) (dimension, bool) {
	if i := slices.IndexFunc(o.own, func(d dimension) bool { return d.name == name }); i >= 0 {
		return o.own[i], true
	}
	tenant := TenantDimension
	if o.emitter != nil {
		tenant = o.emitter.TenantDimension()
	}
	if name == tenant {
		name = TenantDimension
	}
	k, known := builtin[name]
	if !known {
		return dimension{}, false
	}
	d := dimension{name: name, kind: k}
	if k == byTenant {
		d.name = tenant
	} else if renamed := o.dimensions[name]; renamed != "" {
		d.name = renamed
	}
	return d, true
}
