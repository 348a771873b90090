package emf

import (
	"context"
	"fmt"
	"time"
)

// Event is one unit of work, such as an invocation, a request or a job, with values and
// properties of its own: they go into documents that carry nothing else, stamped with
// the event's time. Its embedded Recorder has the dimensions given to [Emitter.Begin];
// recorders made from it with With and WithTenant belong to the event too. Its gauges start
// at zero, and its gauge functions are asked by its Flush and End and never after. An Event
// is safe for concurrent use.
//
// An event that is never ended is kept until the emitter is closed.
type Event struct {
	*Recorder

	core   *core
	number uint64
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
	return e.events.begin(now, e.Recorder.With(dims...))
}

// SetProperty puts a property, a root member that is neither metric nor dimension, into
// the documents that the event emits from now on; the last value of a name wins. The
// value is encoded at once, as json-iterator encodes it, and invalid UTF-8 is replaced
// by U+FFFD. A value without a JSON form, a property too large for a document, and one
// named like a dimension or a metric are left out and counted. After End it does nothing.
func (ev *Event) SetProperty(key string, value any) {
	if ev == nil || ev.core == nil {
		return
	}
	var room [128]byte
	member, why := appendProperty(room[:0], key, value) // may call the value's methods: not under the lock
	if why != kept {
		ev.core.e.loseProperty(clean(key), why)
		return
	}
	c := ev.core
	c.mu.Lock()
	if c.number == ev.number {
		c.properties.put(key, member)
	}
	c.mu.Unlock()
}

// SetTimestamp stamps the documents that the event emits from now on. CloudWatch takes
// times from two weeks ago to two hours ahead: values of an event beyond are dropped and
// counted. The zero time is ignored.
func (ev *Event) SetTimestamp(t time.Time) {
	if ev == nil || ev.core == nil || t.IsZero() {
		return
	}
	c := ev.core
	c.mu.Lock()
	if c.number == ev.number {
		c.at = t
	}
	c.mu.Unlock()
}

// Flush emits what was recorded so far; values recorded later form the next document.
// It returns the sink's error, see [Emitter.Flush].
func (ev *Event) Flush(ctx context.Context) error { return ev.emit(ctx, (*events).split) }

// End emits the rest and ends the event; ending it again does nothing. Values recorded
// later go to the emitter's own recorder with the same dimensions and are counted in
// [Stats].Late. It returns the sink's error, see [Emitter.Flush]. A done ctx loses
// nothing: what the sink has not taken by then waits for the emitter's next flush.
func (ev *Event) End(ctx context.Context) error { return ev.emit(ctx, (*events).end) }

// emit emits what take takes from the event.
func (ev *Event) emit(ctx context.Context, take func(*events, *core, uint64) *core) error {
	if ev == nil || ev.core == nil {
		return nil
	}
	e := ev.core.e
	taken := take(&e.events, ev.core, ev.number)
	if taken == nil {
		return nil
	}
	if ctx = orBackground(ctx); taken.asks && ctx.Done() != nil {
		return await(ctx, func() error { return e.emitCore(ctx, taken) })
	}
	return e.emitCore(ctx, taken)
}

// emitCore emits what was taken from an event.
func (e *Emitter) emitCore(ctx context.Context, taken *core) error {
	b := newBatch()
	b.writeEvent(taken)
	e.events.recycle(taken)
	if len(b.docs) == 0 {
		b.free()
		return nil
	}
	return e.emit(ctx, b)
}

// emit sends a batch, which it frees. If the sink is not free until ctx is done the
// documents wait for the next flush.
func (e *Emitter) emit(ctx context.Context, b *batch) error {
	docs := b.documents()
	err := ctx.Err() // the sink would be asked in vain, and its answer come too late
	if err == nil {
		err = e.outbox.acquire(ctx)
	} else {
		err = fmt.Errorf("emf: the sink was not asked: %w", context.Cause(ctx))
	}
	if err != nil {
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
