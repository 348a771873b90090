package sink_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

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

// recordUntilDelivered has emitters named Shop0 and so on count orders of each tenant, one a
// round, through a sink that they share, and flush until all is delivered.
func recordUntilDelivered(t *testing.T, s emf.Sink, emitters, rounds, tenants int) {
	var all sync.WaitGroup
	for i := range emitters {
		all.Go(func() {
			e := emf.Must(emf.New(fmt.Sprint("Shop", i), emf.WithSink(emf.SinkFunc(s.Write)), emf.WithFlushInterval(0), emf.WithLogger(slog.New(slog.DiscardHandler))))
			for range rounds {
				for tenant := range tenants {
					e.WithTenant(fmt.Sprint(tenant)).Counter("orders").Inc()
				}
				_ = e.Flush(context.Background())
			}
			for range 1000 {
				if e.Flush(context.Background()) == nil {
					break
				}
			}
			stats := e.Stats()
			assert.EqualValues(t, rounds*tenants, stats.Delivered)
			assert.Equal(t, stats.Recorded, stats.Delivered+stats.Dropped+stats.Pending)
			assert.NoError(t, e.Close(context.Background()))
		})
	}
	all.Wait()
}
