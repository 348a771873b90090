package distribution

import (
	"math"
	"slices"
)

// A bin's number is the first bits of its values: the exponent and so many bits of the
// mantissa. It takes no logarithm, and a bin is at most 1/128 of its values wide, so that
// the mean of a bin is within 0.8 % of each value in it, whatever the data.
const (
	mantissaBits = 7
	binShift     = 52 - mantissaBits
)

// Bins are allocated in pages. maxPages bounds them: 64 octaves of both signs together.
// Values that would need more share one bin an octave, with all others of that
// octave.
const (
	pageBits = 4
	pageSize = 1 << pageBits
	maxPages = 64 << (mantissaBits - pageBits)
)

// restTakes is after how many takes without a value a page is let go.
const restTakes = 5

type page struct {
	sums   [pageSize]float64
	counts [pageSize]uint64
	unused uint8 // takes
}

// directory is the pages for the values of one sign, from the page numbered first.
type directory struct {
	first int
	pages []*page
}

// bins is a histogram's values by bin. Zero has a bin of its own.
type bins struct {
	count              uint64
	min, max           float64
	zeros              uint64
	positive, negative directory
	pages              int
	coarse             map[int]*bin // by octave, negative ones for negative values
}

func (b *bins) add(v float64) {
	if b.count == 0 || v < b.min {
		b.min = v
	}
	if b.count == 0 || v > b.max {
		b.max = v
	}
	b.count++
	if v == 0 {
		b.zeros++
		return
	}
	number := int(math.Float64bits(math.Abs(v)) >> binShift)
	dir := &b.positive
	if v < 0 {
		dir = &b.negative
	}
	at := number>>pageBits - dir.first
	if uint(at) >= uint(len(dir.pages)) || dir.pages[at] == nil {
		if b.pages == maxPages {
			b.addCoarse(v, number)
			return
		}
		at = dir.open(number >> pageBits)
		b.pages++
	}
	p := dir.pages[at]
	p.sums[number%pageSize] += v
	p.counts[number%pageSize]++
}

// open makes a page and returns where it is.
func (d *directory) open(number int) int {
	switch {
	case len(d.pages) == 0:
		d.first, d.pages = number, make([]*page, 1)
	case number < d.first:
		pages := make([]*page, d.first-number+len(d.pages))
		copy(pages[d.first-number:], d.pages)
		d.first, d.pages = number, pages
	case number >= d.first+len(d.pages):
		pages := make([]*page, number-d.first+1)
		copy(pages, d.pages)
		d.pages = pages
	}
	d.pages[number-d.first] = new(page)
	return number - d.first
}

// addCoarse adds v to the bin of its octave.
func (b *bins) addCoarse(v float64, number int) {
	number = position(v < 0, number>>mantissaBits<<mantissaBits)
	if b.coarse == nil {
		b.coarse = make(map[int]*bin)
	}
	c := b.coarse[octave(number)]
	if c == nil {
		c = &bin{number: number}
		b.coarse[octave(number)] = c
	}
	c.count++
	c.sum += v
}

// bin is one bin of a snapshot. Its number grows with its values, by one from bin to bin.
type bin struct {
	number int
	count  uint64
	sum    float64

	alone   bool // not to be merged with others
	stretch int  // how much wider than others the entry may be that it shares
}

// position returns the number of a snapshot's bin.
func position(negative bool, number int) int {
	if negative {
		return -number - 1
	}
	return number + 1
}

// octave returns the octave of a snapshot's bin, 0 for the bin of zero.
func octave(position int) int {
	if position < 0 {
		return -octave(-position)
	}
	return (position + 1<<mantissaBits - 1) >> mantissaBits
}

// take moves what is in the bins to s, in ascending order.
func (b *bins) take(s *Snapshot) {
	s.count, s.min, s.max = b.count, b.min, b.max
	b.pages -= b.negative.take(s, true)
	if b.zeros > 0 {
		s.bins = append(s.bins, bin{count: b.zeros})
	}
	b.pages -= b.positive.take(s, false)
	if len(b.coarse) > 0 {
		s.join(b.coarse)
		b.coarse = nil
	}
	b.count, b.zeros = 0, 0
}

// take moves what is in the pages to s and returns how many pages it has let go.
func (d *directory) take(s *Snapshot, negative bool) (freed int) {
	for i := range d.pages {
		if negative {
			i = len(d.pages) - 1 - i
		}
		p := d.pages[i]
		if p == nil {
			continue
		}
		before := len(s.bins)
		for j := range pageSize {
			if negative {
				j = pageSize - 1 - j
			}
			if n := p.counts[j]; n > 0 {
				number := (d.first+i)<<pageBits + j
				s.bins = append(s.bins, bin{number: position(negative, number), count: n, sum: p.sums[j]})
			}
		}
		if len(s.bins) > before {
			*p = page{}
		} else if p.unused++; p.unused == restTakes {
			d.pages[i] = nil
			freed++
		}
	}
	return freed
}

// join adds bins of whole octaves to s, and to each what s has in that octave.
func (s *Snapshot) join(coarse map[int]*bin) {
	s.bins = slices.DeleteFunc(s.bins, func(fine bin) bool {
		c := coarse[octave(fine.number)]
		if c == nil {
			return false
		}
		c.count += fine.count
		c.sum += fine.sum
		return true
	})
	for _, c := range coarse {
		s.bins = append(s.bins, *c)
	}
	slices.SortFunc(s.bins, func(a, b bin) int { return a.number - b.number })
}
