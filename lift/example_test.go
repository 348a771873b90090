package lift_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/liftemf/liftemf/emf"
	standin "github.com/liftemf/liftemf/internal/standin/lift"
	"github.com/liftemf/liftemf/internal/standin/observability"
	"github.com/liftemf/liftemf/lift"
	"github.com/liftemf/liftemf/sink"
)

// newEmitter returns an emitter that writes to standard output when it is told to, at a
// time that stands still: so the output of the examples can be checked.
func newEmitter() *emf.Emitter {
	return emf.Must(emf.New("shop",
		emf.WithSink(sink.Writer(os.Stdout)),
		emf.WithFlushInterval(0),
		emf.WithClock(func() time.Time { return time.UnixMilli(1_772_366_400_000) }),
	))
}

func Example() {
	m := lift.NewCollector(newEmitter())
	defer m.Close()

	tags := map[string]string{"method": "GET", "tenant_id": "t1"}
	m.Counter("requests.total", tags).Inc()
	m.Histogram("requests.duration", tags).Observe(12)
	m.WithTenant("t2").RecordLatency("checkout", 1500*time.Microsecond)
	// Output:
	// {"_aws":{"Timestamp":1772366400000,"CloudWatchMetrics":[{"Namespace":"shop","Dimensions":[["TenantID","method"]],"Metrics":[{"Name":"requests.total","Unit":"Count"},{"Name":"requests.duration","Unit":"Milliseconds"}]}]},"TenantID":"t1","method":"GET","requests.total":1,"requests.duration":12}
	// {"_aws":{"Timestamp":1772366400000,"CloudWatchMetrics":[{"Namespace":"shop","Dimensions":[["TenantID"]],"Metrics":[{"Name":"checkout.latency","Unit":"Milliseconds"}]}]},"TenantID":"t2","checkout.latency":1.5}
}

func ExampleCollector_RecordBatch() {
	m := lift.NewCollector(newEmitter())
	at := time.UnixMilli(1_772_366_399_000)
	err := m.RecordBatch([]*lift.MetricEntry{
		{Name: "rows", Value: 120, Unit: "Count", Timestamp: at, Fields: map[string]any{"job": "import-7"}},
		{Name: "read", Value: 4096, Unit: "Bytes", Timestamp: at, Fields: map[string]any{"job": "import-7"}},
		{Name: "", Value: 1},
	})
	var entry *lift.EntryError
	if errors.As(err, &entry) {
		fmt.Println(entry.Index, entry.Err)
	}
	// Output:
	// {"_aws":{"Timestamp":1772366399000,"CloudWatchMetrics":[{"Namespace":"shop","Dimensions":[[]],"Metrics":[{"Name":"rows","Unit":"Count"},{"Name":"read","Unit":"Bytes"}]}]},"job":"import-7","rows":120,"read":4096}
	// 2 the name is blank, _aws or longer than 255 characters
}

func ExampleWithUnit() {
	m := lift.NewCollector(newEmitter(),
		lift.WithUnit("_bytes", emf.Bytes),
		lift.WithUnit("cpu.load", emf.Percent))
	defer m.Close()
	m.Gauge("heap_bytes").Set(1 << 20)
	m.Gauge("cpu.load").Set(12.5)
	// Output:
	// {"_aws":{"Timestamp":1772366400000,"CloudWatchMetrics":[{"Namespace":"shop","Dimensions":[[]],"Metrics":[{"Name":"heap_bytes","Unit":"Bytes"},{"Name":"cpu.load","Unit":"Percent"}]}]},"heap_bytes":1048576,"cpu.load":12.5}
}

func ExampleWithDeltaGauges() {
	m := lift.NewCollector(newEmitter(), lift.WithDeltaGauges("websocket.connections.active"))
	defer m.Close()
	open := m.Gauge("websocket.connections.active")
	open.Inc()
	open.Inc()
	open.Dec()
	// Output:
	// {"_aws":{"Timestamp":1772366400000,"CloudWatchMetrics":[{"Namespace":"shop","Dimensions":[[]],"Metrics":[{"Name":"websocket.connections.active","Unit":"Count"}]}]},"websocket.connections.active":1}
}

func ExampleCollector_GetStats() {
	m := lift.NewCollector(newEmitter())
	m.WithTenant("t1").Counter("").Inc() // no name: dropped
	_ = m.Flush()
	stats := m.GetStats()
	fmt.Println(stats.MetricsRecorded, stats.MetricsDropped, stats.ErrorCount, stats.LastError)
	// Output:
	// 1 1 1 values dropped: bad name (1)
}

func ExampleAdapt() {
	app := standin.New() // Lift's lift.New()
	app.WithMetrics(lift.Adapt(lift.NewCollector(newEmitter()),
		func(c *emf.Counter) standin.Counter { return c },
		func(h *emf.Histogram) standin.Histogram { return h },
		func(g *emf.Gauge) standin.Gauge { return g }))
	app.Handle("GET", "/orders/:id", func(c *standin.Context) error {
		c.Metrics.Counter("orders.read", map[string]string{"tenant_id": c.TenantID()}).Inc()
		return c.Metrics.Flush()
	})
	_, _ = app.HandleRequest(context.Background(), &standin.Request{
		Method: "GET", Path: "/orders/7", Headers: map[string]string{"X-Tenant-Id": "acme"},
	})
	// Output:
	// {"_aws":{"Timestamp":1772366400000,"CloudWatchMetrics":[{"Namespace":"shop","Dimensions":[["TenantID"]],"Metrics":[{"Name":"orders.read","Unit":"Count"}]}]},"TenantID":"acme","orders.read":1}
}

func ExampleAdaptFull() {
	type metrics = lift.Full[observability.MetricsCollector, observability.MetricEntry,
		observability.MetricsStats, standin.Counter, standin.Histogram, standin.Gauge]

	var m observability.MetricsCollector = lift.AdaptFull(lift.NewCollector(newEmitter()),
		func(c *emf.Counter) standin.Counter { return c },
		func(h *emf.Histogram) standin.Histogram { return h },
		func(g *emf.Gauge) standin.Gauge { return g },
		func(m *metrics) observability.MetricsCollector { return m })
	defer m.Close()
	m.WithTag("queue", "mail").RecordSuccess("send")
	// Output:
	// {"_aws":{"Timestamp":1772366400000,"CloudWatchMetrics":[{"Namespace":"shop","Dimensions":[["queue"]],"Metrics":[{"Name":"send.success","Unit":"Count"}]}]},"queue":"mail","send.success":1}
}
