package emf

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// outbox hands documents to the sink, one batch after the other, and keeps those that
// the sink did not take for the next time, up to a number of bytes.
type outbox struct {
	sink    Sink
	account *account

	turn chan struct{} // holds a token while nobody writes
	done chan struct{} // closed when nobody may write any more

	mu      sync.Mutex
	limit   int        // of size
	pending []Document // with JSON of their own, oldest first
	size    int        // of pending, in bytes
}

func newOutbox(sink Sink, account *account, limit int) *outbox {
	o := &outbox{sink: sink, account: account, limit: limit, turn: make(chan struct{}, 1), done: make(chan struct{})}
	o.release()
	return o
}

// spins is how often the turn is tried for before waiting, which takes a fraction of a
// microsecond.
const spins = 200

// acquire waits for the turn to write.
func (o *outbox) acquire(ctx context.Context) error {
	// Most sinks are done sooner than a goroutine is put to sleep and woken up.
	for range spins {
		if len(o.turn) == 0 {
			continue
		}
		select {
		case <-o.turn:
			return nil
		default:
		}
	}
	select {
	case <-o.turn:
		return nil
	case <-o.done:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("emf: another write to the sink has not ended: %w", context.Cause(ctx))
	}
}

// orBackground returns ctx, or what a nil one is taken for.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

func (o *outbox) release() { o.turn <- struct{}{} }

// await runs f, which uses ctx, in a goroutine of its own. It returns when ctx is done,
// even if f does not: f then goes on by itself.
func await(ctx context.Context, f func() error) error {
	result := make(chan error, 1)
	go func() {
		err := errExited
		defer func() { result <- err }()
		err = f()
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-result: // f may have noticed as well
		return err
	default:
		return fmt.Errorf("emf: the sink or a gauge function has not answered: %w", context.Cause(ctx))
	}
}

// errExited is what becomes of the error of a sink that ends the goroutine it is called in.
var errExited = errors.New("emf: the sink has ended the goroutine (runtime.Goexit)")

// write offers the sink what is pending and then docs. The caller has the turn.
func (o *outbox) write(ctx context.Context, docs []Document) error {
	o.mu.Lock()
	owned := len(o.pending)
	if owned > 0 {
		docs = slices.Concat(o.pending, docs)
		o.pending, o.size = nil, 0
	}
	o.mu.Unlock()
	if len(docs) == 0 {
		return nil
	}
	returned := false
	defer func() {
		if !returned {
			o.account.fail(errExited)
			_ = o.settle(docs, owned, errExited, nil, nil)
		}
	}()
	retry, reject, err := o.offer(ctx, docs)
	returned = true
	if err == nil {
		o.account.deliver(docs...)
		return nil
	}
	o.account.fail(err)
	return o.settle(docs, owned, err, retry, reject)
}

// offer calls the sink and reads its error, see undeliveredOf. A sink that panics has taken
// nothing as far as anybody knows, and neither has one whose error panics.
func (o *outbox) offer(ctx context.Context, docs []Document) (retry, reject map[int]bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			retry, reject, err = nil, nil, fmt.Errorf("the sink panicked: %v", p)
		}
	}()
	if err = o.sink.Write(ctx, docs); err != nil {
		retry, reject = undeliveredOf(err)
		err = fmt.Errorf("%w", err) // its method Error is called here, if at all
	}
	return retry, reject, err
}

// settle accounts for documents of which the sink did not take all. The first owned of
// them have JSON of their own.
func (o *outbox) settle(docs []Document, owned int, err error, retry, reject map[int]bool) error {
	var values, refused int
	var again []Document
	for i, d := range docs {
		switch {
		case reject[i]:
			refused++
			values += d.Values
			o.account.drop(rejected, uint64(d.Values))
		case retry == nil || retry[i]:
			values += d.Values
			if i >= owned {
				d.JSON = slices.Clone(d.JSON)
			}
			again = append(again, d)
		default:
			o.account.deliver(d)
		}
	}
	dropped := o.keepFirst(again)
	return fmt.Errorf("emf: %d values in %d documents not delivered, %d of the documents kept for the next flush, %d refused by the sink, %d dropped: %w",
		values, refused+len(again), max(len(again)-dropped, 0), refused, dropped, err)
}

// undeliveredOf reads a sink's error: which documents to retry, nil for all that are
// not rejected, and which to reject.
func undeliveredOf(err error) (retry, reject map[int]bool) {
	var partial *UndeliveredError
	if !errors.As(err, &partial) {
		var value UndeliveredError
		if !errors.As(err, &value) {
			return nil, nil
		}
		partial = &value
	}
	if partial == nil {
		return nil, nil
	}
	retry, reject = make(map[int]bool), make(map[int]bool)
	for _, i := range partial.Retry {
		retry[i] = true
	}
	for _, i := range partial.Reject {
		reject[i] = true
	}
	return retry, reject
}

// keep puts documents at the end of those that are pending. It returns how many had to go.
func (o *outbox) keep(docs []Document) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = append(o.pending, docs...)
	return o.trim(docs)
}

// keepFirst is keep for documents that were offered already: those that were kept meanwhile
// come after them.
func (o *outbox) keepFirst(docs []Document) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = append(docs, o.pending...)
	return o.trim(docs)
}

// trim drops the oldest documents where they are too many, after docs have come.
func (o *outbox) trim(docs []Document) (dropped int) {
	for _, d := range docs {
		o.size += len(d.JSON)
	}
	for o.size > o.limit {
		o.size -= len(o.pending[dropped].JSON)
		o.account.drop(undelivered, uint64(o.pending[dropped].Values))
		dropped++
	}
	o.pending = slices.Delete(o.pending, 0, dropped)
	return dropped
}

// keepCopies is keep for documents whose JSON belongs to somebody else.
func (o *outbox) keepCopies(docs []Document) (dropped int) {
	own := slices.Clone(docs)
	for i := range own {
		own[i].JSON = slices.Clone(own[i].JSON)
	}
	return o.keep(own)
}

// full reports whether more documents would push out others.
func (o *outbox) full() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.size+fullBatch > o.limit
}

// close drops what is pending and what a write that goes on will return.
func (o *outbox) close() {
	o.mu.Lock()
	o.limit = 0
	o.mu.Unlock()
	close(o.done)
	o.keep(nil)
}
