package emf

import (
	"math"
	"strconv"

	"github.com/liftemf/liftemf/internal/distribution"
)

// CloudWatch takes at most so many values of a metric in a document.
//
// Source: the embedded metric format specification (target members).
const maxValues = distribution.MaxEntries

// addDistribution adds the values in snap as a metric, in as many documents as they take:
// more than a document has room for, by their number or by its size, go to further ones.
func (p *partition) addDistribution(def *definition) {
	if values := p.snap.Values(); values != nil {
		p.addValues(def, values)
		return
	}
	room := p.room(def)
	var entries []distribution.Entry
	switch {
	case p.r.e.config.plain:
		p.addRepeated(def, room, p.snap.Within(0))
		return
	case def.precision > 0:
		entries = p.snap.Within(float64(def.precision))
	default:
		entries = p.snap.Entries()
	}
	for first := true; len(entries) > 0; first = false {
		n, values := p.writeEntries(room, entries[:min(len(entries), maxValues)])
		p.addPart(def, values, first)
		entries = entries[n:]
	}
}

// room is how many bytes there are for a metric's values in a document of its own. It is
// without a bound where even that is too large for a document: it is not to be cut to pieces.
func (p *partition) room(def *definition) int {
	const least = 80 // one value and its count
	env := &p.r.e.envelope
	size := len(env.head) + timestampSize + len(env.body) + len(p.r.sets) + len(metricsOpen) + len(def.entry) + len(metricsClose) +
		len(p.r.dims) + len(p.props) + len(def.member) + 1
	if room := env.max - size; room >= least {
		return room
	}
	return math.MaxInt
}

// addPart adds n values, written in value, as a document's part of a metric. A document has
// a metric once.
func (p *partition) addPart(def *definition, n uint64, first bool) {
	if !first {
		p.close()
	}
	p.add(def, n)
}

// addValues adds a histogram's values as they are and in order.
func (p *partition) addValues(def *definition, values []float64) {
	room := p.room(def)
	for first := true; len(values) > 0; first = false {
		n := p.writeArray(room, min(len(values), maxValues), func(i int) float64 { return values[i] })
		p.addPart(def, uint64(n), first)
		values = values[n:]
	}
}

// addRepeated adds each entry's value as often as it counts.
func (p *partition) addRepeated(def *definition, room int, entries []distribution.Entry) {
	next := func(int) float64 {
		for entries[0].Count == 0 {
			entries = entries[1:]
		}
		entries[0].Count--
		return entries[0].Value
	}
	for left, first := p.snap.Count(), true; left > 0; first = false {
		n := p.writeArray(room, int(min(left, maxValues)), next)
		p.addPart(def, uint64(n), first)
		left -= uint64(n)
	}
}

// The longest number and count, with their commas.
const (
	longestNumber = 26
	longestCount  = 21
)

// writeArray writes up to most numbers to value, as many as there is room for: one as it is,
// more as an array. It returns how many.
func (b *batch) writeArray(room, most int, next func(i int) float64) (n int) {
	dst := append(b.value[:0], '[')
	for ; n < most && (n == 0 || len(dst)+longestNumber <= room); n++ {
		dst = append(appendNumber(dst, next(n)), ',')
	}
	dst[len(dst)-1] = ']'
	if n == 1 {
		dst = append(dst[:0], dst[1:len(dst)-1]...)
	}
	b.value = dst
	return n
}

// writeEntries writes the first entries to value, as many as there is room for. It returns how
// many, and for how many values they stand.
func (b *batch) writeEntries(room int, entries []distribution.Entry) (n int, values uint64) {
	const middle = `],"Counts":[`
	b.value = append(b.value[:0], `{"Values":[`...)
	b.counts = append(b.counts[:0], middle...)
	for ; n < len(entries) && (n == 0 || len(b.value)+len(b.counts)+longestNumber+longestCount <= room); n++ {
		b.value = append(appendNumber(b.value, entries[n].Value), ',')
		b.counts = append(strconv.AppendUint(b.counts, entries[n].Count, 10), ',')
		values += entries[n].Count
	}
	b.counts[len(b.counts)-1] = ']'
	b.value = append(append(b.value[:len(b.value)-1], b.counts...), '}')
	if values == 1 {
		b.value = appendNumber(b.value[:0], entries[0].Value)
	}
	return n, values
}
