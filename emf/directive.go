package emf

import "strings"

// readDirective is a directive as it was read. Its sets and metrics are those of the
// inspection from first to end.
type readDirective struct {
	index                  int // in CloudWatchMetrics
	namespace              []byte
	named                  bool  // namespace was read
	seen                   uint8 // which members it has
	firstSet, endSet       int
	firstMetric, endMetric int
}

// readSet is a dimension set; its names are those of the inspection from first to end.
type readSet struct {
	index      int // in Dimensions
	first, end int
}

// readName is the name of a dimension in a set.
type readName struct {
	index  int // in the set
	text   []byte
	value  []byte // of the dimension, at the first of all names that have the member
	member int32  // whose value is the dimension's; -1 if there is none
}

// readMetric is a metric definition.
type readMetric struct {
	index      int // in Metrics
	name       []byte
	unit       Unit
	resolution Resolution
	member     int32 // the target; -1 if there is none
}

const (
	pathAWS        = "/_aws"
	pathDirectives = "/_aws/CloudWatchMetrics"
)

func (d *readDirective) path() string            { return pointerElement(pathDirectives, d.index) }
func (d *readDirective) setPath(i int) string    { return pointerElement(d.path()+"/Dimensions", i) }
func (d *readDirective) metricPath(i int) string { return pointerElement(d.path()+"/Metrics", i) }

// Which members an object has shown so far. Each object has bits of its own.
const (
	seenTimestamp = 1 << iota
	seenDirectives
	seenLogGroup
	seenLogStream
)

const (
	seenNamespace = 1 << iota
	seenDimensions
	seenMetrics
)

const (
	seenName = 1 << iota
	seenUnit
	seenResolution
)

// seenAgain marks a member as seen and reports whether it was before.
func seenAgain(seen *uint8, bit uint8) bool {
	before := *seen&bit != 0
	*seen |= bit
	return before
}

func rootPath() string { return "" }
func awsPath() string  { return pathAWS }

// repeatedMember reports a key that the object at path has had before.
func (in *inspection) repeatedMember(path func() string, key []byte) {
	if in.mutes() {
		return
	}
	in.report(SeverityWarning, ruleDuplicateKey, pointerMember(path(), key),
		"The key occurs more than once, and AWS does not say which value counts: keep one.")
}

func (in *inspection) missingMember(path, key, what string) {
	in.report(SeverityError, ruleMemberMissing, path, "Add the member %s, %s.", key, what)
}

// mistyped reports the next value as not being what it should, and skips it.
func (in *inspection) mistyped(severity Severity, path, what string) {
	in.reader.skip()
	in.report(severity, ruleMemberType, path, "Make this %s.", what)
}

// unknownMember skips a member that the format does not have at that place.
func (in *inspection) unknownMember(path func() string, key []byte, known ...string) {
	in.reader.skip()
	if in.mutes() {
		return
	}
	for _, k := range known {
		if strings.EqualFold(k, string(key)) {
			in.report(SeverityWarning, ruleMemberUnknown, pointerMember(path(), key), "Write %s: upper and lower case matter.", k)
			return
		}
	}
	in.report(SeverityWarning, ruleMemberUnknown, pointerMember(path(), key),
		"The format has no such member here, and CloudWatch ignores it: move it to the root, or leave it out.")
}

// readAWS reads the _aws member. It returns false if that is no object.
func (in *inspection) readAWS(m *rootMember) bool {
	in.reader.open(in.text[m.start:m.end])
	if in.reader.kind() != kindObject {
		in.mistyped(SeverityError, pathAWS, "an object with Timestamp and CloudWatchMetrics")
		return false
	}
	var seen uint8
	in.reader.object(func(key []byte) {
		repeated := false
		switch string(key) {
		case "Timestamp":
			repeated = seenAgain(&seen, seenTimestamp)
			in.readTimestamp()
		case "CloudWatchMetrics":
			repeated = seenAgain(&seen, seenDirectives)
			in.directives, in.sets, in.names, in.metrics = in.directives[:0], in.sets[:0], in.names[:0], in.metrics[:0]
			if in.reader.kind() != kindArray {
				in.mistyped(SeverityError, pathDirectives, "an array of directives")
				return
			}
			if in.reader.array(in.readDirective) == 0 {
				in.report(SeverityWarning, ruleDirectivesEmpty, pathDirectives,
					"The document has no directives, so it yields no metrics: add one, or leave out _aws.")
			}
		case "LogGroupName":
			repeated = seenAgain(&seen, seenLogGroup)
			in.readRoutingHint(key)
		case "LogStreamName":
			repeated = seenAgain(&seen, seenLogStream)
			in.readRoutingHint(key)
		default:
			in.unknownMember(awsPath, key, "Timestamp", "CloudWatchMetrics", "LogGroupName", "LogStreamName")
		}
		if repeated {
			in.repeatedMember(awsPath, key)
		}
	})
	if seen&seenTimestamp == 0 {
		in.missingMember(pathAWS, "Timestamp", "the time in milliseconds since 1970")
	}
	if seen&seenDirectives == 0 {
		in.missingMember(pathAWS, "CloudWatchMetrics", "an array of directives")
	}
	return true
}

// readRoutingHint reads a member that only the CloudWatch agent looks at.
func (in *inspection) readRoutingHint(key []byte) {
	if in.reader.kind() != kindString {
		in.mistyped(SeverityWarning, pointerMember(pathAWS, key), "a string: the CloudWatch agent reads it")
		return
	}
	in.reader.skip()
}

