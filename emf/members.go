package emf

import "strings"

// A member of a document has one value. What is asked here is who has a name already.

func (p *partition) wide() bool { return p.ev != nil && p.ev.wide }

// everyone is the recorders that may be in a document of the partition; holds tells which are.
func (p *partition) everyone() []*Recorder {
	if p.wide() {
		return p.ev.recorders
	}
	p.alone[0] = p.r
	return p.alone[:]
}

// has reports whether a dimension or a metric that may be written has that name.
func (p *partition) has(name string) bool {
	for _, r := range p.everyone() {
		if p.hasOn(r, name) && p.holds(r) {
			return true
		}
	}
	return false
}

// holds reports whether a recorder is in a document of the partition.
func (p *partition) holds(r *Recorder) bool { return !p.wide() || p.ev.holds(r) }

// hasOn is has for one recorder.
func (p *partition) hasOn(r *Recorder, name string) bool {
	return r.hasDimension(name) || p.hasMetric(r, name)
}

// hasMetric reports whether a metric of r that may be written has that name.
func (p *partition) hasMetric(r *Recorder, name string) bool {
	if p.ev == nil {
		return r.hasMetric(name)
	}
	for i := range p.ev.tallies {
		if s := &p.ev.tallies[i]; s.r == r && s.def.name == name && s.def.void == kept {
			return true
		}
	}
	return false
}

// says reports whether a member is a dimension, with its value.
func (p *partition) says(member []byte) bool {
	for _, r := range p.everyone() {
		if strings.Contains(r.dims, string(member)) && p.holds(r) {
			return true
		}
	}
	return false
}

// propertyRoom is how many bytes of properties each document can carry.
func (p *partition) propertyRoom() int {
	room := p.r.e.envelope.max
	for _, r := range p.everyone() {
		if p.holds(r) {
			room = min(room, p.r.e.envelope.room(r))
		}
	}
	return room
}
