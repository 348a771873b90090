package sink

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/liftemf/liftemf/emf"
)

func (d *disk) push(docs []emf.Document) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.mu.Lock()
	closed := d.closed
	d.mu.Unlock()
	if closed {
		return fmt.Errorf("sink: Spool: Write after Close: %w", emf.ErrClosed)
	}
	var tooLarge []int
	at, taken := d.head, 0 // only who is writing moves head
	d.buf = d.buf[:0]
	var err error
	flush := func(n int) bool {
		if len(d.buf) > 0 {
			if err = d.write(at); err != nil {
				return false
			}
		}
		d.buf, taken = d.buf[:0], n
		return true
	}
	for i := range docs {
		before := len(d.buf)
		d.buf = appendRecord(d.buf, at, &docs[i])
		if int64(len(d.buf)-before) > d.limit {
			tooLarge = append(tooLarge, i)
			d.buf = d.buf[:before]
			continue
		}
		if before > 0 && d.written()+int64(len(d.buf)) > d.segment {
			d.buf = d.buf[:before]
			if !flush(i) {
				break
			}
			d.buf = appendRecord(d.buf, at, &docs[i])
		}
		at = at.plus(amountOf(&docs[i]))
	}
	if err == nil {
		flush(len(docs))
	}
	if cap(d.buf) > 4*batchBytes {
		d.buf = nil
	}
	if err == nil && tooLarge == nil {
		return nil
	}
	result := &emf.UndeliveredError{Reject: tooLarge, Err: err}
	for i := taken; i < len(docs); i++ {
		if !slices.Contains(tooLarge, i) {
			result.Retry = append(result.Retry, i)
		}
	}
	if err == nil {
		result.Retry, result.Err = nil, fmt.Errorf("sink: Spool: larger than the %d bytes of WithMaxBytes", d.limit)
	}
	return result
}

// written is the size of the segment that is being written.
func (d *disk) written() int64 {
	if d.out == nil {
		return 0
	}
	return d.current.size
}

// write writes what is in buf, the records of documents from head up to end.
func (d *disk) write(end Amount) error {
	size := int64(len(d.buf))
	if d.out != nil && d.current.size+size > d.segment {
		if err := d.seal(); err != nil {
			d.ledger.fail(err)
		}
	}
	if err := d.makeRoom(size); err != nil {
		return err
	}
	if d.out == nil {
		if err := d.create(); err != nil {
			return fmt.Errorf("sink: Spool: %w", err)
		}
	}
	_, err := d.out.Write(d.buf)
	if err == nil && d.sync == SyncAlways {
		err = d.out.Sync()
	}
	if err == nil && !d.publish(size, end) {
		err = fmt.Errorf("Write after Close: %w", emf.ErrClosed)
	}
	if err != nil {
		d.takeBack()
		return fmt.Errorf("sink: Spool: %w", err)
	}
	if d.sync > 0 && d.timer == nil {
		d.timer = time.AfterFunc(time.Duration(d.sync), d.syncLater)
	}
	return nil
}

// create begins a segment.
func (d *disk) create() error {
	s := &segment{path: filepath.Join(d.dir, segmentName(d.head)), start: d.head, end: d.head}
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if d.sync != SyncNever {
		if err := syncDirectory(d.dir); err != nil {
			f.Close()
			return errors.Join(err, os.Remove(s.path))
		}
	}
	d.mu.Lock()
	d.out, d.current = f, s
	d.mu.Unlock()
	return nil
}

// syncDirectory makes the disk keep the names of new files.
func syncDirectory(dir string) error {
	if runtime.GOOS == "windows" { // which cannot
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// publish makes what was written known. It reports false after close.
func (d *disk) publish(size int64, end Amount) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	if d.current.size == 0 {
		d.segments = append(d.segments, d.current)
	}
	d.ledger.accept(end.minus(d.head))
	d.current.size += size
	d.current.end = end
	d.size += size
	d.head = end
	return true
}

// takeBack undoes a write that failed, as far as the disk lets it: what is behind the size of a
// segment is not read. The next write begins a new one, because nothing is known of a file that
// could not be written or synced.
func (d *disk) takeBack() {
	_ = d.out.Truncate(d.current.size)
	_ = d.out.Close()
	if d.current.size == 0 {
		_ = os.Remove(d.current.path)
	}
	d.mu.Lock()
	d.out, d.current = nil, nil
	d.mu.Unlock()
}

// seal ends the segment that is being written.
func (d *disk) seal() error {
	var err error
	if d.sync > 0 {
		err = d.out.Sync()
	}
	err = errors.Join(err, d.out.Close())
	d.mu.Lock()
	d.out, d.current = nil, nil
	d.mu.Unlock()
	return err
}

func (d *disk) syncLater() {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.timer = nil
	if d.out == nil {
		return
	}
	if err := d.out.Sync(); err != nil {
		d.ledger.fail(fmt.Errorf("sink: Spool: %w", err))
		d.takeBack()
	}
}

// makeRoom drops the oldest segments until there is room for so many bytes.
func (d *disk) makeRoom(size int64) error {
	for {
		d.mu.Lock()
		if d.size+size <= d.limit || len(d.segments) == 0 {
			d.mu.Unlock()
			return nil
		}
		oldest, before := d.segments[0], len(d.segments)
		if oldest == d.current {
			d.mu.Unlock()
			if err := d.seal(); err != nil {
				d.ledger.fail(err)
			}
			continue
		}
		lost := d.progress.settle(d.progress.cursor, oldest.end)
		for _, p := range d.flight { // the next sink has these: settle counts them
			if p.segment == oldest {
				lost = lost.minus(amountOf(&p.doc))
			}
		}
		d.mu.Unlock()
		d.ledger.drop(DropOverflow, lost)
		d.sweep()
		d.mu.Lock()
		stuck := len(d.segments) == before
		d.mu.Unlock()
		if stuck {
			return fmt.Errorf("sink: Spool: %s is full and cannot be removed", oldest.path)
		}
	}
}
