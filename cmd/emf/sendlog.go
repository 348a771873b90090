package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/liftemf/liftemf/emf"
)

// longestLine is what a log event can have, and so what is worth keeping of a line.
const longestLine = 1 << 20

// sendLog reads the lines of a log, which may be compressed by gzip, and knows where it is.
type sendLog struct {
	r      *bufio.Reader
	offset int64 // of what was read, uncompressed
	line   []byte
}

func newSendLog(r io.Reader) (*sendLog, error) {
	text, err := uncompressed(r)
	if err != nil {
		return nil, err
	}
	return &sendLog{r: bufio.NewReaderSize(text, chunkSize)}, nil
}

// skip passes over what was read before.
func (l *sendLog) skip(n int64) error {
	m, err := io.CopyN(io.Discard, l.r, n)
	l.offset += m
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("it has become shorter than the %d bytes that were sent of it: use another --state", n)
	}
	return err
}

// next returns the next line without its newline, until the next call.
func (l *sendLog) next() (line sendLine) {
	line.at = l.offset
	l.line = l.line[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		l.offset += int64(len(part))
		if line.whole = err == nil; line.whole {
			part = part[:len(part)-1]
		}
		if line.long = line.long || len(l.line)+len(part) > longestLine; !line.long {
			l.line = append(l.line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && len(l.line) > 0:
		case err != nil:
			return sendLine{err: err}
		}
		line.text, line.end = l.line, l.offset
		return line
	}
}

// sendLine is a line of a log.
type sendLine struct {
	text    []byte
	at, end int64 // where it begins, and where the next one does
	whole   bool  // it has a newline
	long    bool  // it is longer than longestLine, and text the start of it
	err     error // instead of a line
}

// linesOf reads a log from an offset on, in a goroutine: a read that waits for input keeps nobody
// from what there is, nor from an interrupt. The channel is closed at the end.
func linesOf(ctx context.Context, r io.Reader, offset int64) <-chan sendLine {
	lines := make(chan sendLine, 256)
	pass := func(line sendLine) bool {
		select {
		case lines <- line:
			return line.err == nil
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		defer close(lines)
		log, err := newSendLog(r)
		if err == nil {
			err = log.skip(offset)
		}
		if err != nil {
			pass(sendLine{err: err})
			return
		}
		for {
			line := log.next()
			line.text = bytes.Clone(line.text)
			if line.err == io.EOF || !pass(line) {
				return
			}
		}
	}()
	return lines
}

// sendKind is what a line is to "emf send".
type sendKind int

const (
	sendable  sendKind = iota
	noMetrics          // no document, or one of no metrics
	faulty             // a document that CloudWatch would not take
)

// document returns the document of a line, a part of it.
func (l *sendLine) document() (emf.Document, sendKind) {
	line := l.text
	if l.long {
		if meantAsDocument(line) {
			return emf.Document{}, faulty
		}
		return emf.Document{}, noMetrics
	}
	metrics, err := emf.Extract(line)
	if err != nil {
		var invalid emf.InvalidError
		if errors.As(err, &invalid) && !isDocument(invalid.Problems) && !meantAsDocument(line) {
			return emf.Document{}, noMetrics
		}
		return emf.Document{}, faulty
	}
	if len(metrics) == 0 {
		return emf.Document{}, noMetrics
	}
	// What a runtime has put in front has no brace.
	json := bytes.TrimRight(line[bytes.IndexByte(line, '{'):], " \t\r")
	values := 0.0
	for i := range metrics {
		values += valuesIn(&metrics[i])
	}
	return emf.Document{Time: metrics[0].Time, JSON: json, Values: int(min(values, maxCount))}, sendable
}

// maxCount is more values than anybody has, and no more than an int holds: Counts may say 10^30.
const maxCount = 1 << 53

func valuesIn(m *emf.Metric) (n float64) {
	switch {
	case m.Counts != nil:
		for _, c := range m.Counts {
			n += c
		}
	case m.Values != nil:
		n = float64(len(m.Values))
	default:
		n = m.Stats.Count
	}
	return n
}
