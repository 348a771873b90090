package emf_test

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"runtime/metrics"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// TestSoak records at full speed for as long as EMF_SOAK says, for instance 10m, on a hundred
// thousand tenants of whom some leave and as many arrive all the time. Nothing may be lost,
// and memory must not grow. It reports pauses and how long recordings took.
func TestSoak(t *testing.T) {
	d, err := time.ParseDuration(os.Getenv("EMF_SOAK"))
	if err != nil {
		t.Skip("takes minutes: EMF_SOAK=10m runs it")
	}
	const tenants, workers, interval = 100_000, 2, 500 * time.Millisecond
	var delivered atomic.Uint64
	e := emf.Must(emf.New("soak", emf.WithFlushInterval(0), emf.WithMaxRecorders(1<<20), emf.WithLogger(slog.New(slog.DiscardHandler)),
		emf.WithSink(emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
			for i := range docs {
				delivered.Add(uint64(docs[i].Values))
			}
			return nil
		}))))
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()

	var first atomic.Int64 // of the tenants that are there
	var recorded [workers]uint64
	var took [workers]callTimes
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			kept := e.WithTenant("kept").Counter("calls")
			for i := 0; ctx.Err() == nil; i++ {
				id := strconv.FormatInt(first.Load()+random.Int64N(tenants), 10)
				begin := time.Now()
				e.WithTenant(id).Counter("calls").Inc()
				took[w].add(time.Since(begin))
				recorded[w]++
				switch {
				case i%1000 == 0:
					ev := e.Begin(emf.Dim("TenantID", id))
					ev.Histogram("latency").Observe(1)
					kept.Inc()
					if err := ev.End(context.Background()); err != nil {
						t.Error(err)
					}
					recorded[w] += 2
				case i%4 == 0:
					e.WithTenant(id).Histogram("latency", emf.Milliseconds).Observe(float64(i % 500))
					recorded[w]++
				case i%100 == 1:
					first.Add(1)
				}
			}
		})
	}
	var live []uint64
	for ctx.Err() == nil {
		select {
		case <-time.After(interval):
		case <-ctx.Done():
		}
		require.NoError(t, e.Flush(t.Context()))
		live = append(live, read("/gc/heap/live:bytes").Uint64())
	}
	all.Wait()
	require.NoError(t, e.Close(t.Context()))

	var total uint64
	var calls callTimes
	for w := range workers {
		total += recorded[w]
		calls.join(&took[w])
	}
	s := requireLaw(t, e)
	assert.Equal(t, total, s.Recorded)
	assert.Equal(t, total, s.Delivered)
	assert.Equal(t, total, delivered.Load())
	assert.Empty(t, s.Drops)
	third := len(live) / 3
	require.Positive(t, third)
	settled, end := slices.Max(live[third:2*third]), slices.Max(live[2*third:])
	t.Logf("%d values in %d documents, %d tenants, %d flushes", total, s.Documents, first.Load()+tenants, s.Flushes)
	t.Logf("live heap: at most %.1f MB in the second third, %.1f MB in the last", float64(settled)/1e6, float64(end)/1e6)
	t.Logf("look-up and Inc: p50 %v, p99 %v, p99.9 %v, at most %v, two reads of the clock included", calls.quantile(0.5), calls.quantile(0.99), calls.quantile(0.999), calls.quantile(1))
	pauses := read("/sched/pauses/total/gc:seconds").Float64Histogram()
	t.Logf("pauses of the garbage collector: %s", describe(pauses))
	if third >= 20 {
		assert.Less(t, float64(end), 1.25*float64(settled), "memory grows")
	}
}

// callTimes counts durations by their highest bits: exact to one part in eight.
type callTimes [64 * 8]uint64

func (l *callTimes) add(d time.Duration) {
	fraction, exponent := math.Frexp(float64(max(d, 1)))
	l[exponent*8+int((fraction-0.5)*16)]++
}

func (l *callTimes) join(other *callTimes) {
	for i, n := range other {
		l[i] += n
	}
}

// quantile returns the upper end of the class in which the quantile is.
func (l *callTimes) quantile(q float64) time.Duration {
	var total, seen uint64
	for _, n := range l {
		total += n
	}
	for i, n := range l {
		if seen += n; n > 0 && float64(seen) >= q*float64(total) {
			return time.Duration(math.Ldexp(0.5+float64(i%8+1)/16, i/8))
		}
	}
	return 0
}

func read(name string) metrics.Value {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value
}

// describe returns quantiles of a histogram of seconds.
func describe(h *metrics.Float64Histogram) string {
	var total, seen uint64
	for _, n := range h.Counts {
		total += n
	}
	text := strconv.FormatUint(total, 10)
	quantiles := []float64{0.5, 0.99, 1}
	for i, n := range h.Counts {
		seen += n
		for len(quantiles) > 0 && n > 0 && float64(seen) >= quantiles[0]*float64(total) {
			text += ", p" + strconv.FormatFloat(quantiles[0]*100, 'g', -1, 64) + " " + time.Duration(h.Buckets[i+1]*1e9).String()
			quantiles = quantiles[1:]
		}
	}
	return text
}
