package emf

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/liftemf/liftemf/internal/distribution"
)

// CloudWatch takes at most so many metrics in a document.
//
// Source: the embedded metric format specification (MetricDirective).
const maxMetrics = 100

// fullBatch is the size at which a flush hands its documents to the sink.
const fullBatch = 256 << 10

// batch is documents being written, all in one buffer, with the scratch space for it.
type batch struct {
	docs []Document // their JSON is set by documents
	ends []int      // where each ends in buf
	buf  []byte

	members []byte // metric values of the document being written
	value   []byte // the value being written
	counts  []byte // and how often its numbers occur
	props   []byte // properties of the document being written
	snap    distribution.Snapshot

	recorders []*Recorder // to write
	hour      *billedHour // nil: nothing is published
}

// batches are reused; one that has grown beyond keepBatch is let go.
var batches = sync.Pool{New: func() any { return new(batch) }}

const keepBatch = 4 * fullBatch

func newBatch() *batch { return batches.Get().(*batch) }

func (b *batch) free() {
	b.reset()
	b.hour = nil
	if max(cap(b.buf), cap(b.members), cap(b.props)) <= keepBatch {
		batches.Put(b)
	}
}

func (b *batch) reset() {
	b.docs, b.ends, b.buf = b.docs[:0], b.ends[:0], b.buf[:0]
}

// documents returns what was written. It is valid until the batch is reset.
func (b *batch) documents() []Document {
	start := 0
	for i, end := range b.ends {
		b.docs[i].JSON = b.buf[start:end:end]
		start = end
	}
	return b.docs
}

// envelope is what all documents of an emitter have in common.
type envelope struct {
	head string // `{"_aws":{"Timestamp":`
	body string // `,"CloudWatchMetrics":[{"Namespace":"shop","Dimensions":[`
	max  int    // size of a document

	directive string // the end of body, from where a directive starts: `{"Namespace":"shop","Dimensions":[`
}

func newEnvelope(namespace, logGroup string, maxSize int) envelope {
	var b strings.Builder
	b.WriteByte(',')
	if logGroup != "" {
		b.WriteString(`"LogGroupName":`)
		b.Write(appendString(nil, logGroup))
		b.WriteByte(',')
	}
	b.WriteString(`"CloudWatchMetrics":[`)
	start := b.Len()
	b.WriteString(`{"Namespace":`)
	b.Write(appendString(nil, namespace))
	b.WriteString(`,"Dimensions":[`)
	body := b.String()
	return envelope{head: `{"_aws":{"Timestamp":`, body: body, max: maxSize, directive: body[start:]}
}

const (
	metricsOpen  = `],"Metrics":[`
	metricsClose = `]}]},`

	timestampSize = 20
	// metricRoom is what properties leave free for metrics: the largest metric, 100
	// entries under a name of 255 characters, is smaller.
	metricRoom = 6 << 10
)

// room is how many bytes of properties a document of r can carry.
func (env *envelope) room(r *Recorder) int {
	fixed := len(env.head) + timestampSize + len(env.body) + len(r.sets) + len(metricsOpen) + len(metricsClose) + len(r.dims) + 1
	return env.max - fixed - min(metricRoom, env.max/4)
}

// partition writes the metrics of one recorder, in as many documents as it takes; of a wide
// event, see [core.wide], those of all its recorders, one after the other.
type partition struct {
	*batch
	r  *Recorder // whose metrics are written
	at time.Time
	ev *core // nil: not of an event

	alone [1]*Recorder // r, for those who want a list
	found bool         // something was recorded
	taken uint64       // values, not accounted for yet

	// Of the open document:
	start   int // in buf
	metrics int // 0: none is open
	values  uint64
	dims    string
	in      []*Recorder // the last one has the open directive
}

// write takes what was recorded on r and adds documents with it and with the emitter's
// properties to b. It reports whether there was anything.
func (b *batch) write(r *Recorder, at time.Time) bool {
	p := partition{batch: b, r: r, at: at}
	last := r.last() // one that is added while this goes on may have a property's name
	for s := r.first.Load(); s != nil; s = s.following(last) {
		n, v := s.take(&b.snap)
		if n > 0 && b.hour != nil {
			b.hour.note(s)
		}
		switch {
		case n == 0 || !p.take(s.def, n):
		case s.def.kind == histogram || s.def.kind == samples:
			p.addDistribution(s.def)
		default:
			p.addValue(s.def, n, v)
		}
	}
	p.end()
	return p.found
}

