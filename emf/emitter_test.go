package emf_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

func TestTwoTenantsBetweenTwoFlushes(t *testing.T) {
	e, c := newEmitter(t)
	e.WithTenant("a").Counter("orders").Inc()
	e.WithTenant("b").Counter("orders").Add(2)
	e.WithTenant("a").Counter("orders").Inc()
	flush(t, e)
	docs := c.take()
	require.Len(t, docs, 2)
	assert.Equal(t, "a", docs[0].root["TenantID"])
	assert.Equal(t, 2.0, docs[0].root["orders"])
	assert.Equal(t, "b", docs[1].root["TenantID"])
	assert.Equal(t, 2.0, docs[1].root["orders"])

	flush(t, e)
	assert.Empty(t, c.take(), "drained once")
	s := requireLaw(t, e)
	assert.EqualValues(t, 3, s.Delivered)
}

func TestUnits(t *testing.T) {
	e, c := newEmitter(t)
	e.Counter("default").Inc()
	e.Counter("bytes", emf.Bytes).Inc()
	e.Gauge("gauge").Set(1)
	e.Histogram("fine", emf.Milliseconds, emf.HighResolution).Observe(1)
	e.Histogram("plain", emf.StandardResolution).Observe(1)
	e.Gauge("parsecs", emf.Unit("Parsecs"), emf.Resolution(7)).Set(12)
	e.Gauge("parsecs", emf.Unit("Parsecs"), emf.Resolution(7)).Set(13)
	e.WithTenant("a").Histogram("fine").Observe(2) // declared above
	flush(t, e)
	docs := c.take()
	require.Len(t, docs, 2)
	assert.Contains(t, docs[0].json, `"Metrics":[{"Name":"default","Unit":"Count"},{"Name":"bytes","Unit":"Bytes"},{"Name":"gauge"},`+
		`{"Name":"fine","Unit":"Milliseconds","StorageResolution":1},{"Name":"plain"},{"Name":"parsecs"}]`)
	assert.Contains(t, docs[1].json, `"Metrics":[{"Name":"fine","Unit":"Milliseconds","StorageResolution":1}]`)
	requireLaw(t, e)
}

