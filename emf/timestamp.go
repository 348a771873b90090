package emf

import (
	"math"
	"strconv"
	"time"
)

const pathTimestamp = "/_aws/Timestamp"

// readTimestamp reads the document's time. The published schema wants an integer;
// whether that includes 1.0 and 1e3 depends on its dialect, which it does not name.
func (in *inspection) readTimestamp() {
	const what = "the time in milliseconds since 1970, a whole number"
	if in.reader.kind() != kindNumber {
		in.mistyped(SeverityError, pathTimestamp, what)
		return
	}
	text := in.reader.numberText()
	ms, err := strconv.ParseInt(string(text), 10, 64)
	if err == nil {
		in.timestamp, in.timed = ms, true
		return
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || v != math.Trunc(v) || v < math.MinInt64 || v >= math.MaxInt64 {
		in.report(SeverityError, ruleMemberType, pathTimestamp, "Make this %s.", what)
		return
	}
	in.timestamp, in.timed = int64(v), true
	in.report(SeverityWarning, ruleTimestampFormat, pathTimestamp,
		"Write %d without a fraction or an exponent: not every reader takes %s for an integer.", in.timestamp, clipText(text))
}

// checkTimestamp compares the document's time with now. That is no property of the
// document: it was right or will be wrong at another time, hence a warning.
func (in *inspection) checkTimestamp(now time.Time) {
	if !in.timed {
		return // which has been reported
	}
	age := now.UnixMilli() - in.timestamp
	switch {
	case in.timestamp > 0 && in.timestamp < 1e11 && age > windowBack:
		in.report(SeverityWarning, ruleTimestampWindow, pathTimestamp,
			"The time lies in %d: it looks like seconds where milliseconds belong.", time.UnixMilli(in.timestamp).UTC().Year())
	case age > windowBack:
		in.report(SeverityWarning, ruleTimestampWindow, pathTimestamp,
			"The time is more than 14 days ago, and CloudWatch drops such metrics: deliver sooner.")
	case age < -windowAhead:
		in.report(SeverityWarning, ruleTimestampWindow, pathTimestamp,
			"The time is more than 2 hours ahead, and CloudWatch drops such metrics: correct the clock.")
	}
}
