package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

const (
	segmentsABound = 16
	maxSegment     = 16 << 20
	minSpoolBytes  = 64 << 10
)

// disk is a queue on disk.
type disk struct {
	ledger  *ledger
	dir     string
	limit   int64 // of size
	segment int64 // size at which a new one begins
	sync    Sync
	lock    *flock.Flock

	// writing is held by the one who writes documents, also while the disk is waited for.
	writing sync.Mutex
	out     *os.File // of current
	buf     []byte
	timer   *time.Timer // nil: nothing waits to be synced

	// saving is held by the one who writes the cursor or removes segments.
	saving  sync.Mutex
	cursors *cursorFile
	saved   progress

	// mu is never held while the disk is waited for.
	mu       sync.Mutex
	segments []*segment // oldest first
	current  *segment   // the one that is being written: the last, or not yet among them
	size     int64      // of all segments
	head     Amount     // all that was ever accepted
	progress progress
	flight   []parcel // with the next sink
	closed   bool

	read []byte // by next: the documents in flight are in it
}

func openDisk(dir string, c queueConfig, l *ledger) (_ *disk, err error) {
	d := &disk{ledger: l, dir: dir, limit: c.maxBytes, segment: min(c.maxBytes/segmentsABound, maxSegment), sync: c.sync}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	d.lock = flock.New(filepath.Join(dir, "lock"))
	locked, err := d.lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		return nil, fmt.Errorf("%s: %w", dir, ErrLocked)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.unlock())
		}
	}()
	var found bool
	if d.cursors, d.progress.cursor, found, err = openCursor(filepath.Join(dir, cursorName)); err != nil {
		return nil, err
	}
	var torn int64
	if d.segments, torn, err = readSegments(dir); err != nil {
		return nil, err
	}
	if n := len(d.segments); n > 0 && d.segments[n-1].size == 0 { // nothing was ever accepted into it
		_ = os.Remove(d.segments[n-1].path)
		d.head = d.segments[n-1].start
		d.segments = d.segments[:n-1]
	}
	if n := len(d.segments); n > 0 {
		d.head = d.segments[n-1].end
		if !found {
			d.progress.cursor = d.segments[0].start
		}
	}
	for _, s := range d.segments {
		d.size += s.size
	}
	if !follows(d.head, d.progress.cursor) { // the end of the last segment is lost, but was delivered
		d.head = d.progress.cursor
	}
	l.stats.Recovered = d.head.minus(d.progress.cursor)
	l.stats.Torn = uint64(torn)
	if err = d.recall(); err != nil {
		return nil, err
	}
	d.sweep()
	return d, nil
}

// recall reads what is settled ahead of the cursor. A span beyond the end is of documents that the
// disk has lost: it must not outlive this, for others will have their places.
func (d *disk) recall() error {
	path := filepath.Join(d.dir, settledName)
	spans, err := readSettled(path)
	if err != nil || len(spans) == 0 {
		return err
	}
	for _, s := range spans {
		if follows(d.head, s.to) && follows(s.from, d.progress.cursor) {
			fresh := d.progress.settle(s.from, s.to)
			d.ledger.stats.Recovered = d.ledger.stats.Recovered.minus(fresh)
		}
	}
	d.saved.ahead = slices.Clone(d.progress.ahead)
	return writeSettled(path, d.saved.ahead, true)
}

func (d *disk) unlock() error {
	var err error
	if d.cursors != nil {
		err = d.cursors.f.Close()
	}
	return errors.Join(err, d.lock.Close())
}

// sweep saves the cursor and removes the segments that are not needed any more.
func (d *disk) sweep() {
	d.saving.Lock()
	defer d.saving.Unlock()
	d.mu.Lock()
	cursor, ahead := d.progress.cursor, slices.Clone(d.progress.ahead)
	var old []*segment
	for _, s := range d.segments {
		if s == d.current || s.end.Documents > cursor.Documents {
			break
		}
		old = append(old, s)
	}
	d.mu.Unlock()

	save := func() {
		var err error
		if cursor != d.saved.cursor {
			if err = d.cursors.save(cursor, d.sync == SyncAlways); err == nil {
				d.saved.cursor = cursor
			}
		}
		if err == nil && !slices.Equal(ahead, d.saved.ahead) {
			if err = writeSettled(filepath.Join(d.dir, settledName), ahead, d.sync == SyncAlways); err == nil {
				d.saved.ahead = ahead
			}
		}
		if err != nil {
			d.ledger.fail(err)
			d.ledger.report.note("cursor", "what is delivered cannot be written down: a restart delivers it again", "error", err)
		}
	}
	save()
	for _, s := range old {
		if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.ledger.fail(fmt.Errorf("sink: Spool: %w", err))
			break
		}
		d.mu.Lock()
		d.segments = slices.DeleteFunc(d.segments, func(other *segment) bool { return other == s })
		d.size -= s.size
		d.mu.Unlock()
	}
	save() // in case it lacked the room
}

func (d *disk) numbers() (pushed, oldest uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.head.Documents, d.progress.cursor.Documents
}

func (d *disk) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
}

func (d *disk) finish() error {
	d.writing.Lock()
	defer d.writing.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	var err error
	if d.out != nil {
		err = d.seal()
	}
	d.sweep()
	return errors.Join(err, d.unlock())
}