// writeEvent adds documents with what was recorded on an event, and with the emitter's and the
// event's properties, to b.
func (b *batch) writeEvent(ev *core) {
	now := ev.e.now()
	age := now.Sub(ev.at)
	if !ev.e.config.disabled {
		b.hour = ev.e.bill.at(now, &ev.e.account.bytes)
	}
	p := partition{batch: b, at: ev.at, ev: ev}
	for _, r := range ev.recorders {
		if p.r = r; !ev.wide {
			p.found = false
		}
		for i := range ev.tallies {
			s := &ev.tallies[i]
			if s.r != r {
				continue
			}
			n, v := s.waiting(), s.v
			if s.def.kind == gaugeFunc {
				n, v = s.handle.ask()
			}
			switch {
			case n == 0:
			case age > oldest || age < -newest:
				n *= uint64(r.weight)
				ev.e.account.lose(badTime, n)
				ev.e.diagnostics.report(badTime.String(), "an event's time is more than two weeks ago or two hours ahead: its values are dropped", "age", age)
			case !p.take(s.def, n):
			case s.many != nil:
				s.many.Take(&b.snap)
				p.addDistribution(s.def)
			case s.def.kind == histogram:
				p.addValues(s.def, s.values)
			default:
				p.addValue(s.def, n, v)
			}
		}
		if !ev.wide {
			p.close()
		}
	}
	if p.r != nil {
		p.end()
	}
}

// take counts n values that were taken. It reports false if they have to be dropped.
func (p *partition) take(def *definition, n uint64) bool {
	if !p.found {
		p.found = true
		p.props = p.appendLogLevel(p.appendProperties(p.props[:0]))
	}
	p.taken += n * uint64(p.r.weight)
	if def.void != kept {
		p.r.e.account.drop(def.void, n*uint64(p.r.weight))
		return false
	}
	if p.ev != nil && p.hour != nil {
		p.hour.count(p.r, def)
	}
	return true
}

// end ends the open document and accounts for what was taken.
func (p *partition) end() {
	p.close()
	if p.taken > 0 {
		p.r.e.account.take(p.taken)
	}
}

// addValue adds a metric of one value, which n recordings made.
func (p *partition) addValue(def *definition, n uint64, v float64) {
	if !inRange(v) { // a sum of values that are
		p.r.e.account.drop(outOfRange, n*uint64(p.r.weight))
		p.r.e.diagnostics.report(outOfRange.String(), "the sum of a counter is out of range: dropped", "metric", def.name)
		return
	}
	p.value = appendNumber(p.value[:0], v)
	p.add(def, n)
}

// add adds a metric of n recordings, which stand written in value.
func (p *partition) add(def *definition, n uint64) {
	env := &p.r.e.envelope
	if p.metrics > 0 {
		size := len(p.buf) - p.start + len(metricsClose) + len(p.dims) + len(p.props) + len(p.members)
		if p.turns() {
			size += p.turnSize()
		}
		if p.metrics == maxMetrics || size+len(def.entry)+len(def.member)+len(p.value)+3 > env.max || p.turns() && p.contradicts() {
			p.close()
		}
	}
	turns := p.turns()
	if turns {
		p.turn()
	}
	buf, members := p.buf, p.members
	switch {
	case p.metrics == 0:
		p.start = len(buf)
		buf = append(buf, env.head...)
		buf = strconv.AppendInt(buf, p.at.UnixMilli(), 10)
		buf = append(buf, env.body...)
		buf = append(buf, p.r.sets...)
		buf = append(buf, metricsOpen...)
		p.dims = p.r.dims
		if p.wide() {
			p.in = append(p.in, p.r)
		}
	case turns:
		members = append(members, ',')
	default:
		buf = append(buf, ',')
		members = append(members, ',')
	}
	p.buf = append(buf, def.entry...)
	members = append(members, def.member...)
	p.members = append(members, p.value...)
	p.metrics++
	p.values += n * uint64(p.r.weight)
}

// close ends the open document.
func (p *partition) close() {
	if p.metrics == 0 {
		return
	}
	buf := append(p.buf, metricsClose...)
	buf = append(buf, p.dims...)
	buf = append(buf, p.props...)
	buf = append(buf, p.members...)
	p.buf = append(buf, '}')
	p.docs = append(p.docs, Document{Time: p.at, Values: int(p.values)})
	p.ends = append(p.ends, len(p.buf))
	p.members, p.in = p.members[:0], p.in[:0]
	p.metrics, p.values = 0, 0
}
