package emf_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

func TestEvent(t *testing.T) {
	e, c := newEmitter(t, emf.WithProperties(map[string]any{"version": "1.2", "region": "eu"}))
	ev := e.Begin(emf.Dim("Operation", "checkout"))
	ev.SetProperty("RequestId", "r-1")
	ev.SetProperty("version", "2.0") // replaces the emitter's
	ev.SetProperty("RequestId", "r-2")
	ev.Counter("orders").Inc()
	ev.Histogram("latency", emf.Milliseconds).Observe(1.5)
	ev.WithTenant("a").Counter("orders").Add(5)
	require.Same(t, ev.WithTenant("a"), ev.WithTenant("a"))
	assert.EqualValues(t, 3, requireLaw(t, e).Pending, "of an open event")

	require.NoError(t, ev.Flush(t.Context()))
	docs := c.take()
	require.Len(t, docs, 2)
	assert.JSONEq(t, fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"test","Dimensions":[["Operation"]],
		"Metrics":[{"Name":"orders","Unit":"Count"},{"Name":"latency","Unit":"Milliseconds"}]}]},
		"Operation":"checkout","region":"eu","RequestId":"r-2","version":"2.0","orders":1,"latency":1.5}`, start.UnixMilli()), docs[0].json)
	assert.Equal(t, "a", docs[1].root["TenantID"])
	assert.Equal(t, "r-2", docs[1].root["RequestId"])

	ev.Counter("orders").Add(2)
	require.NoError(t, ev.End(t.Context()))
	docs = c.take()
	require.Len(t, docs, 1)
	assert.Equal(t, 2.0, docs[0].root["orders"])
	require.NoError(t, ev.End(t.Context()))
	assert.Empty(t, c.take(), "ended once")
	flush(t, e)
	assert.Empty(t, c.take(), "an event's values are its own")
	requireLaw(t, e)
}

func TestLateValues(t *testing.T) {
	e, c := newEmitter(t)
	ev := e.Begin(emf.Dim("Operation", "checkout"))
	n, g, h := ev.Counter("n"), ev.Gauge("g"), ev.WithTenant("a").Histogram("h", emf.Bytes)
	n.Inc()
	require.NoError(t, ev.End(t.Context()))
	c.take()
	n.Inc()
	n.Add(0.5)
	g.Set(3)
	h.Observe(7)
	ev.Counter("new").Inc()
	ev.SetProperty("ignored", 1)
	flush(t, e)
	docs := c.take()
	require.Len(t, docs, 2)
	assert.Equal(t, "checkout", docs[0].root["Operation"])
	assert.Equal(t, 1.5, docs[0].root["n"])
	assert.Equal(t, 3.0, docs[0].root["g"])
	assert.Equal(t, 1.0, docs[0].root["new"])
	assert.Equal(t, "a", docs[1].root["TenantID"])
	assert.Equal(t, 7.0, docs[1].root["h"])
	s := requireLaw(t, e)
	assert.EqualValues(t, 5, s.Late)
	assert.EqualValues(t, 6, s.Delivered)
}

// Values that race with the end of an event are in its documents or late, each once.
func TestEventEndRaces(t *testing.T) {
	e, c := newEmitter(t)
	const rounds, goroutines = 2000, 4
	for range rounds {
		ev := e.Begin()
		n, h := ev.Counter("n"), ev.Histogram("h")
		var all sync.WaitGroup
		for range goroutines {
			all.Go(func() { n.Inc(); h.Observe(1); n.Add(0.5) })
		}
		all.Go(func() { _ = ev.End(context.Background()) })
		all.Wait()
	}
	flush(t, e)
	var n, h float64
	for _, d := range c.take() {
		s, _ := d.sum("n")
		n += s
		s, _ = d.sum("h")
		h += s
	}
	assert.EqualValues(t, rounds*goroutines*1.5, n)
	assert.InDelta(t, rounds*goroutines, h, 1e-6)
	assert.EqualValues(t, 3*rounds*goroutines, requireLaw(t, e).Delivered)
}

func TestEventTimestamp(t *testing.T) {
	e, c := newEmitter(t)
	ev := e.Begin()
	ev.SetTimestamp(start.Add(-time.Hour))
	ev.SetTimestamp(time.Time{})
	ev.Counter("n").Inc()
	require.NoError(t, ev.Flush(t.Context()))
	assert.Equal(t, start.Add(-time.Hour), c.take()[0].at)
	for _, at := range []time.Duration{-15 * 24 * time.Hour, 3 * time.Hour} {
		ev.SetTimestamp(start.Add(at))
		ev.Counter("n").Inc()
		require.NoError(t, ev.Flush(t.Context()))
		assert.Empty(t, c.take())
	}
	require.NoError(t, ev.End(t.Context()))
	assert.Equal(t, map[string]uint64{"timestamp": 2}, requireLaw(t, e).Drops)
}

type selfish struct{ Self *selfish }

// private refers to itself where json-iterator does not look.
type private struct {
	A      int
	self   *private
	Parent *private `json:"-"`
}

// tree refers to itself and writes itself.
type tree struct{ Root *tree }

func (*tree) MarshalJSON() ([]byte, error) { return []byte(`"tree"`), nil }

type shouting struct{}

func (shouting) MarshalJSON() ([]byte, error) { return []byte("{\n \"a\": 1\n}"), nil }

type broken struct{}

func (broken) MarshalJSON() ([]byte, error) { return []byte(`{"a":`), nil }

type panicking struct{}

func (panicking) MarshalJSON() ([]byte, error) { panic("no") }

func TestProperties(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	wide := make([]any, 2)
	wide[0], wide[1] = wide, wide
	hidden := &private{A: 1}
	hidden.self, hidden.Parent = hidden, hidden
	root := new(tree)
	root.Root = root
	self := new(selfish)
	self.Self = self
	for name, test := range map[string]struct {
		value any
		want  string // empty: dropped
	}{
		"nil":              {nil, `null`},
		"string":           {"a\"b\\\n\x01<é>", `"a\"b\\\n\u0001<é>"`},
		"invalid UTF-8":    {"a\xffb", "\"a\ufffdb\""},
		"bool":             {true, `true`},
		"int":              {-7, `-7`},
		"uint8":            {uint8(7), `7`},
		"float":            {0.25, `0.25`},
		"huge float":       {1e300, `1e+300`},
		"duration":         {time.Second, `1000000000`},
		"time":             {start, `"2026-11-24T12:00:30Z"`},
		"map":              {map[string]any{"b": 1, "a": []string{"x\xff"}}, "{\"a\":[\"x\ufffd\"],\"b\":1}"},
		"struct":           {struct{ A, B int }{1, 2}, `{"A":1,"B":2}`},
		"raw":              {json.RawMessage("[1,\n 2]"), `[1,2]`},
		"several lines":    {shouting{}, `{"a":1}`},
		"bytes":            {[]byte("hi"), `"aGk="`},
		"NaN":              {math.NaN(), ``},
		"nested NaN":       {map[string]any{"a": []float64{math.Inf(1)}}, ``},
		"function":         {func() {}, ``},
		"channel":          {make(chan int), ``},
		"broken":           {broken{}, ``},
		"panicking":        {panicking{}, ``},
		"invalid raw":      {json.RawMessage(`{"a":`), ``},
		"cyclic map":       {cycle, ``},
		"cyclic slice":     {wide, ``},
		"cyclic pointer":   {self, ``},
		"hidden cycle":     {hidden, `{"A":1}`},
		"cyclic marshaler": {root, `"tree"`},
		"nil pointer":      {(*selfish)(nil), `null`},
		"interface in map": {map[int]any{2: nil, 1: true}, `{"1":true,"2":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			e, c := newEmitter(t)
			ev := e.Begin()
			ev.SetProperty("p", test.value)
			ev.Counter("n").Inc()
			require.NoError(t, ev.End(t.Context()))
			docs := c.take()
			require.Len(t, docs, 1)
			if test.want == "" {
				assert.NotContains(t, docs[0].json, `"p":`)
				assert.Equal(t, map[string]uint64{"bad property": 1}, requireLaw(t, e).Drops)
				return
			}
			assert.Contains(t, docs[0].json, `,"p":`+test.want+`,"n":1}`)
			assert.Empty(t, requireLaw(t, e).Drops)
		})
	}
}

