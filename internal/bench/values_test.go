package main

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/liftemf/liftemf/emf"
)

// contestant is one way of doing a row's work. One whose name starts with "floor:" is
// an optimistic stand-in that does less than a library has to.
type contestant struct {
	name string
	run  func(b *testing.B)
}

func compete(b *testing.B, contestants ...contestant) {
	for _, c := range contestants {
		b.Run(c.name, c.run)
	}
}

// discard is the sink of every emitter here.
var discard = emf.SinkFunc(func(context.Context, []emf.Document) error { return nil })

func newEmitter(tb testing.TB, opts ...emf.Option) *emf.Emitter {
	e, err := emf.New("shop/checkout", append([]emf.Option{
		emf.WithSink(discard),
		emf.WithFlushInterval(0),
		emf.WithMaxRecorders(1 << 20),
		emf.WithLogger(slog.New(slog.DiscardHandler)),
	}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// latencies are log-normal milliseconds as a duration in nanoseconds gives them: six
// decimals, median 20, one in a hundred above 200.
var latencies = func() (table [4096]float64) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range table {
		table[i] = math.Round(20e6*math.Exp(random.NormFloat64())) / 1e6
	}
	return table
}()

// latency is the i-th of the latencies, again and again.
func latency(i int) float64 { return latencies[i%len(latencies)] }

func tenant(i int) string { return "tenant-" + strconv.Itoa(100000+i) }

// visits returns n tenant IDs, each once, in random order. They lie one after the other
// in memory, as a request has the ID at hand when it looks something up, and are no
// copies of the strings that the series were made with.
func visits(n int) []string {
	order := rand.New(rand.NewPCG(3, 4)).Perm(n)
	var all strings.Builder
	for _, i := range order {
		all.WriteString(tenant(i))
	}
	ids := make([]string, n)
	size := all.Len() / n
	for i := range ids {
		ids[i] = all.String()[i*size : (i+1)*size]
	}
	return ids
}

// parallel runs b.N operations on GOMAXPROCS goroutines.
func parallel(b *testing.B, body func(pb *testing.PB)) {
	b.ReportAllocs()
	before := processorTime(b)
	b.ResetTimer()
	b.RunParallel(body)
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// processorTime is how long the process has had a processor. On a machine that others use too
// it says more than the clock, as long as nothing waits; the garbage collector is in it.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// observations is how many a histogram takes between two flushes.
const observations = 64 << 10

// inBatches runs b.N operations on GOMAXPROCS goroutines, observations at a time; what
// between does is not in the time. It stands in for RunParallel where memory would grow.
func inBatches(b *testing.B, between func(), body func(from, to int)) {
	workers := runtime.GOMAXPROCS(0)
	batch := func(n int) {
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() { body(n*w/workers, n*(w+1)/workers) })
		}
		wg.Wait()
	}
	batch(observations)
	between()
	b.ReportAllocs()
	var used time.Duration
	b.ResetTimer()
	for done := 0; done < b.N; {
		n := min(b.N-done, observations)
		before := processorTime(b)
		batch(n)
		used += processorTime(b) - before
		done += n
		b.StopTimer()
		between()
		b.StartTimer()
	}
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
}
