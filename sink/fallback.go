package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/liftemf/liftemf/emf"
)

// BreakerState is the state of the breaker of a [FallbackSink].
type BreakerState string

// The states of a breaker.
const (
	BreakerClosed   BreakerState = "closed"    // the primary is asked
	BreakerOpen     BreakerState = "open"      // it is not
	BreakerHalfOpen BreakerState = "half-open" // it is asked with one document
)

var breakerStates = map[gobreaker.State]BreakerState{
	gobreaker.StateClosed:   BreakerClosed,
	gobreaker.StateOpen:     BreakerOpen,
	gobreaker.StateHalfOpen: BreakerHalfOpen,
}

// The defaults of a FallbackSink.
const (
	defaultPrimaryTimeout  = 10 * time.Second
	defaultBreakerFailures = 3
	defaultBreakerRest     = 30 * time.Second
)

// FallbackOption is a setting of [Fallback].
type FallbackOption func(*FallbackSink)

// WithPrimaryTimeout bounds how long a Write waits for the primary, 10 s by default. It
// waits at most half of the time that its context has left in any case, so that the
// secondary has the other half. A time of 0 or less changes nothing.
func WithPrimaryTimeout(d time.Duration) FallbackOption {
	return func(s *FallbackSink) {
		if d > 0 {
			s.timeout = d
		}
	}
}

// WithBreaker sets after how many failures in a row the primary is left alone, and for how
// long: 3 and 30 s by default. A number or a time of 0 or less changes nothing.
func WithBreaker(failures int, rest time.Duration) FallbackOption {
	return func(s *FallbackSink) {
		if failures > 0 {
			s.failures = failures
		}
		if rest > 0 {
			s.rest = rest
		}
	}
}

// WithStateChange calls f when the state of the breaker changes, during the Write that
// changed it, one call at a time and in order. f may read [FallbackSink.Stats]; it should
// return soon, and a panic in it is ignored.
func WithStateChange(f func(from, to BreakerState)) FallbackOption {
	return func(s *FallbackSink) { s.onChange = f }
}

// Fallback returns a sink that offers documents to the primary and hands those that it
// did not take, and only those, to the secondary: those to retry, and also those that it
// refused for good, such as one too large for the primary's protocol. What the secondary
// says of them is then what the caller is told.
//
// A Write fails the primary if it leaves any document to retry. After three such failures
// in a row a breaker opens, and documents go straight to the secondary. 30 seconds later
// the next Write tries the primary with one document: if it settles that, the primary gets
// the others too and the breaker closes; if not, they go to the secondary and the breaker
// rests again. A Write whose own context ends is no failure of the primary.
//
// The primary must heed its context: one that hangs beyond it holds the secondary up. A
// document that the primary took without being able to say so, a lost answer or one that
// came after the time-out, is then delivered twice; probing with one document keeps that
// to one.
//
// A [Tee] belongs in front of a Fallback, Tee(Fallback(a, b), c), and not behind it: of a document
// that some of the primary's sinks took, Fallback learns only that not all did, and the
// secondary gets it too. [Retry] and [Spool] belong in front as well: they take everything.
//
// A FallbackSink is safe for concurrent use if both sinks are. A sink that is nil is taken
// for one that always fails.
func Fallback(primary, secondary emf.Sink, opts ...FallbackOption) *FallbackSink {
	s := &FallbackSink{
		primary:   primary,
		secondary: secondary,
		timeout:   defaultPrimaryTimeout,
		failures:  defaultBreakerFailures,
		rest:      defaultBreakerRest,
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	s.state.Store(BreakerClosed)
	s.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   1,
		Timeout:       s.rest,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return int64(c.ConsecutiveFailures) >= int64(s.failures) },
		IsExcluded:    func(err error) bool { return errors.Is(err, errNoVerdict) },
		OnStateChange: func(_ string, from, to gobreaker.State) { s.changed(breakerStates[from], breakerStates[to]) },
	})
	return s
}

// FallbackSink is a sink made by [Fallback].
type FallbackSink struct {
	primary, secondary emf.Sink
	timeout, rest      time.Duration
	failures           int
	onChange           func(from, to BreakerState)
	breaker            *gobreaker.TwoStepCircuitBreaker[struct{}]
	state              atomic.Value // BreakerState

	byPrimary, bySecondary, again, refused, failed atomic.Uint64

	mu        sync.Mutex
	lastError error             // of the primary
	changes   [][2]BreakerState // to announce
	announces bool              // somebody does
}

// FallbackStats is what a [FallbackSink] has done so far. The first four count values, and
// add up to those of the documents it was given: a document that is given again counts
// again.
type FallbackStats struct {
	Primary     uint64 // taken by the primary
	Secondary   uint64 // taken by the secondary
	Undelivered uint64 // taken by neither, to be retried
	Rejected    uint64 // refused for good by the secondary

	Failures     uint64 // of the primary
	PrimaryError error  // the last one
	State        BreakerState
}

