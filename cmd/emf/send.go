package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/time/rate"

	"github.com/liftemf/liftemf/emf"
)

// send is the command line of "emf send".
type send struct {
	Files   []string      `arg:"" optional:"" name:"file" help:"Logs, of text or compressed by gzip; standard input if none is named, and for -."`
	To      destination   `required:"" placeholder:"DEST" help:"logs:GROUP for CloudWatch Logs, metrics for PutMetricData, agent:ENDPOINT for a CloudWatch agent, as agent:tcp://127.0.0.1:25888."`
	Rate    float64       `placeholder:"N" help:"Documents a second at most (as many as it can)."`
	State   string        `placeholder:"FILE" help:"Where it is written down how far the logs were sent: run again, it goes on from there."`
	GiveUp  time.Duration `default:"5m" placeholder:"TIME" help:"How long it tries while nothing can be delivered (${default})."`
	DryRun  bool          `help:"Send nothing; say what would be sent and what it costs."`
	Summary string        `default:"text" enum:"text,json,none" help:"The summary on standard error: ${enum} (${default})."`

	sending
}

// Help is what "emf send --help" says beside the flags.
func (*send) Help() string {
	return `It reads logs and sends the documents in them. Lines that are no documents, or have no metrics, are skipped, and so are documents with an error, which "emf check" explains; the summary counts them. ` +
		`CloudWatch takes documents up to 14 days old.

Ctrl-C ends it when the documents under way are settled. With --state the same command then goes on: no document is left out, and those of the last batch, at most 10,000 or 1 MiB, may be sent twice if they were not all delivered. The same holds after kill -9. ` +
		`A log that has grown is sent from where it ended. Without --state, and for standard input, it starts from the beginning.

The log group is created if there is none. Credentials, Region and endpoints are those of the AWS SDK's own configuration.

  emf send --to logs:/shop/metrics --state sent.json app.log
  emf send --to metrics --dry-run exported/*.gz
  tail -f app.log | emf send --to agent:tcp://127.0.0.1:25888 --log-group /shop/metrics`
}

// Validate is called by the parser.
func (s *send) Validate() error {
	if len(s.Files) == 0 {
		s.Files = []string{standardInput}
	}
	if err := allExist(s.Files); err != nil {
		return err
	}
	switch {
	case !(s.Rate >= 0 && s.Rate <= math.MaxInt32):
		return fmt.Errorf("--rate: %v: from 0 to %d", s.Rate, math.MaxInt32)
	case s.GiveUp < 0:
		return fmt.Errorf("--give-up: %v: zero or more", s.GiveUp)
	}
	if err := s.check(s.To); err != nil || s.State == "" {
		return err
	}
	for _, name := range s.Files {
		if name == standardInput {
			return errors.New("--state: standard input cannot be gone on with")
		}
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("--state: %s is no regular file, and cannot be gone on with", name)
		}
	}
	return nil
}

// Run is the command.
func (s *send) Run(ctx context.Context, c *console) error {
	var dry *rehearsal
	if s.DryRun {
		dry = new(rehearsal)
	}
	to, err := s.open(ctx, s.To, dry)
	if err != nil {
		return err
	}
	state, err := readSendState(s.State, s.To)
	if err != nil {
		return err
	}
	r := &replay{to: to, state: state, giveUp: s.GiveUp, limit: maxBatch, dry: dry != nil, tab: newTab(), in: newInput(s.Files)}
	if s.Rate > 0 && !r.dry {
		r.limit = max(1, min(maxBatch, int(s.Rate)))
		r.pace = rate.NewLimiter(rate.Limit(s.Rate), r.limit)
	}
	done := func() {}
	if size := r.in.size(); size > 0 {
		done = showBar(c, false, "sending documents ", size, func(time.Duration) int64 { return r.in.read.Load() })
	}
	begin := time.Now()
	for _, name := range s.Files {
		if err = r.file(ctx, name); err != nil {
			break
		}
	}
	done()
	if closer, ok := to.(interface{ Close() error }); ok {
		err = errors.Join(err, closer.Close())
	}
	r.sum.Seconds = time.Since(begin).Seconds()
	r.sum.finish(s.To, r, dry)
	writeSummary(c.messages, s.Summary, &r.sum)
	switch {
	case errors.Is(err, errInterrupted):
		return r.interrupted(s.State)
	case err == nil && r.sum.Refused > 0:
		return fmt.Errorf("%d documents were refused: %w", r.sum.Refused, r.refusal)
	}
	return err
}

// A batch has at most so many documents and bytes: what one call of PutLogEvents takes.
const (
	maxBatch      = 10_000
	maxBatchBytes = 1 << 20
)

// linger is how long documents from standard input wait for others.
const linger = time.Second

var errInterrupted = errors.New("interrupted")

// replay sends the documents of logs, batch by batch.
type replay struct {
	to     emf.Sink
	state  *sendState
	giveUp time.Duration
	limit  int           // documents a batch
	pace   *rate.Limiter // nil: none
	dry    bool
	in     *input

	docs    []emf.Document
	begins  []int64 // where each one's line does
	size    int
	sum     sendSummary
	tab     *tab
	refusal error // why documents were refused
}

