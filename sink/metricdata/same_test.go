package metricdata_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink/logevents"
	"github.com/liftemf/liftemf/sink/metricdata"
)

// bothWays sends documents to one CloudWatch as log events and to another as metric data, and
// holds what these have against each other: each metric, with each value and minute.
func bothWays(t *testing.T, clock func() time.Time, docs []emf.Document) (metrics []cwtest.Metric, calls int) {
	logs, direct := cwtest.New(t, cwtest.WithClock(clock)), cwtest.New(t, cwtest.WithClock(clock))
	byLogs, err := logevents.New(logs.LogsClient(), "g")
	require.NoError(t, err)
	bySelf, err := metricdata.New(direct.MetricsClient())
	require.NoError(t, err)
	bySelf.SetClock(clock)
	for rest := docs; len(rest) > 0; { // as an emitter would
		n := min(len(rest), 500)
		require.NoError(t, byLogs.Write(t.Context(), rest[:n]))
		require.NoError(t, bySelf.Write(t.Context(), rest[:n]))
		rest = rest[n:]
	}
	want, got := logs.Metrics(), direct.Metrics()
	require.Equal(t, len(want), len(got))
	for i := range want {
		require.Equal(t, want[i], got[i])
	}
	require.NotEmpty(t, want)
	return got, direct.Calls("PutMetricData")
}

// Documents of an emitter: counters, gauges, histograms small and large, tenants, rollups, events.
func TestSameAsTheLogOfAnEmitter(t *testing.T) {
	start := time.Now().Truncate(time.Second)
	clock := start.Add(-time.Hour)
	var docs []emf.Document
	keep := emf.SinkFunc(func(_ context.Context, batch []emf.Document) error {
		for _, d := range batch {
			docs = append(docs, emf.Document{Time: d.Time, JSON: []byte(string(d.JSON)), Values: d.Values})
		}
		return nil
	})
	e := emf.Must(emf.New("Shop", emf.WithSink(keep), emf.WithFlushInterval(0), emf.WithRollups([]string{"Service"}, []string{"Service", "TenantID"}),
		emf.WithDimensions(emf.Dim("Service", "checkout")), emf.WithClock(func() time.Time { return clock }), emf.WithLogger(slog.New(slog.DiscardHandler))))
	random := rand.New(rand.NewPCG(2, 3))
	recorded := 0
	for range 20 {
		for tenant := range 10 {
			r := e.WithTenant(fmt.Sprint("tenant-", tenant))
			for range random.IntN(400) {
				r.Histogram("latency", emf.Milliseconds).Observe(random.ExpFloat64() * 40)
				r.Counter("bytes", emf.Bytes, emf.HighResolution).Add(float64(random.IntN(1 << 20)))
				recorded++
			}
			r.Gauge("depth").Set(random.NormFloat64())
		}
		ev := e.Begin(emf.Dim("Route", "/cart"))
		ev.SetProperty("RequestID", "r-1")
		ev.Histogram("size", emf.Bytes).Observe(float64(random.IntN(10)))
		ev.Histogram("size", emf.Bytes).Observe(float64(random.IntN(10)))
		require.NoError(t, ev.End(t.Context()))
		require.NoError(t, e.Flush(t.Context()))
		clock = clock.Add(25 * time.Second)
	}
	metrics, calls := bothWays(t, func() time.Time { return start }, docs)
	assert.Greater(t, recorded, 10_000)
	t.Logf("%d metrics of %d documents, in %d calls", len(metrics), len(docs), calls)
}

// The conformance corpus, as far as both ways take it.
func TestSameAsTheLogOfTheCorpus(t *testing.T) {
	stamp := time.UnixMilli(1_700_000_000_000)
	files, err := filepath.Glob("../../testdata/conformance/*.json")
	require.NoError(t, err)
	var docs []emf.Document
	for _, file := range files {
		name := filepath.Base(file)
		switch {
		case strings.HasSuffix(name, ".metrics.json"), strings.HasPrefix(name, "error_"):
			continue
		case strings.Contains(name, "not_ascii"), strings.Contains(name, "-length_"), strings.Contains(name, "length_256"),
			strings.HasPrefix(name, "warning_line-prefix"), strings.HasPrefix(name, "warning_timestamp-window"), strings.HasPrefix(name, "warning_namespace"),
			strings.HasPrefix(name, "warning_metric-name"), name == "warning_statistics-value_min_above_max.json":
			continue // PutMetricData would refuse them, or the log makes nothing of them
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		docs = append(docs, emf.Document{Time: stamp, JSON: []byte(strings.TrimSuffix(string(text), "\n")), Values: 1})
	}
	require.Greater(t, len(docs), 80)
	bothWays(t, func() time.Time { return stamp }, docs)
}

// Random documents, of all that the format allows.
func TestSameAsTheLogOfRandomDocuments(t *testing.T) {
	start := time.Now().Truncate(time.Second)
	random := rand.New(rand.NewPCG(4, 5))
	var docs []emf.Document
	for range 1500 {
		docs = append(docs, randomDocument(random, start.Add(-time.Duration(random.IntN(600))*time.Second)))
	}
	bothWays(t, func() time.Time { return start }, docs)
}

func randomDocument(random *rand.Rand, at time.Time) emf.Document {
	root := map[string]any{}
	var directives []any
	resolutions := map[string]int{}
	for range 1 + random.IntN(3) {
		var sets [][]string
		for range 1 + random.IntN(3) {
			set := []string{}
			for range random.IntN(4) {
				name := fmt.Sprint("d", random.IntN(5))
				root[name] = fmt.Sprint("v", random.IntN(3))
				set = append(set, name)
			}
			sets = append(sets, set)
		}
		var metrics []any
		for range 1 + random.IntN(5) {
			name := fmt.Sprint("m", random.IntN(8))
			if root[name] == nil {
				root[name], resolutions[name] = randomTarget(random), []int{1, 60}[random.IntN(2)]
			}
			m := map[string]any{"Name": name, "StorageResolution": resolutions[name]}
			if random.IntN(2) == 0 {
				m["Unit"] = []string{"Count", "Bytes/Second", "None"}[random.IntN(3)]
			}
			metrics = append(metrics, m)
		}
		directives = append(directives, map[string]any{"Namespace": fmt.Sprint("N", random.IntN(3)), "Dimensions": sets, "Metrics": metrics})
	}
	root["_aws"] = map[string]any{"Timestamp": at.UnixMilli(), "CloudWatchMetrics": directives}
	text, err := json.Marshal(root)
	if err != nil {
		panic(err)
	}
	return emf.Document{Time: at, JSON: text, Values: 1}
}

func randomTarget(random *rand.Rand) any {
	numbers := func(n int, number func() float64) []float64 {
		list := make([]float64, n)
		for i := range list {
			list[i] = number()
		}
		return list
	}
	value := func() float64 { return float64(random.IntN(20)) / 4 } // equal ones are likely
	switch n := 1 + random.IntN(100); random.IntN(4) {
	case 0:
		return random.NormFloat64() * 1e6
	case 1:
		return numbers(n, value)
	case 2:
		return map[string]any{"Values": numbers(n, value), "Counts": numbers(n, func() float64 { return float64(1 + random.IntN(1000)) })}
	default:
		return map[string]any{"Min": 1.5, "Max": 9, "Sum": 30.25, "Count": 1 + random.IntN(9)}
	}
}
