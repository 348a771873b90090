package emf

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Event is one unit of work, such as an invocation, a request or a job, with values and
// properties of its own: they go into documents that carry nothing else, stamped with
// the event's time. Its embedded Recorder has the dimensions given to [Emitter.Begin];
// recorders made from it with With and WithTenant belong to the event too. An Event is
// safe for concurrent use.
//
// An event that is never ended is kept until the emitter is closed.
type Event struct {
	*Recorder

	mu         sync.Mutex
	at         time.Time
	properties *properties // nil: none
	recorders  []*Recorder
	over       bool
	wide       bool // all recorders in one document
	dissolved  bool // over without a document

	previous, next *Event // of the open events

	room eventRoom
}

// eventRoom is where an event keeps what most events need, so that it is one piece of
// memory. It is never reused: whoever kept a metric of an event that is over must not
// record on another event.
type eventRoom struct {
	root       Recorder
	recorders  [2]*Recorder
	series     [6]series
	remainders [4]remainder
	values     [16]float64 // of histograms, four each

	seriesUsed, remaindersUsed int
}

// The window around now in which CloudWatch takes metrics.
//
// Source: MetricDatum in the PutMetricData API reference.
const (
	oldest = 14 * 24 * time.Hour
	newest = 2 * time.Hour
)

// Begin begins an event under the emitter's dimensions and these, see [Recorder.With].
// Its documents are stamped with the time of the call.
func (e *Emitter) Begin(dims ...Dimension) *Event {
	now := e.now()
	e.store.relieve(now)
	return e.events.open(now, e.Recorder.With(dims...))
}

// mirror makes r the event's recorder for the emitter's recorder base.
func (r *Recorder) mirror(ev *Event, base *Recorder) {
	r.e, r.event, r.base = base.e, ev, base
	to := base.published()
	r.dims, r.sets, r.count, r.weight = to.dims, to.sets, to.count, to.weight
	r.clash.Store(to.clash.Load())
}

// newSeries returns a new series of the event. The caller holds the lock.
func (ev *Event) newSeries(k kind) *series {
	room := &ev.room
	if room.seriesUsed == len(room.series) {
		return new(series)
	}
	s := &room.series[room.seriesUsed]
	room.seriesUsed++
	if k == histogram && room.remaindersUsed < len(room.remainders) {
		i := room.remaindersUsed
		room.remaindersUsed++
		room.remainders[i].values.Use(room.values[4*i : 4*i+4 : 4*i+4])
		s.more.Store(&room.remainders[i])
	}
	return s
}

// recorder returns the event's recorder for the emitter's recorder base.
func (ev *Event) recorder(base *Recorder) *Recorder {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	for _, r := range ev.recorders {
		if r.base == base {
			return r
		}
	}
	r := new(Recorder)
	r.mirror(ev, base)
	if ev.over {
		r.state.Store(ended)
	}
	ev.recorders = append(ev.recorders, r)
	return r
}

// SetProperty puts a property, a root member that is neither metric nor dimension, into
// the documents that the event emits from now on; the last value of a name wins. The
// value is encoded at once, as json-iterator encodes it, and invalid UTF-8 is replaced
// by U+FFFD. A value without a JSON form, a property too large for a document, and one
// named like a dimension or a metric are left out and counted. After End it does nothing.
func (ev *Event) SetProperty(key string, value any) {
	if ev == nil || ev.Recorder.discards() {
		return
	}
	var room [128]byte
	member, why := appendProperty(room[:0], key, value) // may call the value's methods: not under the lock
	if why != kept {
		ev.e.loseProperty(clean(key), why)
		return
	}
	ev.mu.Lock()
	if !ev.over {
		if ev.properties == nil {
			ev.properties = propertyLists.Get().(*properties)
		}
		ev.properties.put(key, member)
	}
	ev.mu.Unlock()
}

// SetTimestamp stamps the documents that the event emits from now on. CloudWatch takes
// times from two weeks ago to two hours ahead: values of an event beyond are dropped and
// counted. The zero time is ignored.
func (ev *Event) SetTimestamp(t time.Time) {
	if ev == nil || t.IsZero() {
		return
	}
	ev.mu.Lock()
	ev.at = t
	ev.mu.Unlock()
}

// Flush emits what was recorded so far; values recorded later form the next document.
// It returns the sink's error, see [Emitter.Flush].
func (ev *Event) Flush(ctx context.Context) error { return ev.emit(ctx, false) }

// End emits the rest and ends the event; ending it again does nothing. Values recorded
// later go to the emitter's own recorder with the same dimensions and are counted in
// [Stats].Late. It returns the sink's error, see [Emitter.Flush]. A done ctx loses
// nothing: what the sink has not taken by then waits for the emitter's next flush.
func (ev *Event) End(ctx context.Context) error { return ev.emit(ctx, true) }

