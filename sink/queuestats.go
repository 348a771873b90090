package sink

import (
	"maps"
	"sync"

	"github.com/liftemf/liftemf/emf"
)

// Amount is a number of documents, the bytes of their JSON, and the recorded values that
// they carry.
type Amount struct{ Documents, Bytes, Values uint64 }

func amountOf(d *emf.Document) Amount {
	return Amount{1, uint64(len(d.JSON)), uint64(max(d.Values, 0))}
}

func (a Amount) plus(b Amount) Amount {
	return Amount{a.Documents + b.Documents, a.Bytes + b.Bytes, a.Values + b.Values}
}

func (a Amount) minus(b Amount) Amount {
	return Amount{a.Documents - b.Documents, a.Bytes - b.Bytes, a.Values - b.Values}
}

// The reasons of [QueueStats.Drops].
const (
	DropOverflow = "overflow" // the oldest, to make room within [WithMaxBytes]
	DropAge      = "age"      // older than [WithMaxAge]
	DropRejected = "rejected" // refused for good by the next sink
	DropClosed   = "closed"   // not delivered when the sink was closed; a spool keeps them instead
	DropDamaged  = "damaged"  // in the spool, but no longer readable
)

// QueueStats is what a [RetrySink] or [SpoolSink] has done since it was made. At any
// moment
//
//	Recovered + Accepted = Delivered + Dropped + Pending
//
// in documents, bytes and values.
type QueueStats struct {
	Recovered Amount // found by [Spool] in its directory
	Accepted  Amount // taken by Write
	Delivered Amount // taken by the next sink
	Dropped   Amount
	Pending   Amount // in memory, or on disk; what is with the next sink counts too

	Drops map[string]Amount // Dropped by reason

	// Ambiguous is what was offered again, or dropped as closed, although the next sink
	// may have taken it: it did not answer in time, or panicked. Nothing else is ever
	// delivered twice by the queue itself.
	Ambiguous Amount

	Attempts, Failures uint64 // calls of the next sink's Write, and those that left documents undelivered
	Torn               uint64 // bytes at the end of a spool that were no whole document: written when the process ended
	LastError          error  // of the next sink or of the disk; it is not cleared by a success
}

// ledger keeps the numbers of QueueStats.
type ledger struct {
	report *reporter

	mu    sync.Mutex
	stats QueueStats
}

func (l *ledger) accept(a Amount) {
	l.mu.Lock()
	l.stats.Accepted = l.stats.Accepted.plus(a)
	l.mu.Unlock()
}

func (l *ledger) deliver(a Amount) {
	l.mu.Lock()
	l.stats.Delivered = l.stats.Delivered.plus(a)
	l.mu.Unlock()
}

// drop counts and notes documents that are dropped.
func (l *ledger) drop(reason string, a Amount) {
	if a.Documents == 0 {
		return
	}
	l.report.note(reason, "documents are dropped", "reason", reason, "documents", a.Documents, "values", a.Values)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stats.Drops == nil {
		l.stats.Drops = make(map[string]Amount)
	}
	l.stats.Drops[reason] = l.stats.Drops[reason].plus(a)
	l.stats.Dropped = l.stats.Dropped.plus(a)
}

func (l *ledger) attempted(err error, ambiguous Amount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Attempts++
	if err != nil {
		l.stats.Failures++
		l.stats.LastError = err
		l.stats.Ambiguous = l.stats.Ambiguous.plus(ambiguous)
	}
}

func (l *ledger) fail(err error) {
	l.mu.Lock()
	l.stats.LastError = err
	l.mu.Unlock()
}

func (l *ledger) snapshot() QueueStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Drops = maps.Clone(s.Drops)
	s.Pending = s.Recovered.plus(s.Accepted).minus(s.Delivered).minus(s.Dropped)
	return s
}
