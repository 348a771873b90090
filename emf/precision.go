package emf

import (
	"fmt"

	"github.com/liftemf/liftemf/internal/distribution"
)

// Precision is an option of a histogram: it bounds the relative error of any percentile, of
// one document and of those of many hosts and minutes that CloudWatch merges, from 0.01 for
// 1 %. What it takes beyond 100 entries goes to further documents, each of which repeats
// dimensions and properties: 1 % takes three to seven of most latencies. Less than
// 0.01, or 1 and more, is reported and ignored; [WithPrecision] refuses it.
//
// Without it a histogram is one document, in which p50, p75, p90, p95, p99 and p99.9 are
// within 1 % and others are less exact the further the values are apart: docs/histograms.md
// has the errors. A name's first declaration decides, others change nothing; counters and
// gauges ignore it.
type Precision float64

func (Precision) metricOption() {}

const minPrecision = 0.01

func (p Precision) valid() bool { return p >= minPrecision && p < 1 }

// WithPrecision is the [Precision] of histograms that are declared without one.
func WithPrecision(p Precision) Option {
	return func(c *config) error {
		if !p.valid() {
			return fmt.Errorf("WithPrecision: %v: from %v, which is 1 %%, to less than 1", float64(p), minPrecision)
		}
		c.precision = p
		return nil
	}
}

// plainValues is how many values of a histogram are kept for [WithPlainArrays].
const plainValues = 1000

// WithPlainArrays has histograms written as arrays of numbers only, which is all that the
// format's specification has, for readers that do not know {"Values","Counts"}. Every
// observation is then an element, 100 to a document: ten thousand observations a minute are
// a hundred documents, 4 to 10 GB a month.
//
// Up to 1,000 observations of a histogram between two flushes are written as they are. More
// would take too much memory: they are counted in bins, and each is written as the mean of
// its bin, within 0.8 % of what it was. Count, minimum and maximum are exact, the sum to 10^-9.
func WithPlainArrays() Option {
	return func(c *config) error {
		c.plain = true
		return nil
	}
}

// hold gives a histogram of the emitter room for the values that it must keep as they are.
func (c *config) hold(d *distribution.Distribution) {
	if c.plain {
		d.Hold(plainValues)
	}
}
