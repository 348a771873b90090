package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/liftemf/liftemf/emf"
)

// outcome is what became of documents that were offered to a sink: the indexes of those
// that it did not take, in order, without repeats, none in both lists.
type outcome struct {
	retry, reject []int
	err           error
	panicked      bool // or ended its goroutine
}

// fate is what became of a document that was offered to a sink.
type fate uint8

const (
	delivered fate = iota
	refused        // for good
	kept           // to be offered again
)

// fates says what became of each of n documents; nil stands for all delivered.
func (a *outcome) fates(n int) []fate {
	if len(a.retry) == 0 && len(a.reject) == 0 {
		return nil
	}
	fates := make([]fate, n)
	for _, i := range a.retry {
		fates[i] = kept
	}
	for _, i := range a.reject {
		fates[i] = refused
	}
	return fates
}

var (
	errNilSink = errors.New("the sink is nil")
	errExited  = errors.New("the sink ended its goroutine (runtime.Goexit)")
)

// offerTo offers documents to a sink that this one stands in front of. A sink that panics, or ends
// its goroutine, has taken nothing as far as anybody knows, as for an [emf.Emitter]: it goes no
// further, because what other sinks have taken must not be offered to them again.
func offerTo(ctx context.Context, next emf.Sink, docs []emf.Document) outcome {
	answer := make(chan outcome, 1)
	go func() {
		a := outcome{retry: upTo(len(docs)), err: errExited, panicked: true}
		defer func() { answer <- a }()
		a = ask(ctx, next, docs)
	}()
	return <-answer
}

func ask(ctx context.Context, next emf.Sink, docs []emf.Document) (a outcome) {
	defer func() {
		if p := recover(); p != nil {
			a = outcome{retry: upTo(len(docs)), err: fmt.Errorf("the sink panicked: %v", p), panicked: true}
		}
	}()
	if next == nil {
		return outcome{retry: upTo(len(docs)), err: errNilSink}
	}
	err := next.Write(ctx, docs)
	if err == nil {
		return outcome{}
	}
	a.err = fmt.Errorf("%w", err) // its method Error is called here, if at all
	var partial *emf.UndeliveredError
	if !errors.As(err, &partial) {
		var value emf.UndeliveredError
		if errors.As(err, &value) {
			partial = &value
		}
	}
	if partial == nil {
		a.retry = upTo(len(docs))
		return a
	}
	a.reject = within(partial.Reject, len(docs))
	a.retry = slices.DeleteFunc(within(partial.Retry, len(docs)), func(i int) bool {
		_, rejected := slices.BinarySearch(a.reject, i)
		return rejected
	})
	return a
}

// within returns the numbers from 0 to n-1 in a list, in order and each once.
func within(list []int, n int) []int {
	list = slices.DeleteFunc(slices.Clone(list), func(i int) bool { return i < 0 || i >= n })
	slices.Sort(list)
	return slices.Compact(list)
}

// upTo returns 0 to n-1.
func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// undelivered makes an outcome an error for the caller of Write, nil if it took all.
func (a outcome) undelivered() error {
	if a.err == nil {
		return nil
	}
	return &emf.UndeliveredError{Retry: a.retry, Reject: a.reject, Err: a.err}
}

// closeSink closes a sink that has something to close, within the time of ctx if it is one that
// goes on delivering.
func closeSink(ctx context.Context, s emf.Sink) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("closing the sink panicked: %v", p)
		}
	}()
	switch c := s.(type) {
	case interface {
		CloseContext(context.Context) error
		Close() error
	}:
		return c.CloseContext(ctx)
	case interface{ Close() error }:
		return c.Close()
	}
	return nil
}

// valuesOf is how many values documents carry.
func valuesOf(docs []emf.Document) (n uint64) {
	for i := range docs {
		n += amountOf(&docs[i]).Values
	}
	return n
}

// valuesAt is how many values the documents at these indexes carry.
func valuesAt(docs []emf.Document, at []int) (n uint64) {
	for _, i := range at {
		n += amountOf(&docs[i]).Values
	}
	return n
}
