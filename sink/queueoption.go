package sink

import (
	"fmt"
	"log/slog"
	"time"
)

// RetryOption is an option of [Retry].
type RetryOption interface{ retryOption(*queueConfig) }

// SpoolOption is an option of [Spool].
type SpoolOption interface{ spoolOption(*queueConfig) }

// QueueOption is an option of both [Retry] and [Spool].
type QueueOption func(*queueConfig)

func (o QueueOption) retryOption(c *queueConfig) { o(c) }
func (o QueueOption) spoolOption(c *queueConfig) { o(c) }

type retryOnly func(*queueConfig)

func (o retryOnly) retryOption(c *queueConfig) { o(c) }

type spoolOnly func(*queueConfig)

func (o spoolOnly) spoolOption(c *queueConfig) { o(c) }

// Defaults of the options.
const (
	DefaultRetryBytes     = 64 << 20
	DefaultSpoolBytes     = 1 << 30
	DefaultMaxAge         = 24 * time.Hour
	DefaultBackoff        = 500 * time.Millisecond
	DefaultMaxBackoff     = 30 * time.Second
	DefaultAttemptTimeout = 30 * time.Second
	DefaultDrainTimeout   = 10 * time.Second
)

type queueConfig struct {
	maxBytes   int64
	maxAge     time.Duration
	backoff    time.Duration // the first
	maxBackoff time.Duration
	attempt    time.Duration
	drain      time.Duration
	sync       Sync
	logger     *slog.Logger // nil: standard error
	err        error        // the first bad option
}

func newQueueConfig(maxBytes int64) queueConfig {
	return queueConfig{
		maxBytes: maxBytes, maxAge: DefaultMaxAge,
		backoff: DefaultBackoff, maxBackoff: DefaultMaxBackoff,
		attempt: DefaultAttemptTimeout, drain: DefaultDrainTimeout,
	}
}

// set assigns a value if it is good, and remembers the first that is not.
func set[T int64 | time.Duration](c *queueConfig, to *T, value T, good bool, option string) {
	switch {
	case good:
		*to = value
	case c.err == nil:
		c.err = fmt.Errorf("%s: %v is out of range", option, value)
	}
}

// WithMaxBytes bounds what is kept. Beyond it the oldest documents are dropped and counted
// as [DropOverflow]. A [RetrySink] counts the memory it holds, 128 bytes a document on top
// of its JSON (default [DefaultRetryBytes], 64 MiB). A [SpoolSink] counts the files of its
// directory and drops whole segments, a sixteenth of the bound each or 16 MiB if that is
// less (default [DefaultSpoolBytes], 1 GiB; at least 64 KiB).
func WithMaxBytes(bytes int64) QueueOption {
	return func(c *queueConfig) { set(c, &c.maxBytes, bytes, bytes > 0, "WithMaxBytes") }
}

// WithMaxAge drops documents that have waited longer, as [DropAge] (default
// [DefaultMaxAge], a day). They are looked for at each attempt and each Write, so that some
// wait longer by the time between two attempts. CloudWatch takes documents up to 14 days
// old.
func WithMaxAge(age time.Duration) RetryOption {
	return retryOnly(func(c *queueConfig) { set(c, &c.maxAge, age, age > 0, "WithMaxAge") })
}

// WithBackoff sets the pause after a failed attempt and what it grows to: it doubles with
// each failure in a row and varies by half at random, so that the instances of a service do
// not come back in step (defaults [DefaultBackoff], half a second, and [DefaultMaxBackoff],
// 30 seconds). An attempt that delivers something starts over from the first.
func WithBackoff(first, longest time.Duration) QueueOption {
	return func(c *queueConfig) {
		set(c, &c.backoff, first, first > 0, "WithBackoff")
		set(c, &c.maxBackoff, longest, longest >= first, "WithBackoff")
	}
}

// WithAttemptTimeout bounds one call of the next sink's Write by its context (default
// [DefaultAttemptTimeout], 30 seconds). What times out is offered again, which can deliver
// it twice, see [QueueStats.Ambiguous].
func WithAttemptTimeout(d time.Duration) QueueOption {
	return func(c *queueConfig) { set(c, &c.attempt, d, d > 0, "WithAttemptTimeout") }
}

// WithDrainTimeout is how long Close and CloseContext go on delivering (default
// [DefaultDrainTimeout], 10 seconds). Zero does not try.
func WithDrainTimeout(d time.Duration) QueueOption {
	return func(c *queueConfig) { set(c, &c.drain, d, d >= 0, "WithDrainTimeout") }
}

// WithQueueLogger sets where drops and failures are reported, each kind once a minute
// (default: text on standard error).
func WithQueueLogger(l *slog.Logger) QueueOption {
	return func(c *queueConfig) { c.logger = l }
}

// Sync says when a [SpoolSink] makes the disk keep what it wrote (fsync). A process that is
// killed loses nothing under any of them: the operating system has what was written. They
// differ when the machine itself stops.
type Sync time.Duration

const (
	// SyncAlways syncs before Write returns.
	SyncAlways Sync = 0
	// SyncNever leaves it to the operating system.
	SyncNever Sync = -1
)

// SyncEvery syncs at most so long after a Write. A duration of zero or less is
// [SyncAlways].
func SyncEvery(d time.Duration) Sync { return Sync(max(d, 0)) }

// WithSync sets when the disk is synced (default [SyncAlways]).
func WithSync(s Sync) SpoolOption {
	return spoolOnly(func(c *queueConfig) { c.sync = s })
}
