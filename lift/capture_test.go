package lift_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/lift"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// capture is a sink that keeps documents, or fails.
type capture struct {
	mu   sync.Mutex
	docs []string
	err  error
}

func (c *capture) write(_ context.Context, docs []emf.Document) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	for _, d := range docs {
		c.docs = append(c.docs, string(d.JSON))
	}
	return nil
}

func (c *capture) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

// collector returns a collector whose clock stands at noon.
func collector(t testing.TB, opts ...lift.Option) (*lift.Collector, *emf.Emitter, *capture) {
	return collectorOf(t, nil, opts...)
}

func collectorOf(t testing.TB, of []emf.Option, opts ...lift.Option) (*lift.Collector, *emf.Emitter, *capture) {
	t.Helper()
	sink := new(capture)
	e, err := emf.New("shop", append([]emf.Option{
		emf.WithSink(emf.SinkFunc(sink.write)),
		emf.WithFlushInterval(0),
		emf.WithClock(func() time.Time { return noon }),
		emf.WithLogger(slog.New(slog.DiscardHandler)),
	}, of...)...)
	require.NoError(t, err)
	return lift.NewCollector(e, opts...), e, sink
}

// document is a document as its reader sees it.
type document struct {
	at         int64
	dimensions map[string]string
	units      map[string]string // of each metric
	members    map[string]any    // metrics and properties
}

func (d document) sum(name string) (sum float64) {
	switch v := d.members[name].(type) {
	case float64:
		return v
	case []any:
		for _, v := range v {
			sum += v.(float64)
		}
	}
	return sum
}

func (c *capture) documents(t testing.TB) (docs []document) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range c.docs {
		var head struct {
			AWS struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
		}
		d := document{dimensions: map[string]string{}, units: map[string]string{}}
		require.NoError(t, json.Unmarshal([]byte(text), &head), text)
		require.NoError(t, json.Unmarshal([]byte(text), &d.members), text)
		delete(d.members, "_aws")
		d.at = head.AWS.Timestamp
		directive := head.AWS.CloudWatchMetrics[0]
		for _, name := range directive.Dimensions[0] {
			d.dimensions[name] = d.members[name].(string)
			delete(d.members, name)
		}
		for _, m := range directive.Metrics {
			d.units[m.Name] = m.Unit
			require.Contains(t, d.members, m.Name, text)
		}
		docs = append(docs, d)
	}
	return docs
}

// one returns the only document there is.
func (c *capture) one(t testing.TB) document {
	t.Helper()
	docs := c.documents(t)
	require.Len(t, docs, 1, strings.Join(c.docs, "\n"))
	return docs[0]
}

func requireLaw(t testing.TB, e *emf.Emitter) emf.Stats {
	t.Helper()
	s := e.Stats()
	require.Equal(t, s.Recorded, s.Delivered+s.Dropped+s.Pending, "%+v", s)
	return s
}
