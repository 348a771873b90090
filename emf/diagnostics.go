package emf

import (
	"log/slog"
	"os"
	"sync"
	"time"
)

// quietTime is how long a diagnostic that was logged is not logged again.
const quietTime = time.Minute

var standardError slog.Handler = slog.NewTextHandler(os.Stderr, nil)

// diagnostics logs what goes wrong, each topic once a minute at most. It never
// writes to standard output, which carries documents.
type diagnostics struct {
	logger *slog.Logger

	mu     sync.Mutex
	topics map[string]topic
}

type topic struct {
	next    time.Time
	skipped int
}

// report logs message unless the topic was logged within the last minute. A logger
// that panics is ignored: metrics do not take a program down.
func (d *diagnostics) report(about, message string, args ...any) {
	now := time.Now()
	d.mu.Lock()
	t := d.topics[about]
	if now.Before(t.next) {
		t.skipped++
		d.topics[about] = t
		d.mu.Unlock()
		return
	}
	if d.topics == nil {
		d.topics = make(map[string]topic)
	}
	d.topics[about] = topic{next: now.Add(quietTime)}
	d.mu.Unlock()

	if t.skipped > 0 {
		args = append(args, slog.Int("repeated", t.skipped))
	}
	defer func() { _ = recover() }()
	d.logger.Warn("emf: "+message, args...)
}
