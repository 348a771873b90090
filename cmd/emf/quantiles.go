package main

import (
	"maps"
	"math"
	"slices"
)

// quantiles estimates the quantiles of weighted values in bounded memory. A value's bin is
// the first bits of its float64, so that a bin is at most 1/128 of its values wide, and what
// is told of a bin is its mean: values that are all the same come back as they are. When
// there are more than maxPages, neighbours are joined and all bins are twice as wide.
//
// internal/distribution makes bins in the same way, for the values of one document: it knows
// no weights, and it gives away what it holds.
type quantiles struct {
	pages map[int32]*binPage // of other values than zero, by the number of the first bin
	zeros float64
	count float64
	width uint8 // log2 of how much wider than 1/128 bins are
}

type binPage [pageSize]weightedBin

type weightedBin struct{ count, sum float64 }

const (
	mantissaBits = 7
	pageBits     = 3
	pageSize     = 1 << pageBits
	// maxPages is enough for any values within a factor of 60,000, and twice as many octaves
	// each time neighbours are joined.
	maxPages = 16 << (mantissaBits - pageBits)
)

// errorBound is how far an estimate may be from the true quantile, relative to it.
func (q *quantiles) errorBound() float64 { return math.Ldexp(1, int(q.width)-mantissaBits) }

// add adds v, count times.
func (q *quantiles) add(v, count float64) {
	q.count += count
	if v == 0 {
		q.zeros += count
		return
	}
	number := int32(math.Float64bits(math.Abs(v)) >> (52 - mantissaBits))
	if v < 0 {
		number = -number - 1 // so that numbers ascend with values
	}
	q.place(number>>q.width, weightedBin{count, v * count})
	for len(q.pages) > maxPages {
		q.join()
	}
}

func (q *quantiles) place(number int32, b weightedBin) {
	page := q.pages[number>>pageBits]
	if page == nil {
		if q.pages == nil {
			q.pages = make(map[int32]*binPage)
		}
		page = new(binPage)
		q.pages[number>>pageBits] = page
	}
	bin := &page[number&(pageSize-1)]
	bin.count += b.count
	bin.sum += b.sum
}

// join makes all bins twice as wide.
func (q *quantiles) join() {
	old := q.pages
	q.pages = make(map[int32]*binPage, len(old)/2)
	q.width++
	for n, page := range old {
		for i, b := range page {
			if b.count > 0 {
				q.place((n<<pageBits+int32(i))>>1, b)
			}
		}
	}
}

// at returns for each share p, from 0 to 1 and ascending, the smallest value that such a
// share of all values does not exceed; NaN if there are none.
func (q *quantiles) at(shares ...float64) []float64 {
	values := make([]float64, 0, len(shares))
	below, last := 0.0, math.NaN()
	pass := func(count, value float64) {
		below, last = below+count, value
		for len(values) < len(shares) && below >= shares[len(values)]*q.count {
			values = append(values, value)
		}
	}
	zeros := q.zeros
	for _, n := range slices.Sorted(maps.Keys(q.pages)) {
		if n >= 0 && zeros > 0 {
			pass(zeros, 0)
			zeros = 0
		}
		for _, b := range q.pages[n] {
			if b.count > 0 {
				pass(b.count, b.sum/b.count)
			}
		}
	}
	if zeros > 0 {
		pass(zeros, 0)
	}
	for len(values) < len(shares) { // none, or sums that rounding has left short of the count
		values = append(values, last)
	}
	return values
}