func (ev *Event) emit(ctx context.Context, last bool) error {
	if ev == nil || ev.Recorder.discards() {
		return nil
	}
	b := newBatch()
	if !ev.prepare(b, last) {
		b.free()
		return nil
	}
	e := ev.e
	e.write(b)
	if last {
		// Only now are recordings diverted, so that none from before the call can be late.
		ev.finish(b)
		e.write(b)
		e.events.close(ev)
	}
	if len(b.docs) == 0 {
		b.free()
		return nil
	}
	return e.emit(ctx, b)
}

// prepare gives b what is needed to write the event, unless the event is over. If this is
// the last time it is over from now on.
func (ev *Event) prepare(b *batch, last bool) bool {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	if ev.over {
		return false
	}
	ev.over = last
	b.at, b.wide = ev.at, ev.wide
	b.recorders = append(b.recorders[:0], ev.recorders...)
	b.event.reset()
	if ev.properties == nil {
		return true
	}
	ev.properties.copyTo(&b.event)
	if last {
		ev.freeProperties()
	}
	return true
}

// freeProperties lets the properties go. The caller holds the lock.
func (ev *Event) freeProperties() {
	if ev.properties == nil {
		return
	}
	if ev.properties.reset(); cap(ev.properties.buf) <= keepProperties {
		propertyLists.Put(ev.properties)
	}
	ev.properties = nil
}

// finish diverts what is recorded on the event from now on.
func (ev *Event) finish(b *batch) {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	for _, r := range ev.recorders {
		r.enter(ended)
	}
	b.recorders = append(b.recorders[:0], ev.recorders...)
}

// write takes what was recorded on an event and writes it to b, which has the event's
// time, recorders and properties.
func (e *Emitter) write(b *batch) {
	age := e.now().Sub(b.at)
	inWindow := age <= oldest && age >= -newest
	if b.wide && inWindow {
		b.writeWide(e, b.recorders, b.at, &b.event)
		clear(b.recorders)
		return
	}
	for _, r := range b.recorders {
		switch {
		case r.first.Load() == nil:
		case inWindow:
			b.write(r, b.at, &b.event)
		default:
			if n := r.discard(&b.snap); n > 0 {
				e.account.lose(badTime, n)
				e.diagnostics.report(badTime.String(), "an event's time is more than two weeks ago or two hours ahead: its values are dropped", "age", age)
			}
		}
	}
	clear(b.recorders)
}

// emit sends a batch, which it frees. If the sink is not free until ctx is done the
// documents wait for the next flush.
func (e *Emitter) emit(ctx context.Context, b *batch) error {
	ctx = orBackground(ctx)
	docs := b.documents()
	if err := e.outbox.acquire(ctx); err != nil {
		dropped := e.outbox.keepCopies(docs)
		b.free()
		return fmt.Errorf("%w: %d documents kept for the next flush, %d dropped", err, len(docs)-dropped, dropped)
	}
	if ctx.Done() == nil {
		return e.sendAndFree(ctx, b, docs)
	}
	return await(ctx, func() error { return e.sendAndFree(ctx, b, docs) })
}

// sendAndFree sends a batch's documents, gives the turn back and frees the batch.
func (e *Emitter) sendAndFree(ctx context.Context, b *batch, docs []Document) error {
	defer e.outbox.release()
	defer b.free()
	return e.send(ctx, docs)
}

func (ev *Event) waiting() (n uint64) {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	for _, r := range ev.recorders {
		n += r.waiting()
	}
	return n
}

// events are an emitter's open events.
type events struct {
	mu     sync.Mutex
	first  *Event
	fresh  []Event // allocated together, not begun yet
	closed bool
}

// allocatedTogether is how many events are allocated at once: few enough that one that is
// kept does not hold much memory.
const allocatedTogether = 16

// open returns a new event under the dimensions of base. After the emitter's end it is over
// before it began.
func (es *events) open(at time.Time, base *Recorder) *Event {
	es.mu.Lock()
	defer es.mu.Unlock()
	if len(es.fresh) == 0 {
		es.fresh = make([]Event, allocatedTogether)
	}
	ev := &es.fresh[0]
	es.fresh = es.fresh[1:]
	ev.at = at
	ev.Recorder = &ev.room.root
	ev.Recorder.mirror(ev, base)
	ev.recorders = append(ev.room.recorders[:0], ev.Recorder)
	if es.closed {
		ev.over = true
		ev.Recorder.state.Store(ended)
		return ev
	}
	if ev.next = es.first; ev.next != nil {
		ev.next.previous = ev
	}
	es.first = ev
	return ev
}

func (es *events) close(ev *Event) {
	es.mu.Lock()
	defer es.mu.Unlock()
	if ev.next != nil {
		ev.next.previous = ev.previous
	}
	if ev.previous != nil {
		ev.previous.next = ev.next
	} else {
		es.first = ev.next
	}
	ev.next, ev.previous = nil, nil
}

// all returns the open events, the oldest first; last keeps others from being opened.
func (es *events) all(last bool) []*Event {
	es.mu.Lock()
	defer es.mu.Unlock()
	es.closed = es.closed || last
	var list []*Event
	for ev := es.first; ev != nil; ev = ev.next {
		list = append(list, ev)
	}
	slices.Reverse(list)
	return list
}
