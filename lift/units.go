package lift

import "github.com/liftemf/liftemf/emf"

// builtinUnits says which units the names that Lift's middlewares record have: their
// interfaces carry none. Names that begin with a dot or underscore are suffixes. What is
// not here has no unit.
var builtinUnits = map[string]emf.Unit{
	".duration":          emf.Milliseconds,
	"_duration":          emf.Milliseconds, // bulkhead.execution_duration, lambda_request_duration
	".latency":           emf.Milliseconds,
	"_latency":           emf.Milliseconds,
	".delay":             emf.Milliseconds,
	"_delay":             emf.Milliseconds,
	".wait_time":         emf.Milliseconds,
	"_wait_time":         emf.Milliseconds,
	"_ms":                emf.Milliseconds,
	"timeout.configured": emf.Milliseconds,

	"websocket.latency": emf.Seconds, // its middleware alone records seconds
	"_seconds":          emf.Seconds,

	".size": emf.Bytes,
	"_mb":   emf.Megabytes,

	"requests.active":               emf.Count,
	"websocket.connections.active":  emf.Count,
	"websocket.connections.total":   emf.Count,
	"load_shedding.active_requests": emf.Count,
	".count":                        emf.Count,
	"_count":                        emf.Count,

	".state":       emf.None,
	".ratio":       emf.None,
	".rate":        emf.None,
	"_rate":        emf.None,
	".utilization": emf.None,
}

// units are the units known by name or suffix.
type units struct{ own, builtin map[string]emf.Unit }

// of returns the unit known for a name, None if there is none. The whole name comes
// before suffixes and a longer suffix before a shorter one; of the same, what was
// registered comes before what is built in.
func (u units) of(name string) emf.Unit {
	if unit, ok := u.at(name); ok {
		return unit
	}
	for i := range len(name) {
		if isSuffix(name[i:]) {
			if unit, ok := u.at(name[i:]); ok {
				return unit
			}
		}
	}
	return emf.None
}

func (u units) at(key string) (unit emf.Unit, ok bool) {
	if unit, ok = u.own[key]; !ok {
		unit, ok = u.builtin[key]
	}
	return unit, ok
}

func isSuffix(s string) bool { return s[0] == '.' || s[0] == '_' }

// declaration is how the histogram or gauge of a name is declared.
type declaration struct {
	options []emf.MetricOption
	delta   bool // a gauge of that name is a sum of changes
}

// declared returns the declaration for a name. Callers look metrics up for every value,
// so it is worked out once.
func (s *shared) declared(name string) *declaration {
	if d, ok := s.declarations.get(name); ok {
		return d
	}
	d := &declaration{delta: s.deltas[name]}
	// None is the default of a metric and is not asked for, so that a name declared
	// elsewhere with a unit goes on with it.
	if unit := s.units.of(name); unit != emf.None && unit != "" {
		d.options = []emf.MetricOption{unit}
	}
	return s.declarations.put(name, d)
}
