package emf

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/liftemf/liftemf/internal/distribution"
)

// ErrClosed is what flushes return after [Emitter.Close].
var ErrClosed = errors.New("emf: the emitter is closed")

// Emitter owns a namespace, everything recorded under it, the flush and the sink. Its
// embedded Recorder is the root recorder, which has the dimensions of [WithDimensions]
// only. An Emitter is safe for concurrent use.
type Emitter struct {
	*Recorder

	config       *config
	now          func() time.Time
	envelope     envelope
	properties   properties
	leveled      bool // documents have a log level
	definitions  definitions
	tenantHash   uint64 // of the name of the tenant dimension
	tenantMember string // how its member begins: `"TenantID":"`
	root         string // the dimensions of the emitter's own recorder
	identifiers  identifiers
	store        *store
	events       events
	account      account
	bill         bill
	diagnostics  diagnostics
	outbox       *outbox

	closing atomic.Bool
	settled chan struct{} // closed when all is delivered or dropped after the end
	timer   timer
}

// New returns an emitter for a namespace: 1 to 255 letters, digits, spaces and
// . - _ / # : characters, no colon first and no AWS/, which CloudWatch reserves for AWS's own
// metrics. With an empty namespace it is taken from AWS_EMF_NAMESPACE or
// POWERTOOLS_METRICS_NAMESPACE. Where no dimension Service is given, its value is taken
// from AWS_EMF_SERVICE_NAME or POWERTOOLS_SERVICE_NAME. POWERTOOLS_METRICS_DISABLED=true,
// or POWERTOOLS_DEV=true where that is not false, drops everything at the flush, counted as
// "disabled". For AWS_LAMBDA_LOG_LEVEL see [WithLogLevel]. The environment is read here and
// never again.
//
// An emitter with a flush interval owns a goroutine until it is closed.
func New(namespace string, opts ...Option) (*Emitter, error) {
	c, err := newConfig(namespace, opts)
	if err != nil {
		return nil, err
	}
	e := &Emitter{
		config:      c,
		now:         c.now,
		envelope:    newEnvelope(c.namespace, c.logGroup, c.maxDocument),
		diagnostics: diagnostics{logger: c.logger},
		settled:     make(chan struct{}),
		leveled:     c.logLevel != nil && *c.logLevel != "",
	}
	if e.leveled {
		e.envelope.max -= logLevelSize
	}
	names := make([]string, 0, len(c.properties))
	for name := range c.properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		member, why := appendProperty(nil, name, c.properties[name])
		if why != kept {
			return nil, fmt.Errorf("emf: WithProperties: %q: a name that is not empty and not _aws, and a value that has a JSON form", name)
		}
		e.properties.put(name, member)
	}
	e.definitions.precision = c.precision
	e.bill.born = e.now()
	e.outbox = newOutbox(c.sink, &e.account, c.maxPending)
	e.store = newStore(e)
	e.tenantHash = maphash.String(hashSeed, c.tenant)
	e.tenantMember = string(appendString(nil, c.tenant)) + `:"`
	dims := (&Recorder{keys: &keys{e: e}}).union(nil, c.dimensions)
	e.Recorder = e.store.recorder(nil, dims)
	e.root = e.Recorder.dims
	if c.flushInterval > 0 {
		e.timer.start(e, c.flushInterval)
	}
	return e, nil
}

// Must returns e, and panics if err is not nil: for emitters made where a program starts.
func Must(e *Emitter, err error) *Emitter {
	if err != nil {
		panic(err)
	}
	return e
}

// TenantDimension returns the name of the dimension of [Recorder.WithTenant].
func (e *Emitter) TenantDimension() string { return e.config.tenant }

// Flush hands the sink all that was recorded before the call, but for what is in events
// that have not ended, and before it what an earlier flush could not deliver. It returns
// when the sink has taken it, or with an error that says how much it has not; that is
// offered again by the next flush within [WithMaxPending].
//
// When ctx is done Flush returns, even if the sink does not: what the sink has then not
// settled stays pending until it does. Documents are stamped with the time of the call.
func (e *Emitter) Flush(ctx context.Context) error {
	if e.closing.Load() {
		return ErrClosed
	}
	return e.flush(ctx, e.now())
}

func (e *Emitter) flush(ctx context.Context, at time.Time) error {
	ctx = orBackground(ctx)
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("emf: nothing flushed: %w", err)
	}
	if err := e.outbox.acquire(ctx); err != nil {
		return err
	}
	if ctx.Done() == nil {
		return e.drain(ctx, at)
	}
	return await(ctx, func() error { return e.drain(ctx, at) })
}

