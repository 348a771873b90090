package emf

import (
	"bytes"
	"time"
)

// Check returns every rule that a line breaks, in the order of the document; nil if
// it breaks none.
//
// The line is one log event: a document, with or without a line break behind it, and
// perhaps behind the timestamp and request ID that a Lambda runtime or a container
// runtime puts before what a program prints. Check looks at what CloudWatch would do
// with it, so it holds a document to the embedded metric format specification and its
// published schema, and to the rules of PutMetricData, which extracted metrics must
// keep too. docs/rules.md lists the rules, their sources and how sure those are.
// Those that AWS states are of [SeverityError]; those that it leaves unclear are of
// [SeverityWarning].
//
// The rule timestamp-window compares with the time of the call, so a document that
// was kept for long gets a warning that it did not deserve when it was written.
//
// A line of several rules broken, or one rule broken many times, gives that many
// problems. It is read up to the 1,000th error, and for the first 1,000 warnings. Time
// and memory grow with the length of the line and nothing else, whatever it holds. A line that is not JSON, or not a
// document, gets just that one problem (not-json, not-emf).
//
// Check keeps nothing of doc and may be called from several goroutines.
func Check(doc []byte) []Problem { return checkAt(doc, time.Now()) }

// checkAt is Check at a given time.
func checkAt(doc []byte, now time.Time) []Problem {
	in := newInspection(false)
	defer in.release()
	in.inspect(doc, now)
	return in.problems
}

// checkDirectives holds the rules about namespaces, dimensions and metrics, and looks
// up and reads what they name.
func (in *inspection) checkDirectives() {
	metrics, series, tooMany := 0, int64(0), false
	for i := range in.directives {
		if in.enough() {
			return
		}
		d := &in.directives[i]
		if d.named {
			in.checkNamespace(d)
		}
		in.checkSets(d)
		in.checkMetrics(d, i)

		n := d.endMetric - d.firstMetric
		metrics += n
		series += int64(n) * int64(d.endSet-d.firstSet)
		if n > limitMetrics {
			tooMany = true
			in.report(SeverityError, ruleMetricCount, d.path()+"/Metrics",
				"The directive names %d metrics, and CloudWatch takes at most %d: split the document.", n, limitMetrics)
		}
	}
	if metrics > limitMetrics && !tooMany {
		in.report(SeverityWarning, ruleMetricCount, pathDirectives,
			"The directives together name %d metrics. A quota speaks of %d for a log event: split the document.", metrics, limitMetrics)
	}
	if series > limitSeries {
		in.report(SeverityError, ruleSeriesCount, pathDirectives,
			"The metrics times their dimension sets make %d, more than the %d that are read from one document: use fewer dimension sets.", series, limitSeries)
	}
}

func (in *inspection) checkNamespace(d *readDirective) {
	path := func() string { return d.path() + "/Namespace" }
	in.checkName(&namespaceRules, d.namespace, path)
	if bytes.HasPrefix(d.namespace, []byte(reservedNamespaces)) {
		in.report(SeverityWarning, ruleNamespaceReserved, path(), "Choose a namespace that does not start with AWS/: those are AWS's own.")
	}
}

func (in *inspection) checkMetrics(d *readDirective, ordinal int) {
	for i := d.firstMetric; i < d.endMetric && !in.enough(); i++ {
		m := &in.metrics[i]
		path := func() string { return d.metricPath(m.index) + "/Name" }
		in.checkName(&metricNameRules, m.name, path)
		m.member = in.member(m.name)
		if m.member < 0 {
			in.report(SeverityError, ruleTargetMissing, path(),
				"The root has no member %q to take values from: add it, or leave the metric out.", clipText(m.name))
			continue
		}
		member := &in.members[m.member]
		if member.inDirective == int32(ordinal+1) && !in.mutes() {
			in.report(SeverityWarning, ruleMetricRepeated, path(),
				"The directive names %q more than once: keep one, or its values may count twice.", clipText(m.name))
		}
		member.inDirective = int32(ordinal + 1)
		if member.resolution != 0 && member.resolution != uint8(m.resolution) {
			in.report(SeverityError, ruleResolutionConflict, path(),
				"The metric %q has two storage resolutions: give it one.", clipText(m.name))
		}
		member.resolution = uint8(m.resolution)
		in.readTargetOf(m.member)
	}
}