func TestPropertyConflicts(t *testing.T) {
	e, c := newEmitter(t, emf.WithProperties(map[string]any{"TenantID": "wrong", "n": "wrong", "ok": 1}))
	e.WithTenant("a").Counter("n").Inc()
	flush(t, e)
	docs := c.take()
	assert.Contains(t, docs[0].json, `"TenantID":"a","ok":1,"n":1}`)
	ev := e.Begin(emf.Dim("d", "v"))
	for _, name := range []string{"d", "m", "_aws", "", "d\xff", "fine"} {
		ev.SetProperty(name, "p")
	}
	ev.Counter("m").Inc()
	require.NoError(t, ev.End(t.Context()))
	assert.Contains(t, c.take()[0].json, "\"d\":\"v\",\"TenantID\":\"wrong\",\"n\":\"wrong\",\"ok\":1,\"d\ufffd\":\"p\",\"fine\":\"p\",\"m\":1}")
	s := requireLaw(t, e)
	assert.EqualValues(t, 5, s.Drops["conflict"])
	assert.EqualValues(t, 1, s.Drops["bad property"])
}

func TestCloseEndsEvents(t *testing.T) {
	e, c := newEmitter(t)
	ev := e.Begin()
	ev.Counter("n").Inc()
	require.NoError(t, e.Close(t.Context()))
	assert.Len(t, c.take(), 1)
	ev.Counter("n").Inc()
	require.NoError(t, ev.End(t.Context()))
	s := requireLaw(t, e)
	assert.Equal(t, map[string]uint64{"closed": 1}, s.Drops)
}

