package distribution

import (
	"math"
	"slices"
)

// pinned are the quantiles whose bins are entries of their own: those that people read.
var pinned = [...]float64{0.5, 0.75, 0.9, 0.95, 0.99, 0.999}

// The lowest quarter of the values may share entries four times as wide as the others, what
// is above all pinned quantiles three times: nobody reads them, they reach far, and it leaves
// the middle narrower, where the quantiles of many documents together are found.
const (
	lowTail, lowWidth   = 0.25, 4
	highTail, highWidth = 0.9995, 3
)

// Entries returns at most MaxEntries values, ascending, with their counts, if there are more
// values than Values returns. The counts are exact, the sum is to 10^-9, the smallest and the
// largest value are the smallest and the largest observed. The pinned quantiles are within
// 0.8 % of the exact ones. It is valid until the next Take.
//
// Neighbouring bins are merged where there are too many, in steps of equal width on a scale
// that is nearly logarithmic; where a document's boundaries lie follows its data, so that the
// errors of many documents do not add up when CloudWatch merges them.
func (s *Snapshot) Entries() []Entry {
	if !s.separate() {
		return s.entries
	}
	const room = MaxEntries - 2
	lo, hi := 0, 1
	for s.groupsOf(hi) > room {
		lo, hi = hi, 2*hi
	}
	for hi-lo > 1 { // the smallest width that is wide enough
		if width := (lo + hi) / 2; s.groupsOf(width) <= room {
			hi = width
		} else {
			lo = width
		}
	}
	s.group(func(i, begin int) bool { return s.joins(i, begin, hi) })
	return s.entries
}

// Within returns as many entries as it takes for each value observed to be within a relative
// error of its entry, so that any quantile is, also of many documents together. It is like
// Entries else; no error can be less than 0.8 %.
func (s *Snapshot) Within(relative float64) []Entry {
	if !s.separate() {
		return s.entries
	}
	var together bin // what the entry has so far
	s.group(func(i, begin int) bool {
		before, b := &s.bins[i-1], &s.bins[i]
		if before.number == begin {
			together = *before
		}
		if b.alone || before.alone || (b.number < 0) != (begin < 0) || begin == 0 {
			return false
		}
		together.count += b.count
		together.sum += b.sum
		mean := math.Abs(together.sum) / float64(together.count)
		nearest, farthest := begin, b.number
		if begin < 0 {
			nearest, farthest = farthest, nearest
		}
		lo, _ := edges(nearest)
		_, hi := edges(farthest)
		return mean-lo <= relative*lo && hi-mean <= relative*hi
	})
	return s.entries
}

// separate prepares the bins for being grouped, unless there is nothing to group.
func (s *Snapshot) separate() bool {
	s.entries = s.entries[:0]
	if !s.binned {
		return false
	}
	if s.min == s.max {
		s.entries = append(s.entries, Entry{s.min, s.count})
		return false
	}
	s.separateExtremes()
	s.mark()
	return true
}

// separateExtremes takes one minimum and one maximum out of the first and the last bin.
func (s *Snapshot) separateExtremes() {
	take := func(b *bin, v float64) {
		b.count--
		lo, hi := edges(b.number)
		if b.number < 0 {
			lo, hi = -hi, -lo
		}
		if b.sum -= v; !b.coarse { // it is not exact
			b.sum = min(max(b.sum, float64(b.count)*lo), float64(b.count)*hi)
		}
	}
	take(&s.bins[0], s.min)
	take(&s.bins[len(s.bins)-1], s.max)
	s.bins = slices.DeleteFunc(s.bins, func(b bin) bool { return b.count == 0 })
}

// mark says which bins are entries of their own and which may share wider ones.
func (s *Snapshot) mark() {
	rank := func(q float64) uint64 { return uint64(math.Ceil(q * float64(s.count))) }
	upTo := uint64(1) // the minimum
	next := 0
	for i := range s.bins {
		b := &s.bins[i]
		before := upTo
		upTo += b.count
		b.stretch = 1
		switch {
		case upTo < rank(lowTail):
			b.stretch = lowWidth
		case before >= rank(highTail):
			b.stretch = highWidth
		}
		for ; next < len(pinned) && rank(pinned[next]) <= upTo; next++ {
			b.alone = true
		}
	}
}

// joins reports whether bin i belongs to the group of at most that width that begins with
// the bin numbered begin.
func (s *Snapshot) joins(i, begin, width int) bool {
	b := &s.bins[i]
	return !b.alone && !s.bins[i-1].alone && b.number-begin < width*b.stretch
}

// groupsOf is the number of groups of at most that width.
func (s *Snapshot) groupsOf(width int) (n int) {
	begin := 0
	for i := range s.bins {
		if i == 0 || !s.joins(i, begin, width) {
			begin = s.bins[i].number
			n++
		}
	}
	return n
}

// group joins bins to entries: means that print short between the extremes. A bin shares an
// entry with those before it, down to the bin numbered begin, where joins says so.
func (s *Snapshot) group(joins func(i, begin int) bool) {
	s.entries = append(s.entries, Entry{s.min, 1})
	lost := s.sum - s.min - s.max
	for i := 0; i < len(s.bins); {
		count, sum, begin := s.bins[i].count, s.bins[i].sum, s.bins[i].number
		for i++; i < len(s.bins) && joins(i, begin); i++ {
			count += s.bins[i].count
			sum += s.bins[i].sum
		}
		mean := min(max(sum/float64(count), s.min), s.max)
		value := short(mean)
		if before := s.entries[len(s.entries)-1].Value; math.Abs(value-mean) > min(mean-before, s.max-mean)/4 {
			value = mean // so that what rounding loses finds room between the entries
		}
		lost -= value * float64(count)
		s.add(Entry{value, count})
	}
	s.add(Entry{s.max, 1})
	s.restore(lost)
}

// add appends an entry, or counts it with the last if that has the same value.
func (s *Snapshot) add(e Entry) {
	if last := &s.entries[len(s.entries)-1]; last.Value == e.Value {
		last.Count += e.Count
	} else {
		s.entries = append(s.entries, e)
	}
}

// restore adds what rounding has lost to the entry that carries most of the sum, where it
// moves the value least, and what finds no room there between its neighbours to others.
func (s *Snapshot) restore(lost float64) {
	inner := s.entries[1 : len(s.entries)-1]
	weight := func(e Entry) float64 { return math.Abs(e.Value) * float64(e.Count) }
	var total float64
	for _, e := range inner {
		total += weight(e)
	}
	bound := math.Inf(1) // on the weight of those that have not been moved yet
	for range inner {
		if math.Abs(lost) <= 1e-12*total {
			return
		}
		heaviest := 0
		for i, e := range inner {
			if w := weight(e); w < bound && (weight(inner[heaviest]) >= bound || w > weight(inner[heaviest])) {
				heaviest = i
			}
		}
		e := &inner[heaviest]
		bound = weight(*e)
		below, above := s.entries[heaviest].Value, s.entries[heaviest+2].Value
		value := min(max(e.Value+lost/float64(e.Count), (e.Value+below)/2), (e.Value+above)/2)
		lost -= (value - e.Value) * float64(e.Count)
		e.Value = value
	}
}

// short returns a number near the mean of a bin that prints with few digits: with six if that
// is as good as the mean is known, so that data with few digits comes out as it went in, else
// with five.
func short(v float64) float64 {
	if six := rounded(v, 6); math.Abs(six-v) <= math.Abs(v)*0x1p-23 {
		return six
	}
	return rounded(v, 5)
}
