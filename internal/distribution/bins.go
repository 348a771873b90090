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

// A bin is one word: how many values it holds above the sum of their rests, which are the
// 16 bits of the mantissa below those of the bin's number, rounded. Few bins hold more values
// than such a word can count: what is in a full one moves to a wide word of its page.
const (
	restBits  = 16
	countBits = 8
	sumBits   = 32 - countBits
	oneValue  = 1 << sumBits
	maxCount  = 1<<countBits - 1
	restShift = binShift - restBits

	wideCountBits = 24
	wideSumBits   = 64 - wideCountBits
	wideMaxCount  = 1<<wideCountBits - 1
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
	words  [pageSize]uint32
	wide   *[pageSize]uint64 // nil: none was full yet
	unused uint8             // takes
}

// directory is the pages for the values of one sign, from the page numbered first.
type directory struct {
	first int
	pages []*page
}

// bins is a histogram's values by bin. Zero has a bin of its own.
type bins struct {
	count              uint64
	sum, min, max      float64
	part               float64 // of the sum: large sums and small values are added up apart
	zeros              uint64
	positive, negative directory
	pages              int
	full               map[int]*bin // what did not fit wide words, by number
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
	b.part += v
	if b.count%1024 == 0 {
		b.sum += b.part
		b.part = 0
	}
	if v == 0 {
		b.zeros++
		return
	}
	bits := math.Float64bits(v)
	dir := &b.positive
	if v < 0 {
		dir = &b.negative
		bits &^= 1 << 63
	}
	number := int(bits >> binShift)
	p := b.page(dir, number>>pageBits)
	if p == nil {
		b.addCoarse(position(v < 0, number), 1, v)
		return
	}
	word := &p.words[number%pageSize]
	*word += oneValue + uint32((bits&(1<<binShift-1)+1<<(restShift-1))>>restShift)
	if *word >= maxCount<<sumBits {
		n, rests := uint64(*word>>sumBits), uint64(*word%oneValue)
		*word = 0
		b.widen(p, position(v < 0, number), n, rests)
	}
}

// page returns a page, made if there is none, or nil if there are too many.
func (b *bins) page(d *directory, number int) *page {
	if at := number - d.first; uint(at) < uint(len(d.pages)) && d.pages[at] != nil {
		return d.pages[at]
	}
	if b.pages == maxPages {
		return nil
	}
	b.pages++
	return d.open(number)
}

// open makes a page.
func (d *directory) open(number int) *page {
	before, after := 0, 0
	switch {
	case len(d.pages) == 0:
		d.first, after = number, 1
	case number < d.first:
		before = d.first - number
	case number >= d.first+len(d.pages):
		after = number - d.first - len(d.pages) + 1
	}
	if n := before + len(d.pages) + after; n > len(d.pages) {
		pages := make([]*page, n)
		copy(pages[before:], d.pages)
		d.first, d.pages = d.first-before, pages
	}
	p := new(page)
	d.pages[number-d.first] = p
	return p
}

// widen adds n values to the wide word of the bin with that number.
func (b *bins) widen(p *page, number int, n, rests uint64) {
	if p.wide == nil {
		p.wide = new([pageSize]uint64)
	}
	word := &p.wide[index(number)]
	if before := *word >> wideSumBits; before+n > wideMaxCount {
		b.addFull(number, before, sumOf(number, before, *word%(1<<wideSumBits)))
		*word = 0
	}
	*word += n<<wideSumBits + rests
}

// addFull adds values that do not fit a wide word.
func (b *bins) addFull(number int, n uint64, sum float64) {
	if b.full == nil {
		b.full = make(map[int]*bin)
	}
	addTo(b.full, number, bin{number: number, count: n, sum: sum})
}

// addCoarse adds values to the bin of their octave.
func (b *bins) addCoarse(number int, n uint64, sum float64) {
	if b.coarse == nil {
		b.coarse = make(map[int]*bin)
	}
	addTo(b.coarse, octave(number), bin{number: firstOf(octave(number)), count: n, sum: sum, coarse: true})
}

func addTo(all map[int]*bin, key int, b bin) {
	if c := all[key]; c != nil {
		c.count += b.count
		c.sum += b.sum
	} else {
		all[key] = &b
	}
}

// merge adds what was taken from other bins.
func (b *bins) merge(s *Snapshot) {
	if b.count == 0 || s.min < b.min {
		b.min = s.min
	}
	if b.count == 0 || s.max > b.max {
		b.max = s.max
	}
	b.count += s.count
	b.sum += s.sum
	for _, from := range s.bins {
		dir, number := &b.positive, from.number-1
		switch {
		case from.number == 0:
			b.zeros += from.count
			continue
		case from.number < 0:
			dir, number = &b.negative, -from.number-1
		}
		p := b.page(dir, number>>pageBits)
		if p == nil || from.coarse {
			b.addCoarse(from.number, from.count, from.sum)
			continue
		}
		if from.count > wideMaxCount {
			b.addFull(from.number, from.count, from.sum)
		} else {
			b.widen(p, from.number, from.count, restsOf(from))
		}
	}
}

