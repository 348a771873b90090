package logevents

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/liftemf/liftemf/emf"
)

// The limits of PutLogEvents, from its API reference.
const (
	maxEvents     = 10_000
	maxBatchBytes = 1 << 20
	eventBytes    = 26 // counted for each event beside its message
	maxSpan       = 24 * 60 * 60 * 1000
)

// batches are the documents of one Write in the order of their times, cut by the limits.
type batches struct {
	docs     []emf.Document
	now      int64         // the time of documents that have none
	sizes    []int         // of messages; larger than the document where that is not UTF-8
	order    []int         // indexes of docs
	rejected map[int]error // what no event can hold
}

func newBatches(docs []emf.Document, now time.Time) *batches {
	b := &batches{docs: docs, now: now.UnixMilli(), sizes: make([]int, len(docs)), order: make([]int, 0, len(docs))}
	sorted := true
	for i := range docs {
		if b.sizes[i] = len(docs[i].JSON); !utf8.Valid(docs[i].JSON) {
			b.sizes[i] = len(valid(docs[i].JSON))
		}
		if err := b.check(i); err != nil {
			if b.rejected == nil {
				b.rejected = make(map[int]error)
			}
			b.rejected[i] = err
			continue
		}
		if n := len(b.order); n > 0 && b.time(i) < b.time(b.order[n-1]) {
			sorted = false
		}
		b.order = append(b.order, i)
	}
	if !sorted {
		slices.SortStableFunc(b.order, func(i, j int) int { return cmp.Compare(b.time(i), b.time(j)) })
	}
	return b
}

func (b *batches) check(i int) error {
	switch {
	case b.sizes[i] == 0:
		return errors.New("a document without text")
	case b.sizes[i] > MaxDocument:
		return fmt.Errorf("a document of %d bytes, and a log event holds %d: see emf.WithMaxDocumentSize", b.sizes[i], MaxDocument)
	case b.time(i) < 0:
		return errors.New("a document from before 1970")
	}
	return nil
}

// time is an event's, in milliseconds since 1970.
func (b *batches) time(i int) int64 {
	if b.docs[i].Time.IsZero() {
		return b.now
	}
	return b.docs[i].Time.UnixMilli()
}

// valid replaces what is not UTF-8: the client would do so, but the limits would not know.
func valid(text []byte) string {
	return string([]rune(string(text))) // one U+FFFD for each byte
}

func (b *batches) event(i int) types.InputLogEvent {
	at := b.time(i)
	text := b.docs[i].JSON
	message := string(text)
	if b.sizes[i] != len(text) {
		message = valid(text)
	}
	return types.InputLogEvent{Message: &message, Timestamp: &at}
}

// all cuts the documents into batches. A batch is part of one slice.
func (b *batches) all() iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		for rest := b.order; len(rest) > 0; {
			n, size := 0, 0
			for n < len(rest) && n < maxEvents && b.time(rest[n])-b.time(rest[0]) <= maxSpan {
				if size += b.sizes[rest[n]] + eventBytes; size > maxBatchBytes {
					break
				}
				n++
			}
			if !yield(rest[:n:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}
