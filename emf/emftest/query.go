package emftest

import (
	"cmp"
	"math"
	"slices"

	"github.com/liftemf/liftemf/emf"
)

// Exactly returns the same capture whose Sum, Count, Min, Max and Quantile look at the
// metrics that carry exactly the dimensions asked for. Under [emf.WithRollups] a value is in
// several metrics, and this tells them apart.
func (c *Capture) Exactly() *Capture {
	exact := *c
	exact.exact = true
	return &exact
}

// Sum is the sum of all values of a metric, over the metrics of that name that carry at least
// these dimensions. Of a document that publishes a value under several dimension sets it is
// counted once. A metric that was not recorded fails the test.
func (c *Capture) Sum(name string, dims ...emf.Dimension) (sum float64) {
	c.t.Helper()
	for _, s := range c.samples("Sum", name, dims) {
		sum += s.sum
	}
	return sum
}

// Count is how many values a metric has in CloudWatch, where it is called SampleCount, over
// the metrics that Sum would look at. A counter and a gauge have one a document. It is 0 for a
// metric that was not recorded.
func (c *Capture) Count(name string, dims ...emf.Dimension) (count float64) {
	c.t.Helper()
	for _, s := range c.find(name, dims) {
		count += s.count
	}
	return count
}

// Min is the smallest value of a metric, over the metrics that Sum would look at. A metric
// that was not recorded fails the test; it is NaN then.
func (c *Capture) Min(name string, dims ...emf.Dimension) float64 {
	c.t.Helper()
	smallest := math.NaN()
	for i, s := range c.samples("Min", name, dims) {
		if i == 0 || s.min < smallest {
			smallest = s.min
		}
	}
	return smallest
}

// Max is the largest value of a metric, over the metrics that Sum would look at. A metric
// that was not recorded fails the test; it is NaN then.
func (c *Capture) Max(name string, dims ...emf.Dimension) float64 {
	c.t.Helper()
	largest := math.NaN()
	for i, s := range c.samples("Max", name, dims) {
		if i == 0 || s.max > largest {
			largest = s.max
		}
	}
	return largest
}

// Quantile is the smallest value of a metric that is not exceeded by a share q, from 0 to 1,
// of its values, over the metrics that Sum would look at. A metric that was not recorded, or
// only as a statistic set, fails the test; it is NaN then.
func (c *Capture) Quantile(q float64, name string, dims ...emf.Dimension) float64 {
	c.t.Helper()
	var values []weighted
	var total float64
	for _, s := range c.samples("Quantile", name, dims) {
		if s.values == nil {
			c.t.Errorf("emftest: Quantile(%s): a statistic set has no values", query(name, dims))
			return math.NaN()
		}
		values = append(values, s.values...)
		total += s.count
	}
	if len(values) == 0 {
		return math.NaN()
	}
	slices.SortFunc(values, func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	rank := math.Ceil(q * total)
	for _, v := range values {
		if rank -= v.count; rank <= 0 {
			return v.value
		}
	}
	return values[len(values)-1].value
}

type weighted struct{ value, count float64 }

// sample is what a document says of a metric.
type sample struct {
	sum, count, min, max float64
	values               []weighted // nil: only a statistic set
}

// samples is find for a metric that must be there.
func (c *Capture) samples(method, name string, dims []emf.Dimension) []sample {
	c.t.Helper()
	found := c.find(name, dims)
	if len(found) == 0 {
		c.t.Errorf("emftest: %s(%s): no such metric; %s", method, query(name, dims), c.nearest(name, dims))
	}
	return found
}

func (c *Capture) find(name string, dims []emf.Dimension) (found []sample) {
	c.t.Helper()
	for _, d := range c.flushed() {
		for _, m := range d.metrics {
			if m.Name == name && c.carries(m, dims) {
				found = append(found, read(m))
				break // the others are the same values under other dimension sets
			}
		}
	}
	return found
}

func (c *Capture) carries(m emf.Metric, dims []emf.Dimension) bool {
	for _, d := range dims {
		if !slices.Contains(m.Dimensions, d) {
			return false
		}
	}
	return !c.exact || len(m.Dimensions) == len(dims)
}

func read(m emf.Metric) sample {
	if m.Values == nil {
		return sample{sum: m.Stats.Sum, count: m.Stats.Count, min: m.Stats.Min, max: m.Stats.Max}
	}
	s := sample{min: math.Inf(1), max: math.Inf(-1), values: []weighted{}}
	for i, v := range m.Values {
		n := 1.0
		if m.Counts != nil {
			n = m.Counts[i]
		}
		s.sum += n * v
		s.count += n
		s.min, s.max = min(s.min, v), max(s.max, v)
		s.values = append(s.values, weighted{v, n})
	}
	return s
}
