package middleware

import (
	"slices"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/hook"
)

// compile puts to use what the options say.
func (o *Observer) compile() {
	o.checkNames()
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
	o.members = make(map[string]occasion)
	var total []dimensions
	for _, m := range metrics {
		name := o.nameOf(m)
		if name == "" {
			continue
		}
		views := common
		switch own := o.viewsOf[m]; {
		case own != nil:
			views = o.compileViews(own, rollups)
		case m == RequestsTimeouts && total != nil:
			views = total // a group of its own would cost HTTP requests time, which have none
		}
		if m == RequestsTotal {
			total = views
		}
		if m == RequestsActive {
			o.active = newGroup(earlyOnly(views))
			o.active.add(m, name)
			continue
		}
		o.groupOf(views).add(m, name)
		for _, d := range slices.Concat(views...) {
			o.members[d.name] |= m.occasion()
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
				o.complain("view %q: no dimension %q of the observer's; those of the emitter are in every view", []string(v), name)
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
	if name == o.published(TenantDimension) {
		name = TenantDimension
	}
	k, known := builtin[name]
	return dimension{name: o.published(name), kind: k}, known
}

// published returns the name that a dimension every observer knows is published under.
func (o *Observer) published(name string) string {
	if name == TenantDimension && o.emitter != nil {
		return o.emitter.TenantDimension()
	}
	if renamed := o.dimensions[name]; renamed != "" {
		return renamed
	}
	return name
}

// nameOf returns the name that a metric is published under, empty if it is left out.
func (o *Observer) nameOf(m Metric) string {
	if name, renamed := o.names[m]; renamed {
		return name
	}
	return string(m)
}

// checkNames takes back names that would be used twice: a document could carry one of the two.
func (o *Observer) checkNames() {
	tenant := o.published(TenantDimension)
	used := map[string]bool{tenant: true}
	for _, d := range o.own {
		used[d.name] = true
	}
	if named := func(d dimension) bool { return d.name == tenant }; slices.ContainsFunc(o.own, named) {
		o.complain("a dimension of your own cannot be named %q: that is the tenant's", tenant)
		o.own = slices.DeleteFunc(o.own, named)
	}
	known := []string{MethodDimension, RouteDimension, StatusDimension, StatusClassDimension}
	for i, d := range known {
		same := func(other string) bool { return o.published(other) == o.published(d) }
		if used[o.published(d)] || slices.ContainsFunc(known[:i], same) || slices.ContainsFunc(known[i+1:], same) {
			o.complain("WithDimensionName: two dimensions are named %q", o.published(d))
			clear(o.dimensions)
		}
	}
	for _, d := range known {
		used[o.published(d)] = true
	}
	for i, m := range metrics {
		name := o.nameOf(m)
		same := func(other Metric) bool { return o.nameOf(other) == name }
		switch {
		case name == "":
		case used[name]:
			o.complain("WithMetricName: the metric %q is named %q, like a dimension", m, name)
			delete(o.names, m)
		case slices.ContainsFunc(metrics[:i], same), slices.ContainsFunc(metrics[i+1:], same):
			o.complain("WithMetricName: two metrics are named %q", name)
			clear(o.names)
		}
	}
}
