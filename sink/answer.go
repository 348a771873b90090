package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/liftemf/liftemf/emf"
)

// fate is what became of a document that was offered to a sink.
type fate uint8

const (
	delivered fate = iota
	refused        // for good
	kept           // to be offered again
)

// ask offers documents to a sink and returns the fate of each; nil fates stand for all
// delivered. A sink that panics has taken nothing as far as anybody knows: unsure says
// so.
func ask(ctx context.Context, next emf.Sink, docs []emf.Document) (fates []fate, err error, unsure bool) { //nolint:revive // the error is not the last word
	defer func() {
		if p := recover(); p != nil {
			fates, err, unsure = make([]fate, len(docs)), fmt.Errorf("sink: the next sink panicked: %v", p), true
			for i := range fates {
				fates[i] = kept
			}
		}
	}()
	if err = next.Write(ctx, docs); err == nil {
		return nil, nil, false
	}
	fates = fatesOf(err, len(docs))
	return fates, fmt.Errorf("%w", err), ctx.Err() != nil // its method Error is called here, if at all
}

// fatesOf reads a sink's error about n documents.
func fatesOf(err error, n int) []fate {
	fates := make([]fate, n)
	var retry, reject []int
	var partial *emf.UndeliveredError
	var value emf.UndeliveredError
	switch {
	case errors.As(err, &partial) && partial != nil:
		retry, reject = partial.Retry, partial.Reject
	case errors.As(err, &value):
		retry, reject = value.Retry, value.Reject
	default:
		for i := range fates {
			fates[i] = kept
		}
		return fates
	}
	mark := func(indexes []int, f fate) {
		for _, i := range indexes {
			if i >= 0 && i < n {
				fates[i] = f
			}
		}
	}
	mark(retry, kept)
	mark(reject, refused)
	return fates
}
