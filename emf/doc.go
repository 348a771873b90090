// Package emf records metrics in memory and writes them as CloudWatch Embedded Metric Format
// documents: lines of JSON that CloudWatch Logs makes metrics of.
//
// An [Emitter] owns a namespace and a sink. A [Recorder] records under one set of dimensions,
// and is cheap to get: [Recorder.WithTenant] and [Recorder.With] find one that exists without
// a lock and without allocating. A [Counter], [Gauge] or [Histogram] is one metric under one
// recorder. What was recorded is aggregated and written at every flush, one document for each
// recorder, which the timer stamps with the start of its interval.
//
// An [Event] is one unit of work, an invocation, a request or a job, whose values and
// properties form documents of their own. [NewContext] carries it through the program.
//
// # Rules
//
// A value has its dimensions from the moment it is recorded. Recording never fails, blocks or
// panics: what CloudWatch would not take is dropped, counted in [Stats] by reason, and logged
// once a minute. Every line that is written is valid: limits split documents, they lose
// nothing. At any quiet moment
//
//	Recorded = Delivered + Dropped + Pending
//
// exactly. Equal programs write equal bytes.
//
// # Cost
//
// Counter.Inc and Gauge.Set are one or two atomic operations, Histogram.Observe takes a lock for
// some nanoseconds; none allocates or reads a clock. Each metric name under each set of
// dimensions is a metric that CloudWatch charges for; properties are not.
package emf
