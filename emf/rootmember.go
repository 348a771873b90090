package emf

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// rootMember is a member of the document, as far as the syntax scan saw it. Offsets
// are into inspection.text; 32 bits keep a line of many members small.
type rootMember struct {
	keyStart, keyEnd int32 // between the quotes
	start, end       int32 // the value
	decoded          int32 // 1 + index in inspection.decoded, if the key is written with escapes

	target      int32 // 1 + index in inspection.targets, once read as a metric's
	firstName   int32 // 1 + index in inspection.names of the first that names the member
	inSet       int32 // 1 + the last dimension set that names the member
	inDirective int32 // 1 + the last directive that has it as a metric
	resolution  uint8 // of the first metric that has it as its target
	lone        bool  // holds an unpaired surrogate
}

// readRoot splits the text into root members. It returns false if the text is not
// JSON; isObject is false if it is, but no object.
func (in *inspection) readRoot() (isObject, ok bool) {
	s := &in.scan
	s.reset(in.text)
	i := s.space(0)
	if s.at(i) != '{' {
		if i = s.value(i); i < 0 {
			return false, false
		}
		return false, in.endsAt(i)
	}
	s.push('{')
	if i = s.space(i + 1); s.at(i) == '}' {
		return true, in.endsAt(i + 1)
	}
	for {
		m := rootMember{keyStart: int32(i + 1)}
		if i = s.quoted(i); i < 0 {
			return true, false
		}
		m.keyEnd = int32(i - 1)
		if i = s.space(i); s.at(i) != ':' {
			s.fail(i)
			return true, false
		}
		i = s.space(i + 1)
		m.start = int32(i)
		if i = s.value(i); i < 0 {
			return true, false
		}
		m.end = int32(i)
		if s.loneAt >= 0 {
			m.lone, s.loneAt = true, -1
		}
		in.members = append(in.members, m)
		switch i = s.space(i); s.at(i) {
		case ',':
			i = s.space(i + 1)
		case '}':
			return true, in.endsAt(i + 1)
		default:
			s.fail(i)
			return true, false
		}
	}
}

// endsAt reports whether only white space is left.
func (in *inspection) endsAt(i int) bool {
	if i = in.scan.space(i); i < len(in.text) {
		in.trailing = true
		in.scan.fail(i)
		return false
	}
	return true
}

// fewMembers is up to how many members it is cheaper to compare keys than to hash them.
const fewMembers = 8

// indexKeys prepares the look-up of members by key, and reports keys that occur
// twice. The last one counts, as in most JSON readers.
func (in *inspection) indexKeys() {
	in.slots = in.slots[:0]
	if len(in.members) > fewMembers {
		size := 16
		for size < 2*len(in.members) {
			size *= 2
		}
		in.slots = slices.Grow(in.slots, size)[:size]
		clear(in.slots)
	}
	for i := range in.members {
		m := &in.members[i]
		key := in.text[m.keyStart:m.keyEnd]
		if bytes.IndexByte(key, '\\') >= 0 {
			in.reader.open(in.text[m.keyStart-1 : m.keyEnd+1])
			in.decoded = append(in.decoded, in.reader.string())
			m.decoded = int32(len(in.decoded))
			key = in.decoded[m.decoded-1]
		}
		if len(in.slots) == 0 {
			if in.lastMember(key, i) >= 0 {
				in.repeatedMember(rootPath, key)
			}
			continue
		}
		slot := in.slotOf(key)
		if in.slots[slot] != 0 {
			in.repeatedMember(rootPath, key)
		}
		in.slots[slot] = int32(i + 1)
	}
}

// member returns the index of the member with the key, or -1.
func (in *inspection) member(key []byte) int32 {
	if len(in.slots) == 0 {
		return in.lastMember(key, len(in.members))
	}
	return in.slots[in.slotOf(key)] - 1
}

// lastMember returns the index of the last of the first n members that has the key, or -1.
func (in *inspection) lastMember(key []byte, n int) int32 {
	for i := n - 1; i >= 0; i-- {
		if string(in.keyOf(&in.members[i])) == string(key) {
			return int32(i)
		}
	}
	return -1
}

// keySeed is random, so that no line can be made to collide.
var keySeed = maphash.MakeSeed()

// slotOf returns the slot that holds the member with the key, or the empty one where
// it belongs. Less than half of the slots are taken, so there is one.
func (in *inspection) slotOf(key []byte) int {
	mask := uint64(len(in.slots) - 1)
	for slot := maphash.Bytes(keySeed, key) & mask; ; slot = (slot + 1) & mask {
		i := in.slots[slot]
		if i == 0 || bytes.Equal(in.keyOf(&in.members[i-1]), key) {
			return int(slot)
		}
	}
}

func (in *inspection) keyOf(m *rootMember) []byte {
	if m.decoded > 0 {
		return in.decoded[m.decoded-1]
	}
	return in.text[m.keyStart:m.keyEnd]
}
