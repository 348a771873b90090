package lift_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/lift"
)

func TestUnits(t *testing.T) {
	own := []lift.Option{
		lift.WithUnit(".price", "Parsecs"), lift.WithUnit(".price", emf.None), // the last wins
		lift.WithUnit("_bytes", emf.Bytes),
		lift.WithUnit(".size", emf.Count),
		lift.WithUnit(".cache.size", emf.Kilobytes),
		lift.WithUnit("disk.cache.size", emf.Gigabytes),
		lift.WithUnit("order.latency", emf.Microseconds),
		lift.WithUnit("load", emf.Percent),
	}
	for _, c := range []struct {
		opts []lift.Option
		name string
		want emf.Unit
	}{
		{nil, "requests.duration", emf.Milliseconds},
		{nil, "operation.GET_/orders/{id}.duration", emf.Milliseconds},
		{nil, "http.duration", emf.Milliseconds},
		{nil, "request_duration_ms", emf.Milliseconds},
		{nil, "response.size", emf.Bytes},
		{nil, "requests.active", emf.Count},
		{nil, "websocket.latency", emf.Seconds},
		{nil, "websocket.message.size", emf.Bytes},
		{nil, "websocket.connections.active", emf.Count},
		{nil, "websocket.connections.total", emf.Count},
		{nil, "circuit_breaker.request.duration", emf.Milliseconds},
		{nil, "circuit_breaker.state", ""},
		{nil, "bulkhead.wait_time", emf.Milliseconds},
		{nil, "bulkhead.rejection_wait_time", emf.Milliseconds},
		{nil, "bulkhead.execution_duration", emf.Milliseconds},
		{nil, "bulkhead.completion_wait_time", emf.Milliseconds},
		{nil, "bulkhead.utilization", ""},
		{nil, "retry.attempt.duration", emf.Milliseconds},
		{nil, "retry.total.delay", emf.Milliseconds},
		{nil, "retry.attempts.count", emf.Count},
		{nil, "load_shedding.latency", emf.Milliseconds},
		{nil, "load_shedding.rate", ""},
		{nil, "load_shedding.active_requests", emf.Count},
		{nil, "timeout.configured", emf.Milliseconds},
		{nil, "timeout.duration", emf.Milliseconds},
		{nil, "timeout.ratio", ""},
		{nil, "health_checks.duration", emf.Milliseconds},
		{nil, "lambda_request_duration", emf.Milliseconds},
		{nil, "lambda_cold_start_duration", emf.Milliseconds},
		{nil, "lambda_error_rate", ""},
		{nil, "lambda_memory_used_mb", emf.Megabytes},
		{nil, "lambda_uptime_seconds", emf.Seconds},
		{nil, "temperature", ""},
		{nil, "latency", ""},
		{nil, ".", ""},
		{own, "item.price", ""},
		{own, "sent_bytes", emf.Bytes},
		{own, "response.size", emf.Count},
		{own, "page.cache.size", emf.Kilobytes},
		{own, "disk.cache.size", emf.Gigabytes},
		{own, "big.disk.cache.size", emf.Kilobytes},
		{own, "order.latency", emf.Microseconds},
		{own, "my.order.latency", emf.Milliseconds},
		{own, "load", emf.Percent},
		{own, "cpu.load", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, _, sink := collector(t, c.opts...)
			for range 2 { // worked out, and found again
				m.Histogram(c.name).Observe(1)
				m.Gauge(c.name, tags{"of": "gauge"}).Set(1)
				m.Counter(c.name, tags{"of": "counter"}).Inc()
			}
			require.NoError(t, m.Flush())
			docs := sink.documents(t)
			require.Len(t, docs, 3)
			require.Equal(t, string(c.want), docs[0].units[c.name])
			require.Equal(t, string(c.want), docs[1].units[c.name])
			require.Equal(t, "Count", docs[2].units[c.name])
		})
	}
}

func TestUnknownUnitOfAName(t *testing.T) {
	m, e, sink := collector(t, lift.WithUnit("x", "Parsecs"))
	m.Histogram("x").Observe(1)
	m.Histogram("x").Observe(2)
	require.NoError(t, m.Flush())
	require.Equal(t, []any{1.0, 2.0}, sink.one(t).members["x"])
	require.Zero(t, e.Stats().Dropped)
}

// Names without end must not fill memory, and still have their units.
func TestMoreNamesThanAreKept(t *testing.T) {
	m, _, sink := collector(t)
	const names = 4200
	for i := range names {
		// Each under a recorder of its own: one with thousands of metrics is slow to build.
		m.Histogram(fmt.Sprintf("operation.%d.duration", i), tags{"i": fmt.Sprint(i)}).Observe(1)
		m.WithTag("i", fmt.Sprint(i)).RecordLatency(fmt.Sprint("op", i), 0)
	}
	require.NoError(t, m.Flush())
	docs := sink.documents(t)
	require.Len(t, docs, names)
	for i, d := range docs {
		require.Equal(t, tags{
			fmt.Sprintf("operation.%d.duration", i): "Milliseconds", fmt.Sprintf("op%d.latency", i): "Milliseconds",
		}, d.units)
	}
}
