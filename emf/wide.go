package emf

import "strings"

// What a wide event records goes into one document: each of its recorders has a directive of its
// own there. Where two contradict each other, having the same metric or different values of a
// dimension, or where a limit is reached, another document is begun.

const nextDirective = `]},`

// directive is what a directive starts with, up to its sets of dimensions.
func (env *envelope) directive() string {
	return env.body[strings.Index(env.body, `{"Namespace":`):]
}

// turns reports whether what is added next is of another recorder than what was added last.
func (p *partition) turns() bool { return len(p.in) > 0 && p.in[len(p.in)-1] != p.r }

// turnSize is what a further directive adds to a document at most.
func (p *partition) turnSize() int {
	return len(nextDirective) + len(p.r.e.envelope.directive()) + len(p.r.sets) + len(metricsOpen) + len(p.r.dims)
}

// turn begins the directive of the recorder.
func (p *partition) turn() {
	p.buf = append(p.buf, nextDirective...)
	p.buf = append(p.buf, p.r.e.envelope.directive()...)
	p.buf = append(p.buf, p.r.sets...)
	p.buf = append(p.buf, metricsOpen...)
	p.in = append(p.in, p.r)
	var more []byte
	for rest := p.r.dims; rest != ""; {
		var d Dimension
		if d, rest = cutDimension(rest); !contains(p.dims, d) {
			more = appendDimension(more, d)
		}
	}
	p.dims += string(more)
}

// contradicts reports whether a member of the open document would have two values with the
// recorder in it.
func (p *partition) contradicts() bool {
	for _, other := range p.in {
		for rest := p.r.dims; rest != ""; {
			var d Dimension
			d, rest = cutDimension(rest)
			if p.hasMetric(other, d.Name) || other.hasDimension(d.Name) && !contains(other.dims, d) {
				return true
			}
		}
		for i := range p.ev.tallies {
			if s := &p.ev.tallies[i]; s.r == p.r && s.def.void == kept && p.has(other, s.def.name) {
				return true
			}
		}
	}
	return false
}

// everHas reports whether a recorder of the partition has a dimension or metric of that name.
func (p *partition) everHas(name string) bool {
	if p.ev == nil || !p.ev.wide {
		return p.has(p.r, name)
	}
	for _, r := range p.ev.recorders {
		if p.ev.holds(r) && p.has(r, name) {
			return true
		}
	}
	return false
}

// holds reports whether something was recorded on one of the event's recorders.
func (c *core) holds(r *Recorder) bool {
	for i := range c.tallies {
		if s := &c.tallies[i]; s.r == r && (s.def.kind == gaugeFunc || s.waiting() > 0) {
			return true
		}
	}
	return false
}

// appendWideProperties is appendProperties for the documents of a wide event.
func (p *partition) appendWideProperties(dst []byte) []byte {
	e, ev := p.r.e, p.ev
	room := e.envelope.max
	for _, r := range ev.recorders {
		if ev.holds(r) {
			room = min(room, e.envelope.room(r))
		}
	}
	start := len(dst)
	for _, from := range []*properties{&e.properties, &ev.properties} {
		for i := range from.list {
			member := &from.list[i]
			text := from.buf[member.start:member.end]
			switch {
			case from != &ev.properties && ev.properties.has(member.name):
			case p.spelled(string(text)): // it is there, as a dimension
			case p.everHas(member.name):
				e.loseProperty(member.name, conflict)
			case len(dst)-start+len(text) > room:
				e.loseProperty(member.name, largeProperty)
			default:
				dst = append(dst, text...)
			}
		}
	}
	return dst
}

// spelled reports whether a member is among the dimensions of the wide event's documents.
func (p *partition) spelled(member string) bool {
	for _, r := range p.ev.recorders {
		if p.ev.holds(r) && strings.Contains(r.dims, member) {
			return true
		}
	}
	return false
}
