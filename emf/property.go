package emf

import (
	"slices"
	"strings"
	"sync"
)

// properties are root members of a document that are neither metric nor dimension.
// They are encoded when they are set: what happens to a value afterwards does not
// matter, and a document copies bytes.
type properties struct {
	list []property
	buf  []byte
}

type property struct {
	name       string
	start, end int // of `"name":value,` in buf
}

// propertyLists are lists of properties to reuse; one with more than keepProperties bytes
// is let go.
var propertyLists = sync.Pool{New: func() any { return new(properties) }}

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
	name = strings.Map(func(r rune) rune { return r }, name)
	at := slices.IndexFunc(p.list, func(other property) bool { return other.name == name })
	if at >= 0 {
		p.cut(p.list[at])
	} else {
		at = len(p.list)
		p.list = append(p.list, property{})
	}
	start := len(p.buf)
	p.buf = append(p.buf, member...)
	p.list[at] = property{name, start, len(p.buf)}
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

func (p *properties) reset() { p.list, p.buf = p.list[:0], p.buf[:0] }

// copyTo makes to the same as p.
func (p *properties) copyTo(to *properties) {
	to.list = append(to.list[:0], p.list...)
	to.buf = append(to.buf[:0], p.buf...)
}

// has reports whether there is a property of that name.
func (p *properties) has(name string) bool {
	return slices.ContainsFunc(p.list, func(other property) bool { return other.name == name })
}

// appendProperties appends the properties of a document of r: the emitter's, replaced
// by the event's of the same name, and the event's. Those for which a document has no
// room, and those named like a dimension or metric, are left out and counted.
func (e *Emitter) appendProperties(dst []byte, r *Recorder, event *properties) []byte {
	room := e.envelope.room(r)
	if !r.clash.Load() && len(event.list) == 0 && len(e.properties.buf) <= room {
		return append(dst, e.properties.buf...)
	}
	return e.appendPropertiesBeside(dst, []*Recorder{r}, event)
}

// appendPropertiesBeside appends the properties of a document of all these recorders. One that
// a dimension says already is not lost.
func (e *Emitter) appendPropertiesBeside(dst []byte, recorders []*Recorder, event *properties) []byte {
	room := e.envelope.max
	for _, r := range recorders {
		room = min(room, e.envelope.room(r))
	}
	start := len(dst)
	for _, from := range []*properties{&e.properties, event} {
		for i := range from.list {
			p := &from.list[i]
			clashes := func(r *Recorder) bool { return r.hasDimension(p.name) || r.hasMetric(p.name) }
			says := func(r *Recorder) bool { return strings.Contains(r.dims, string(from.buf[p.start:p.end])) }
			switch {
			case from != event && event.has(p.name):
			case slices.ContainsFunc(recorders, clashes):
				if !slices.ContainsFunc(recorders, says) {
					e.loseProperty(p.name, conflict)
				}
			case len(dst)-start+p.end-p.start > room:
				e.loseProperty(p.name, largeProperty)
			default:
				dst = append(dst, from.buf[p.start:p.end]...)
			}
		}
	}
	return dst
}

func (e *Emitter) loseProperty(name string, why reason) {
	e.account.lose(why, 1)
	e.diagnostics.report("property "+why.String(), "a property is left out: "+why.String(), "property", name)
}