// readDirective reads one directive. What has the wrong type is reported and left out.
func (in *inspection) readDirective(index int) {
	d := readDirective{
		index:    index,
		firstSet: len(in.sets), endSet: len(in.sets),
		firstMetric: len(in.metrics), endMetric: len(in.metrics),
	}
	if in.reader.kind() != kindObject {
		in.mistyped(SeverityError, d.path(), "a directive: an object with Namespace, Dimensions and Metrics")
		return
	}
	firstName := len(in.names)
	in.reader.object(func(key []byte) {
		repeated := false
		switch string(key) {
		case "Namespace":
			repeated = seenAgain(&d.seen, seenNamespace)
			if d.named = in.reader.kind() == kindString; !d.named {
				in.mistyped(SeverityError, pointerMember(d.path(), key), "a string")
				return
			}
			d.namespace = in.reader.string()
		case "Dimensions":
			repeated = seenAgain(&d.seen, seenDimensions)
			in.sets, in.names = in.sets[:d.firstSet], in.names[:firstName]
			if in.reader.kind() != kindArray {
				in.mistyped(SeverityError, pointerMember(d.path(), key), "an array of dimension sets")
				return
			}
			if in.readSets(&d) == 0 {
				in.report(SeverityError, ruleDimensionsEmpty, pointerMember(d.path(), key),
					"Name at least one dimension set; [[]] is the one without dimensions.")
			}
		case "Metrics":
			repeated = seenAgain(&d.seen, seenMetrics)
			in.metrics = in.metrics[:d.firstMetric]
			if in.reader.kind() != kindArray {
				in.mistyped(SeverityError, pointerMember(d.path(), key), "an array of metric definitions")
				return
			}
			if in.readMetrics(&d) == 0 {
				in.report(SeverityWarning, ruleMetricsEmpty, pointerMember(d.path(), key),
					"The directive names no metrics, so it yields none: add one, or leave out the directive.")
			}
		default:
			in.unknownMember(d.path, key, "Namespace", "Dimensions", "Metrics")
		}
		if repeated {
			in.repeatedMember(d.path, key)
		}
	})
	for _, m := range [...]struct {
		bit       uint8
		key, what string
	}{
		{seenNamespace, "Namespace", "a string"},
		{seenDimensions, "Dimensions", "an array of dimension sets"},
		{seenMetrics, "Metrics", "an array of metric definitions"},
	} {
		if d.seen&m.bit == 0 {
			in.missingMember(d.path(), m.key, m.what)
		}
	}
	d.endSet, d.endMetric = len(in.sets), len(in.metrics)
	in.directives = append(in.directives, d)
}

// readSets reads the dimension sets of a directive and returns how many there are,
// those that were left out for their type included.
func (in *inspection) readSets(d *readDirective) int {
	return in.reader.array(func(index int) {
		if in.reader.kind() != kindArray {
			in.mistyped(SeverityError, d.setPath(index), "a dimension set: an array of strings")
			return
		}
		set := readSet{index: index, first: len(in.names)}
		in.reader.array(func(i int) {
			if in.reader.kind() != kindString {
				in.mistyped(SeverityError, pointerElement(d.setPath(index), i), "a string: the key of a root member")
				return
			}
			in.names = append(in.names, readName{index: i, text: in.reader.string()})
		})
		set.end = len(in.names)
		in.sets = append(in.sets, set)
	})
}

// readMetrics reads the metric definitions of a directive and returns how many there
// are.
func (in *inspection) readMetrics(d *readDirective) int {
	return in.reader.array(func(index int) {
		if in.reader.kind() != kindObject {
			in.mistyped(SeverityError, d.metricPath(index), "a metric definition: an object with Name")
			return
		}
		path := func() string { return d.metricPath(index) }
		m := readMetric{index: index, unit: None, resolution: StandardResolution}
		var seen uint8
		named := false
		in.reader.object(func(key []byte) {
			repeated := false
			switch string(key) {
			case "Name":
				repeated = seenAgain(&seen, seenName)
				if named = in.reader.kind() == kindString; !named {
					in.mistyped(SeverityError, pointerMember(path(), key), "a string: the key of a root member")
					return
				}
				m.name = in.reader.string()
			case "Unit":
				repeated = seenAgain(&seen, seenUnit)
				in.readUnit(d, &m)
			case "StorageResolution":
				repeated = seenAgain(&seen, seenResolution)
				in.readResolution(d, &m)
			default:
				in.unknownMember(path, key, "Name", "Unit", "StorageResolution")
			}
			if repeated {
				in.repeatedMember(path, key)
			}
		})
		if seen&seenName == 0 {
			in.missingMember(path(), "Name", "the key of a root member")
		}
		if named {
			in.metrics = append(in.metrics, m)
		}
	})
}

func (in *inspection) readUnit(d *readDirective, m *readMetric) {
	if in.reader.kind() != kindString {
		in.mistyped(SeverityError, d.metricPath(m.index)+"/Unit", "a string: one of the 27 units of CloudWatch")
		return
	}
	text := in.reader.string()
	unit, ok := unitNamed(text)
	if m.unit = unit; !ok {
		in.report(SeverityError, ruleUnitUnknown, d.metricPath(m.index)+"/Unit",
			"CloudWatch has no unit %q: use one of its 27, such as Count or Milliseconds, or leave it out.", clipText(text))
	}
}

func (in *inspection) readResolution(d *readDirective, m *readMetric) {
	if in.reader.kind() != kindNumber {
		in.mistyped(SeverityError, d.metricPath(m.index)+"/StorageResolution", "a number: 1 or 60")
		return
	}
	switch v := in.reader.number(); v {
	case 1, 60:
		m.resolution = Resolution(v)
	default:
		in.report(SeverityError, ruleResolutionUnknown, d.metricPath(m.index)+"/StorageResolution",
			"A storage resolution of %v seconds does not exist: use 1 or 60.", v)
	}
}
