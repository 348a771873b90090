package lift

import (
	"time"

	"github.com/liftemf/liftemf/emf"
)

// RecordMetric records a value under a unit. Each value is kept, as in a histogram, so
// that average, minimum and percentiles are right; no unit ("") means the one known for
// the name, see [WithUnit], and one that CloudWatch does not know is reported by the
// emitter and recorded as None. A name of [WithDeltaGauges] is added to its sum instead.
func (c *Collector) RecordMetric(name string, value float64, unit emf.Unit) {
	c.common().record(c.root(), name, unit, value)
}

// RecordCount adds count, which may be negative, to the counter of that name, in Count.
func (c *Collector) RecordCount(name string, count int64) {
	c.root().Counter(name).Add(float64(count))
}

// RecordDuration records a duration in Milliseconds, with its fraction, in the histogram
// of that name.
func (c *Collector) RecordDuration(name string, d time.Duration) {
	c.root().Histogram(name, emf.Milliseconds).Observe(milliseconds(d))
}

// RecordGauge sets the gauge of that name, the one that [Collector.Gauge] returns.
func (c *Collector) RecordGauge(name string, value float64) {
	c.Gauge(name).Set(value)
}

// RecordLatency records how long an operation took, as the histogram operation.latency in
// Milliseconds, with their fraction.
func (c *Collector) RecordLatency(operation string, duration time.Duration) {
	c.RecordDuration(c.common().operation(operation).latency, duration)
}

// RecordError adds 1 to the counter operation.errors.
func (c *Collector) RecordError(operation string) {
	c.root().Counter(c.common().operation(operation).errors).Inc()
}

// RecordSuccess adds 1 to the counter operation.success.
func (c *Collector) RecordSuccess(operation string) {
	c.root().Counter(c.common().operation(operation).success).Inc()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// record records a value in a unit, or in the one known for the name.
func (s *shared) record(r *emf.Recorder, name string, unit emf.Unit, value float64) {
	switch {
	case s.deltas[name]:
		r.Counter(name).Add(value)
	case unit == "":
		r.Histogram(name, s.declared(name).options...).Observe(value)
	default:
		r.Histogram(name, unit).Observe(value)
	}
}

// operation holds the names of an operation's metrics, so that they are put together
// once.
type operation struct{ latency, errors, success string }

func (s *shared) operation(name string) *operation {
	if op, ok := s.operations.get(name); ok {
		return op
	}
	return s.operations.put(name, &operation{name + ".latency", name + ".errors", name + ".success"})
}
