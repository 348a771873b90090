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
	props   []byte // properties of the document being written
	snap    distribution.Snapshot

	recorders []*Recorder // to write
	at        time.Time   // of the event being written
	event     properties  // of the event being written
	wide      bool        // it writes one document, see [wide]
}

// batches are reused; one that has grown beyond keepBatch is let go.
var batches = sync.Pool{New: func() any { return new(batch) }}

const keepBatch = 4 * fullBatch

func newBatch() *batch { return batches.Get().(*batch) }

func (b *batch) free() {
	b.reset()
	if max(cap(b.buf), cap(b.members), cap(b.props), cap(b.event.buf)) <= keepBatch {
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
}

func newEnvelope(namespace, logGroup string, maxSize int) envelope {
	var b strings.Builder
	b.WriteByte(',')
	if logGroup != "" {
		b.WriteString(`"LogGroupName":`)
		b.Write(appendString(nil, logGroup))
		b.WriteByte(',')
	}
	b.WriteString(`"CloudWatchMetrics":[{"Namespace":`)
	b.Write(appendString(nil, namespace))
	b.WriteString(`,"Dimensions":[`)
	return envelope{head: `{"_aws":{"Timestamp":`, body: b.String(), max: maxSize}
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

// partition writes the metrics of one recorder, in as many documents as it takes.
type partition struct {
	*batch
	env *envelope
	r   *Recorder
	at  time.Time

	start   int // of the open document in buf
	metrics int // in the open document; 0: none is open
	values  uint64
}

// write takes what was recorded on r and adds documents with it and with the emitter's
// and the event's properties to b. It reports whether there was anything.
func (b *batch) write(r *Recorder, at time.Time, event *properties) bool {
	p := partition{batch: b, env: &r.e.envelope, r: r, at: at}
	found := false
	last := r.last() // one that is added while this goes on may have a property's name
	for s := r.first.Load(); s != nil; s = s.following(last) {
		n, ok := b.take(r, s)
		if n == 0 {
			continue
		}
		if !found {
			found = true
			b.props = r.e.appendProperties(b.props[:0], r, event)
			b.props = r.e.appendLogLevel(b.props, at, event, r)
		}
		if ok {
			p.add(s.def, n)
		}
	}
	p.close()
	return found
}

// take takes what was recorded on a series of r, n values, and writes it to value if there is
// no reason to drop it.
func (b *batch) take(r *Recorder, s *series) (n uint64, ok bool) {
	n, v := s.take(&b.snap)
	if n == 0 {
		return 0, false
	}
	account := &r.e.account
	n *= uint64(r.weight)
	account.take(n)
	switch {
	case s.def.void != kept:
		account.drop(s.def.void, n)
		return n, false
	case s.def.kind == histogram || s.def.kind == samples:
		b.value = appendDistribution(b.value[:0], &b.snap)
	case !inRange(v): // a sum of values that are
		account.drop(outOfRange, n)
		r.e.diagnostics.report(outOfRange.String(), "the sum of a counter is out of range: dropped", "metric", s.def.name)
		return n, false
	default:
		b.value = appendNumber(b.value[:0], v)
	}
	return n, true
}

// add adds a metric of n values, which stand written in value.
func (p *partition) add(def *definition, n uint64) {
	if p.metrics > 0 {
		size := len(p.buf) - p.start + len(metricsClose) + len(p.r.dims) + len(p.props) + len(p.members)
		if p.metrics == maxMetrics || size+len(def.entry)+len(def.member)+len(p.value)+3 > p.env.max {
			p.close()
		}
	}
	if p.metrics == 0 {
		p.start = len(p.buf)
		p.buf = append(p.buf, p.env.head...)
		p.buf = strconv.AppendInt(p.buf, p.at.UnixMilli(), 10)
		p.buf = append(p.buf, p.env.body...)
		p.buf = append(p.buf, p.r.sets...)
		p.buf = append(p.buf, metricsOpen...)
	} else {
		p.buf = append(p.buf, ',')
		p.members = append(p.members, ',')
	}
	p.buf = append(p.buf, def.entry...)
	p.members = append(p.members, def.member...)
	p.members = append(p.members, p.value...)
	p.metrics++
	p.values += n
}

// close ends the open document.
func (p *partition) close() {
	if p.metrics == 0 {
		return
	}
	p.buf = append(p.buf, metricsClose...)
	p.buf = append(p.buf, p.r.dims...)
	p.buf = append(p.buf, p.props...)
	p.buf = append(p.buf, p.members...)
	p.buf = append(p.buf, '}')
	p.docs = append(p.docs, Document{Time: p.at, Values: int(p.values)})
	p.ends = append(p.ends, len(p.buf))
	p.members = p.members[:0]
	p.metrics, p.values = 0, 0
}

// appendDistribution appends a histogram's values: one as a number, few as an array,
// many with their counts.
func appendDistribution(dst []byte, snap *distribution.Snapshot) []byte {
	if values := snap.Values(); values != nil {
		if len(values) == 1 {
			return appendNumber(dst, values[0])
		}
		dst = append(dst, '[')
		for _, v := range values {
			dst = append(appendNumber(dst, v), ',')
		}
		dst[len(dst)-1] = ']'
		return dst
	}
	entries := snap.Entries()
	dst = append(dst, `{"Values":[`...)
	for _, entry := range entries {
		dst = append(appendNumber(dst, entry.Value), ',')
	}
	dst = append(dst[:len(dst)-1], `],"Counts":[`...)
	for _, entry := range entries {
		dst = append(strconv.AppendUint(dst, entry.Count, 10), ',')
	}
	return append(dst[:len(dst)-1], `]}`...)
}
