package sink

import (
	"errors"
	"fmt"

	"github.com/liftemf/liftemf/emf"
)

// ErrLocked is what [Spool] returns when its directory is in use.
var ErrLocked = errors.New("another spool has this directory")

// SpoolSink delivers documents to another sink in the background and keeps on disk what that
// has not taken yet. See [Spool].
type SpoolSink struct{ *courier }

// Spool returns a sink that writes documents to files in dir, which it makes if there is none,
// and delivers them to next from a goroutine of its own, as [Retry] does: batches, order, pauses
// and what becomes of refused documents are the same. The files outlive the process: the next one
// that opens the directory delivers what is left, the documents' time and number of values
// included. One process at a time can, another gets [ErrLocked]. A directory that cannot be
// written, and an option out of range, are errors too.
//
// Write returns once the documents are written, and with [SyncAlways], the default, synced: what it
// has accepted survives kill -9 and a power failure. It waits for the disk, whatever its context
// says. When the disk is full or fails, Write returns
// an error for the documents that were not written whole, and an emitter keeps those; the spool
// goes on delivering, and accepts documents again when there is room. Beyond [WithMaxBytes] the
// oldest segments are removed, and the documents in them that were not delivered counted as
// [DropOverflow].
//
// What next has answered for is not offered again, also not after a restart. What it was busy with
// when the process was killed is, up to 10,000 documents and 1 MiB: those can be delivered twice.
// So can what was delivered since the last sync when the machine stops, unless it is SyncAlways.
//
// Each document has a checksum, and one that does not match is never sent. Damage loses the
// documents that it hit and no others; because each record says what came before it, they are
// counted as [DropDamaged] exactly. What the end of the last segment had half written is
// [QueueStats.Torn].
//
// Close delivers within [WithDrainTimeout] what it can and leaves the rest on disk, which is no
// error.
func Spool(dir string, next emf.Sink, opts ...SpoolOption) (*SpoolSink, error) {
	c := newQueueConfig(DefaultSpoolBytes)
	for _, o := range opts {
		if o != nil {
			o.spoolOption(&c)
		}
	}
	set(&c, &c.maxBytes, c.maxBytes, c.maxBytes >= minSpoolBytes, "WithMaxBytes")
	if c.err != nil {
		return nil, fmt.Errorf("sink: Spool: %w", c.err)
	}
	if next == nil {
		return nil, fmt.Errorf("sink: Spool: %w", errNilSink)
	}
	l := &ledger{report: newReporter(c.logger)}
	q, err := openDisk(dir, c, l)
	if err != nil {
		return nil, fmt.Errorf("sink: Spool: %w", err)
	}
	return &SpoolSink{newCourier(next, c, q, l)}, nil
}
