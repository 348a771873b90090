package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"runtime"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/distribution"
)

// keeper is a way to keep a distribution.
type keeper struct {
	name  string
	error string // of a value
	make  func() (observe func(float64), wire func() int)
}

var keepers = []keeper{
	{"liftemf", "0.8 %", func() (func(float64), func() int) {
		d := new(distribution.Distribution)
		return d.Observe, nil
	}},
	{"raw values", "0", func() (func(float64), func() int) {
		values := new([]float64)
		return func(v float64) { *values = append(*values, v) }, func() int {
			return len(fmt.Sprint(*values))
		}
	}},
	{"DDSketch, 1 %", "1 %", func() (func(float64), func() int) {
		d, err := ddsketch.NewDefaultDDSketch(0.01)
		if err != nil {
			panic(err)
		}
		return func(v float64) { _ = d.Add(v) }, func() int {
			var encoded []byte
			d.Encode(&encoded, false)
			return len(encoded)
		}
	}},
	{"Prometheus native, factor 1.1", "5 %", native(1.1)},
	{"Prometheus native, factor 1.02", "1 %", native(1.02)},
}

func native(factor float64) func() (func(float64), func() int) {
	return func() (func(float64), func() int) {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", NativeHistogramBucketFactor: factor})
		return h.Observe, func() int {
			var m dto.Metric
			if err := h.Write(&m); err != nil {
				panic(err)
			}
			return proto.Size(&m)
		}
	}
}

// document is the size of liftemf's document of n values, in bytes.
func document(n int) (size int) {
	sink := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
		for _, d := range docs {
			size += len(d.JSON)
		}
		return nil
	})
	e := emf.Must(emf.New("bench", emf.WithSink(sink), emf.WithFlushInterval(0), emf.WithLogger(slog.New(slog.DiscardHandler))))
	h := e.Histogram("h")
	fill(h.Observe, 0, n)
	if err := e.Flush(context.Background()); err != nil {
		panic(err)
	}
	return size
}

func fill(observe func(float64), seed uint64, n int) {
	r := rand.New(rand.NewPCG(1, seed))
	for range n {
		observe(math.Exp(r.NormFloat64()))
	}
}

func printMemory(b *bytes.Buffer) {
	counts := []int{20, 100, 1000, 100_000}
	fmt.Fprint(b, "| | error of a value |")
	for _, n := range counts {
		fmt.Fprintf(b, " %d |", n)
	}
	fmt.Fprintln(b, " wire, 100000 |\n|---|--:|--:|--:|--:|--:|--:|")
	for _, k := range keepers {
		fmt.Fprintf(b, "| %s | %s |", k.name, k.error)
		for _, n := range counts {
			fmt.Fprintf(b, " %d |", memory(k, n))
		}
		size := document(100_000)
		if observe, wire := k.make(); wire != nil {
			fill(observe, 0, 100_000)
			size = wire()
		}
		fmt.Fprintf(b, " %d |\n", size)
	}
}

// memory is what one keeper of n values takes.
func memory(k keeper, n int) int {
	const many = 20
	var kept [many]func(float64)
	before := live()
	for i := range kept {
		kept[i], _ = k.make()
		fill(kept[i], uint64(i), n)
	}
	after := live()
	runtime.KeepAlive(&kept)
	return (after - before) / many
}

func live() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
