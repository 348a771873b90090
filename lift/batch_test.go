package lift_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/lift"
)

type fields = map[string]any

func TestBatchAggregates(t *testing.T) {
	m, e, sink := collector(t)
	require.NoError(t, m.RecordBatch(nil))
	require.NoError(t, m.WithTag("a", "1").RecordBatch([]*lift.MetricEntry{
		nil,
		{Name: "n", Value: 1, Unit: "Count", Tags: tags{"b": "2"}},
		{Name: "n", Value: 2, Unit: "Count", Tags: tags{"b": "2", "c": ""}},
		{Name: "d.latency", Value: 0.5, Fields: fields{}},
		{Name: "u", Value: 7, Unit: "Parsecs"},
		nil,
	}))
	require.Empty(t, sink.docs, "aggregated entries wait for a flush")
	require.NoError(t, m.Flush())
	docs := sink.documents(t)
	require.Len(t, docs, 2)
	require.Equal(t, tags{"a": "1", "b": "2"}, docs[0].dimensions)
	require.Equal(t, fields{"n": []any{1.0, 2.0}}, docs[0].members)
	require.Equal(t, tags{"a": "1"}, docs[1].dimensions)
	require.Equal(t, tags{"d.latency": "Milliseconds", "u": ""}, docs[1].units)
	require.EqualValues(t, 4, requireLaw(t, e).Recorded)
}

func TestBatchKnowsAllUnits(t *testing.T) {
	m, _, sink := collector(t)
	units := []emf.Unit{
		emf.None, emf.Count, emf.Percent, emf.Seconds, emf.Milliseconds, emf.Microseconds,
		emf.Bytes, emf.Kilobytes, emf.Megabytes, emf.Gigabytes, emf.Terabytes,
		emf.Bits, emf.Kilobits, emf.Megabits, emf.Gigabits, emf.Terabits,
		emf.BytesPerSecond, emf.KilobytesPerSecond, emf.MegabytesPerSecond, emf.GigabytesPerSecond, emf.TerabytesPerSecond,
		emf.BitsPerSecond, emf.KilobitsPerSecond, emf.MegabitsPerSecond, emf.GigabitsPerSecond, emf.TerabitsPerSecond,
		emf.CountPerSecond,
	}
	require.Len(t, units, 27)
	for i, unit := range units {
		require.NoError(t, m.RecordBatch([]*lift.MetricEntry{{Name: fmt.Sprint("m", i), Unit: string(unit)}}))
	}
	require.NoError(t, m.Flush())
	d := sink.one(t)
	for i, unit := range units {
		if unit == emf.None {
			unit = ""
		}
		require.Equal(t, string(unit), d.units[fmt.Sprint("m", i)])
	}
}

func TestBatchDocuments(t *testing.T) {
	m, e, sink := collectorOf(t, []emf.Option{emf.WithDimensions(emf.Dim("Env", "prod"))})
	before := noon.Add(-time.Hour)
	get := tags{"method": "GET"}
	require.NoError(t, m.WithTenant("t1").WithTags(tags{"zone": "z", "method": "any"}).RecordBatch([]*lift.MetricEntry{
		{Name: "a", Value: 1, Timestamp: before, Tags: get},
		{Name: "f", Value: 1, Fields: fields{"request": "r1", "user": fields{"id": 7}}},
		{Name: "b", Value: 2, Timestamp: before, Tags: get, Fields: fields{}},
		{Name: "a", Value: 3, Timestamp: before.Add(time.Microsecond), Tags: get}, // the same millisecond
		{Name: "g", Value: 2, Fields: fields{"request": "r1", "user": fields{"id": 7}}},
		{Name: "f", Value: 3, Fields: fields{"request": "r2"}},
		{Name: "a", Value: 4, Unit: "Bytes", Timestamp: before, Tags: get}, // another unit of a name
		{Name: "a", Value: 5, Timestamp: before},
	}))
	docs := sink.documents(t)
	require.Len(t, docs, 5, strings.Join(sink.docs, "\n"))

	dims := tags{"Env": "prod", "TenantID": "t1", "zone": "z", "method": "GET"}
	require.Equal(t, document{before.UnixMilli(), dims, tags{"a": "", "b": ""}, fields{"a": []any{1.0, 3.0}, "b": 2.0}}, docs[0])
	require.Equal(t, document{before.UnixMilli(), dims, tags{"a": "Bytes"}, fields{"a": 4.0}}, docs[3])

	dims = tags{"Env": "prod", "TenantID": "t1", "zone": "z", "method": "any"}
	require.Equal(t, document{noon.UnixMilli(), dims, tags{"f": "", "g": ""}, fields{
		"f": 1.0, "g": 2.0, "request": "r1", "user": fields{"id": 7.0},
	}}, docs[1])
	require.Equal(t, document{noon.UnixMilli(), dims, tags{"f": ""}, fields{"f": 3.0, "request": "r2"}}, docs[2])
	require.Equal(t, document{before.UnixMilli(), dims, tags{"a": ""}, fields{"a": 5.0}}, docs[4])

	s := requireLaw(t, e)
	require.EqualValues(t, 8, s.Delivered)
	require.EqualValues(t, 8, m.GetStats().MetricsRecorded)
}

