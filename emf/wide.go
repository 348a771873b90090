package emf

// What a wide event records goes into one document: each of its recorders has a directive of its
// own there. Where two contradict each other, having the same metric or different values of a
// dimension, or where a limit is reached, another document is begun.

const nextDirective = `]},`

// turns reports whether what is added next is of another recorder than what was added last.
func (p *partition) turns() bool { return len(p.in) > 0 && p.in[len(p.in)-1] != p.r }

// turnSize is what a further directive adds to a document at most.
func (p *partition) turnSize() int {
	return len(nextDirective) + len(p.r.e.envelope.directive) + len(p.r.sets) + len(metricsOpen) + len(p.r.dims)
}

// turn begins the directive of the recorder.
func (p *partition) turn() {
	p.buf = append(p.buf, nextDirective...)
	p.buf = append(p.buf, p.r.e.envelope.directive...)
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
			if s := &p.ev.tallies[i]; s.r == p.r && s.def.void == kept && p.hasOn(other, s.def.name) {
				return true
			}
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
