// Package observability stands in for Lift's pkg/observability, see package lift beside it.
package observability

import (
	"time"

	"github.com/liftemf/liftemf/internal/standin/lift"
)

// MetricsCollector is the whole collector.
type MetricsCollector interface {
	lift.MetricsCollector

	RecordLatency(operation string, duration time.Duration)
	RecordError(operation string)
	RecordSuccess(operation string)
	WithTags(tags map[string]string) MetricsCollector
	WithTag(key, value string) MetricsCollector
	RecordBatch(entries []*MetricEntry) error
	Close() error
	GetStats() MetricsStats
}

// MetricEntry is one value for RecordBatch.
type MetricEntry struct {
	Name      string            `json:"name"`
	Value     float64           `json:"value"`
	Unit      string            `json:"unit"`
	Timestamp time.Time         `json:"timestamp"`
	Tags      map[string]string `json:"tags,omitempty"`
	Fields    map[string]any    `json:"fields,omitempty"`
}

// MetricsStats is what GetStats returns.
type MetricsStats struct {
	MetricsRecorded int64     `json:"metrics_recorded"`
	MetricsDropped  int64     `json:"metrics_dropped"`
	LastFlush       time.Time `json:"last_flush"`
	ErrorCount      int64     `json:"error_count"`
	LastError       string    `json:"last_error,omitempty"`
}