// Stats returns what the sink has done so far. It may be called at any time.
func (s *FallbackSink) Stats() FallbackStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return FallbackStats{
		Primary:      s.byPrimary.Load(),
		Secondary:    s.bySecondary.Load(),
		Undelivered:  s.again.Load(),
		Rejected:     s.refused.Load(),
		Failures:     s.failed.Load(),
		PrimaryError: s.lastError,
		State:        s.state.Load().(BreakerState),
	}
}

// errNoVerdict tells the breaker that a Write has shown nothing about the primary.
var errNoVerdict = errors.New("no verdict")

// Write implements [emf.Sink].
func (s *FallbackSink) Write(ctx context.Context, docs []emf.Document) error {
	left, primaryErr := s.askPrimary(ctx, docs)
	s.byPrimary.Add(valuesOf(docs) - valuesAt(docs, left))
	if len(left) == 0 {
		return nil
	}
	if err := context.Cause(ctx); err != nil {
		s.again.Add(valuesAt(docs, left))
		return &emf.UndeliveredError{Retry: left, Err: fmt.Errorf("sink: Fallback: primary: %w; secondary: not asked: %w", primaryErr, err)}
	}
	rest := docs
	if len(left) < len(docs) {
		rest = pick(docs, left)
	}
	a := offerTo(ctx, s.secondary, rest)
	again, refused := valuesAt(rest, a.retry), valuesAt(rest, a.reject)
	s.bySecondary.Add(valuesOf(rest) - again - refused)
	s.again.Add(again)
	s.refused.Add(refused)
	if a.err != nil {
		a.err = fmt.Errorf("sink: Fallback: primary: %w; secondary: %w", primaryErr, a.err)
	}
	a.retry, a.reject = pick(left, a.retry), pick(left, a.reject)
	return a.undelivered()
}

// askPrimary returns the indexes of the documents that the primary did not take, and why.
func (s *FallbackSink) askPrimary(ctx context.Context, docs []emf.Document) (left []int, err error) {
	defer s.announce()
	asked := 0
	for asked < len(docs) {
		done, closed := s.breaker.Allow()
		if closed != nil {
			err = errors.Join(err, fmt.Errorf("not asked for now, its last error was: %w", s.primaryError()))
			break
		}
		part := docs[asked:]
		if s.state.Load() == BreakerHalfOpen {
			part = part[:1]
		}
		a := s.askInTime(ctx, part)
		for _, i := range merge(a.retry, a.reject) {
			left = append(left, asked+i)
		}
		asked += len(part)
		err = errors.Join(err, a.err)
		if a.err != nil {
			s.setPrimaryError(a.err)
		}
		failed := len(a.retry) > 0
		switch {
		case !failed:
			done(nil)
		case ctx.Err() != nil:
			done(errNoVerdict)
		default:
			s.failed.Add(1)
			done(a.err)
		}
		if failed {
			break
		}
	}
	for ; asked < len(docs); asked++ {
		left = append(left, asked)
	}
	return left, err
}

// askInTime asks the primary, and leaves the secondary as much time as it leaves it.
func (s *FallbackSink) askInTime(ctx context.Context, docs []emf.Document) outcome {
	timeout := s.timeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return offerTo(ctx, s.primary, docs)
}

// merge returns the numbers of both lists in order.
func merge(a, b []int) []int {
	if len(b) == 0 {
		return a
	}
	return slices.Sorted(slices.Values(slices.Concat(a, b)))
}

func (s *FallbackSink) setPrimaryError(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastError = err
}

func (s *FallbackSink) primaryError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastError
}

// changed is called under the lock of the breaker: the hook must not be.
func (s *FallbackSink) changed(from, to BreakerState) {
	s.state.Store(to)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = append(s.changes, [2]BreakerState{from, to})
}

// announce calls the hook for each change, in order, without holding a lock.
func (s *FallbackSink) announce() {
	for {
		change, due := s.nextChange()
		if !due {
			return
		}
		s.call(change[0], change[1])
	}
}

// nextChange returns a change to announce, unless there is none or another one is being announced.
func (s *FallbackSink) nextChange() (change [2]BreakerState, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.announces || len(s.changes) == 0 {
		return change, false
	}
	change, s.changes = s.changes[0], s.changes[1:]
	s.announces = true
	return change, true
}

func (s *FallbackSink) call(from, to BreakerState) {
	defer func() {
		_ = recover() // the documents are worth more
		s.mu.Lock()
		s.announces = false
		s.mu.Unlock()
	}()
	if s.onChange != nil {
		s.onChange(from, to)
	}
}

// Close is CloseContext without a context.
func (s *FallbackSink) Close() error { return s.CloseContext(context.Background()) }

// CloseContext closes both sinks where they have a method Close() error; a [RetrySink] or
// [SpoolSink] among them goes on delivering until ctx is done. [emf.Emitter.Close] calls it with
// its own context.
func (s *FallbackSink) CloseContext(ctx context.Context) error {
	var errs []error
	if err := closeSink(ctx, s.primary); err != nil {
		errs = append(errs, fmt.Errorf("sink: Fallback: primary: %w", err))
	}
	if err := closeSink(ctx, s.secondary); err != nil {
		errs = append(errs, fmt.Errorf("sink: Fallback: secondary: %w", err))
	}
	return errors.Join(errs...)
}
