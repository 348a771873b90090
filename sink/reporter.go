package sink

import (
	"log/slog"
	"os"
	"sync"
	"time"
)

// reporter logs what goes wrong, each topic once a minute at most, and never to standard
// output, which carries documents.
type reporter struct {
	logger *slog.Logger

	mu      sync.Mutex
	next    map[string]time.Time // when a topic may be logged again
	pending []notice
}

type notice struct {
	message string
	args    []any
}

func newReporter(l *slog.Logger) *reporter {
	if l == nil {
		l = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return &reporter{logger: l, next: make(map[string]time.Time)}
}

// note remembers a message for tell: it may be called while locks are held.
func (r *reporter) note(topic, message string, args ...any) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.next[topic]) {
		return
	}
	r.next[topic] = now.Add(time.Minute)
	r.pending = append(r.pending, notice{message, args})
}

// tell logs what was noted. A logger that panics is ignored.
func (r *reporter) tell() {
	r.mu.Lock()
	pending := r.pending
	r.pending = nil
	r.mu.Unlock()
	defer func() { _ = recover() }()
	for _, n := range pending {
		r.logger.Warn("sink: "+n.message, n.args...)
	}
}

func (r *reporter) warn(topic, message string, args ...any) {
	r.note(topic, message, args...)
	r.tell()
}
