package emf

// Unit is a CloudWatch unit. The zero value means that none was given. Only the
// 27 constants below are units that CloudWatch takes; any other text is reported
// and recorded as [None].
//
// Source: the StandardUnit enumeration of the PutMetricData API reference.
type Unit string

// The units of CloudWatch.
const (
	None               Unit = "None"
	Count              Unit = "Count"
	Percent            Unit = "Percent"
	Seconds            Unit = "Seconds"
	Milliseconds       Unit = "Milliseconds"
	Microseconds       Unit = "Microseconds"
	Bytes              Unit = "Bytes"
	Kilobytes          Unit = "Kilobytes"
	Megabytes          Unit = "Megabytes"
	Gigabytes          Unit = "Gigabytes"
	Terabytes          Unit = "Terabytes"
	Bits               Unit = "Bits"
	Kilobits           Unit = "Kilobits"
	Megabits           Unit = "Megabits"
	Gigabits           Unit = "Gigabits"
	Terabits           Unit = "Terabits"
	BytesPerSecond     Unit = "Bytes/Second"
	KilobytesPerSecond Unit = "Kilobytes/Second"
	MegabytesPerSecond Unit = "Megabytes/Second"
	GigabytesPerSecond Unit = "Gigabytes/Second"
	TerabytesPerSecond Unit = "Terabytes/Second"
	BitsPerSecond      Unit = "Bits/Second"
	KilobitsPerSecond  Unit = "Kilobits/Second"
	MegabitsPerSecond  Unit = "Megabits/Second"
	GigabitsPerSecond  Unit = "Gigabits/Second"
	TerabitsPerSecond  Unit = "Terabits/Second"
	CountPerSecond     Unit = "Count/Second"
)

// Valid reports whether CloudWatch knows the unit.
func (u Unit) Valid() bool {
	switch u {
	case None, Count, Percent,
		Seconds, Milliseconds, Microseconds,
		Bytes, Kilobytes, Megabytes, Gigabytes, Terabytes,
		Bits, Kilobits, Megabits, Gigabits, Terabits,
		BytesPerSecond, KilobytesPerSecond, MegabytesPerSecond, GigabytesPerSecond, TerabytesPerSecond,
		BitsPerSecond, KilobitsPerSecond, MegabitsPerSecond, GigabitsPerSecond, TerabitsPerSecond,
		CountPerSecond:
		return true
	}
	return false
}

// Resolution is a metric's storage resolution in seconds.
//
// Source: StorageResolution in the embedded metric format specification.
type Resolution int

const (
	// StandardResolution keeps data by the minute. It is the default and is left
	// out of documents.
	StandardResolution Resolution = 60
	// HighResolution keeps data by the second for three hours.
	HighResolution Resolution = 1
)

// MetricOption says how a metric is declared. [Unit], [Resolution] and [Precision] are
// the options there are.
type MetricOption interface{ metricOption() }

func (Unit) metricOption()       {}
func (Resolution) metricOption() {}

// declaration is what the options of one call ask for; zero fields were not given.
type declaration struct {
	unit       Unit
	resolution Resolution
	precision  Precision
}

// declared collects options. A unit, resolution or precision that CloudWatch does not know is
// left as it is: [declaration.known] deals with it.
func declared(opts []MetricOption) (d declaration) {
	for _, o := range opts {
		switch o := o.(type) {
		case Unit:
			d.unit = o
		case Resolution:
			d.resolution = o
		case Precision:
			d.precision = o
		}
	}
	return d
}

// known replaces what CloudWatch does not know and reports whether there was any.
func (d declaration) known() (declaration, bool) {
	ok := true
	if d.unit != "" && !d.unit.Valid() {
		d.unit, ok = None, false
	}
	if d.resolution != 0 && d.resolution != StandardResolution && d.resolution != HighResolution {
		d.resolution, ok = StandardResolution, false
	}
	if d.precision != 0 && !d.precision.valid() {
		d.precision, ok = 0, false
	}
	return d, ok
}
