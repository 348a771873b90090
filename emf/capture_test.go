package emf_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// start is what the clock of tests stands at.
var start = time.Date(2026, 11, 24, 12, 0, 30, 0, time.UTC)

// capture is a sink that keeps what it is given.
type capture struct {
	mu    sync.Mutex
	lines []string
	docs  []document
}

func (c *capture) Write(_ context.Context, docs []emf.Document) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range docs {
		if len(c.lines) < 1000 { // the checks cost more than the documents
			if found := faults(d.JSON, d.Time); found != nil {
				panic(fmt.Sprintf("%q in %s", found, d.JSON))
			}
		}
		c.lines = append(c.lines, string(d.JSON))
		c.docs = append(c.docs, parse(d))
	}
	return nil
}

// take returns the documents captured since it was last called.
func (c *capture) take() []document {
	c.mu.Lock()
	defer c.mu.Unlock()
	docs := c.docs
	c.docs, c.lines = nil, nil
	return docs
}

// document is a document as a reader sees it.
type document struct {
	json    string
	values  int
	at      time.Time
	root    map[string]any
	dims    []string
	metrics []string
}

func parse(d emf.Document) document {
	p := document{json: string(d.JSON), values: d.Values, at: d.Time}
	if err := json.Unmarshal(d.JSON, &p.root); err != nil {
		panic("not JSON: " + err.Error() + ": " + p.json)
	}
	directive := p.root["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
	for _, name := range directive["Dimensions"].([]any)[0].([]any) {
		p.dims = append(p.dims, name.(string))
	}
	for _, m := range directive["Metrics"].([]any) {
		p.metrics = append(p.metrics, m.(map[string]any)["Name"].(string))
	}
	return p
}

// sum is the sum of a metric's values, and count how many they are.
func (d document) sum(name string) (sum float64, count int) {
	if !slices.Contains(d.metrics, name) {
		return 0, 0
	}
	switch v := d.root[name].(type) {
	case float64:
		return v, 1
	case []any:
		for _, x := range v {
			sum += x.(float64)
		}
		return sum, len(v)
	case map[string]any:
		counts := v["Counts"].([]any)
		for i, x := range v["Values"].([]any) {
			sum += x.(float64) * counts[i].(float64)
			count += int(counts[i].(float64))
		}
		return sum, count
	}
	return 0, 0
}

// newEmitter returns an emitter with a fixed clock, without a timer and diagnostics,
// that writes to a capture; every document is checked.
func newEmitter(t testing.TB, opts ...emf.Option) (*emf.Emitter, *capture) {
	t.Helper()
	c := new(capture)
	e, err := emf.New("test", append([]emf.Option{
		emf.WithSink(c),
		emf.WithClock(func() time.Time { return start }),
		emf.WithFlushInterval(0),
		emf.WithLogger(slog.New(slog.DiscardHandler)),
	}, opts...)...)
	require.NoError(t, err)
	return e, c
}

func flush(t testing.TB, e *emf.Emitter) {
	t.Helper()
	require.NoError(t, e.Flush(t.Context()))
}

// requireLaw checks the law of accounting, which holds at any quiet moment.
func requireLaw(t testing.TB, e *emf.Emitter) emf.Stats {
	t.Helper()
	s := e.Stats()
	require.Equal(t, s.Recorded, s.Delivered+s.Dropped+s.Pending, "%+v", s)
	var drops uint64
	for _, n := range s.Drops {
		drops += n
	}
	require.Equal(t, s.Dropped, drops, "%+v", s)
	return s
}
