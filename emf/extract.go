package emf

import (
	"slices"
	"time"
)

// Extract returns the metrics that CloudWatch would make of a line: one for each
// metric and dimension set of each directive, in that order.
//
// A number, an array, {"Values","Counts"} and {"Min","Max","Sum","Count"} are read as
// values; a metric without values is left out. Where an object has Counts beside a
// statistic set, the set's Count is theirs: CloudWatch goes by them. What a document
// leaves out has the specification's default: unit None, resolution 60. Of a key that
// occurs twice the last value counts. The line may have the prefix that [Check]
// describes.
//
// Extract refuses a line that Check finds an error in, and returns an [InvalidError]
// that holds what Check says. Warnings, which include a timestamp that CloudWatch
// would refuse by now, do not keep it from extracting. A document of no metrics gives
// nil and no error.
//
// Nothing returned refers to doc. Metrics that come of the same definition share
// their Values, and those under the same dimension set their Dimensions: clone before
// changing them. Extract may be called from several goroutines.
func Extract(doc []byte) ([]Metric, error) {
	in := newInspection(true)
	defer in.release()
	in.inspect(doc, time.Time{})
	if in.found[SeverityError] > 0 {
		return nil, InvalidError{Problems: Check(doc)}
	}
	return in.extract(), nil
}

// extract builds the metrics of a document without errors.
func (in *inspection) extract() []Metric {
	n := 0
	for i := range in.directives {
		d := &in.directives[i]
		n += (d.endMetric - d.firstMetric) * (d.endSet - d.firstSet)
	}
	if n == 0 {
		return nil
	}
	metrics := make([]Metric, 0, n)
	numbers := slices.Clone(in.numbers)
	words := in.words()
	dimensions := in.extractDimensions(&words)
	at := time.UnixMilli(in.timestamp).UTC()
	for i := range in.directives {
		d := &in.directives[i]
		namespace := words.cut(len(d.namespace))
		for _, m := range in.metrics[d.firstMetric:d.endMetric] {
			t := &in.targets[in.members[m.member].target-1]
			metric := Metric{
				Namespace: namespace, Name: words.cut(len(m.name)),
				Unit: m.unit, Resolution: m.resolution, Time: at,
				Values: t.values.of(numbers), Counts: t.counts.of(numbers), Stats: t.statistics(numbers),
			}
			if metric.Values == nil && metric.Stats == nil {
				continue
			}
			for _, set := range in.sets[d.firstSet:d.endSet] {
				if set.end > set.first {
					metric.Dimensions = dimensions[set.first:set.end:set.end]
				} else {
					metric.Dimensions = nil
				}
				metrics = append(metrics, metric)
			}
		}
	}
	return metrics
}

// extractDimensions returns the dimension for each of in.names.
func (in *inspection) extractDimensions(words *wordList) []Dimension {
	if len(in.names) == 0 {
		return nil
	}
	dimensions := make([]Dimension, len(in.names))
	for i, name := range in.names {
		if first := int(in.members[name.member].firstName) - 1; first < i {
			dimensions[i] = dimensions[first]
			continue
		}
		dimensions[i] = Dimension{Name: words.cut(len(name.text)), Value: words.cut(len(name.value))}
	}
	return dimensions
}

// wordList is what is left of a string that holds one word after the other. It makes
// all strings of a document one allocation.
type wordList string

// cut takes the next word, of n bytes.
func (w *wordList) cut(n int) string {
	word := string((*w)[:n])
	*w = (*w)[n:]
	return word
}

// words returns all that metrics are called, in the order in which extract cuts it.
func (in *inspection) words() wordList {
	buf := in.buf[:0]
	for i, name := range in.names {
		if int(in.members[name.member].firstName)-1 == i {
			buf = append(buf, name.text...)
			buf = append(buf, name.value...)
		}
	}
	for i := range in.directives {
		d := &in.directives[i]
		buf = append(buf, d.namespace...)
		for _, m := range in.metrics[d.firstMetric:d.endMetric] {
			buf = append(buf, m.name...)
		}
	}
	in.buf = buf
	return wordList(buf)
}

// of returns the numbers in the range; nil if there are none.
func (r numberRange) of(numbers []float64) []float64 {
	if r.end == r.first {
		return nil
	}
	return numbers[r.first:r.end:r.end]
}

// statistics returns the target's statistic set; nil if it has none.
func (t *readTarget) statistics(numbers []float64) *StatisticSet {
	if !t.hasStats {
		return nil
	}
	stats := t.stats
	if t.hasCounts {
		stats.Count = 0
		for _, n := range t.counts.of(numbers) {
			stats.Count += n
		}
	}
	return &stats
}
