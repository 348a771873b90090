// Package lines writes whole lines to a writer, one Write call for many of them.
package lines

import (
	"io"
	"sync"
)

// Writer writes lines to W. It is safe for concurrent use.
type Writer struct {
	W io.Writer

	mu   sync.Mutex
	buf  []byte
	torn bool // the last line was written in part
}

// keepBuffer bounds the buffer that is kept between calls.
const keepBuffer = 1 << 20

// Write writes n lines in one call to W, each with a newline. If W fails or writes short
// it returns the lines that were not written whole and why. A line that was written in
// part is ended by the next call, so that it spoils no other.
func (w *Writer) Write(n int, line func(i int) []byte) (unwritten []int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	buf := w.buf[:0]
	if w.torn {
		buf = append(buf, '\n')
	}
	lead := len(buf)
	for i := range n {
		buf = append(append(buf, line(i)...), '\n')
	}
	if w.buf = buf; cap(buf) > keepBuffer {
		w.buf = nil
	}
	written, err := w.W.Write(buf)
	if err == nil && written >= len(buf) {
		w.torn = false
		return nil, nil
	}
	if err == nil {
		err = io.ErrShortWrite
	}
	if written = min(max(written, 0), len(buf)); written > 0 {
		w.torn = buf[written-1] != '\n'
	}
	end := lead
	for i := range n {
		end += len(line(i)) + 1
		if end-1 > written { // a newline alone is made good by the next call
			unwritten = append(unwritten, i)
		}
	}
	return unwritten, err
}
