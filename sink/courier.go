package sink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/liftemf/liftemf/emf"
)

// A batch for the next sink is what one call of PutLogEvents takes: so many documents, and so many
// bytes with those that it counts beside each.
const (
	batchDocuments = 10_000
	batchBytes     = 1 << 20
	eventBytes     = 26
)

// grace is how long a sink has to return once its context is done.
const grace = time.Second

var errClosing = errors.New("closed before they were delivered")

// queue holds documents, oldest first: in memory, or on disk.
type queue interface {
	// push takes documents, or says which not.
	push(docs []emf.Document) error
	// next returns the oldest documents, a batch at most. They stay in the queue, and are
	// valid until settle.
	next() ([]emf.Document, error)
	// settle takes out of the queue what is not kept of what next returned, and counts it.
	// Nil fates stand for all delivered.
	settle(fates []fate)
	// numbers returns how many documents were ever pushed, and the number of the oldest
	// that is still there, counted from 0.
	numbers() (pushed, oldest uint64)
	// close makes push fail from now on.
	close()
	// finish lets go of everything, and counts what is lost by it.
	finish() error
}

// courier delivers what is in a queue to the next sink, from a goroutine of its own.
type courier struct {
	to     emf.Sink
	config queueConfig
	queue  queue
	ledger *ledger

	arrived chan struct{} // holds a token when documents may have arrived
	hurry   chan struct{} // holds a token when the next pause is to end at once

	closed  atomic.Bool
	closing chan struct{}   // closed when nothing more will arrive
	within  context.Context // the next sink is to be closed; valid then
	life    context.Context // done when delivery has to stop
	end     context.CancelCauseFunc
	done    chan struct{} // closed when the goroutine has ended
	result  error         // valid then

	mu      sync.Mutex
	settled chan struct{} // closed and replaced when something has left the queue
}

func newCourier(to emf.Sink, c queueConfig, q queue, l *ledger) *courier {
	o := &courier{
		to: to, config: c, queue: q, ledger: l,
		arrived: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		closing: make(chan struct{}), done: make(chan struct{}), settled: make(chan struct{}),
	}
	o.life, o.end = context.WithCancelCause(context.Background())
	go o.run()
	return o
}

// Write takes copies of the documents and returns; the next sink is not waited for. It is
// safe for concurrent use.
func (o *courier) Write(_ context.Context, docs []emf.Document) error {
	if len(docs) == 0 {
		return nil
	}
	err := o.queue.push(docs)
	signal(o.arrived)
	o.ledger.report.tell()
	return err
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (o *courier) run() {
	defer close(o.done)
	o.deliver()
	o.end(nil)
	<-o.closing
	o.result = errors.Join(o.queue.finish(), closeSink(o.within, o.to))
	o.ledger.report.tell()
	o.announce()
}

// deliver returns when the sink is closed and the queue empty, or life over.
func (o *courier) deliver() {
	pause := &backoff.ExponentialBackOff{InitialInterval: o.config.backoff, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: o.config.maxBackoff}
	for o.life.Err() == nil {
		docs, err := o.queue.next()
		switch {
		case err != nil:
			o.ledger.fail(err)
			o.ledger.report.warn("read", "cannot read what is to be delivered", "error", err)
		case len(docs) == 0:
			o.announce()
			if !o.idle() {
				return
			}
			continue
		default:
			var progress bool
			if progress, err = o.offer(docs); progress {
				pause.Reset()
			}
			o.announce()
		}
		if err != nil {
			o.pause(pause.NextBackOff())
		}
	}
}

// idle waits for documents. It reports whether there may be more.
func (o *courier) idle() bool {
	select {
	case <-o.arrived:
		return true
	case <-o.closing:
	}
	pushed, oldest := o.queue.numbers()
	return oldest < pushed
}

func (o *courier) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-o.hurry:
	case <-o.life.Done():
	}
}

// offer offers a batch to the next sink. It reports whether any document has left the
// queue, and returns an error if one is to be offered again.
func (o *courier) offer(docs []emf.Document) (progress bool, again error) {
	ctx, cancel := context.WithTimeout(o.life, o.config.attempt)
	defer cancel()
	a := offerTo(ctx, o.to, docs)
	var left, ambiguous Amount
	for _, i := range a.retry {
		left = left.plus(amountOf(&docs[i]))
	}
	if a.panicked || a.err != nil && ctx.Err() != nil {
		ambiguous = left
	}
	o.ledger.attempted(a.err, ambiguous)
	o.queue.settle(a.fates(len(docs)))
	o.ledger.report.tell()
	if a.err != nil {
		o.ledger.report.warn("write", "documents were not delivered", "error", a.err, "kept", left.Documents, "of", len(docs))
	}
	if left.Documents > 0 {
		again = a.err
	}
	return left.Documents < uint64(len(docs)), again
}

// announce wakes those who wait in Flush.
func (o *courier) announce() {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.settled)
	o.settled = make(chan struct{})
}

// Flush waits until what was accepted before the call has left the queue: delivered, or
// dropped and counted. A pause after a failure ends at once. When ctx is done Flush returns
// an error that wraps its cause, and the documents stay.
func (o *courier) Flush(ctx context.Context) error {
	pushed, _ := o.queue.numbers()
	signal(o.hurry)
	for {
		o.mu.Lock()
		settled := o.settled
		o.mu.Unlock()
		if _, oldest := o.queue.numbers(); oldest >= pushed {
			return nil
		}
		select {
		case <-settled:
		case <-o.done:
			if _, oldest := o.queue.numbers(); oldest < pushed { // a spool's, for the next process
				return fmt.Errorf("sink: not flushed: %w", errClosing)
			}
			return nil
		case <-ctx.Done():
			return fmt.Errorf("sink: documents are not delivered yet: %w", context.Cause(ctx))
		}
	}
}

// Close is CloseContext without a context.
func (o *courier) Close() error { return o.CloseContext(context.Background()) }

// CloseContext accepts no more documents and goes on delivering, starting with an attempt at once,
// until all are delivered, ctx is done or the time of [WithDrainTimeout] is over. It then closes the
// next sink if that has a method Close() error. What a [RetrySink] could not deliver is dropped,
// counted as [DropClosed], and the error says how much; a [SpoolSink] keeps it for the next process
// that opens the directory. [emf.Emitter.Close] calls it with its own context.
//
// The context of a Write under way is done at the end of that time. Should the next sink not return
// within a second of it, CloseContext returns an error without it; its documents stay pending and the
// goroutine stays until it does. Closing again returns nil.
func (o *courier) CloseContext(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.config.drain, errors.New("the time of WithDrainTimeout is over"))
	defer cancel()
	first := !o.closed.Swap(true)
	if first {
		o.within = ctx
		o.queue.close()
		close(o.closing)
		signal(o.hurry)
	}
	select {
	case <-o.done:
	case <-ctx.Done():
		o.end(context.Cause(ctx))
		late := time.NewTimer(grace)
		defer late.Stop()
		select {
		case <-o.done:
		case <-late.C:
			return fmt.Errorf("sink: the next sink has not returned: %w", context.Cause(ctx))
		}
	}
	if !first {
		return nil
	}
	return o.result
}

// Stats returns what the sink has done so far. It may be called at any time.
func (o *courier) Stats() QueueStats { return o.ledger.snapshot() }
