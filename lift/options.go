package lift

import (
	"slices"
	"time"

	"github.com/liftemf/liftemf/emf"
)

// Option is a setting of [NewCollector].
type Option func(*shared)

// defaultTimeout is enough for a slow network, and less than container platforms leave a
// process that they stop.
const defaultTimeout = 10 * time.Second

// shared is what a collector and its copies have in common.
type shared struct {
	emitter *emf.Emitter // may be nil
	timeout time.Duration
	aliases aliases
	units   units
	deltas  map[string]bool

	shapes       shapes
	declarations cache[declaration]
	operations   cache[operation]
	delivery     delivery
}

func newShared(e *emf.Emitter, opts []Option) *shared {
	tenant := "TenantID"
	if e != nil {
		tenant = e.TenantDimension()
	}
	s := &shared{
		emitter: e,
		timeout: defaultTimeout,
		aliases: aliases{{"tenant_id", tenant}},
		units:   units{own: map[string]emf.Unit{}, builtin: builtinUnits},
		deltas:  map[string]bool{},
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	return s
}

// WithTimeout bounds each Flush, Close and RecordBatch, which have no context: after d
// they return, even if the sink does not. The default is 10 s; with d <= 0 there is no
// bound.
func WithTimeout(d time.Duration) Option {
	return func(s *shared) { s.timeout = d }
}

// WithTagAlias gives the tag from the dimension name to. Where both names are tags in one
// map, the one called to wins; of two aliases to one name, the one given first. An alias
// for the same tag replaces the one before, and one to "" or to the tag's own name
// removes it.
//
// By default tenant_id becomes the emitter's tenant dimension, TenantID unless
// [emf.WithTenantDimension] says otherwise: Lift's middlewares use that tag for what its
// WithTenant and its dashboards call TenantID, and CloudWatch shows a widget nothing but
// metrics with exactly its dimensions.
func WithTagAlias(from, to string) Option {
	return func(s *shared) {
		s.aliases = slices.DeleteFunc(s.aliases, func(a alias) bool { return a.from == from })
		if to != "" && to != from {
			s.aliases = append(s.aliases, alias{from, to})
		}
	}
}

// WithUnit says in which unit the histograms and gauges of a name are recorded: Lift's
// interfaces carry no unit. What begins with a dot or an underscore is a suffix: ".price"
// means every name that ends so. The whole name comes before suffixes and a longer suffix
// before a shorter one. A unit that CloudWatch does not know is reported by the emitter
// and recorded as None. Counters are always in Count.
//
// Known without it are the names of Lift's middlewares: Milliseconds for .duration,
// .latency, .delay, .wait_time, the same with an underscore, _ms and timeout.configured;
// Seconds for _seconds and websocket.latency; Bytes for .size; Megabytes for _mb; Count
// for .count, _count, requests.active, websocket.connections.active,
// websocket.connections.total and load_shedding.active_requests. Others have no unit.
func WithUnit(nameOrSuffix string, unit emf.Unit) Option {
	return func(s *shared) { s.units.own[nameOrSuffix] = unit }
}

// WithDeltaGauges makes the gauges of these names sums of changes: Inc, Dec and Add are
// added up, and the statistic Sum shows the net change over time. Set cannot know what the
// value was before: it counts its argument as a change, like Add, and so does all that
// records these names without a handle: [Collector.RecordGauge], [Collector.RecordMetric]
// and [Collector.RecordBatch]. Their unit is Count, whatever unit is given.
//
// It is for values that one process raises and another lowers, such as the
// websocket.connections.active of Lift's middleware, whose connects and disconnects come
// to different Lambda sandboxes under different tags. A gauge would show what each
// sandbox has seen of it.
func WithDeltaGauges(names ...string) Option {
	return func(s *shared) {
		for _, name := range names {
			s.deltas[name] = true
		}
	}
}
