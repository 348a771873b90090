package lift

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/liftemf/liftemf/emf"
)

// Why [Collector.RecordBatch] did not record an entry.
var (
	ErrName      = errors.New("the name is blank, _aws or longer than 255 characters")
	ErrValue     = errors.New("the value is not finite or beyond 2^360")
	ErrTimestamp = errors.New("the timestamp is more than two weeks ago or two hours ahead")
)

// EntryError tells of an entry that [Collector.RecordBatch] did not record.
type EntryError struct {
	Index int    // in the batch
	Name  string // of the metric
	Err   error  // [ErrName], [ErrValue] or [ErrTimestamp]
}

// Error says which entry was not recorded, and why.
func (e *EntryError) Error() string {
	return fmt.Sprintf("lift: entry %d, %q, not recorded: %v", e.Index, e.Name, e.Err)
}

// Unwrap returns Err.
func (e *EntryError) Unwrap() error { return e.Err }

// RecordBatch records entries under the collector's dimensions and their own tags. Each
// value is kept, as by [Collector.RecordMetric]; all units of CloudWatch are known, an
// empty one means the one known for the name, and an unknown one is reported by the
// emitter and recorded as None. Nil entries are skipped and count as nothing. The entries
// stay the caller's.
//
// Entries with neither timestamp nor fields are aggregated and flushed like everything
// else. The others become documents of their own, which are handed to the sink before
// RecordBatch returns, bounded by [WithTimeout]: with the fields as properties, stamped
// with the timestamp, or with the time of the call if that is zero. Entries that have
// timestamp, tags and fields in common share a document.
//
// The error joins an [EntryError] for each entry that was not recorded, which the emitter
// has counted as dropped, [emf.ErrClosed] if the emitter is closed, whoever closed it, and
// what the sink returned: documents that it did not take are offered again by the next
// flush. Entries of a closed emitter are dropped and counted; while it closes they may
// still be delivered, and ErrClosed is returned to be on the safe side. What is dropped
// for a conflict, see [Collector], is counted by the emitter only.
func (c *Collector) RecordBatch(entries []*MetricEntry) error {
	var errs []error
	b := batch{collector: c}
	recorded := false
	for i, entry := range entries {
		if entry == nil {
			continue
		}
		// Bad entries are recorded too: dropping and counting them is the emitter's.
		if err := check(entry); err != nil {
			errs = append(errs, &EntryError{i, entry.Name, err})
		}
		b.add(i, entry)
		recorded = true
	}
	ctx, cancel := c.common().context()
	defer cancel()
	for _, d := range b.documents {
		refused, err := c.common().end(ctx, d)
		if err != nil {
			errs = append(errs, err)
		}
		for _, i := range d.entries {
			if refused && check(entries[i]) == nil {
				errs = append(errs, &EntryError{i, entries[i].Name, ErrTimestamp})
			}
		}
	}
	if recorded && c.common().isClosed() {
		errs = append(errs, emf.ErrClosed)
	}
	return errors.Join(errs...)
}

// check returns what keeps an entry from being recorded, its time aside.
func check(entry *MetricEntry) error {
	switch name := entry.Name; {
	case strings.Trim(name, " ") == "", name == "_aws", utf8.RuneCountInString(name) > 255:
		return ErrName
	case !(math.Abs(entry.Value) <= 1<<360): // NaN included
		return ErrValue
	}
	return nil
}

// batch puts entries together in documents.
type batch struct {
	collector *Collector
	documents []*document
	alike     map[likeness][]*document
}

// likeness is what is cheap to compare of the entries of a document.
type likeness struct {
	recorder *emf.Recorder // with the tags
	dated    bool
	at       int64 // in milliseconds, as in a document
}

type document struct {
	event    *emf.Event
	recorder *emf.Recorder // of the event, with the tags
	at       time.Time
	fields   map[string]any
	units    map[string]string // of the names in it
	entries  []int
}

func (b *batch) add(i int, entry *MetricEntry) {
	c, tags := b.collector, []map[string]string{entry.Tags}
	to := c.tagged(tags)
	if c.common().emitter != nil && (!entry.Timestamp.IsZero() || len(entry.Fields) > 0) {
		d := b.document(to, entry)
		d.entries = append(d.entries, i)
		d.units[entry.Name] = entry.Unit
		to = d.recorder
	}
	c.common().record(to, entry.Name, emf.Unit(entry.Unit), entry.Value)
}

// lookBack is how many documents alike are compared with an entry. A batch of entries
// with fields that all differ must not cost the square of its length.
const lookBack = 8

// document returns the document for an entry, begun if there is none.
func (b *batch) document(r *emf.Recorder, entry *MetricEntry) *document {
	like := likeness{recorder: r}
	if !entry.Timestamp.IsZero() {
		like.dated, like.at = true, entry.Timestamp.UnixMilli()
	}
	others := b.alike[like]
	for _, d := range others[max(len(others)-lookBack, 0):] {
		if d.takes(entry) {
			return d
		}
	}
	d := b.collector.begin(entry)
	if b.alike == nil {
		b.alike = make(map[likeness][]*document)
	}
	b.alike[like] = append(others, d)
	b.documents = append(b.documents, d)
	return d
}

// takes reports whether an entry that is like those of the document can be in it: it has
// the same fields, and its name does not stand there with another unit.
func (d *document) takes(entry *MetricEntry) bool {
	if unit, ok := d.units[entry.Name]; ok && unit != entry.Unit {
		return false
	}
	return len(d.fields) == 0 && len(entry.Fields) == 0 || reflect.DeepEqual(d.fields, entry.Fields)
}

func (c *Collector) begin(entry *MetricEntry) *document {
	ev := c.common().emitter.Begin()
	ev.SetTimestamp(entry.Timestamp)
	for _, key := range slices.Sorted(maps.Keys(entry.Fields)) {
		ev.SetProperty(key, entry.Fields[key])
	}
	return &document{
		event:    ev,
		recorder: c.under(ev.Recorder).With(c.common().aliases.appendTags(nil, entry.Tags)...),
		at:       entry.Timestamp,
		fields:   entry.Fields,
		units:    make(map[string]string),
	}
}

// end emits a document. It reports whether the emitter refused it for its time.
//
// That is judged by the emitter's clock, which may be another than ours. So where there
// is any doubt the emitter's count of such drops tells; only another one at the same
// moment could mislead it.
func (s *shared) end(ctx context.Context, d *document) (refused bool, err error) {
	const day = 24 * time.Hour
	if age := time.Since(d.at); d.at.IsZero() || -time.Hour < age && age < 13*day {
		return false, d.event.End(ctx)
	}
	before := s.emitter.Stats().Drops["timestamp"]
	err = d.event.End(ctx)
	return s.emitter.Stats().Drops["timestamp"] > before, err
}
