package emf_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// latencies are lognormal.
func latencies(n int) []float64 {
	r := rand.New(rand.NewPCG(11, uint64(n)))
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Exp(r.NormFloat64() + 3)
	}
	return values
}

// expanded returns all values of a metric in documents, ascending.
func expanded(t testing.TB, docs []document, name string) (values []float64) {
	t.Helper()
	for _, d := range docs {
		metrics, err := emf.Extract([]byte(d.json))
		require.NoError(t, err)
		for _, m := range metrics {
			if m.Name != name {
				continue
			}
			require.LessOrEqual(t, len(m.Values), 100)
			for i, v := range m.Values {
				n := 1
				if m.Counts != nil {
					n = int(m.Counts[i])
				}
				values = append(values, slices.Repeat([]float64{v}, n)...)
			}
		}
	}
	slices.Sort(values)
	return values
}

func sumOf(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// requireSame holds what documents say of a histogram against what was observed.
func requireSame(t testing.TB, want, got []float64, relative float64) {
	t.Helper()
	want = slices.Sorted(slices.Values(want))
	require.Len(t, got, len(want))
	require.Equal(t, want[0], got[0])
	require.Equal(t, want[len(want)-1], got[len(got)-1])
	require.InEpsilon(t, sumOf(want), sumOf(got), 1e-9)
	for i := range want {
		require.LessOrEqual(t, math.Abs(got[i]-want[i]), relative*math.Abs(want[i]))
	}
}

func TestPrecision(t *testing.T) {
	for _, way := range []string{"option", "emitter"} {
		var opts []emf.Option
		var metric []emf.MetricOption
		if way == "emitter" {
			opts = append(opts, emf.WithPrecision(0.01))
		} else {
			metric = append(metric, emf.Precision(0.01))
		}
		e, c := newEmitter(t, opts...)
		r := e.WithTenant("a")
		want := latencies(20_000)
		r.Counter("before").Inc()
		for _, v := range want {
			r.Histogram("latency", metric...).Observe(v)
		}
		r.Counter("after").Inc()
		flush(t, e)
		docs := c.take()
		assert.Greater(t, len(docs), 2)
		assert.Less(t, len(docs), 8)
		requireSame(t, want, expanded(t, docs, "latency"), 0.0101)
		for i, d := range docs {
			assert.Equal(t, "a", d.root["TenantID"])
			if i > 0 && i < len(docs)-1 {
				assert.Equal(t, []string{"latency"}, d.metrics)
			}
		}
		assert.Contains(t, docs[0].metrics, "before")
		assert.Contains(t, docs[len(docs)-1].metrics, "after")
		requireLaw(t, e)
	}
}

// The first declaration decides, and no other loses values.
func TestPrecisionDeclaredTwice(t *testing.T) {
	e, c := newEmitter(t)
	e.Histogram("h", emf.Precision(0.02))
	e.Histogram("h", emf.Precision(0.5)).Observe(1)
	e.Histogram("h", emf.Precision(7)).Observe(1)
	e.WithTenant("a").Histogram("h").Observe(1)
	e.Counter("n", emf.Precision(0.02)).Inc()
	e.Counter("n").Inc()
	flush(t, e)
	assert.Len(t, c.take(), 2)
	s := requireLaw(t, e)
	assert.Zero(t, s.Dropped)
	for _, p := range []emf.Precision{0, 0.001, 1, -1, emf.Precision(math.NaN())} {
		_, err := emf.New("test", emf.WithPrecision(p))
		assert.ErrorContains(t, err, "WithPrecision", p)
	}
}

func TestPlainArrays(t *testing.T) {
	e, c := newEmitter(t, emf.WithPlainArrays(), emf.WithPrecision(0.5))
	play := func(want []float64, relative float64) {
		t.Helper()
		for _, v := range want {
			e.Histogram("latency").Observe(v)
		}
		flush(t, e)
		docs := c.take()
		require.Len(t, docs, (len(want)+99)/100)
		var inOrder []float64
		for _, d := range docs {
			require.NotContains(t, d.json, "Counts")
			switch v := d.root["latency"].(type) {
			case float64:
				inOrder = append(inOrder, v)
			case []any:
				for _, x := range v {
					inOrder = append(inOrder, x.(float64))
				}
			}
		}
		if relative == 0 {
			require.Equal(t, want, inOrder)
		}
		requireSame(t, want, expanded(t, docs, "latency"), relative)
	}
	play(latencies(1), 0)
	play(latencies(100), 0)
	play(latencies(101), 0)
	play(latencies(1000), 0)
	play(latencies(1001), 0.008)
	play(latencies(50_003), 0.008)
	play(latencies(777), 0)
	requireLaw(t, e)
}

// However small documents must be, a histogram fits them.
func TestHistogramsAreSplitBySize(t *testing.T) {
	for _, opts := range [][]emf.Option{nil, {emf.WithPlainArrays()}, {emf.WithPrecision(0.01)}} {
		for _, size := range []int{1024, 1500, 4096, 10_000, 16_384} {
			for _, n := range []int{2, 99, 100, 101, 3000} {
				e, c := newEmitter(t, append(opts, emf.WithMaxDocumentSize(size), emf.WithProperties(map[string]any{"build": strings.Repeat("x", 100)}))...)
				r := e.With(emf.Dim("Route", strings.Repeat("r", 200)), emf.Dim("Stage", "prod"))
				want := latencies(n)
				for i, v := range want {
					r.Histogram("latency", emf.Milliseconds).Observe(v)
					r.Histogram("tiny").Observe(-v / 1e300)
					r.Counter(fmt.Sprint("n", i%3)).Inc()
				}
				flush(t, e)
				docs := c.take()
				for _, d := range docs {
					require.LessOrEqual(t, len(d.json), size, "%d values: %s", n, d.json)
					require.Contains(t, d.root, "build")
				}
				requireSame(t, want, expanded(t, docs, "latency"), math.Inf(1))
				require.Len(t, expanded(t, docs, "tiny"), n)
				requireLaw(t, e)
			}
		}
	}
}

// Where the dimensions alone are too large there is nothing to split.
func TestHistogramTooLargeWithItsDimensions(t *testing.T) {
	e, c := newEmitter(t, emf.WithMaxDocumentSize(1024))
	for i := range 100 {
		e.With(emf.Dim("Route", strings.Repeat("r", 1000))).Histogram("h").Observe(float64(i))
	}
	flush(t, e)
	assert.Len(t, c.take(), 1)
}
