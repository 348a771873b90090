// Package lift is Lift's metrics collector, backed by EMF documents. It has the
// interfaces of Lift's pkg/lift and pkg/observability, method by method, and imports
// neither: Go code written against them records through a [Collector], and
//
//	e, err := emf.New("PayTheory/Lift", emf.WithDimensions(emf.Dim("Environment", "production")))
//	...
//	m := lift.NewCollector(e)
//	m.Counter("requests.total", map[string]string{"tenant_id": "t1"}).Inc()
//	m.WithTenant("t1").RecordLatency("checkout", elapsed)
//
// comes out of the emitter's sink as documents that CloudWatch makes metrics of.
//
// To be the collector of an application that is written with Lift, its methods have to return
// Lift's own types: [Adapt] does that for App.WithMetrics, [AdaptFull] for what wants a
// pkg/observability MetricsCollector, both without importing Lift and checked by the compiler.
//
// In Lambda nothing is flushed between invocations, because nothing runs there: call
// [Collector.Flush] before an invocation returns. Elsewhere the emitter flushes by its
// timer, and [Collector.Close] when the program ends.
//
// # Coming from Lift's CloudWatch collector
//
//	behaviour                Lift's pkg/observability/cloudwatch     here
//	a bad configuration      accepted, or panics                     emf.New returns an error
//	Namespace, Dimensions    in the configuration                    emf.New, emf.WithDimensions
//	FlushInterval            60 s, and always a goroutine            emf.WithFlushInterval; none in Lambda
//	BufferSize, FlushSize    1,000 and 20 values                     none, but emf.WithMaxPending for failing sinks
//	delivery                 PutMetricData, 20 values a call         documents to a sink: stdout and others
//	Counter                  one datum a call                        the sum since the last flush
//	Histogram                one datum a value, no unit              all values, the unit of the name: WithUnit
//	Gauge Set twice          both values are sent                    the last one is
//	Gauge Inc, Dec, Add      sends 1, -1, the step                   moves the value; or WithDeltaGauges
//	RecordMetric             one datum a value                       the same: all values, as a histogram
//	RecordDuration, Latency  whole milliseconds: 999 µs is 0         0.999
//	RecordGauge              unit None                               the unit of the name: WithUnit
//	several tag maps         all but the first ignored               merged, the last value wins
//	a tag given twice        sent twice, and refused                 the last value wins
//	an empty tag value       sent, and the whole call refused        left out
//	dimension order          map order                               by name: equal input, equal bytes
//	tag tenant_id            beside the dimension TenantID           becomes TenantID: WithTagAlias
//	units                    five, others become None                all 27, unknown ones reported
//	RecordBatch, nil entry   panics                                  skipped
//	RecordBatch, Fields      ignored                                 properties of a document of their own
//	RecordBatch, time        zero is sent as year 1                  now; out of CloudWatch's window: an error
//	RecordBatch, error       always nil                              an EntryError for each entry refused
//	too much in the buffer   the oldest are dropped, not counted     adds up in memory by metric
//	a failing sink           values lost, Flush returns nil          Flush returns the error and tries again later
//	Flush                    may return before others have sent      a barrier
//	Close again, of a copy   panics                                  nil; a copy's flushes, the root's closes
//	after Close              lost, not counted                       dropped and counted
//	GetStats                 each copy has its own                   one for all copies
//	ErrorCount               failed calls                            values lost, or waiting for a failing sink
//
// One thing has to be watched: in Lift, all calls under one name are data of one metric.
// Here a name is a counter, a gauge or a histogram, with one unit, under each set of
// dimensions. RecordCount("orders", 1) and RecordMetric("orders", 1, emf.Count) do not
// mix: what comes second is dropped, counted as "conflict" and logged.
//
// # Cost
//
// To look a metric up by two tags and record a value costs about as much as reading the
// map, and the one allocation is the slice of maps that Go makes for a call through an
// interface. Handles may be kept, which costs an atomic add a value, but need not be.
package lift
