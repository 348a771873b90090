package emf

// Dimension is a name and a value that identify a metric.
//
// CloudWatch takes at most 30 in a set, names of 1 to 250 and values of 1 to 1,024
// printable ASCII characters, not all blank; a name must not start with a colon.
// What a recorder makes of others is described at [Recorder.With].
//
// Source: the embedded metric format specification (DimensionSet) and the Dimension
// type of the PutMetricData API reference.
type Dimension struct{ Name, Value string }

// Dim returns a Dimension.
func Dim(name, value string) Dimension { return Dimension{Name: name, Value: value} }
