package sink_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/liftemf/liftemf/emf"
)

// scripted answers each Write as the script says, and then takes everything.
type scripted struct {
	script []func(docs []emf.Document) error
	mu     sync.Mutex
	calls  int
	got    []string // what it took
	closed int
	failed error // of Close
}

func (s *scripted) Write(_ context.Context, docs []emf.Document) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	var err error
	if len(s.script) > 0 {
		step := s.script[0]
		s.script = s.script[1:]
		err = step(docs)
	}
	taken := make(map[int]bool)
	var partial *emf.UndeliveredError
	if err == nil || errors.As(err, &partial) {
		for i := range docs {
			taken[i] = true
		}
	}
	if partial != nil {
		for _, i := range append(append([]int(nil), partial.Retry...), partial.Reject...) {
			delete(taken, i)
		}
	}
	for i := range docs {
		if taken[i] {
			s.got = append(s.got, string(docs[i].JSON))
		}
	}
	return err
}

func (s *scripted) Close() error {
	s.closed++
	return s.failed
}

var errDown = errors.New("down")

// Steps of a script.
func takes([]emf.Document) error { return nil }
func fails([]emf.Document) error { return errDown }
func panics([]emf.Document) error {
	panic("a sink")
}

func leaves(retry, reject []int) func([]emf.Document) error {
	return func([]emf.Document) error { return &emf.UndeliveredError{Retry: retry, Reject: reject, Err: errDown} }
}

func script(steps ...func([]emf.Document) error) *scripted { return &scripted{script: steps} }

func pickDocs(docs []emf.Document, at []int) (picked []emf.Document) {
	for _, i := range at {
		picked = append(picked, docs[i])
	}
	return picked
}

// undeliveredBy returns what an error of Write says of n documents.
func undeliveredBy(t testing.TB, err error, n int) (retry, reject []int) {
	t.Helper()
	if err == nil {
		return nil, nil
	}
	var partial *emf.UndeliveredError
	if !errors.As(err, &partial) {
		for i := range n {
			retry = append(retry, i)
		}
		return retry, nil
	}
	return partial.Retry, partial.Reject
}
