package emf

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"
)

// quietTime is how long a diagnostic that was logged is not logged again.
const quietTime = time.Minute

// maxWaiting is how many diagnostics wait for the logger at most; a topic has one each
// minute, so that only a logger that hangs is behind by more than a few.
const maxWaiting = 64

// drainTime is how long Close waits for the logger at most.
const drainTime = time.Second

var standardError slog.Handler = slog.NewTextHandler(os.Stderr, nil)

// diagnostics logs what goes wrong, each topic once a minute at most. It never
// writes to standard output, which carries documents.
//
// The logger is called from a goroutine of its own, which is there while there is something
// to log: a logger may block, or flush the emitter, and no recording waits for it.
type diagnostics struct {
	logger *slog.Logger

	mu      sync.Mutex
	topics  map[string]topic
	waiting []diagnostic
	done    chan struct{} // closed when nothing waits; nil while nothing does
}

type topic struct {
	next    time.Time
	skipped int
}

type diagnostic struct {
	message string
	args    []any
}

// report logs message unless the topic was logged within the last minute.
func (d *diagnostics) report(about, message string, args ...any) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.topics[about]
	if now.Before(t.next) || len(d.waiting) >= maxWaiting {
		t.skipped++
		d.note(about, t)
		return
	}
	d.note(about, topic{next: now.Add(quietTime)})
	if t.skipped > 0 {
		args = append(args, slog.Int("repeated", t.skipped))
	}
	d.waiting = append(d.waiting, diagnostic{message, args})
	if d.done == nil {
		d.done = make(chan struct{})
		go d.log()
	}
}

func (d *diagnostics) note(about string, t topic) {
	if d.topics == nil {
		d.topics = make(map[string]topic)
	}
	d.topics[about] = t
}

// log logs what waits, and ends when nothing does. A logger that ends the goroutine has it
// replaced.
func (d *diagnostics) log() {
	ended := true
	defer func() {
		if ended {
			go d.log()
		}
	}()
	for {
		next, ok := d.next()
		if !ok {
			ended = false
			return
		}
		d.logOne(next)
	}
}

// next returns what to log next, if there is anything.
func (d *diagnostics) next() (next diagnostic, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) == 0 {
		close(d.done)
		d.done, d.waiting = nil, nil
		return next, false
	}
	next = d.waiting[0]
	d.waiting = d.waiting[1:]
	return next, true
}

// logOne logs one diagnostic. A logger that panics is ignored: metrics do not take a program
// down.
func (d *diagnostics) logOne(next diagnostic) {
	defer func() { _ = recover() }()
	d.logger.Warn("emf: "+next.message, next.args...)
}

// drain waits until the logger was given all that was reported, but not for long: it may be
// the logger that closes the emitter.
func (d *diagnostics) drain(ctx context.Context) {
	d.mu.Lock()
	done := d.done
	d.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	case <-time.After(drainTime):
	}
}
