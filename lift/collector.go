package lift

import (
	"github.com/liftemf/liftemf/emf"
)

var (
	_ MetricsCollector       = (*Collector)(nil)
	_ ObservabilityCollector = (*Collector)(nil)
)

// Collector is an [emf.Emitter] behind Lift's collector interfaces. It records under the
// emitter's dimensions and its own, which it has from [Collector.WithTags] and its like;
// those calls return copies that share everything else. It is safe for concurrent use. A
// nil or zero Collector discards what it is given.
//
// Tags are dimensions. They are read before a call returns, never kept, and a map is put
// in the order of its keys, so that equal tags give equal documents. Of several maps, and
// of a tag that the collector or emitter has already, the last value wins; a tag with an
// empty value is left out. See [emf.Recorder.With] for other values CloudWatch would not
// take, and [WithTagAlias] for tags that get another name.
//
// A name is one kind of metric with one unit under one set of dimensions: what is
// recorded under it as another kind or with another unit is dropped and counted, see
// [emf.Recorder.Counter].
type Collector struct {
	recorder *emf.Recorder
	shared   *shared

	parent *Collector      // nil: made by NewCollector
	dims   []emf.Dimension // beside the parent's
	tenant string          // beside those
}

// NewCollector returns the collector in front of e, and its owner: closing it closes e.
// With a nil or zero e, what is recorded is discarded.
func NewCollector(e *emf.Emitter, opts ...Option) *Collector {
	if e == nil || e.Recorder == nil {
		return &Collector{shared: newShared(nil, opts)}
	}
	return &Collector{recorder: e.Recorder, shared: newShared(e, opts)}
}

// nothing is what collectors share that nobody made.
var nothing = newShared(nil, nil)

func (c *Collector) common() *shared {
	if c == nil || c.shared == nil {
		return nothing
	}
	return c.shared
}

func (c *Collector) root() *emf.Recorder {
	if c == nil {
		return nil
	}
	return c.recorder
}

// Counter returns the counter of that name and tags, as a *[emf.Counter]. Its unit is
// Count. To look up one that exists takes no lock, and allocates nothing with up to eight
// tags of which CloudWatch takes every name and value as it is.
func (c *Collector) Counter(name string, tags ...map[string]string) Counter {
	return c.tagged(tags).Counter(name)
}

// Histogram returns the histogram of that name and tags, as a *[emf.Histogram]. Its unit
// is the one known for the name, see [WithUnit], or None.
func (c *Collector) Histogram(name string, tags ...map[string]string) Histogram {
	return c.tagged(tags).Histogram(name, c.common().declared(name).options...)
}

// Gauge returns the gauge of that name and tags, as a *[emf.Gauge] unless the name was
// given to [WithDeltaGauges]. Its unit is the one known for the name, see [WithUnit], or
// None. A document carries the last value, so Inc, Dec and Add move a value that belongs
// to this process.
func (c *Collector) Gauge(name string, tags ...map[string]string) Gauge {
	d := c.common().declared(name)
	if d.delta {
		return deltaGauge{c.tagged(tags).Counter(name)}
	}
	return c.tagged(tags).Gauge(name, d.options...)
}

// WithTags returns a collector that records under these dimensions beside its own.
func (c *Collector) WithTags(tags map[string]string) ObservabilityCollector {
	return c.WithDimensions(tags)
}

// WithTag returns a collector that records under this dimension beside its own. With an
// empty value it records as c does.
func (c *Collector) WithTag(key, value string) ObservabilityCollector {
	return c.WithDimensions(map[string]string{key: value})
}

// WithDimensions is [Collector.WithTags], for callers who go on with a *Collector.
func (c *Collector) WithDimensions(dims map[string]string) *Collector {
	own := c.common().aliases.appendTags(make([]emf.Dimension, 0, len(dims)), dims)
	return &Collector{recorder: c.root().With(own...), shared: c.common(), parent: c, dims: own}
}

// WithTenant returns a collector that records under the emitter's tenant dimension, see
// [emf.WithTenantDimension], beside its own. With an empty id it records as c does.
func (c *Collector) WithTenant(id string) *Collector {
	return &Collector{recorder: c.root().WithTenant(id), shared: c.common(), parent: c, tenant: id}
}

// tagged returns the recorder for tags.
func (c *Collector) tagged(tags []map[string]string) *emf.Recorder {
	if len(tags) == 0 {
		return c.root()
	}
	// More tags than usual move to the heap.
	var room [8]emf.Dimension
	dims := c.common().shapes.appendTags(c.common().aliases, room[:0], tags[0])
	for _, m := range tags[1:] {
		dims = c.common().aliases.appendTags(dims, m)
	}
	return c.root().With(dims...)
}

// under returns the recorder that has the collector's dimensions beside those of r: its
// own recorder, but in an event.
func (c *Collector) under(r *emf.Recorder) *emf.Recorder {
	if c.parent == nil {
		return r
	}
	return c.parent.under(r).With(c.dims...).WithTenant(c.tenant)
}
