package sink

import "slices"

// progress is how far the documents of a spool are settled: all before cursor are, and some
// after it.
type progress struct {
	cursor Amount
	ahead  []span // in order, and apart from each other and the cursor
}

// span is documents from one position to another.
type span struct{ from, to Amount }

// settle marks a span as settled and returns how much of it was not before.
func (p *progress) settle(from, to Amount) (fresh Amount) {
	if from.Documents < p.cursor.Documents {
		from = p.cursor
	}
	if to.Documents <= from.Documents {
		return Amount{}
	}
	fresh = to.minus(from)
	first := len(p.ahead) // of those that touch it
	for first > 0 && p.ahead[first-1].to.Documents >= from.Documents {
		first--
	}
	last := first
	merged := span{from, to}
	for ; last < len(p.ahead) && p.ahead[last].from.Documents <= to.Documents; last++ {
		s := p.ahead[last]
		low, high := s.from, s.to
		if low.Documents < from.Documents {
			low, merged.from = from, s.from
		}
		if high.Documents > to.Documents {
			high, merged.to = to, s.to
		}
		fresh = fresh.minus(high.minus(low))
	}
	if merged.from.Documents > p.cursor.Documents {
		p.ahead = slices.Replace(p.ahead, first, last, merged)
		return fresh
	}
	p.cursor = merged.to
	p.ahead = slices.Delete(p.ahead, 0, last)
	return fresh
}

// skip returns the first position from one on that is not settled.
func (p *progress) skip(at Amount) Amount {
	if at.Documents < p.cursor.Documents {
		at = p.cursor
	}
	for _, s := range p.ahead {
		if s.from.Documents > at.Documents {
			break
		}
		if s.to.Documents > at.Documents {
			at = s.to
		}
	}
	return at
}