func TestBatchTimes(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Now().Truncate(time.Millisecond)
	for _, clock := range []time.Time{noon, now} { // the emitter's may be another than the system's
		for _, c := range []struct {
			age time.Duration
			ok  bool
		}{
			{0, true},
			{14 * day, true},
			{14*day + time.Minute, false},
			{-2 * time.Hour, true},
			{-2*time.Hour - time.Minute, false},
			{1000 * day, false},
		} {
			t.Run(fmt.Sprint(clock.Format(time.DateOnly), c.age), func(t *testing.T) {
				m, e, sink := collectorOf(t, []emf.Option{emf.WithClock(func() time.Time { return clock })})
				err := m.RecordBatch([]*lift.MetricEntry{
					{Name: "good", Value: 1},
					{Name: "x", Value: 1, Timestamp: clock.Add(-c.age)},
					{Name: "y", Value: 1, Timestamp: clock.Add(-c.age)},
				})
				s := requireLaw(t, e)
				if c.ok {
					require.NoError(t, err)
					require.EqualValues(t, 2, s.Delivered)
					require.Equal(t, clock.Add(-c.age).UnixMilli(), sink.one(t).at)
					return
				}
				require.ErrorIs(t, err, lift.ErrTimestamp)
				var entry *lift.EntryError
				require.ErrorAs(t, err, &entry)
				require.Equal(t, lift.EntryError{Index: 1, Name: "x", Err: lift.ErrTimestamp}, *entry)
				require.Len(t, strings.Split(err.Error(), "\n"), 2)
				require.Equal(t, map[string]uint64{"timestamp": 2}, s.Drops)
				require.EqualValues(t, 2, m.GetStats().MetricsDropped)
			})
		}
	}
}

func TestBatchRefusesEntries(t *testing.T) {
	for name, c := range map[string]struct {
		entry lift.MetricEntry
		want  error
	}{
		"no name":       {lift.MetricEntry{}, lift.ErrName},
		"blank name":    {lift.MetricEntry{Name: "  "}, lift.ErrName},
		"reserved name": {lift.MetricEntry{Name: "_aws"}, lift.ErrName},
		"long name":     {lift.MetricEntry{Name: strings.Repeat("x", 256)}, lift.ErrName},
		"NaN":           {lift.MetricEntry{Name: "x", Value: math.NaN()}, lift.ErrValue},
		"infinite":      {lift.MetricEntry{Name: "x", Value: math.Inf(-1)}, lift.ErrValue},
		"too large":     {lift.MetricEntry{Name: "x", Value: 1e300}, lift.ErrValue},
		"largest":       {lift.MetricEntry{Name: "x", Value: -0x1p360}, nil},
		"longest name":  {lift.MetricEntry{Name: strings.Repeat("ä", 255)}, nil},
	} {
		for _, at := range []time.Time{{}, noon} {
			t.Run(fmt.Sprint(name, at.IsZero()), func(t *testing.T) {
				m, e, sink := collector(t)
				c.entry.Timestamp = at
				err := m.RecordBatch([]*lift.MetricEntry{{Name: "good", Value: 1, Timestamp: at}, nil, &c.entry})
				require.NoError(t, m.Flush())
				s := requireLaw(t, e)
				require.Contains(t, sink.one(t).members, "good")
				require.EqualValues(t, 2, s.Recorded)
				if c.want == nil {
					require.NoError(t, err)
					require.Zero(t, s.Dropped)
					return
				}
				require.ErrorIs(t, err, c.want)
				var entry *lift.EntryError
				require.ErrorAs(t, err, &entry)
				require.Equal(t, 2, entry.Index)
				require.EqualValues(t, 1, s.Dropped)
			})
		}
	}
}