func TestContext(t *testing.T) {
	e, c := newEmitter(t)
	ctx := t.Context()
	require.NotNil(t, emf.FromContext(ctx))
	emf.FromContext(ctx).Counter("nowhere").Inc()
	emf.SetProperty(ctx, "a", 1)
	ev := e.Begin()
	ctx = emf.NewContext(ctx, ev)
	emf.FromContext(ctx).Counter("n").Inc()
	ctx = emf.ContextWithRecorder(ctx, emf.FromContext(ctx).WithTenant("a"))
	emf.FromContext(ctx).Counter("n").Inc()
	emf.SetProperty(ctx, "RequestId", "r")
	require.NoError(t, ev.End(ctx))
	docs := c.take()
	require.Len(t, docs, 2)
	assert.Equal(t, "a", docs[1].root["TenantID"])
	assert.Equal(t, "r", docs[1].root["RequestId"])
	assert.EqualValues(t, 2, requireLaw(t, e).Recorded)
	emf.FromContext(emf.NewContext(t.Context(), nil)).Counter("n").Inc()
}

// Idle recorders are let go; handles that somebody keeps go on working, and the same
// dimensions still give the same recorder.
func TestIdleRecorders(t *testing.T) {
	e, c := newEmitter(t, emf.WithMaxRecorders(1_000_000))
	kept := e.WithTenant("kept")
	n := kept.Counter("n")
	level := e.WithTenant("busy").Gauge("active")
	level.Inc()
	n.Inc()
	for i := range 5000 {
		e.WithTenant(fmt.Sprint(i)).Counter("n").Inc()
	}
	flush(t, e)
	require.Len(t, c.take(), 5002)
	for range 10 {
		flush(t, e)
		runtime.GC()
	}
	assert.Equal(t, 1, e.Stats().Recorders, "the gauge that is up")
	assert.Empty(t, c.take())
	assert.Same(t, kept, e.WithTenant("kept"))
	assert.Same(t, n, e.WithTenant("kept").Counter("n"))
	n.Inc()
	e.WithTenant("busy").Gauge("active").Dec()
	e.WithTenant("17").Counter("n").Inc()
	flush(t, e)
	docs := c.take()
	require.Len(t, docs, 3)
	assert.Equal(t, 0.0, docs[0].root["active"])
	assert.Equal(t, "kept", docs[1].root["TenantID"])
	assert.Equal(t, 1.0, docs[1].root["n"])
	assert.Equal(t, "17", docs[2].root["TenantID"])
	requireLaw(t, e)
}