// bin is one bin of a snapshot. Its number grows with its values, by one from bin to bin.
type bin struct {
	number int
	count  uint64
	sum    float64

	coarse  bool // it holds its whole octave
	alone   bool // not to be merged with others
	stretch int  // how much wider than others the entry may be that it shares
}

// sumOf returns the sum of n values in a bin by their rests.
func sumOf(number int, n, rests uint64) float64 {
	lo, hi := edges(number)
	sum := float64(n)*lo + float64(rests)/(1<<restBits)*(hi-lo)
	if number < 0 {
		return -sum
	}
	return sum
}

// restsOf is the other way round.
func restsOf(b bin) uint64 {
	lo, hi := edges(b.number)
	n := float64(b.count)
	rests := (math.Abs(b.sum) - n*lo) / (hi - lo) * (1 << restBits)
	return uint64(math.Round(min(max(rests, 0), n*(1<<restBits))))
}

// edges returns between which magnitudes the values of a bin lie.
func edges(number int) (lo, hi float64) {
	if number < 0 {
		number = -number
	}
	if number == 0 {
		return 0, 0
	}
	return math.Float64frombits(uint64(number-1) << binShift), math.Float64frombits(uint64(number) << binShift)
}

// position returns the number of a snapshot's bin.
func position(negative bool, number int) int {
	if negative {
		return -number - 1
	}
	return number + 1
}

// index returns where in its page a snapshot's bin is.
func index(position int) int {
	if position < 0 {
		position = -position
	}
	return (position - 1) % pageSize
}

// octave returns the octave of a snapshot's bin, 0 for the bin of zero.
func octave(position int) int {
	if position < 0 {
		return -octave(-position)
	}
	return (position + 1<<mantissaBits - 1) >> mantissaBits
}

// firstOf returns the number of the bin nearest to zero in an octave.
func firstOf(octave int) int {
	if octave < 0 {
		return -firstOf(-octave)
	}
	return (octave-1)<<mantissaBits + 1
}

// take moves what is in the bins to s, in ascending order.
func (b *bins) take(s *Snapshot) {
	s.count, s.sum, s.min, s.max = b.count, b.sum+b.part, b.min, b.max
	b.pages -= b.negative.take(s, true)
	if b.zeros > 0 {
		s.bins = append(s.bins, bin{count: b.zeros})
	}
	b.pages -= b.positive.take(s, false)
	if len(b.full) > 0 || len(b.coarse) > 0 {
		s.join(b.full, b.coarse)
		b.full, b.coarse = nil, nil
	}
	b.count, b.sum, b.part, b.zeros = 0, 0, 0, 0
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
			if n, rests := p.read(j); n > 0 {
				number := position(negative, (d.first+i)<<pageBits+j)
				s.bins = append(s.bins, bin{number: number, count: n, sum: sumOf(number, n, rests)})
			}
		}
		switch {
		case len(s.bins) > before:
			p.empty()
		case p.unused+1 == restTakes:
			d.pages[i] = nil
			freed++
		default:
			p.unused++
		}
	}
	if freed > 0 {
		d.trim()
	}
	return freed
}

// read returns what is in a bin.
func (p *page) read(i int) (n, rests uint64) {
	n, rests = uint64(p.words[i]>>sumBits), uint64(p.words[i]%oneValue)
	if p.wide != nil {
		n += p.wide[i] >> wideSumBits
		rests += p.wide[i] % (1 << wideSumBits)
	}
	return n, rests
}

// empty empties a page, and keeps its wide words if it used them.
func (p *page) empty() {
	p.words, p.unused = [pageSize]uint32{}, 0
	switch {
	case p.wide == nil:
	case *p.wide == [pageSize]uint64{}:
		p.wide = nil
	default:
		*p.wide = [pageSize]uint64{}
	}
}

// trim gives back the room for pages at either end that are gone.
func (d *directory) trim() {
	there := func(p *page) bool { return p != nil }
	from := slices.IndexFunc(d.pages, there)
	if from < 0 {
		*d = directory{}
		return
	}
	to := len(d.pages)
	for d.pages[to-1] == nil {
		to--
	}
	if to-from < len(d.pages)/2 {
		d.first, d.pages = d.first+from, slices.Clone(d.pages[from:to])
	}
}

// join adds bins to s: full ones to those of the same number, and those of whole octaves,
// with what s has in that octave.
func (s *Snapshot) join(full, coarse map[int]*bin) {
	for _, f := range full {
		s.bins = append(s.bins, *f)
	}
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
	last := 0
	for _, b := range s.bins[1:] {
		if s.bins[last].number == b.number {
			s.bins[last].count += b.count
			s.bins[last].sum += b.sum
		} else {
			last++
			s.bins[last] = b
		}
	}
	s.bins = s.bins[:last+1]
}
