package main

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// newMeter returns a meter of OpenTelemetry's SDK, read only if somebody asks, without its limit
// on series.
func newMeter(tb testing.TB) metric.Meter {
	provider := sdk.NewMeterProvider(sdk.WithReader(sdk.NewManualReader()), sdk.WithCardinalityLimit(0))
	tb.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return provider.Meter("shop/checkout")
}

// queue has the data flow of the CloudWatch collector that Lift comes with, written anew from a
// description: a recording is a datum with its own time and dimensions, in one buffer under one
// lock. Nothing drains it here: a full buffer is emptied, which flatters it, as its own way is
// to shift all that is in it, for each datum.
type queue struct {
	mu     sync.Mutex
	buffer []datum
	dims   []pair // of the configuration
}

type (
	pair  struct{ name, value string }
	datum struct {
		name, unit string
		value      float64
		at         time.Time
		dims       []pair
	}
	queueHandle struct {
		queue      *queue
		name, unit string
		dims       []pair
	}
)

func newQueue() *queue {
	return &queue{buffer: make([]datum, 0, 1000), dims: []pair{{"Service", service}, {"Region", region}}}
}

// handle is what its Counter, Histogram and Gauge do: the tags of a map become dimensions.
func (q *queue) handle(name, unit string, tags ...map[string]string) *queueHandle {
	h := &queueHandle{queue: q, name: name, unit: unit, dims: append([]pair(nil), q.dims...)}
	if len(tags) > 0 {
		for k, v := range tags[0] {
			h.dims = append(h.dims, pair{k, v})
		}
	}
	return h
}

func (h *queueHandle) record(v float64) {
	d := datum{h.name, h.unit, v, time.Now(), append([]pair(nil), h.dims...)}
	h.queue.mu.Lock()
	if len(h.queue.buffer) == cap(h.queue.buffer) {
		h.queue.buffer = h.queue.buffer[:0]
	}
	h.queue.buffer = append(h.queue.buffer, d)
	h.queue.mu.Unlock()
}

// directive is the metadata of a document as zerolog writes it.
type directive struct{ at time.Time }

var zerologMetrics = [...]pair{
	{"Requests", "Count"}, {"BytesSent", "Bytes"}, {"Latency", "Milliseconds"}, {"LookupTime", "Milliseconds"}, {"QueryTime", "Milliseconds"},
}

type (
	zerologDirectives struct{}
	zerologNames      struct{}
	zerologSets       struct{}
)

func (d directive) MarshalZerologObject(e *zerolog.Event) {
	e.Int64("Timestamp", d.at.UnixMilli()).Array("CloudWatchMetrics", zerologDirectives{})
}

func (zerologDirectives) MarshalZerologArray(a *zerolog.Array) { a.Object(zerologNames{}) }

func (zerologNames) MarshalZerologObject(e *zerolog.Event) {
	metrics := zerolog.Arr()
	for _, m := range zerologMetrics {
		metrics.Object(m)
	}
	e.Str("Namespace", namespace).Array("Dimensions", zerologSets{}).Array("Metrics", metrics)
}

func (zerologSets) MarshalZerologArray(a *zerolog.Array) {
	a.Interface([]string{"Service", "Region", "TenantID"})
}

func (p pair) MarshalZerologObject(e *zerolog.Event) { e.Str("Name", p.name).Str("Unit", p.value) }

// logEvent writes a sample with zerolog, whose loggers may be shared.
func logEvent(l *zerolog.Logger, at time.Time, s *sample) {
	l.Log().Object("_aws", directive{at}).
		Str("Service", service).Str("Region", region).Str("TenantID", s.tenant).
		Str("RequestID", s.request).Str("Route", s.route).
		Float64("Requests", s.requests).Float64("BytesSent", s.bytes).
		Float64("Latency", s.latency).Float64("LookupTime", s.lookup).
		Floats64("QueryTime", s.queries[:]).Send()
}
