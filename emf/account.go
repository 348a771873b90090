package emf

import (
	"sync"
	"sync/atomic"
	"time"
)

// Stats is what an [Emitter] has done since it was made. Values are counted one a
// recording call; a gauge counts one an interval in which it was touched, because
// only its last value is emitted. A property that had to be left out counts as one
// recorded and one dropped.
//
// At any quiet moment Recorded = Delivered + Dropped + Pending, exactly.
type Stats struct {
	Recorded  uint64 // values given to the emitter
	Delivered uint64 // values in documents that the sink has taken
	Dropped   uint64 // values that will never be delivered
	Pending   uint64 // values not flushed yet, or kept for another try
	Late      uint64 // values recorded on an event after its End, a part of Recorded

	// Drops is Dropped by reason: "not finite", "out of range", "bad name",
	// "conflict", "bad property", "property too large", "timestamp", "rejected",
	// "undelivered", "disabled" and "closed". docs/drops.md says what to do about each.
	Drops map[string]uint64

	Documents uint64 // documents the sink has taken
	Bytes     uint64 // their size, without newlines
	Flushes   uint64 // flushes of the emitter that ran, by the timer or by a call
	Errors    uint64 // writes that a sink did not take whole

	Recorders int // recorders with metrics that were used lately
	Folded    int // times that a recorder was turned away, by WithMaxRecorders or WithDimensionBudget

	LastError error     // of the last write that failed, nil if none did
	LastFlush time.Time // when the last flush of the emitter ended
}

// reason tells why a value was dropped.
type reason uint8

const (
	kept reason = iota
	notFinite
	outOfRange
	badName
	conflict
	badProperty
	largeProperty
	badTime
	rejected
	undelivered
	disabled
	closed
	reasons
)

var reasonNames = [reasons]string{
	notFinite:     "not finite",
	outOfRange:    "out of range",
	badName:       "bad name",
	conflict:      "conflict",
	badProperty:   "bad property",
	largeProperty: "property too large",
	badTime:       "timestamp",
	rejected:      "rejected",
	undelivered:   "undelivered",
	disabled:      "disabled",
	closed:        "closed",
}

func (r reason) String() string { return reasonNames[r] }

// account counts values on their way. A value is counted as recorded when it leaves
// its series, so that recording it costs nothing; until then Stats asks the series.
type account struct {
	recorded  atomic.Uint64
	delivered atomic.Uint64
	queued    atomic.Int64 // taken from their series, neither delivered nor dropped yet
	late      atomic.Uint64
	drops     [reasons]atomic.Uint64

	documents atomic.Uint64
	bytes     atomic.Uint64
	flushes   atomic.Uint64
	errors    atomic.Uint64

	mu        sync.Mutex
	lastError error
	lastFlush time.Time
}

// take counts n values that left their series to be delivered.
func (a *account) take(n uint64) {
	a.recorded.Add(n)
	a.queued.Add(int64(n))
}

// drop counts n values that were taken and will not be delivered.
func (a *account) drop(why reason, n uint64) {
	a.queued.Add(-int64(n))
	a.drops[why].Add(n)
}

// deliver counts documents that the sink has taken.
func (a *account) deliver(docs ...Document) {
	values, size := 0, 0
	for i := range docs {
		values += docs[i].Values
		size += len(docs[i].JSON)
	}
	a.queued.Add(-int64(values))
	a.delivered.Add(uint64(values))
	a.documents.Add(uint64(len(docs)))
	a.bytes.Add(uint64(size))
}

// lose counts n values that are dropped as they are recorded.
func (a *account) lose(why reason, n uint64) {
	a.recorded.Add(n)
	a.drops[why].Add(n)
}

func (a *account) fail(err error) {
	a.errors.Add(1)
	a.mu.Lock()
	a.lastError = err
	a.mu.Unlock()
}

func (a *account) flushed(at time.Time) {
	a.flushes.Add(1)
	a.mu.Lock()
	a.lastFlush = at
	a.mu.Unlock()
}

// stats returns the counts; waiting is the number of values still in their series.
func (a *account) stats(waiting uint64) Stats {
	s := Stats{
		Recorded:  a.recorded.Load() + waiting,
		Delivered: a.delivered.Load(),
		Pending:   uint64(max(a.queued.Load(), 0)) + waiting,
		Late:      a.late.Load(),
		Drops:     map[string]uint64{},
		Documents: a.documents.Load(),
		Bytes:     a.bytes.Load(),
		Flushes:   a.flushes.Load(),
		Errors:    a.errors.Load(),
	}
	for why := range a.drops {
		if n := a.drops[why].Load(); n > 0 {
			s.Drops[reason(why).String()] = n
			s.Dropped += n
		}
	}
	a.mu.Lock()
	s.LastError, s.LastFlush = a.lastError, a.lastFlush
	a.mu.Unlock()
	return s
}
