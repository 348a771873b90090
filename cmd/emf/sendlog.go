package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
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

// lines reads what is left, in a goroutine: a read that waits for input does not keep others from
// what there is. The channel is closed at the end.
func (l *sendLog) lines(ctx context.Context) <-chan sendLine {
	lines := make(chan sendLine, 256)
	go func() {
		defer close(lines)
		for {
			line := l.next()
			if line.err == io.EOF {
				return
			}
			line.text = bytes.Clone(line.text)
			select {
			case lines <- line:
			case <-ctx.Done():
				return
			}
			if line.err != nil {
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