// drain writes the series of all recorders to the sink and gives the turn back.
//
// Once the sink has failed, what is written goes to the outbox as long as it has room;
// the rest stays in its series, where it costs nothing and adds up, for the next flush.
func (e *Emitter) drain(ctx context.Context, at time.Time) error {
	defer e.outbox.release()
	b := newBatch()
	defer b.free()
	var failed error
	send := func() {
		if failed != nil { // not asked again in this flush
			e.outbox.keepCopies(b.documents())
		} else {
			failed = e.send(ctx, b.documents())
		}
		b.reset()
	}

	if !e.config.disabled {
		b.hour = e.bill.at(at, &e.account.bytes)
	}
	e.store.rebalance()
	b.recorders = e.store.collect(b.recorders[:0])
	for _, r := range b.recorders {
		if failed != nil && e.outbox.full() {
			break
		}
		if b.write(r, at) {
			r.quiet = 0
		} else {
			r.quiet = min(r.quiet+1, idleFlushes)
		}
		if len(b.buf) >= fullBatch {
			send()
		}
	}
	clear(b.recorders)
	send()
	e.store.rest()
	e.account.flushed(e.now())
	return failed
}

// send hands documents to the sink. The caller has the turn.
func (e *Emitter) send(ctx context.Context, docs []Document) error {
	if e.config.disabled {
		for i := range docs {
			e.account.drop(disabled, uint64(docs[i].Values))
		}
		return nil
	}
	return e.outbox.write(ctx, docs)
}

// Close ends all events, flushes, closes the sink if it has a method Close() error, and
// stops. Values recorded afterwards are dropped and counted. The error says what could
// not be delivered; that is dropped and counted too. When ctx is done Close returns, even
// if the sink does not; it waits a second at most for a logger that has not logged all.
// Closing again waits for what the first call delivers, and returns nil; the first reports it.
func (e *Emitter) Close(ctx context.Context) error {
	ctx = orBackground(ctx)
	if e.closing.Swap(true) {
		return e.closedBefore(ctx)
	}
	settled := sync.OnceFunc(func() { close(e.settled) })
	defer settled() // also when the sink ends the goroutine
	e.timer.stop(ctx)
	var errs []error
	collect := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, ev := range e.events.all(true) {
		collect(ev.End(ctx))
	}
	collect(e.flush(ctx, e.now()))
	// What was recorded meanwhile is flushed as well; only then values are dropped, so
	// that none from before the call can be.
	e.store.seal()
	if len(errs) == 0 {
		collect(e.flush(ctx, e.now()))
	}
	if e.abandon(); len(errs) > 0 {
		errs = append(errs, errors.New("emf: closed: what was not delivered is dropped"))
	}
	settled()
	collect(e.closeSink(ctx))
	e.diagnostics.drain(ctx)
	return errors.Join(errs...)
}

// closedBefore waits until what another call of Close delivers is delivered.
func (e *Emitter) closedBefore(ctx context.Context) error {
	select {
	case <-e.settled:
		return nil
	default:
	}
	select {
	case <-e.settled:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("emf: another Close has not ended: %w", context.Cause(ctx))
	}
}

// abandon drops what is left after the last flush.
func (e *Emitter) abandon() {
	e.outbox.close()
	b := newBatch()
	defer b.free()
	for _, r := range e.store.recorders(nil) {
		if n := r.discard(&b.snap); n > 0 {
			e.account.lose(undelivered, n)
		}
	}
}

// closeSink closes the sink when it is not written to any more.
func (e *Emitter) closeSink(ctx context.Context) error {
	sink, ok := e.config.sink.(interface{ Close() error })
	if !ok {
		return nil
	}
	closeIt := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("emf: closing the sink panicked: %v", p)
			}
		}()
		<-e.outbox.turn // and never back
		if queue, ok := sink.(interface{ CloseContext(context.Context) error }); ok {
			return queue.CloseContext(ctx)
		}
		return sink.Close()
	}
	return await(ctx, closeIt)
}

// Stats returns what the emitter has done so far. It may be called at any time, also
// while a flush hangs, and looks at every series.
func (e *Emitter) Stats() Stats {
	var waiting uint64
	for _, r := range e.store.recorders(nil) {
		waiting += r.waiting()
	}
	for _, ev := range e.events.all(false) {
		waiting += ev.core.waiting()
	}
	s := e.account.stats(waiting)
	s.Recorders, s.Folded = e.store.stats()
	return s
}

// discard takes what is in the recorder's series and returns how many values it was.
func (r *Recorder) discard(snap *distribution.Snapshot) (values uint64) {
	for s := r.first.Load(); s != nil; s = s.next.Load() {
		if s.def.kind != gaugeFunc {
			n, _ := s.take(snap)
			values += n
		}
	}
	return values * uint64(r.weight)
}

// waiting is the number of values in the recorder's series.
func (r *Recorder) waiting() (n uint64) {
	for s := r.first.Load(); s != nil; s = s.next.Load() {
		n += s.waiting()
	}
	return n * uint64(r.weight)
}
