// Package lift stands in for Lift's pkg/lift in tests, examples and benchmarks, because Lift
// itself cannot be had as a module everywhere. Its types have the names and shapes of Lift's,
// and an App treats metrics and outcomes as Lift's does; the code is our own, and does no more
// than that takes.
package lift

// MetricsCollector is what an App gives its handlers.
type MetricsCollector interface {
	Counter(name string, tags ...map[string]string) Counter
	Histogram(name string, tags ...map[string]string) Histogram
	Gauge(name string, tags ...map[string]string) Gauge
	Flush() error
}

// Counter adds up.
type Counter interface {
	Inc()
	Add(value float64)
}

// Histogram collects values.
type Histogram interface {
	Observe(value float64)
}

// Gauge goes up and down.
type Gauge interface {
	Set(value float64)
	Inc()
	Dec()
	Add(value float64)
}
