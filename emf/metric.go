package emf

import "time"

// Metric is what CloudWatch would make of one metric of a document under one of its
// dimension sets. See [Extract].
type Metric struct {
	Namespace, Name string
	// Dimensions are in the document's order; nil for the empty dimension set.
	Dimensions []Dimension
	// Unit is None where the document gives none.
	Unit Unit
	// Resolution is StandardResolution where the document gives none.
	Resolution Resolution
	// Time is the document's timestamp, to the millisecond, in UTC.
	Time time.Time
	// Values are the values, in the document's order. They are nil where it holds
	// only a statistic set.
	Values []float64
	// Counts says how often each of Values occurred. Nil means once each; otherwise
	// it is as long as Values.
	Counts []float64
	// Stats is the statistic set that the document holds, alone or beside Values.
	// It is nil where it holds none: nothing is computed.
	Stats *StatisticSet
}

// StatisticSet summarises values that are not listed themselves. CloudWatch keeps
// no percentiles of it, unless all values are equal.
//
// Source: the StatisticSet type of the PutMetricData API reference; the embedded
// metric format specification does not mention it, though AWS's own agent writes it.
type StatisticSet struct{ Min, Max, Sum, Count float64 }
