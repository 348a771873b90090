package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

// standardInput is how a command line and messages name it.
const (
	standardInput     = "-"
	standardInputName = "stdin"
)

const (
	// chunkSize is how much is read at a time.
	chunkSize = 256 << 10
	// maxLine bounds what a line takes of memory. A log event has 1 MB.
	maxLine = 64 << 20
)

// input is the logs that a command reads.
type input struct {
	files []string      // none: standard input
	read  *atomic.Int64 // bytes, as they are on disk
}

func newInput(files []string) *input {
	if len(files) == 0 {
		files = []string{standardInput}
	}
	return &input{files: files, read: new(atomic.Int64)}
}

// allExist returns an error for the first of files that cannot be read as one. The parser's
// own check would make their names absolute, which nobody has typed.
func allExist(files []string) error {
	for _, name := range files {
		if name == standardInput {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return fmt.Errorf("%s is a directory", name)
		}
	}
	return nil
}

// size is how many bytes there are to read; 0 if that is not known.
func (in *input) size() (total int64) {
	for _, name := range in.files {
		stat := os.Stdin.Stat
		if name != standardInput {
			stat = func() (os.FileInfo, error) { return os.Stat(name) }
		}
		info, err := stat()
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}

// chunk is some whole lines of a log.
type chunk struct {
	file string
	line int // number of the first line
	text []byte
	cut  bool // text is the start of one line that is longer than maxLine
}

var chunkRoom = sync.Pool{New: func() any { return new([chunkSize]byte) }}

func newRoom() []byte { return chunkRoom.Get().(*[chunkSize]byte)[:] }

// release gives the room of a chunk's text back.
func (c chunk) release() {
	if cap(c.text) == chunkSize {
		chunkRoom.Put((*[chunkSize]byte)(c.text[:chunkSize]))
	}
}

// chunks calls yield with all lines, some at a time, until it returns false. A chunk holds
// what there is: a log that grows slowly is passed on line by line.
func (in *input) chunks(yield func(chunk) bool) error {
	for _, name := range in.files {
		more, err := in.chunksOf(name, yield)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (in *input) chunksOf(name string, yield func(chunk) bool) (more bool, err error) {
	file := os.Stdin
	if name == standardInput {
		name = standardInputName
	} else {
		if file, err = os.Open(name); err != nil {
			return false, err
		}
		defer file.Close()
	}
	reader, err := uncompressed(&counted{file, in.read})
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	more, err = splitLines(reader, func(c chunk) bool { c.file = name; return yield(c) })
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return more, nil
}

// counted counts what is read.
type counted struct {
	io.Reader
	n *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// uncompressed reads what may be compressed by gzip, as logs in S3 are.
func uncompressed(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if start, _ := b.Peek(2); bytes.Equal(start, []byte{0x1F, 0x8B}) {
		return gzip.NewReader(b)
	}
	return b, nil
}

// splitLines calls yield with chunks until it returns false.
func splitLines(r io.Reader, yield func(chunk) bool) (more bool, err error) {
	room, n := newRoom(), 0
	line := 1
	skipping := false // the rest of a line that was cut
	for {
		if n == len(room) {
			room = append(room, make([]byte, len(room))...)
		}
		var m int
		m, err = r.Read(room[n:])
		if skipping {
			end := bytes.IndexByte(room[:m], '\n')
			if end < 0 {
				m = 0
			} else {
				m, skipping, line = copy(room, room[end+1:m]), false, line+1
			}
		}
		whole := 0
		if end := bytes.LastIndexByte(room[n:n+m], '\n'); end >= 0 {
			whole = n + end + 1
		}
		n += m
		switch {
		case err == io.EOF:
			whole = n
		case err == nil && whole == 0 && n >= maxLine:
			if !yield(chunk{line: line, text: room[:n], cut: true}) {
				return false, nil
			}
			room, n, skipping = newRoom(), 0, true
		}
		if whole > 0 {
			text := room[:whole]
			rest := room[whole:n]
			room = newRoom()
			if len(rest) >= len(room) {
				room = make([]byte, 2*len(rest))
			}
			n = copy(room, rest)
			lines := bytes.Count(text, []byte("\n"))
			if !yield(chunk{line: line, text: text}) {
				return false, nil
			}
			line += lines
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// inOrder reads the input, calls work with its chunks on all CPUs, and use with what that
// returns in the order of the input. It ends early, without an error, when ctx is done.
// What work returns must not refer to the chunk.
func inOrder[T any](ctx context.Context, in *input, work func(chunk) T, use func(T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan chan T, 2*runtime.GOMAXPROCS(0))
	var failed error
	go func() {
		defer close(results)
		failed = in.chunks(func(c chunk) bool {
			result := make(chan T, 1)
			select {
			case results <- result:
			case <-ctx.Done():
				return false
			}
			go func() {
				done := work(c)
				c.release()
				result <- done
			}()
			return true
		})
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case result, ok := <-results:
			if !ok {
				return failed
			}
			if err := use(<-result); err != nil {
				return err
			}
		}
	}
}
