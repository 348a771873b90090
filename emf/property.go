package emf

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// properties are root members of a document that are neither metric nor dimension.
// They are encoded when they are set: what happens to a value afterwards does not
// matter, and a document copies bytes.
type properties struct {
	list   []property
	buf    []byte
	byName map[string]int // where in list, once there are many
}

// manyProperties is how many properties are searched one by one.
const manyProperties = 16

type property struct {
	name       string
	start, end int // of `"name":value,` in buf
}

// keepProperties is a size up to which an event's properties are kept for the next one.
const keepProperties = keepBatch / 16

// appendProperty appends a property as a JSON member with its comma, unless there is a
// reason not to.
func appendProperty(dst []byte, name string, value any) ([]byte, reason) {
	switch name {
	case "":
		return dst, badProperty
	case "_aws":
		return dst, conflict
	}
	dst = append(appendString(dst, name), ':')
	dst, err := appendValue(dst, value)
	if err != nil {
		return dst, badProperty
	}
	return append(dst, ','), kept
}

// put adds a property, a member written by appendProperty, or replaces the one of that
// name.
func (p *properties) put(name string, member []byte) {
	// As appendString writes it: each byte that is not UTF-8 becomes U+FFFD.
	if !utf8.ValidString(name) {
		name = strings.Map(func(r rune) rune { return r }, name)
	}
	at := p.find(name)
	if at >= 0 {
		p.cut(p.list[at])
	} else {
		at = len(p.list)
		p.list = append(p.list, property{})
	}
	start := len(p.buf)
	p.buf = append(p.buf, member...)
	p.list[at] = property{name, start, len(p.buf)}
	switch {
	case p.byName != nil:
		p.byName[name] = at
	case at == manyProperties:
		p.byName = make(map[string]int)
		for i := range p.list {
			p.byName[p.list[i].name] = i
		}
	}
}

// find returns where in list a property is, -1 if it is not.
func (p *properties) find(name string) int {
	if p.byName != nil {
		if at, ok := p.byName[name]; ok {
			return at
		}
		return -1
	}
	for i := range p.list {
		if p.list[i].name == name {
			return i
		}
	}
	return -1
}

// cut takes a property's member out of buf.
func (p *properties) cut(old property) {
	p.buf = slices.Delete(p.buf, old.start, old.end)
	for i := range p.list {
		if other := &p.list[i]; other.start > old.start {
			other.start -= old.end - old.start
			other.end -= old.end - old.start
		}
	}
}

func (p *properties) reset() { p.list, p.buf, p.byName = p.list[:0], p.buf[:0], nil }

// copyTo makes to the same as p, for a reader.
func (p *properties) copyTo(to *properties) {
	to.list = append(to.list[:0], p.list...)
	to.buf = append(to.buf[:0], p.buf...)
}

// has reports whether there is a property of that name.
func (p *properties) has(name string) bool {
	return p.find(name) >= 0
}

// appendProperties appends the properties of the partition's documents: the emitter's,
// replaced by the event's of the same name, and the event's. Those for which a document has no
// room, and those named like a dimension or metric, are left out and counted, unless the
// dimension says the same.
func (p *partition) appendProperties(dst []byte) []byte {
	e := p.r.e
	event := &none
	if p.ev != nil {
		event = &p.ev.properties
	}
	if !p.wide() && len(event.list) == 0 && !p.r.clash.Load() && len(e.properties.buf) <= e.envelope.room(p.r) {
		return append(dst, e.properties.buf...)
	}
	room := p.propertyRoom()
	start := len(dst)
	for _, from := range []*properties{&e.properties, event} {
		for i := range from.list {
			member := &from.list[i]
			text := from.buf[member.start:member.end]
			switch {
			case from != event && event.has(member.name):
			case p.has(member.name):
				if !p.says(text) {
					e.loseProperty(member.name, conflict)
				}
			case len(dst)-start+len(text) > room:
				e.loseProperty(member.name, largeProperty)
			default:
				dst = append(dst, text...)
			}
		}
	}
	return dst
}

var none properties

func (e *Emitter) loseProperty(name string, why reason) {
	e.account.lose(why, 1)
	e.diagnostics.report("property "+why.String(), "a property is left out: "+why.String(), "property", name)
}
