package contract

import (
	"testing"
	"time"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/lift"
)

func TestLift(*testing.T) {
	is[func(e *emf.Emitter, opts ...lift.Option) *lift.Collector](lift.NewCollector)
	is[lift.MetricsCollector]((*lift.Collector)(nil))
	is[lift.ObservabilityCollector]((*lift.Collector)(nil))
	is[lift.Counter]((*emf.Counter)(nil))
	is[lift.Histogram]((*emf.Histogram)(nil))
	is[lift.Gauge]((*emf.Gauge)(nil))
	is[interface {
		RecordMetric(name string, value float64, unit emf.Unit)
		RecordCount(name string, count int64)
		RecordDuration(name string, d time.Duration)
		RecordGauge(name string, value float64)
		WithDimensions(dims map[string]string) *lift.Collector
		WithTenant(id string) *lift.Collector
	}]((*lift.Collector)(nil))
	is[struct {
		Name      string            `json:"name"`
		Value     float64           `json:"value"`
		Unit      string            `json:"unit"`
		Timestamp time.Time         `json:"timestamp"`
		Tags      map[string]string `json:"tags,omitempty"`
		Fields    map[string]any    `json:"fields,omitempty"`
	}](lift.MetricEntry{})
	is[struct {
		MetricsRecorded int64     `json:"metrics_recorded"`
		MetricsDropped  int64     `json:"metrics_dropped"`
		LastFlush       time.Time `json:"last_flush"`
		ErrorCount      int64     `json:"error_count"`
		LastError       string    `json:"last_error,omitempty"`
	}](lift.MetricsStats{})
	is[func(*lift.Collector, func(*emf.Counter) lift.Counter, func(*emf.Histogram) lift.Histogram, func(*emf.Gauge) lift.Gauge) *lift.Adapter[lift.Counter, lift.Histogram, lift.Gauge]](lift.Adapt)
}
