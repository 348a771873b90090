package lift

import "time"

// Counter adds up events. Implementations are safe for concurrent use.
type Counter interface {
	// Inc adds 1.
	Inc()
	// Add adds value, which may be negative.
	Add(value float64)
}

// Histogram collects values whose distribution matters. Implementations are safe for
// concurrent use.
type Histogram interface {
	// Observe records value.
	Observe(value float64)
}

// Gauge is a value that goes up and down. Implementations are safe for concurrent use.
type Gauge interface {
	// Set makes value the gauge's value.
	Set(value float64)
	// Inc adds 1.
	Inc()
	// Dec takes 1 away.
	Dec()
	// Add adds value, which may be negative.
	Add(value float64)
}

// MetricsCollector has the methods of Lift's pkg/lift MetricsCollector. Any number of tag
// maps may be given; they stay the caller's. No method returns nil.
type MetricsCollector interface {
	// Counter returns the counter of that name and tags.
	Counter(name string, tags ...map[string]string) Counter
	// Histogram returns the histogram of that name and tags.
	Histogram(name string, tags ...map[string]string) Histogram
	// Gauge returns the gauge of that name and tags.
	Gauge(name string, tags ...map[string]string) Gauge
	// Flush writes what was recorded so far.
	Flush() error
}

// ObservabilityCollector has the methods of Lift's pkg/observability MetricsCollector.
type ObservabilityCollector interface {
	MetricsCollector

	// RecordLatency records how long an operation took.
	RecordLatency(operation string, duration time.Duration)
	// RecordError counts an operation that failed.
	RecordError(operation string)
	// RecordSuccess counts an operation that succeeded.
	RecordSuccess(operation string)

	// WithTags returns a collector that adds these tags to all it records.
	WithTags(tags map[string]string) ObservabilityCollector
	// WithTag is WithTags for one tag.
	WithTag(key, value string) ObservabilityCollector

	// RecordBatch records ready-made entries.
	RecordBatch(entries []*MetricEntry) error

	// Close flushes and ends the collector.
	Close() error
	// GetStats tells what was recorded and lost.
	GetStats() MetricsStats
}

// MetricEntry is one value for RecordBatch. Fields, their order and their JSON names are
// Lift's, so that one converts to the other.
type MetricEntry struct {
	Name      string            `json:"name"`
	Value     float64           `json:"value"`
	Unit      string            `json:"unit"`
	Timestamp time.Time         `json:"timestamp"`
	Tags      map[string]string `json:"tags,omitempty"`
	Fields    map[string]any    `json:"fields,omitempty"`
}

// MetricsStats is what GetStats returns. Fields, their order and their JSON names are
// Lift's, so that one converts to the other.
type MetricsStats struct {
	MetricsRecorded int64     `json:"metrics_recorded"`
	MetricsDropped  int64     `json:"metrics_dropped"`
	LastFlush       time.Time `json:"last_flush"`
	ErrorCount      int64     `json:"error_count"`
	LastError       string    `json:"last_error,omitempty"`
}
