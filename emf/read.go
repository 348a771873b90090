package emf

import (
	"io"
	"math"

	jsoniter "github.com/json-iterator/go"
)

// jsonReader reads a text that [syntaxScan] has found to be JSON. It is the only code
// that reads by json-iterator, which is archived: replacing it means rewriting this
// file.
//
// It steps from value to value itself and leaves what a value means to the iterator.
// The iterator would make a string of every key on the way, which took half of the
// time of a reading.
//
// The methods expect the kind of value that their name says: callers ask kind first.
// They do not fail then, since the text is known to be sound.
type jsonReader struct {
	iter *jsoniter.Iterator
	text []byte
	i    int
	stop bool // ends object and array before the next element, for good
}

// jsonKind is the first byte of a value, or '0' for all numbers.
type jsonKind byte

const (
	kindString jsonKind = '"'
	kindNumber jsonKind = '0'
	kindArray  jsonKind = '['
	kindObject jsonKind = '{'
)

func newJSONReader() jsonReader {
	return jsonReader{iter: jsoniter.NewIterator(jsoniter.ConfigDefault)}
}

// open starts reading at the start of text. A number at its very end is read slowly:
// text better includes a byte behind the value.
func (r *jsonReader) open(text []byte) { r.text, r.i = text, 0 }

// close forgets the text.
func (r *jsonReader) close() {
	r.text = nil
	r.iter.ResetBytes(nil)
}

// next returns the byte at the next value or delimiter.
func (r *jsonReader) next() byte {
	c := r.text[r.i]
	for c == ' ' || c == '\t' || c == '\n' || c == '\r' {
		r.i++
		c = r.text[r.i]
	}
	return c
}

func (r *jsonReader) kind() jsonKind {
	c := r.next()
	if c == '-' || '0' <= c && c <= '9' {
		return kindNumber
	}
	return jsonKind(c)
}

// object calls member for each member, which must read or skip the value. key is
// valid as long as the text.
func (r *jsonReader) object(member func(key []byte)) {
	r.i++
	for !r.stop && r.next() != '}' {
		key := r.string()
		r.next()
		r.i++ // the colon
		member(key)
		if r.next() == ',' {
			r.i++
		}
	}
	r.i++
}

// array calls element for each element, which must read or skip it, and returns how
// many there are.
func (r *jsonReader) array(element func(i int)) (n int) {
	r.i++
	for !r.stop && r.next() != ']' {
		element(n)
		n++
		if r.next() == ',' {
			r.i++
		}
	}
	r.i++
	return n
}

// string returns a string without quotes and escapes. It is part of the text where it
// has no escapes.
func (r *jsonReader) string() []byte {
	start := r.i
	if !r.skipString() {
		return r.text[start+1 : r.i-1]
	}
	r.reset(start)
	return []byte(r.iter.ReadString())
}

// skipString passes over a string and reports whether it has escapes.
func (r *jsonReader) skipString() (escaped bool) {
	text := r.text
	i := skipPlain(text, r.i+1)
	for ; text[i] != '"'; i++ {
		if text[i] == '\\' {
			escaped = true
			i++
		}
	}
	r.i = i + 1
	return escaped
}

// number returns an infinity for what does not fit in a float64.
func (r *jsonReader) number() float64 {
	if v, ok := r.shortNumber(); ok {
		return v
	}
	r.reset(r.i)
	v := r.iter.ReadFloat64()
	if r.iter.Error != nil && r.iter.Error != io.EOF { // EOF: the text ends with the number
		v = math.Inf(1)
	}
	r.skipWord()
	return v
}

// shortNumber reads a number of at most 15 digits without an exponent, as nearly all are. It
// is a whole number divided by a power of ten, both of which a float64 holds exactly, so
// that the quotient is the nearest float64.
func (r *jsonReader) shortNumber() (v float64, ok bool) {
	text, i := r.text, r.i
	negative := text[i] == '-'
	if negative {
		i++
	}
	first, places := i, 0
	digits := uint64(0)
	for ; i < len(text); i++ {
		c := text[i]
		if '0' <= c && c <= '9' {
			digits = digits*10 + uint64(c-'0')
			continue
		}
		if c == '.' && places == 0 {
			places = i + 1 // where they start
			continue
		}
		if c|0x20 == 'e' {
			return 0, false
		}
		break
	}
	if i-first > 15 {
		return 0, false
	}
	v = float64(digits)
	if places > 0 {
		v /= powersOfTen[i-places]
	}
	if negative {
		v = -v
	}
	r.i = i
	return v, true
}

var powersOfTen = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// numberText returns a number as it is written.
func (r *jsonReader) numberText() []byte {
	start := r.i
	r.skipWord()
	return r.text[start:r.i]
}

func (r *jsonReader) reset(at int) {
	r.iter.ResetBytes(r.text[at:])
	r.iter.Error = nil
}

// skipWord passes over a number, true, false or null.
func (r *jsonReader) skipWord() {
	for r.i < len(r.text) {
		switch r.text[r.i] {
		case ',', ']', '}', ' ', '\t', '\n', '\r':
			return
		}
		r.i++
	}
}

// skip passes over a value. Iterator.Skip would stop at a number beyond float64.
func (r *jsonReader) skip() {
	for depth := 0; ; {
		switch r.next() {
		case '{', '[':
			depth++
			r.i++
		case '}', ']':
			depth--
			r.i++
		case ',', ':':
			r.i++
		case '"':
			r.skipString()
		default:
			r.skipWord()
		}
		if depth == 0 {
			return
		}
	}
}