// Values recorded on kept handles while their recorders go idle and wake up again.
func TestIdleRaces(t *testing.T) {
	e, c := newEmitter(t)
	const goroutines, each = 8, 3000
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			n := e.WithTenant(fmt.Sprint(g)).Counter("n")
			for i := range each {
				if n.Inc(); i%3 == 0 {
					runtime.Gosched()
				}
				e.WithTenant(fmt.Sprint("x", g, i%10)).Histogram("h").Observe(1)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	var sum float64
	var values int
	collect := func() {
		flush(t, e)
		for _, d := range c.take() {
			n, _ := d.sum("n")
			h, _ := d.sum("h")
			sum += n + h
			values += d.values
		}
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		collect()
	}
	collect()
	assert.EqualValues(t, 2*goroutines*each, values)
	assert.InDelta(t, 2*goroutines*each, sum, 1e-6)
	requireLaw(t, e)
}

func TestGuard(t *testing.T) {
	e, c := newEmitter(t, emf.WithMaxRecorders(10))
	for i := range 100 {
		e.WithTenant(fmt.Sprint(i)).Counter("n").Inc()
	}
	flush(t, e)
	docs := c.take()
	require.Len(t, docs, 11)
	assert.Equal(t, "other", docs[10].root["TenantID"])
	assert.Equal(t, 90.0, docs[10].root["n"])
	s := requireLaw(t, e)
	assert.Equal(t, 90, s.Folded)
	assert.Equal(t, 11, s.Recorders)
}

// Events with dimensions of their own do not fill the store, however many they are, and do
// not make more metrics than the guard allows.
func TestEventsOfManyTenants(t *testing.T) {
	e, c := newEmitter(t, emf.WithMaxRecorders(100))
	for i := range 20_000 {
		ev := e.Begin(emf.Dim("Session", fmt.Sprint(i)))
		ev.Counter("n").Inc()
		require.NoError(t, ev.End(t.Context()))
	}
	docs := c.take()
	require.Len(t, docs, 20_000)
	assert.Equal(t, "99", docs[99].root["Session"])
	assert.Equal(t, "other", docs[19_999].root["Session"])
	assert.Equal(t, 101, e.Stats().Recorders)
	requireLaw(t, e)
}

// A Close while idle recorders are woken up: each value is delivered or counted.
func TestCloseWakesNobody(t *testing.T) {
	for range 200 {
		e, _ := newEmitter(t)
		var handles []*emf.Counter
		for i := range 8 {
			handles = append(handles, e.WithTenant(fmt.Sprint(i)).Counter("n"))
			handles[i].Inc()
		}
		for range 8 {
			flush(t, e)
		}
		var all sync.WaitGroup
		for _, n := range handles {
			all.Go(n.Inc)
		}
		all.Go(func() { _ = e.Close(context.Background()) })
		all.Wait()
		s := requireLaw(t, e)
		require.EqualValues(t, 16, s.Recorded)
		require.Zero(t, s.Pending)
	}
}

func TestNoKeyTwice(t *testing.T) {
	e, c := newEmitter(t, emf.WithProperties(map[string]any{"p": 1}))
	e.Counter("a").Inc()
	e.GaugeFunc("g", func() float64 { e.Counter("p").Inc(); return 1 })
	flush(t, e)
	flush(t, e)
	ev := e.Begin()
	for i, name := range []string{"a\xff\xfe", "a\ufffd\ufffd", "a\xff", "z", "a\ufffd"} {
		ev.SetProperty(name, i)
	}
	ev.Counter("n").Inc()
	require.NoError(t, ev.End(t.Context()))
	docs := c.take()
	assert.Contains(t, docs[len(docs)-1].json, "\"p\":1,\"a\ufffd\ufffd\":1,\"a\ufffd\":4,\"z\":3,")
}
