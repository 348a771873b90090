package emf_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/liftemf/liftemf/emf"
)

var discard = emf.SinkFunc(func(context.Context, []emf.Document) error { return nil })

func newDiscarding(b testing.TB) *emf.Emitter {
	return emf.Must(emf.New("bench", emf.WithSink(discard), emf.WithFlushInterval(0), emf.WithMaxRecorders(1<<20),
		emf.WithDimensions(emf.Dim("Service", "api"), emf.Dim("Stage", "prod")), emf.WithLogger(slog.New(slog.DiscardHandler))))
}

func BenchmarkCounterInc(b *testing.B) {
	c := newDiscarding(b).Counter("orders")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Inc()
		}
	})
}

func BenchmarkCounterAddFraction(b *testing.B) {
	c := newDiscarding(b).Counter("orders")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Add(1.5)
		}
	})
}

func BenchmarkGaugeSet(b *testing.B) {
	g := newDiscarding(b).Gauge("depth")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			g.Set(1.5)
		}
	})
}

func BenchmarkHistogramObserve(b *testing.B) {
	h := newDiscarding(b).Histogram("latency")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		v := 1.0
		for pb.Next() {
			h.Observe(v)
			if v *= 1.1; v > 1000 {
				v = 1
			}
		}
	})
}

func BenchmarkCounterByName(b *testing.B) {
	e := newDiscarding(b)
	for _, name := range []string{"requests", "errors", "duration", "size", "active"} {
		e.Counter(name)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			e.Counter("duration").Inc()
		}
	})
}

func BenchmarkWithTenant(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := newDiscarding(b)
			ids := make([]string, n)
			for i := range ids {
				ids[i] = fmt.Sprintf("tenant-%d", i)
				e.WithTenant(ids[i]).Counter("orders").Inc()
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					e.WithTenant(ids[i*7919%n])
				}
			})
		})
	}
}

func BenchmarkEvent(b *testing.B) {
	e := newDiscarding(b)
	ctx := context.Background()
	dim := emf.Dim("Operation", "checkout")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ev := e.Begin(dim)
			ev.SetProperty("RequestId", "5f9a1c8e-0000-4000-8000-3f2b1c0d9e8f")
			ev.SetProperty("Path", "/v1/checkout")
			ev.Counter("Orders").Inc()
			ev.Counter("Items").Add(3)
			ev.Histogram("Latency", emf.Milliseconds).Observe(12.345)
			ev.Histogram("Upstream", emf.Milliseconds).Observe(7.5)
			h := ev.Histogram("Sizes", emf.Bytes)
			for i := range 10 {
				h.Observe(float64(i) * 1.125)
			}
			_ = ev.End(ctx)
		}
	})
}

func BenchmarkFlush(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := newDiscarding(b)
			var counters []*emf.Counter
			for i := range n {
				r := e.WithTenant(fmt.Sprintf("tenant-%d", i))
				for j := range 5 {
					counters = append(counters, r.Counter(fmt.Sprintf("metric-%d", j)))
				}
			}
			b.ReportAllocs()
			before := e.Stats().Bytes
			for b.Loop() {
				b.StopTimer()
				for i, c := range counters {
					c.Add(float64(i))
				}
				b.StartTimer()
				_ = e.Flush(context.Background())
			}
			b.SetBytes(int64(e.Stats().Bytes-before) / int64(b.N))
		})
	}
}
