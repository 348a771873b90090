package emf

import (
	"encoding/binary"
	"math/bits"
)

// syntaxScan walks a text once and says whether it is JSON, exactly as
// encoding/json.Valid does. json-iterator lets some texts pass that are not JSON
// (-01, a null in place of a key, control characters after an escape), so it only
// reads what this scan has passed.
//
// It keeps no value: what is in a document is read afterwards, where it matters.
type syntaxScan struct {
	text []byte
	// bad is where the text stops being JSON, when a method has returned -1.
	bad int
	// loneAt is where the first unpaired surrogate was escaped, or -1.
	loneAt int

	depth int
	open  [limitDepth]byte // the bracket that opened each level
}

func (s *syntaxScan) reset(text []byte) {
	s.text, s.bad, s.loneAt, s.depth = text, 0, -1, 0
}

func (s *syntaxScan) fail(at int) int {
	s.bad = at
	return -1
}

// at returns the byte at i. Past the end it returns 0, which no JSON text contains.
func (s *syntaxScan) at(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

func (s *syntaxScan) space(i int) int {
	for i < len(s.text) {
		switch s.text[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

func (s *syntaxScan) push(bracket byte) bool {
	if s.depth == limitDepth {
		return false
	}
	s.open[s.depth] = bracket
	s.depth++
	return true
}

// value passes over one value and returns the index behind it. It does not recurse:
// a line of brackets must not grow the stack.
func (s *syntaxScan) value(i int) int {
	outside := s.depth
	for {
		switch c := s.at(i); c {
		case '"':
			i = s.quoted(i)
		case '{':
			if !s.push('{') {
				return s.fail(i)
			}
			if i = s.space(i + 1); s.at(i) != '}' {
				if i = s.key(i); i < 0 {
					return -1
				}
				continue
			}
			s.depth--
			i++
		case '[':
			if !s.push('[') {
				return s.fail(i)
			}
			if i = s.space(i + 1); s.at(i) != ']' {
				continue
			}
			s.depth--
			i++
		case 't':
			i = s.word(i, "true")
		case 'f':
			i = s.word(i, "false")
		case 'n':
			i = s.word(i, "null")
		default:
			i = s.number(i)
		}
		if i < 0 {
			return -1
		}
		for closed := true; closed; {
			if s.depth == outside {
				return i
			}
			i = s.space(i)
			inObject := s.open[s.depth-1] == '{'
			switch c := s.at(i); {
			case c == ',':
				i = s.space(i + 1)
				if inObject {
					if i = s.key(i); i < 0 {
						return -1
					}
				}
				closed = false
			case c == '}' && inObject, c == ']' && !inObject:
				s.depth--
				i++
			default:
				return s.fail(i)
			}
		}
	}
}

// key passes over a key and its colon and returns the index of the value.
func (s *syntaxScan) key(i int) int {
	if i = s.quoted(i); i < 0 {
		return -1
	}
	if i = s.space(i); s.at(i) != ':' {
		return s.fail(i)
	}
	return s.space(i + 1)
}

// plainInString holds the bytes that a string may contain as they are, except that the
// bytes of other characters than ASCII are not looked at here.
var plainInString = func() (plain [256]bool) {
	for c := range plain {
		plain[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return plain
}()

// plainBytes returns how many of eight bytes, the lowest first, stand in plainInString before
// one that does not.
func plainBytes(eight uint64) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote, backslash := eight^ones*'"', eight^ones*'\\'
	// A byte's top bit is set where subtracting borrows, that is where it is less; borrows
	// that go on to higher bytes set bits behind the first one only.
	found := ((eight - ones*' ') | (quote - ones) | (backslash - ones)) & ^eight & tops
	return bits.TrailingZeros64(found) / 8
}

// skipPlain passes over bytes that stand in plainInString, eight at a time, and leaves at
// most seven of them before the first that does not, or the end.
func skipPlain(text []byte, i int) int {
	for i <= len(text)-8 {
		n := plainBytes(binary.LittleEndian.Uint64(text[i:]))
		i += n
		if n < 8 {
			break
		}
	}
	return i
}

// quoted passes over a string, both quotes included.
func (s *syntaxScan) quoted(i int) int {
	if s.at(i) != '"' {
		return s.fail(i)
	}
	text := s.text
	i = skipPlain(text, i+1)
	for uint(i) < uint(len(text)) { // unsigned: i is known to be no less than 0 then
		c := text[i]
		if plainInString[c] {
			i++
			continue
		}
		switch c {
		case '"':
			return i + 1
		case '\\':
			if i = s.escape(i); i < 0 {
				return -1
			}
		default:
			return s.fail(i)
		}
	}
	return s.fail(i)
}

// escape passes over a backslash and what it stands for. A pair of surrogates is
// passed as one.
func (s *syntaxScan) escape(i int) int {
	switch s.at(i + 1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
	default:
		return s.fail(i + 1)
	}
	unit, ok := s.hex(i + 2)
	if !ok {
		return s.fail(i + 2)
	}
	if unit < 0xD800 || unit > 0xDFFF {
		return i + 6
	}
	if unit < 0xDC00 && s.at(i+6) == '\\' && s.at(i+7) == 'u' {
		if low, ok := s.hex(i + 8); ok && 0xDC00 <= low && low <= 0xDFFF {
			return i + 12
		}
	}
	if s.loneAt < 0 {
		s.loneAt = i
	}
	return i + 6
}

func (s *syntaxScan) hex(i int) (unit rune, ok bool) {
	for _, c := range [4]byte{s.at(i), s.at(i + 1), s.at(i + 2), s.at(i + 3)} {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | rune(c)
	}
	return unit, true
}

func (s *syntaxScan) word(i int, word string) int {
	for j := range len(word) {
		if s.at(i+j) != word[j] {
			return s.fail(i + j)
		}
	}
	return i + len(word)
}

func (s *syntaxScan) number(i int) int {
	if s.at(i) == '-' {
		i++
	}
	if s.at(i) == '0' {
		i++
	} else if i = s.digits(i); i < 0 {
		return -1
	}
	if s.at(i) == '.' {
		if i = s.digits(i + 1); i < 0 {
			return -1
		}
	}
	if c := s.at(i); c == 'e' || c == 'E' {
		i++
		if c := s.at(i); c == '+' || c == '-' {
			i++
		}
		return s.digits(i)
	}
	return i
}

// digits passes over one digit or more.
func (s *syntaxScan) digits(i int) int {
	start := i
	for i < len(s.text) && '0' <= s.text[i] && s.text[i] <= '9' {
		i++
	}
	if i == start {
		return s.fail(i)
	}
	return i
}
