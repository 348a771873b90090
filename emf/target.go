package emf

import "math"

// readTarget is what a metric finds under its name: numbers, in inspection.numbers,
// and perhaps a statistic set.
type readTarget struct {
	values, counts numberRange
	hasCounts      bool
	hasStats       bool
	stats          StatisticSet
}

// numberRange is a part of inspection.numbers. listed is how many elements the array
// had, -1 if it was none; what was no number is not in the range.
type numberRange struct{ first, end, listed int }

// readTargetOf reads a member as a metric's target, unless that was done before.
func (in *inspection) readTargetOf(member int32) {
	m := &in.members[member]
	if m.target != 0 {
		return
	}
	var t readTarget
	in.reader.open(in.text[m.start : m.end+1]) // the byte behind lets a number be read fast
	path := func() string { return pointerMember("", in.keyOf(m)) }
	switch in.reader.kind() {
	case kindNumber:
		t.values.first = len(in.numbers)
		in.numbers = append(in.numbers, in.inRange(in.reader.number(), path))
		t.values.end = len(in.numbers)
	case kindArray:
		t.values = in.readNumbers(path)
		in.checkLength(t.values, path)
	case kindObject:
		in.readDistribution(&t, path)
	default:
		in.report(SeverityError, ruleTargetType, path(),
			`Make this a number, an array of numbers, {"Values","Counts"} or {"Min","Max","Sum","Count"}: it is the value of a metric.`)
	}
	in.targets = append(in.targets, t)
	m.target = int32(len(in.targets))
}

// inRange reports a number that CloudWatch does not take, and returns it.
func (in *inspection) inRange(v float64, path func() string) float64 {
	if math.Abs(v) > limitMagnitude {
		in.report(SeverityError, ruleValueRange, path(), "Keep values within ±2^360, or leave this one out.")
	}
	return v
}

func (in *inspection) readNumbers(path func() string) numberRange {
	r := numberRange{first: len(in.numbers)}
	r.listed = in.reader.array(func(i int) {
		at := func() string { return pointerElement(path(), i) }
		if in.reader.kind() != kindNumber {
			in.reader.skip()
			in.report(SeverityError, ruleTargetType, at(), "Make this a number: the values of a metric are.")
			return
		}
		in.numbers = append(in.numbers, in.inRange(in.reader.number(), at))
	})
	r.end = len(in.numbers)
	return r
}

func (in *inspection) checkLength(values numberRange, path func() string) {
	switch n := values.listed; {
	case n > limitValues:
		in.report(SeverityError, ruleValuesLength, path(),
			"The metric has %d values, and CloudWatch takes at most %d: split the document, or count equal values.", n, limitValues)
	case n == 0:
		in.report(SeverityWarning, ruleValuesEmpty, path(), "The metric has no values, so it yields nothing: leave it out.")
	}
}

const (
	seenValues = 1 << iota
	seenCounts
	seenMin
	seenMax
	seenSum
	seenCount

	seenStats = seenMin | seenMax | seenSum | seenCount
)

// readDistribution reads {"Values","Counts"}, {"Min","Max","Sum","Count"}, or both in
// one. The specification has neither, but AWS's own agent writes them.
func (in *inspection) readDistribution(t *readTarget, path func() string) {
	var seen uint8
	in.reader.object(func(key []byte) {
		at := func() string { return pointerMember(path(), key) }
		repeated := false
		switch string(key) {
		case "Values":
			repeated = seenAgain(&seen, seenValues)
			t.values = in.readList(at)
		case "Counts":
			repeated = seenAgain(&seen, seenCounts)
			t.counts = in.readList(at)
		case "Min":
			repeated = seenAgain(&seen, seenMin)
			t.stats.Min = in.readStatistic(at)
		case "Max":
			repeated = seenAgain(&seen, seenMax)
			t.stats.Max = in.readStatistic(at)
		case "Sum":
			repeated = seenAgain(&seen, seenSum)
			t.stats.Sum = in.readStatistic(at)
		case "Count":
			repeated = seenAgain(&seen, seenCount)
			t.stats.Count = in.readStatistic(at)
		default:
			in.unknownMember(path, key, "Values", "Counts", "Min", "Max", "Sum", "Count")
		}
		if repeated {
			in.repeatedMember(path, key)
		}
	})
	t.hasCounts = seen&seenCounts != 0
	t.hasStats = seen&seenStats == seenStats
	if seen&seenValues == 0 && (!t.hasStats || t.hasCounts) {
		in.report(SeverityError, ruleTargetType, path(),
			`Give Values and Counts, or all of Min, Max, Sum and Count: this object is the value of a metric.`)
		return
	}
	if seen&seenValues != 0 {
		in.checkLength(t.values, path)
		if t.values.listed >= 0 && t.counts.listed >= 0 {
			in.checkCounts(t, path)
		}
		if !t.hasStats && seen&seenStats != 0 {
			in.report(SeverityWarning, ruleStatistics, path(), "Give all of Min, Max, Sum and Count beside Values, or none.")
		}
	}
	if t.hasStats {
		in.checkStatistics(t, path)
	}
}

func (in *inspection) readList(path func() string) numberRange {
	if in.reader.kind() != kindArray {
		in.reader.skip()
		in.report(SeverityError, ruleTargetType, path(), "Make this an array of numbers.")
		return numberRange{listed: -1}
	}
	return in.readNumbers(path)
}

func (in *inspection) readStatistic(path func() string) float64 {
	if in.reader.kind() != kindNumber {
		in.reader.skip()
		in.report(SeverityError, ruleTargetType, path(), "Make this a number.")
		return 0
	}
	return in.inRange(in.reader.number(), path)
}

func (in *inspection) checkCounts(t *readTarget, path func() string) {
	if !t.hasCounts {
		in.report(SeverityWarning, ruleCountsMissing, path(), "Add Counts: no producer leaves them out, and AWS does not say that one may.")
		return
	}
	if t.counts.listed != t.values.listed {
		in.report(SeverityError, ruleCountsLength, path(),
			"There are %d Counts for %d Values: give one for each.", t.counts.listed, t.values.listed)
	}
	for i, n := range in.numbers[t.counts.first:t.counts.end] {
		if n > 0 && n == math.Trunc(n) {
			continue
		}
		severity := SeverityWarning
		if n < 0 {
			severity = SeverityError
		} else if in.mutes() {
			continue
		}
		in.report(severity, ruleCountsValue, pointerElement(path()+"/Counts", i), "Count in whole numbers above zero, and leave out what did not occur.")
	}
}

// checkStatistics looks for sets that no values can have.
func (in *inspection) checkStatistics(t *readTarget, path func() string) {
	switch n := t.stats.Count; {
	case n < 0:
		in.report(SeverityError, ruleStatistics, path()+"/Count", "Make Count a whole number above zero.")
	case n == 0 || n != math.Trunc(n):
		in.report(SeverityWarning, ruleStatistics, path()+"/Count", "Make Count a whole number above zero, or leave the metric out.")
	}
	if t.stats.Min > t.stats.Max {
		in.report(SeverityWarning, ruleStatistics, path()+"/Min", "Min is above Max: exchange them.")
	}
}