func TestSameDimensionsSameRecorder(t *testing.T) {
	e, _ := newEmitter(t, emf.WithDimensions(emf.Dim("Service", "api")))
	ab := e.With(emf.Dim("a", "1"), emf.Dim("b", "2"))
	for name, r := range map[string]*emf.Recorder{
		"again":           e.With(emf.Dim("a", "1"), emf.Dim("b", "2")),
		"other order":     e.With(emf.Dim("b", "2"), emf.Dim("a", "1")),
		"one by one":      e.With(emf.Dim("a", "1")).With(emf.Dim("b", "2")),
		"the other first": e.With(emf.Dim("b", "2")).With(emf.Dim("a", "1")),
		"replaced":        e.With(emf.Dim("a", "0"), emf.Dim("b", "2")).With(emf.Dim("a", "1")),
		"repeated":        e.With(emf.Dim("a", "0"), emf.Dim("b", "2"), emf.Dim("a", "1")),
		"with empty":      e.With(emf.Dim("a", "1"), emf.Dim("c", ""), emf.Dim("b", "2")),
		"with blank":      e.With(emf.Dim("a", "1"), emf.Dim("c", "  "), emf.Dim("b", "2")),
		"same service":    ab.With(emf.Dim("Service", "api")),
	} {
		assert.Same(t, ab, r, name)
	}
	for name, r := range map[string]*emf.Recorder{
		"other value":   e.With(emf.Dim("a", "1"), emf.Dim("b", "3")),
		"swapped":       e.With(emf.Dim("a", "2"), emf.Dim("b", "1")),
		"joined":        e.With(emf.Dim("a", `1","b":"2`)),
		"other service": ab.With(emf.Dim("Service", "web")),
		"fewer":         e.With(emf.Dim("a", "1")),
		"more":          ab.With(emf.Dim("c", "3")),
	} {
		assert.NotSame(t, ab, r, name)
	}
	assert.Same(t, e.Recorder, e.With())
	assert.Same(t, e.Recorder, e.WithTenant(""))
	quote, backslash := e.WithTenant(`"`), e.WithTenant(`\`)
	assert.NotSame(t, quote, backslash)
	assert.NotSame(t, quote, e.WithTenant(`\"`))
	assert.Same(t, quote, e.WithTenant(`"`))
	assert.Same(t, backslash, e.WithTenant(`\`))
	assert.Same(t, e.WithTenant("Zoë"), e.WithTenant("Zo_"))
}

func TestDocumentsAreSplit(t *testing.T) {
	t.Run("metrics", func(t *testing.T) {
		e, c := newEmitter(t, emf.WithProperties(map[string]any{"version": "1.2"}))
		r := e.WithTenant("a")
		for i := range 250 {
			r.Counter(fmt.Sprintf("m%d", i)).Add(float64(i))
		}
		flush(t, e)
		docs := c.take()
		require.Len(t, docs, 3)
		seen := map[string]bool{}
		for i, d := range docs {
			assert.Len(t, d.metrics, []int{100, 100, 50}[i])
			assert.Equal(t, "a", d.root["TenantID"])
			assert.Equal(t, "1.2", d.root["version"])
			for _, name := range d.metrics {
				assert.False(t, seen[name])
				seen[name] = true
				assert.Equal(t, name, fmt.Sprintf("m%v", d.root[name]))
			}
		}
		assert.Len(t, seen, 250)
		requireLaw(t, e)
	})
	t.Run("size", func(t *testing.T) {
		const limit = 4096
		e, c := newEmitter(t, emf.WithMaxDocumentSize(limit), emf.WithProperties(map[string]any{"pad": strings.Repeat("x", 1000)}))
		for i := range 20 {
			h := e.WithTenant("a").Histogram(fmt.Sprintf("h%d", i))
			for range 100 {
				h.Observe(1.0 / 3)
			}
		}
		flush(t, e)
		docs := c.take()
		require.Greater(t, len(docs), 10)
		total := 0
		for _, d := range docs {
			assert.LessOrEqual(t, len(d.json), limit)
			assert.Equal(t, "a", d.root["TenantID"])
			assert.Contains(t, d.root, "pad")
			for _, name := range d.metrics {
				_, n := d.sum(name)
				total += n
			}
		}
		assert.Equal(t, 2000, total)
		requireLaw(t, e)
	})
	t.Run("histogram", func(t *testing.T) {
		e, c := newEmitter(t)
		var want float64
		for i := range 250 {
			e.Histogram("latency").Observe(float64(i) + 0.25)
			want += float64(i) + 0.25
		}
		flush(t, e)
		var sum float64
		var count int
		for _, d := range c.take() {
			s, n := d.sum("latency")
			sum, count = sum+s, count+n
			if object, ok := d.root["latency"].(map[string]any); ok {
				assert.LessOrEqual(t, len(object["Values"].([]any)), 100)
			} else {
				assert.LessOrEqual(t, n, 100)
			}
		}
		assert.Equal(t, 250, count)
		assert.InEpsilon(t, want, sum, 1e-9)
	})
	t.Run("property", func(t *testing.T) {
		e, c := newEmitter(t)
		ev := e.Begin(emf.Dim("op", "import"))
		ev.SetProperty("huge", strings.Repeat("x", 300_000))
		ev.SetProperty("small", "y")
		ev.Counter("rows").Add(3)
		require.NoError(t, ev.End(t.Context()))
		docs := c.take()
		require.Len(t, docs, 1)
		assert.Equal(t, 3.0, docs[0].root["rows"])
		assert.Equal(t, "y", docs[0].root["small"])
		assert.NotContains(t, docs[0].root, "huge")
		s := requireLaw(t, e)
		assert.EqualValues(t, 1, s.Drops["property too large"])
		assert.EqualValues(t, 1, s.Delivered)
	})
}

func TestBadInput(t *testing.T) {
	long := strings.Repeat("n", 2000)
	for _, test := range []struct {
		name   string
		record func(e *emf.Emitter)
		drops  map[string]uint64
		want   string // in the document, empty: there is none
	}{
		{"NaN", func(e *emf.Emitter) { e.Histogram("h").Observe(math.NaN()); e.Gauge("g").Set(math.NaN()) }, map[string]uint64{"not finite": 2}, ""},
		{"infinities", func(e *emf.Emitter) { e.Counter("c").Add(math.Inf(1)); e.Gauge("g").Add(math.Inf(-1)) }, map[string]uint64{"not finite": 2}, ""},
		{"beyond 2^360", func(e *emf.Emitter) {
			e.Histogram("h").Observe(1e300)
			e.Gauge("g").Set(-1e300)
			e.Counter("c").Add(1e300)
		}, map[string]uint64{"out of range": 3}, ""},
		{"2^360", func(e *emf.Emitter) { e.Gauge("g").Set(0x1p360) }, nil, `"g":2.3485425827738332e+108`},
		{"a sum out of range", func(e *emf.Emitter) { e.Counter("c").Add(0x1p360); e.Counter("c").Add(0x1p360) }, map[string]uint64{"out of range": 2}, ""},
		{"a gauge moved out of range", func(e *emf.Emitter) { e.Gauge("g").Set(0x1p360); e.Gauge("g").Add(0x1p360) }, map[string]uint64{"out of range": 1}, `"g":2.3485425827738332e+108`},
		{"empty name", func(e *emf.Emitter) { e.Counter("").Inc(); e.Counter("  ").Inc() }, map[string]uint64{"bad name": 2}, ""},
		{"long name", func(e *emf.Emitter) { e.Counter(long).Inc(); e.Gauge(long).Set(1); e.Histogram(long).Observe(1) }, map[string]uint64{"bad name": 3}, ""},
		{"longest name", func(e *emf.Emitter) { e.Counter(long[:255]).Inc() }, nil, `"` + long[:255] + `":1`},
		{"control characters", func(e *emf.Emitter) { e.Counter("a\x00b\nc").Inc() }, nil, `"a_b_c":1`},
		{"invalid UTF-8", func(e *emf.Emitter) { e.With(emf.Dim("d\xff", "v\xfe")).Counter("a\xffb").Inc() }, nil, `"d_":"v_","a_b":1`},
		{"runes", func(e *emf.Emitter) { e.Counter("größe").Inc(); e.Counter("größe").Inc() }, nil, `"gr__e":2`},
		{"quotes", func(e *emf.Emitter) { e.With(emf.Dim(`d"`, `\"`)).Counter(`a"b\`).Inc() }, nil, `"d\"":"\\\"","a\"b\\":1`},
		{"_aws", func(e *emf.Emitter) { e.Counter("_aws").Inc(); e.With(emf.Dim("_aws", "x")).Counter("c").Inc() }, map[string]uint64{"conflict": 1}, `"c":1`},
		{"almost _aws", func(e *emf.Emitter) { e.With(emf.Dim(":aws", "x"), emf.Dim("\x10aws", "y")).Counter("\x10aws").Inc() }, map[string]uint64{"conflict": 1}, ""},
		{"metric named like a dimension", func(e *emf.Emitter) { r := e.WithTenant("a"); r.Counter("TenantID").Inc(); r.Counter("c").Inc() }, map[string]uint64{"conflict": 1}, `"TenantID":"a","c":1`},
		{"another unit", func(e *emf.Emitter) { e.Counter("c", emf.Bytes).Inc(); e.Counter("c", emf.Seconds).Inc() }, map[string]uint64{"conflict": 1}, `"c":1`},
		{"another resolution", func(e *emf.Emitter) { e.Counter("c").Inc(); e.Counter("c", emf.HighResolution).Inc() }, map[string]uint64{"conflict": 1}, `"c":1`},
		{"another kind", func(e *emf.Emitter) { e.Counter("c").Inc(); e.Gauge("c").Set(7); e.Histogram("c").Observe(7) }, map[string]uint64{"conflict": 2}, `"c":1`},
		{"empty dimension", func(e *emf.Emitter) { e.With(emf.Dim("", "x"), emf.Dim("a", "1"), emf.Dim("e", "")).Counter("c").Inc() }, nil, `[["a"]]`},
		{"colon", func(e *emf.Emitter) { e.With(emf.Dim(":d", ":v")).Counter("c").Inc() }, nil, `"_d":":v","c":1`},
		{"blank once cut", func(e *emf.Emitter) {
			e.With(emf.Dim(strings.Repeat(" ", 250)+"x", "v"), emf.Dim("d", strings.Repeat(" ", 1024)+"x"), emf.Dim("a", "1")).Counter("c").Inc()
		}, nil, `[["a"]]`},
		{"long dimension", func(e *emf.Emitter) { e.With(emf.Dim(long, long)).Counter("c").Inc() }, nil, `"` + long[:250] + `":"` + long[:1024] + `","c":1`},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, c := newEmitter(t)
			test.record(e)
			before := requireLaw(t, e)
			flush(t, e)
			docs := c.take()
			if test.want == "" {
				assert.Empty(t, docs)
			} else if assert.Len(t, docs, 1) {
				assert.Contains(t, docs[0].json, test.want)
			}
			s := requireLaw(t, e)
			if test.drops == nil {
				test.drops = map[string]uint64{}
			}
			assert.Equal(t, test.drops, s.Drops)
			assert.Equal(t, before.Recorded, s.Recorded)
			assert.Zero(t, s.Pending)
		})
	}
}

func TestFortyDimensions(t *testing.T) {
	e, c := newEmitter(t)
	r := e.Recorder
	for i := range 40 {
		r = r.With(emf.Dim(fmt.Sprintf("d%d", i), "v"))
	}
	r.Counter("c").Inc()
	r.WithTenant("a").Counter("c").Inc()
	flush(t, e)
	docs := c.take()
	require.Len(t, docs, 2)
	for _, d := range docs {
		assert.Len(t, d.dims, 30)
		assert.Equal(t, "v", d.root["d39"], "further ones are properties")
	}
	assert.Equal(t, "a", docs[1].root["TenantID"])
}

func TestGauge(t *testing.T) {
	e, c := newEmitter(t)
	g := e.Gauge("active")
	g.Inc()
	g.Inc()
	g.Dec()
	g.Add(0.5)
	flush(t, e)
	assert.Equal(t, 1.5, c.take()[0].root["active"])
	flush(t, e)
	assert.Empty(t, c.take(), "untouched")
	g.Dec()
	flush(t, e)
	assert.Equal(t, 0.5, c.take()[0].root["active"])
	g.Set(7)
	g.Set(8)
	assert.EqualValues(t, 1, e.Stats().Pending, "one an interval")
	flush(t, e)
	assert.Equal(t, 8.0, c.take()[0].root["active"])
	requireLaw(t, e)
}

func TestGaugeFunc(t *testing.T) {
	e, c := newEmitter(t)
	v := 1.0
	e.GaugeFunc("depth", func() float64 { return v }, emf.Count)
	e.GaugeFunc("broken", func() float64 { panic("no") })
	e.GaugeFunc("nan", func() float64 { return math.NaN() })
	for range 20 { // it does not go idle
		flush(t, e)
		docs := c.take()
		require.Len(t, docs, 1)
		assert.Equal(t, []string{"depth"}, docs[0].metrics)
		assert.Equal(t, v, docs[0].root["depth"])
		v++
	}
	e.GaugeFunc("depth", func() float64 { return -1 })
	flush(t, e)
	assert.Equal(t, -1.0, c.take()[0].root["depth"])
	requireLaw(t, e)
}

func TestCounterSpillsOver(t *testing.T) {
	e, c := newEmitter(t)
	n := e.Counter("n")
	const times = 1<<20 + 12345
	for range times {
		n.Add(1<<24 - 1)
	}
	n.Add(0.5)
	n.Add(-1)
	flush(t, e)
	docs := c.take()
	assert.Equal(t, float64(times*(1<<24-1))-0.5, docs[0].root["n"])
	assert.Equal(t, times+2, docs[0].values)
	requireLaw(t, e)
}

// The sums of many tenants recorded by many goroutines, with flushes all the while.
func TestEveryValueOnce(t *testing.T) {
	const (
		goroutines = 64
		tenants    = 1000
	)
	each := 10_000_000 / goroutines
	if raceEnabled || testing.Short() {
		each /= 10
	}
	e, c := newEmitter(t, emf.WithMaxRecorders(2*tenants))
	ids := make([]string, tenants)
	for i := range ids {
		ids[i] = fmt.Sprintf("tenant-%d", i)
	}
	var want [tenants]struct{ orders, bytes atomic.Int64 }
	got := map[string]*struct{ orders, bytes float64 }{}
	collect := func() {
		for _, d := range c.take() {
			id := d.root["TenantID"].(string)
			if got[id] == nil {
				got[id] = new(struct{ orders, bytes float64 })
			}
			orders, _ := d.sum("orders")
			bytes, _ := d.sum("bytes")
			got[id].orders += orders
			got[id].bytes += bytes
		}
	}

	var recording sync.WaitGroup
	for g := range goroutines {
		recording.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(g)))
			for range each {
				i := int(random.ExpFloat64()*100) % tenants
				r := e.WithTenant(ids[i])
				if random.IntN(4) > 0 {
					r.Counter("orders").Inc()
					want[i].orders.Add(1)
				} else {
					n := random.IntN(1000) * 1024
					r.Counter("bytes", emf.Bytes).Add(float64(n) / 1024)
					want[i].bytes.Add(int64(n) / 1024)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { recording.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		flush(t, e)
		collect()
	}
	flush(t, e)
	collect()

	for i, id := range ids {
		orders, bytes := want[i].orders.Load(), want[i].bytes.Load()
		if orders+bytes == 0 {
			continue
		}
		require.NotNil(t, got[id], id)
		require.EqualValues(t, orders, got[id].orders, id)
		require.EqualValues(t, bytes, got[id].bytes, id)
	}
	s := requireLaw(t, e)
	assert.EqualValues(t, each*goroutines, s.Recorded)
	assert.EqualValues(t, each*goroutines, s.Delivered)
	require.NoError(t, e.Close(context.Background()))
}

func TestZeroValues(t *testing.T) {
	var (
		r  *emf.Recorder
		c  *emf.Counter
		g  *emf.Gauge
		h  *emf.Histogram
		ev *emf.Event
	)
	for range 2 {
		r.With(emf.Dim("a", "b")).WithTenant("t").Counter("c").Inc()
		r.Gauge("g").Set(1)
		r.Histogram("h").Observe(1)
		r.Histogram("h").Start()()
		r.GaugeFunc("f", func() float64 { return 1 })
		c.Inc()
		c.Add(1.5)
		g.Set(1)
		g.Dec()
		h.Observe(1)
		h.Start()()
		ev.SetProperty("a", 1)
		ev.SetTimestamp(start)
		require.NoError(t, ev.Flush(t.Context()))
		require.NoError(t, ev.End(t.Context()))
		r, c, g, h, ev = new(emf.Recorder), new(emf.Counter), new(emf.Gauge), new(emf.Histogram), new(emf.Event)
	}
}

func TestCloseTwice(t *testing.T) {
	e, c := newEmitter(t)
	n := e.Counter("n")
	n.Inc()
	require.NoError(t, e.Close(t.Context()))
	require.NoError(t, e.Close(t.Context()))
	assert.Len(t, c.take(), 1)
	n.Inc()
	e.WithTenant("new").Gauge("g").Set(1)
	e.WithTenant("new").Histogram("h").Observe(1)
	e.Begin().Counter("n").Inc()
	require.ErrorIs(t, e.Flush(t.Context()), emf.ErrClosed)
	s := requireLaw(t, e)
	assert.Equal(t, map[string]uint64{"closed": 4}, s.Drops)
	assert.Empty(t, c.take())
}

func TestNewFails(t *testing.T) {
	t.Setenv("AWS_EMF_NAMESPACE", "")
	t.Setenv("POWERTOOLS_METRICS_NAMESPACE", "")
	for want, opts := range map[string][]emf.Option{
		"WithSink":            {emf.WithSink(nil)},
		"WithClock":           {emf.WithClock(nil)},
		"WithLogger":          {emf.WithLogger(nil)},
		"WithFlushInterval":   {emf.WithFlushInterval(-1)},
		"WithMaxDocumentSize": {emf.WithMaxDocumentSize(100)},
		"WithMaxPending":      {emf.WithMaxPending(-1)},
		"WithMaxRecorders":    {emf.WithMaxRecorders(0)},
		"WithTenantDimension": {emf.WithTenantDimension(":t")},
		"WithLogGroup":        {emf.WithLogGroup("a b")},
		"WithProperties":      {emf.WithProperties(map[string]any{"f": func() {}})},
		"WithDimensions":      {emf.WithDimensions(emf.Dim(":a", "b"))},
	} {
		_, err := emf.New("test", opts...)
		assert.ErrorContains(t, err, want)
	}
	for _, namespace := range []string{"", ":a", " ", "a\n", "ü", strings.Repeat("n", 256)} {
		_, err := emf.New(namespace)
		assert.ErrorContains(t, err, "namespace", "%q", namespace)
	}
	_, err := emf.New("AWS/Lambda")
	assert.ErrorContains(t, err, "AWS's own")
	_, err = emf.New("")
	assert.ErrorContains(t, err, "AWS_EMF_NAMESPACE")
	assert.Panics(t, func() { emf.Must(nil, errors.New("no")) })
}

func TestEnvironment(t *testing.T) {
	t.Setenv("AWS_EMF_NAMESPACE", "")
	t.Setenv("POWERTOOLS_METRICS_NAMESPACE", "powertools")
	t.Setenv("POWERTOOLS_SERVICE_NAME", "cart")
	c := new(capture)
	e := emf.Must(emf.New("", emf.WithSink(c), emf.WithFlushInterval(0), emf.WithDimensions(emf.Dim("Stage", "prod"))))
	e.Counter("n").Inc()
	flush(t, e)
	assert.Contains(t, c.take()[0].json, `"Namespace":"powertools","Dimensions":[["Service","Stage"]],"Metrics":[{"Name":"n","Unit":"Count"}]}]},"Service":"cart","Stage":"prod","n":1}`)

	t.Setenv("AWS_EMF_NAMESPACE", "aws")
	t.Setenv("AWS_EMF_SERVICE_NAME", "other")
	e = emf.Must(emf.New("", emf.WithSink(c), emf.WithFlushInterval(0)))
	e.Counter("n").Inc()
	e.With(emf.Dim("Service", "mine")).Counter("n").Inc()
	flush(t, e)
	docs := c.take()
	assert.Contains(t, docs[0].json, `"Namespace":"aws"`)
	assert.Equal(t, "other", docs[0].root["Service"])
	assert.Equal(t, "mine", docs[1].root["Service"])

	t.Setenv("POWERTOOLS_METRICS_DISABLED", "true")
	e = emf.Must(emf.New("", emf.WithSink(c), emf.WithFlushInterval(0)))
	e.Counter("n").Inc()
	flush(t, e)
	require.NoError(t, e.Close(t.Context()))
	assert.Empty(t, c.take())
	assert.Equal(t, map[string]uint64{"disabled": 1}, requireLaw(t, e).Drops)
}