// file sends the rest of a log.
func (r *replay) file(ctx context.Context, name string) error {
	f := os.Stdin
	if name != standardInput {
		var err error
		if f, err = os.Open(name); err != nil {
			return err
		}
		defer f.Close()
	}
	var offset int64
	if r.state.path != "" {
		var err error
		if offset, err = r.state.from(f); err != nil {
			return err
		}
	}
	var idle <-chan time.Time // where lines come when they come
	if f == os.Stdin {
		ticker := time.NewTicker(linger)
		defer ticker.Stop()
		idle = ticker.C
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := linesOf(ctx, &counted{f, r.in.read}, offset)
	for end := offset; ; {
		select {
		case <-ctx.Done():
			return errors.Join(errInterrupted, r.flush(ctx, f, end))
		case <-idle:
			if len(r.docs) == 0 {
				continue
			}
		case line, more := <-lines:
			if !more || line.err != nil {
				err := r.flush(ctx, f, end)
				if line.err != nil {
					err = errors.Join(err, fmt.Errorf("%s: %w", name, line.err))
				}
				return err
			}
			if r.size+len(line.text)+eventOverhead > maxBatchBytes {
				if err := r.flush(ctx, f, end); err != nil {
					return err
				}
			}
			if !r.line(line) && !line.whole { // perhaps it is being written
				return r.flush(ctx, f, end)
			}
			if end = line.end; len(r.docs) < r.limit {
				continue
			}
		}
		if err := r.flush(ctx, f, end); err != nil {
			return err
		}
	}
}

// line adds what is in a line to the batch, if it is to be sent.
func (r *replay) line(line sendLine) bool {
	r.sum.Lines++
	doc, kind := line.document()
	switch kind {
	case noMetrics:
		r.sum.Skipped++
		return false
	case faulty:
		r.sum.Invalid++
		return false
	}
	r.docs, r.begins = append(r.docs, doc), append(r.begins, line.at)
	r.size += len(doc.JSON) + eventOverhead
	return true
}

// flush sends the batch, which ends at an offset of the file, and writes down how far it got.
func (r *replay) flush(ctx context.Context, f *os.File, end int64) error {
	left, err := r.deliver(ctx)
	if left < len(r.begins) {
		end = r.begins[left]
	}
	r.docs, r.begins, r.size = r.docs[:0], r.begins[:0], 0
	if r.dry || f == os.Stdin {
		return err
	}
	return errors.Join(err, r.state.save(f, end))
}

// deliver sends the batch until none of it is left, and returns the index of the first document
// that is.
func (r *replay) deliver(ctx context.Context) (left int, err error) {
	docs, at := r.docs, make([]int, len(r.docs)) // what is left, and where it is in the batch
	for i := range at {
		at[i] = i
	}
	if len(docs) == 0 {
		return 0, nil
	}
	if r.pace != nil {
		if err := r.pace.WaitN(ctx, len(docs)); err != nil {
			return 0, errInterrupted
		}
	}
	pause := &backoff.ExponentialBackOff{InitialInterval: 500 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: 30 * time.Second}
	patient := time.Now().Add(r.giveUp)
	for {
		retry, failure := r.offer(ctx, docs)
		if failure == nil || len(retry) == 0 {
			return len(r.docs), nil
		}
		if len(retry) < len(docs) {
			pause.Reset()
			patient = time.Now().Add(r.giveUp)
		}
		docs, at = pickDocuments(docs, retry), pickIndexes(at, retry)
		if time.Now().After(patient) {
			return at[0], fmt.Errorf("%d documents could not be delivered: %w", len(docs), failure)
		}
		select {
		case <-ctx.Done():
			return at[0], errInterrupted
		case <-time.After(pause.NextBackOff()):
		}
	}
}

// offer sends documents once, and returns the indexes of those to be sent again. An interrupt
// leaves it some time.
func (r *replay) offer(ctx context.Context, docs []emf.Document) (retry []int, failure error) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		late := time.AfterFunc(patience, cancel)
		context.AfterFunc(sending, func() { late.Stop() })
	})
	defer stop()
	failure = r.to.Write(sending, docs)
	var reject []int
	var partial *emf.UndeliveredError
	switch {
	case failure == nil:
	case errors.As(failure, &partial):
		retry, reject = partial.Retry, partial.Reject
	default:
		retry = make([]int, len(docs))
		for i := range retry {
			retry[i] = i
		}
	}
	if len(reject) > 0 {
		r.sum.Refused += len(reject)
		r.refusal = partial.Err
	}
	left := make([]bool, len(docs))
	for _, i := range slices.Concat(retry, reject) {
		left[i] = true
	}
	for i := range docs {
		if !left[i] {
			r.sum.Documents++
			r.sum.Bytes += int64(len(docs[i].JSON))
			r.sum.Values += uint64(docs[i].Values)
			if r.dry {
				metrics, _ := emf.Extract(docs[i].JSON) // it was read before
				r.tab.add(len(docs[i].JSON), metrics)
			}
		}
	}
	return retry, failure
}

// interrupted says how to go on.
func (r *replay) interrupted(state string) error {
	if state == "" {
		return fmt.Errorf("%w; with --state it could go on from here", errInterrupted)
	}
	return fmt.Errorf("%w; the same command goes on from here", errInterrupted)
}
