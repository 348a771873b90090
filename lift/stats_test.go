package lift_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/lift"
)

func TestStatsAreSharedByAllCopies(t *testing.T) {
	m, e, _ := collector(t)
	a := m.WithTags(tags{"a": "1"})
	b := m.WithTenant("b")
	m.RecordCount("n", 1)
	a.RecordSuccess("op")
	b.RecordCount("n", 1)
	e.Counter("n").Inc()
	require.NoError(t, b.RecordBatch([]*lift.MetricEntry{{Name: "x"}, {Name: "y", Timestamp: noon}, nil}))
	require.NoError(t, a.Flush())
	b.Gauge("level").Set(1)

	want := lift.MetricsStats{MetricsRecorded: 7, LastFlush: noon}
	for _, c := range []lift.ObservabilityCollector{m, a, b, a.WithTag("c", "2")} {
		require.Equal(t, want, c.GetStats())
	}
}

// share is what Lift's health check computes; above 0.1 a collector is unhealthy.
func share(s lift.MetricsStats) float64 {
	return float64(s.ErrorCount) / float64(s.MetricsRecorded)
}

func TestHealthFormula(t *testing.T) {
	m, _, sink := collectorOf(t, []emf.Option{emf.WithMaxPending(0)})
	record := func(n int64) {
		t.Helper()
		for range n {
			m.Histogram("n").Observe(1)
		}
	}
	record(60)
	require.NoError(t, m.Flush())
	require.Zero(t, share(m.GetStats()))

	sink.fail(errors.New("down"))
	record(40)
	require.Error(t, m.Flush())
	s := m.GetStats()
	require.EqualValues(t, 40, s.ErrorCount, "one for each value lost")
	require.EqualValues(t, 40, s.MetricsDropped)
	require.InDelta(t, 0.4, share(s), 1e-9)
	require.Contains(t, s.LastError, "down")

	sink.fail(nil)
	record(100)
	require.NoError(t, m.Flush())
	s = m.GetStats()
	require.EqualValues(t, 40, s.ErrorCount, "what is lost stays lost")
	require.InDelta(t, 0.2, share(s), 1e-9)
}

// While the emitter keeps documents for another try nothing is lost, but a sink that takes
// nothing must not look healthy.
func TestHealthWhileTheSinkFails(t *testing.T) {
	m, _, sink := collector(t)
	m.RecordCount("n", 1)
	require.NoError(t, m.Flush())
	sink.fail(errors.New("down"))
	for range 9 {
		m.RecordCount("n", 1)
	}
	require.Zero(t, m.GetStats().ErrorCount, "nothing has failed yet")
	require.Error(t, m.Flush())
	for range 2 {
		s := m.GetStats()
		require.EqualValues(t, 9, s.ErrorCount)
		require.Zero(t, s.MetricsDropped)
		require.InDelta(t, 0.9, share(s), 1e-9)
	}
	sink.fail(nil)
	require.NoError(t, m.Flush())
	m.RecordCount("n", 1)
	s := m.GetStats()
	require.Zero(t, s.ErrorCount, "delivered after all")
	require.Contains(t, s.LastError, "down")
}

func TestStatsSayWhyValuesWereDropped(t *testing.T) {
	m, _, _ := collector(t)
	m.Counter("").Inc()
	m.Counter("n").Add(1e300)
	m.Counter("n").Inc()
	require.NoError(t, m.Flush())
	require.Equal(t, lift.MetricsStats{
		MetricsRecorded: 3, MetricsDropped: 2, LastFlush: noon, ErrorCount: 2,
		LastError: "values dropped: bad name (1), out of range (1)",
	}, m.GetStats())
}

func TestPropertiesAreNoMetrics(t *testing.T) {
	m, e, sink := collector(t)
	require.NoError(t, m.RecordBatch([]*lift.MetricEntry{{Name: "n", Value: 1, Fields: fields{
		"bad": func() {}, "large": strings.Repeat("x", 1<<20), "good": 1,
	}}}))
	require.Equal(t, fields{"n": 1.0, "good": 1.0}, sink.one(t).members)
	require.EqualValues(t, 3, requireLaw(t, e).Recorded)
	require.Equal(t, lift.MetricsStats{MetricsRecorded: 1}, m.GetStats())
}

func TestOutputSwitchedOffIsNoError(t *testing.T) {
	t.Setenv("POWERTOOLS_METRICS_DISABLED", "true")
	m, _, _ := collector(t)
	m.RecordCount("n", 1)
	require.NoError(t, m.Flush())
	require.Equal(t, lift.MetricsStats{MetricsRecorded: 1, MetricsDropped: 1, LastFlush: noon}, m.GetStats())
}

func TestJSONIsLifts(t *testing.T) {
	for want, v := range map[string]any{
		`{"name":"n","value":1,"unit":"Count","timestamp":"2026-03-01T12:00:00Z","tags":{"a":"1"},"fields":{"f":2}}`: lift.MetricEntry{
			Name: "n", Value: 1, Unit: "Count", Timestamp: noon, Tags: tags{"a": "1"}, Fields: fields{"f": 2},
		},
		`{"name":"","value":0,"unit":"","timestamp":"2026-03-01T12:00:00Z"}`: lift.MetricEntry{Timestamp: noon},
		`{"metrics_recorded":1,"metrics_dropped":2,"last_flush":"2026-03-01T12:00:00Z","error_count":3,"last_error":"e"}`: lift.MetricsStats{
			MetricsRecorded: 1, MetricsDropped: 2, LastFlush: noon, ErrorCount: 3, LastError: "e",
		},
		`{"metrics_recorded":0,"metrics_dropped":0,"last_flush":"2026-03-01T12:00:00Z","error_count":0}`: lift.MetricsStats{LastFlush: noon},
	} {
		got, err := json.Marshal(v)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}
