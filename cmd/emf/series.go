package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/liftemf/liftemf/emf"
)

// series is what CloudWatch would hold of a metric in one unit: it keeps units apart.
type series struct {
	metric     *metric
	unit       emf.Unit
	samples    float64
	sum        float64
	min, max   float64
	quantiles  quantiles
	noQuantile bool // CloudWatch has none: a statistic set, or a negative value, is in it
}

// metric is what is paid for: a namespace, a name and dimensions, in any order.
type metric struct {
	namespace, name string
	dimensions      []emf.Dimension // by name
	hours           hours
}

// collection is all metrics of a log. What it takes of memory grows with their number and not
// with the log: from 1 kB for few different values to at most 45 kB each.
type collection struct {
	metrics     map[string]*metric
	series      map[string]*series
	first, last time.Time // of documents
	key         []byte
	sorted      []emf.Dimension
}

func newCollection() *collection {
	return &collection{metrics: make(map[string]*metric), series: make(map[string]*series)}
}

// seen notes the time of a document.
func (c *collection) seen(at time.Time) {
	if c.first.IsZero() || at.Before(c.first) {
		c.first = at
	}
	if at.After(c.last) {
		c.last = at
	}
}

// add adds what a document says of a metric.
func (c *collection) add(m *emf.Metric) {
	c.seen(m.Time)
	if valuesIn(m) == 0 { // counted as zero: CloudWatch has nothing to hold
		return
	}
	s := c.find(m)
	s.metric.hours.add(m.Time.Unix() / 3600)
	for i, v := range m.Values {
		count := 1.0
		if m.Counts != nil {
			count = m.Counts[i]
		}
		if count == 0 {
			continue
		}
		s.quantiles.add(v, count)
		s.noQuantile = s.noQuantile || v < 0
		if m.Stats == nil {
			s.observe(v, v, v*count, count)
		}
	}
	if stats := m.Stats; stats != nil {
		s.observe(stats.Min, stats.Max, stats.Sum, stats.Count)
		if m.Values == nil {
			if stats.Min == stats.Max && stats.Sum == stats.Min*stats.Count { // all values are the same
				s.quantiles.add(stats.Min, stats.Count)
			} else {
				s.noQuantile = true
			}
			s.noQuantile = s.noQuantile || stats.Min < 0
		}
	}
}

func (s *series) observe(least, most, sum, count float64) {
	if s.samples == 0 {
		s.min, s.max = least, most
	}
	s.min, s.max = min(s.min, least), max(s.max, most)
	s.sum += sum
	s.samples += count
}

// find returns the series of a metric, made if there is none.
func (c *collection) find(m *emf.Metric) *series {
	dimensions := m.Dimensions
	if byName := func(a, b emf.Dimension) int { return cmp.Compare(a.Name, b.Name) }; !slices.IsSortedFunc(dimensions, byName) {
		c.sorted = append(c.sorted[:0], dimensions...) // what Extract returns is shared
		slices.SortFunc(c.sorted, byName)
		dimensions = c.sorted
	}
	// The name comes last: of the parts only it may hold NUL.
	c.key = append(append(c.key[:0], m.Namespace...), 0)
	for _, d := range dimensions {
		c.key = append(append(append(append(c.key, d.Name...), 0), d.Value...), 0)
	}
	c.key = append(append(c.key, 0), m.Name...)
	end := len(c.key)
	c.key = append(append(c.key, 0), m.Unit...)
	if s := c.series[string(c.key)]; s != nil {
		return s
	}
	id := string(c.key[:end])
	owner := c.metrics[id]
	if owner == nil {
		owner = newMetric(id)
		c.metrics[id] = owner
	}
	s := &series{metric: owner, unit: emf.Unit(strings.Clone(string(m.Unit)))}
	c.series[string(c.key)] = s
	return s
}

// newMetric makes a metric of its key, whose parts it shares.
func newMetric(key string) *metric {
	m := new(metric)
	m.namespace, key, _ = strings.Cut(key, "\x00")
	for {
		var d emf.Dimension
		if d.Name, key, _ = strings.Cut(key, "\x00"); d.Name == "" {
			m.name = key
			return m
		}
		d.Value, key, _ = strings.Cut(key, "\x00")
		m.dimensions = append(m.dimensions, d)
	}
}

// sortedSeries returns all series by namespace, name, dimensions and unit.
func (c *collection) sortedSeries() []*series {
	all := make([]*series, 0, len(c.series))
	for _, s := range c.series {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *series) int {
		return cmp.Or(
			cmp.Compare(a.metric.namespace, b.metric.namespace),
			cmp.Compare(a.metric.name, b.metric.name),
			slices.CompareFunc(a.metric.dimensions, b.metric.dimensions, func(a, b emf.Dimension) int {
				return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
			}),
			cmp.Compare(a.unit, b.unit))
	})
	return all
}
