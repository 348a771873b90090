package awssend

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/liftemf/liftemf/emf"
)

// Delivery settles what becomes of the documents of one Write. What is neither rejected nor to
// be retried is delivered.
type Delivery struct {
	ctx      context.Context
	docs     []emf.Document
	fate     []fate
	proven   bool
	stopped  bool
	refused  []refusal
	problems []problem
}

type fate uint8

const (
	delivered fate = iota
	retry
	reject
)

type refusal struct {
	doc int
	err error
}

// problem is a reason, and of how many documents.
type problem struct {
	err error
	n   int
}

// suspicion is how many documents may be refused one by one, with nothing ever delivered,
// until it is the request that is suspected and not the documents.
const suspicion = 16

// NewDelivery returns a delivery of docs. Unless proven, nothing says yet that requests
// succeed: documents that are refused while none is delivered are kept for another try.
func NewDelivery(ctx context.Context, docs []emf.Document, proven bool) *Delivery {
	return &Delivery{ctx: ctx, docs: docs, fate: make([]fate, len(docs)), proven: proven}
}

// Send sends documents, by their indexes, with one call of send. If that is refused for what is in the
// request it sends each half, down to the document at fault, which is rejected; the others are
// delivered. After any other error nothing more is sent in this delivery, so that documents
// stay in order and a service in trouble is left in peace: the rest is to be retried.
func (d *Delivery) Send(docs []int, send func(docs []int) error) {
	if !d.stopped && d.ctx.Err() != nil {
		d.Stop(context.Cause(d.ctx))
	}
	if d.stopped {
		d.Retry(docs)
		return
	}
	err := send(docs)
	switch {
	case err == nil:
		d.proven = true
	case KindOf(err) != Refused:
		d.Stop(err)
		d.Retry(docs)
	case len(docs) > 1:
		d.Send(docs[:len(docs)/2], send)
		d.Send(docs[len(docs)/2:], send)
	default:
		d.refused = append(d.refused, refusal{docs[0], err})
		if !d.proven && len(d.refused) == suspicion {
			d.Stop(fmt.Errorf("%d documents were refused and none was ever taken, so the settings are suspected: %w", suspicion, err))
		}
	}
}

// Stop ends sending for the reason err.
func (d *Delivery) Stop(err error) {
	if !d.stopped {
		d.stopped = true
		d.problems = append(d.problems, problem{err: err})
	}
}

// Stopped reports whether sending has ended.
func (d *Delivery) Stopped() bool { return d.stopped }

// Retry keeps documents for another try.
func (d *Delivery) Retry(docs []int) {
	for _, i := range docs {
		d.fate[i] = retry
	}
}

// Reject gives a document up for the reason err. Reasons with the same text are told once.
func (d *Delivery) Reject(doc int, err error) {
	d.fate[doc] = reject
	for i := range d.problems {
		if p := &d.problems[i]; p.n > 0 && p.err.Error() == err.Error() {
			p.n++
			return
		}
	}
	d.problems = append(d.problems, problem{err, 1})
}

// Proven reports whether requests are known to succeed.
func (d *Delivery) Proven() bool { return d.proven }

// Values are values of documents by what became of them.
type Values struct{ Delivered, Rejected, Retried uint64 }

// maxReasons bounds the text of an error.
const maxReasons = 8

// Result ends the delivery: nil, or an [emf.UndeliveredError].
func (d *Delivery) Result() (Values, error) {
	for _, r := range d.refused {
		if d.proven {
			d.Reject(r.doc, r.err)
		} else {
			d.fate[r.doc] = retry
			d.problems = append(d.problems, problem{err: fmt.Errorf("refused, but kept as none was ever taken: %w", r.err)})
		}
	}
	var values Values
	undelivered := &emf.UndeliveredError{}
	for i, f := range d.fate {
		n := uint64(max(d.docs[i].Values, 0))
		switch f {
		case retry:
			undelivered.Retry = append(undelivered.Retry, i)
			values.Retried += n
		case reject:
			undelivered.Reject = append(undelivered.Reject, i)
			values.Rejected += n
		default:
			values.Delivered += n
		}
	}
	if undelivered.Retry == nil && undelivered.Reject == nil {
		return values, nil
	}
	undelivered.Err = d.reasons()
	return values, undelivered
}

func (d *Delivery) reasons() error {
	var errs []error
	for _, p := range d.problems {
		if len(errs) == maxReasons {
			errs = append(errs, fmt.Errorf("and %d reasons more", len(d.problems)-maxReasons))
			break
		}
		if p.n > 1 {
			p.err = fmt.Errorf("%d documents: %w", p.n, p.err)
		}
		if !slices.ContainsFunc(errs, func(e error) bool { return e.Error() == p.err.Error() }) {
			errs = append(errs, p.err)
		}
	}
	return errors.Join(errs...)
}
