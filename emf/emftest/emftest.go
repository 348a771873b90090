// Package emftest helps to test what a program records: an emitter whose documents are
// captured and checked, questions about the metrics that CloudWatch would make of them, and
// golden files.
//
//	func TestOrders(t *testing.T) {
//		e, metrics := emftest.New(t)
//		shop.New(e).Order("acme", 3)
//		if got := metrics.Sum("orders", emf.Dim("TenantID", "acme")); got != 3 {
//			t.Errorf("orders = %v", got)
//		}
//	}
package emftest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/hook"
)

// Time is what the clock of [New]'s emitters stands at.
var Time = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Namespace is the namespace of [New]'s emitters.
const Namespace = "Test"

// New returns an emitter for a test and what captures its documents.
//
// The emitter's clock stands still at [Time], it flushes only when asked, and it ignores the
// environment, so that a test runs alike everywhere and beside others. What is logged, such
// as the reason for a dropped value, goes to the test's log. Options change all of this but
// the sink, which is the capture. The emitter is closed when the test ends.
//
// Each document is given to [emf.Check]; one with a problem, be it a warning, fails the test.
// Only whether CloudWatch would take the timestamp today is not asked.
func New(t testing.TB, opts ...emf.Option) (*emf.Emitter, *Capture) {
	t.Helper()
	c := &Capture{t: t, state: new(state)}
	all := []emf.Option{
		hook.Sealed.(emf.Option),
		emf.WithClock(func() time.Time { return Time }),
		emf.WithFlushInterval(0),
		emf.WithLogger(slog.New(slog.NewTextHandler(logWriter{c}, &slog.HandlerOptions{ReplaceAttr: withoutTime}))),
	}
	e, err := emf.New(Namespace, append(append(all, opts...), emf.WithSink(emf.SinkFunc(c.write)))...)
	if err != nil {
		t.Fatalf("emftest: %v", err)
	}
	c.emitter = e
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Errorf("emftest: %v", err)
		}
		c.mu.Lock()
		c.over = true
		c.mu.Unlock()
	})
	return e, c
}

// Capture holds the documents of a test's emitter. Its methods are safe for concurrent use.
//
// All but Documents flush the emitter first, so that what was recorded is there; what is in
// an event that has not ended is not. To test that a program flushes, look at Documents.
type Capture struct {
	t       testing.TB
	emitter *emf.Emitter
	exact   bool
	*state
}

type state struct {
	mu   sync.Mutex
	docs []document
	over bool // the test has ended, its log is closed
}

// document is a document and what CloudWatch would make of it, read once.
type document struct {
	json    []byte
	metrics []emf.Metric
}

// write is the emitter's sink.
func (c *Capture) write(_ context.Context, docs []emf.Document) error {
	for _, d := range docs {
		c.check(d.JSON)
		metrics, _ := emf.Extract(d.JSON) // refused only with an error, of which check has told
		c.mu.Lock()
		c.docs = append(c.docs, document{bytes.Clone(d.JSON), metrics})
		c.mu.Unlock()
	}
	return nil
}

func (c *Capture) check(doc []byte) {
	for _, p := range emf.Check(doc) {
		if p.Rule == "timestamp-window" {
			continue
		}
		c.whileRunning(func() {
			c.t.Errorf("emftest: CloudWatch may not take this document: %v\n%s", p, atMost(mostDiff, pretty(doc)))
		})
	}
}

// whileRunning calls f unless the test has ended.
func (c *Capture) whileRunning(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		f()
	}
}

// logWriter writes to the test's log.
type logWriter struct{ *Capture }

func (w logWriter) Write(line []byte) (int, error) {
	w.whileRunning(func() { w.t.Logf("%s", bytes.TrimSuffix(line, []byte("\n"))) })
	return len(line), nil
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// Documents returns the documents that the emitter has written so far, in order. It does not
// flush.
func (c *Capture) Documents() [][]byte {
	var all [][]byte
	for _, d := range c.written() {
		all = append(all, bytes.Clone(d.json))
	}
	return all
}

func (c *Capture) written() []document {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.docs[:len(c.docs):len(c.docs)]
}

// flushed returns the documents after a flush. An emitter that is closed has nothing left.
func (c *Capture) flushed() []document {
	if err := c.emitter.Flush(context.Background()); err != nil && c.emitter.Stats().Pending > 0 {
		c.t.Helper()
		c.t.Errorf("emftest: %v", err)
	}
	return c.written()
}

// Metrics returns the metrics that CloudWatch would make of the documents, in order: one a
// document, metric and dimension set. What they hold is shared, as with [emf.Extract]: clone
// it before changing it.
func (c *Capture) Metrics() []emf.Metric {
	c.t.Helper()
	var all []emf.Metric
	for _, d := range c.flushed() {
		all = append(all, d.metrics...)
	}
	return all
}

// Property returns the values of a property, as encoding/json decodes them, of the documents
// that have it, in order. Properties are the root members that are neither metric nor
// dimension, but those are found too.
func (c *Capture) Property(key string) []any {
	c.t.Helper()
	var values []any
	for _, d := range c.flushed() {
		var root map[string]any
		if err := json.Unmarshal(d.json, &root); err != nil {
			c.t.Errorf("emftest: %v\n%s", err, d.json)
			continue
		}
		if value, ok := root[key]; ok {
			values = append(values, value)
		}
	}
	return values
}

func pretty(doc []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, doc, "", "  "); err != nil {
		return fmt.Sprintf("%q", doc)
	}
	return b.String()
}
