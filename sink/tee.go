package sink

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/liftemf/liftemf/emf"
)

// Tee returns a sink that gives every document to each of the sinks, at the same time.
//
// It has taken a document when all of them have. One that some have not taken is to be
// retried, and when it comes again it goes only to those that still owe it: Tee keeps the
// hashes of such documents, not the documents, and takes equal documents for one another,
// which changes no sum. One that any sink refused for good is refused, once the others
// have settled it, so that a sink that lacks something is never counted as delivered.
//
// A sink that fails therefore holds documents back in the emitter, and the emitter's next
// ones behind them. Where one sink must not wait for another, put [Retry] or [Spool]
// before the one that may fail: Tee(main, Retry(other)).
//
// Up to 65,536 documents that are owed are remembered; past that the oldest, should they
// still come again, go to all sinks. A sink that is nil fails every Write, and so does a
// Tee without sinks. Write returns when all sinks have: each must heed its context. Close
// closes those that have a method Close() error, at the same time. A Tee is safe for concurrent use if the
// sinks are.
func Tee(sinks ...emf.Sink) emf.Sink {
	return &tee{sinks: slices.Clone(sinks)}
}

type tee struct {
	sinks []emf.Sink

	mu     sync.Mutex
	recent debts
	older  debts
}

// debt says which sinks, by number, still owe a document that others have settled.
type debt struct {
	owing   []int
	refused bool // by one of the others
}

// debts are by the hash of the document. Equal documents are interchangeable.
type debts map[[sha256.Size]byte][]debt

// maxDebts is how many documents a generation of debts holds: when the recent one is full
// it becomes the older one, and what was in that, not having come again, is forgotten.
const maxDebts = 1 << 16

func (t *tee) Write(ctx context.Context, docs []emf.Document) error {
	if len(t.sinks) == 0 {
		return errors.New("sink: Tee has no sinks")
	}
	owed := t.recall(docs)
	outcomes := make([]outcome, len(t.sinks))
	var all sync.WaitGroup
	for i, s := range t.sinks {
		at := owedBy(owed, i)
		if owed != nil && len(at) == 0 {
			continue
		}
		all.Go(func() {
			if owed == nil {
				outcomes[i] = offerTo(ctx, s, docs)
				return
			}
			outcomes[i] = offerTo(ctx, s, pick(docs, at))
			outcomes[i].retry = pick(at, outcomes[i].retry)
			outcomes[i].reject = pick(at, outcomes[i].reject)
		})
	}
	all.Wait()
	return t.settle(docs, owed, outcomes)
}

// owedBy returns the indexes of the documents that a sink is to get.
func owedBy(owed []debt, sink int) (at []int) {
	for i := range owed {
		if slices.Contains(owed[i].owing, sink) {
			at = append(at, i)
		}
	}
	return at
}

// pick returns the elements of list at these indexes.
func pick[T any](list []T, at []int) []T {
	picked := make([]T, len(at))
	for i, j := range at {
		picked[i] = list[j]
	}
	return picked
}

// settle says what became of the documents, and remembers who owes what.
func (t *tee) settle(docs []emf.Document, owed []debt, outcomes []outcome) error {
	var errs []error
	for i := range outcomes {
		if outcomes[i].err != nil {
			errs = append(errs, fmt.Errorf("sink %d of %d: %w", i+1, len(outcomes), outcomes[i].err))
		}
	}
	if errs == nil && owed == nil {
		return nil
	}
	left := make([]debt, len(docs))
	for i := range owed {
		left[i].refused = owed[i].refused
	}
	for i, a := range outcomes {
		for _, d := range a.retry {
			left[d].owing = append(left[d].owing, i)
		}
		for _, d := range a.reject {
			left[d].refused = true
		}
	}
	var out outcome
	for i := range left {
		switch {
		case len(left[i].owing) > 0:
			out.retry = append(out.retry, i)
			t.remember(docs[i], left[i])
		case left[i].refused:
			out.reject = append(out.reject, i)
		}
	}
	if out.err = errors.Join(errs...); out.err == nil && out.reject != nil {
		out.err = errors.New("refused earlier by a sink of the Tee")
	}
	if out.err != nil {
		out.err = fmt.Errorf("sink: Tee: %w", out.err)
	}
	return out.undelivered()
}

// recall returns which sinks owe each document, nil if all owe all. It forgets it: settle
// will remember what is left.
func (t *tee) recall(docs []emf.Document) []debt {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.recent)+len(t.older) == 0 {
		return nil
	}
	everyone := upTo(len(t.sinks))
	owed := make([]debt, len(docs))
	for i := range docs {
		hash := sha256.Sum256(docs[i].JSON)
		if d, ok := t.recent.take(hash); ok {
			owed[i] = d
		} else if d, ok := t.older.take(hash); ok {
			owed[i] = d
		} else {
			owed[i].owing = everyone
		}
	}
	return owed
}

func (t *tee) remember(doc emf.Document, d debt) {
	if len(d.owing) == len(t.sinks) {
		return // as for a document that was never seen
	}
	hash := sha256.Sum256(doc.JSON)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.recent) >= maxDebts {
		t.older, t.recent = t.recent, nil
	}
	if t.recent == nil {
		t.recent = make(debts)
	}
	t.recent[hash] = append(t.recent[hash], d)
}

// take returns a debt of a document and removes it.
func (m debts) take(hash [sha256.Size]byte) (d debt, ok bool) {
	list := m[hash]
	switch len(list) {
	case 0:
		return debt{}, false
	case 1:
		delete(m, hash)
	default:
		m[hash] = list[1:]
	}
	return list[0], true
}

// Close is CloseContext without a context.
func (t *tee) Close() error { return t.CloseContext(context.Background()) }

// CloseContext closes all sinks, at the same time: one that goes on delivering until ctx is done
// must not take the others' time.
func (t *tee) CloseContext(ctx context.Context) error {
	errs := make([]error, len(t.sinks))
	var all sync.WaitGroup
	for i, s := range t.sinks {
		all.Go(func() {
			if err := closeSink(ctx, s); err != nil {
				errs[i] = fmt.Errorf("sink: Tee: sink %d of %d: %w", i+1, len(t.sinks), err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