func TestBatchReturnsTheSinksError(t *testing.T) {
	m, e, sink := collector(t)
	down := errors.New("down")
	sink.fail(down)
	err := m.RecordBatch([]*lift.MetricEntry{{Name: "x", Value: 1, Timestamp: noon}})
	require.ErrorIs(t, err, down)
	require.EqualValues(t, 1, requireLaw(t, e).Pending)
	sink.fail(nil)
	require.NoError(t, m.Flush())
	require.Equal(t, 1.0, sink.one(t).sum("x"))
}

func TestBatchAfterClose(t *testing.T) {
	for name, closeIt := range map[string]func(*lift.Collector, *emf.Emitter) error{
		"by the collector":       func(m *lift.Collector, _ *emf.Emitter) error { return m.Close() },
		"by the emitter's owner": func(_ *lift.Collector, e *emf.Emitter) error { return e.Close(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			m, e, _ := collector(t)
			require.NoError(t, closeIt(m, e))
			for want := uint64(2); want <= 5; want += 3 { // what was dropped before is not the batch's
				err := m.RecordBatch([]*lift.MetricEntry{{Name: "x", Value: 1, Timestamp: noon}, {Name: "y", Value: 1}})
				require.ErrorIs(t, err, emf.ErrClosed)
				require.Equal(t, want, requireLaw(t, e).Drops["closed"])
				m.RecordCount("n", 1)
				require.NoError(t, m.RecordBatch(nil), "nothing was dropped")
				require.NoError(t, m.RecordBatch([]*lift.MetricEntry{nil}))
			}
		})
	}
}

// The emitter's owner closes it while batches are recorded: a batch is delivered, or its
// caller is told.
func TestBatchWhileTheEmitterCloses(t *testing.T) {
	for range 50 {
		m, e, sink := collector(t)
		var told atomic.Int64
		var recording sync.WaitGroup
		started := make(chan struct{}, 4)
		for range cap(started) {
			recording.Go(func() {
				for i := range 50 {
					err := m.RecordBatch([]*lift.MetricEntry{{Name: "n", Value: 1, Unit: "Count"}})
					if errors.Is(err, emf.ErrClosed) {
						told.Add(1)
					} else if err != nil {
						t.Error(err)
					}
					if i == 10 {
						started <- struct{}{}
					}
				}
			})
		}
		<-started
		require.NoError(t, e.Close(context.Background()))
		recording.Wait()
		delivered := 0
		for _, d := range sink.documents(t) {
			switch v := d.members["n"].(type) {
			case float64:
				delivered++
			case []any:
				delivered += len(v)
			case map[string]any:
				for _, n := range v["Counts"].([]any) {
					delivered += int(n.(float64))
				}
			}
		}
		s := requireLaw(t, e)
		require.EqualValues(t, 200, s.Recorded)
		require.EqualValues(t, 200-delivered, s.Dropped)
		// One that is delivered while the emitter closes may look dropped, but not the reverse.
		require.GreaterOrEqual(t, uint64(told.Load()), s.Dropped)
	}
}

func TestBatchOfManyDocuments(t *testing.T) {
	m, e, sink := collector(t)
	var entries []*lift.MetricEntry
	for i := range 2000 {
		entries = append(entries, &lift.MetricEntry{Name: "x", Value: 1, Fields: fields{"request": i}})
	}
	require.NoError(t, m.RecordBatch(entries))
	require.Len(t, sink.docs, 2000)
	require.EqualValues(t, 2000, requireLaw(t, e).Delivered)
}
