package main

import (
	"context"
	"math"
	"sync/atomic"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/liftemf/liftemf/emf"
)

func BenchmarkCounterInc(b *testing.B) {
	compete(b,
		contestant{"liftemf", func(b *testing.B) {
			c := newEmitter(b).Counter("Requests")
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					c.Inc()
				}
			})
		}},
		contestant{"prometheus", func(b *testing.B) {
			c := prometheus.NewCounter(prometheus.CounterOpts{Name: "requests_total"})
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					c.Inc()
				}
			})
		}},
		contestant{"victoriametrics", func(b *testing.B) {
			c := metrics.NewSet().NewCounter("requests_total")
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					c.Inc()
				}
			})
		}},
		contestant{"opentelemetry", func(b *testing.B) {
			c, err := newMeter(b).Int64Counter("requests")
			if err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					c.Add(ctx, 1)
				}
			})
		}},
		contestant{"lift", func(b *testing.B) {
			h := newQueue().handle("requests", "Count")
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					h.record(1)
				}
			})
		}},
		contestant{"floor:atomic-add", func(b *testing.B) {
			c := new(atomic.Uint64)
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					c.Add(1)
				}
			})
		}},
	)
}

func BenchmarkCounterAdd(b *testing.B) {
	compete(b,
		contestant{"liftemf", func(b *testing.B) {
			c := newEmitter(b).Counter("Cost")
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					c.Add(1.5)
				}
			})
		}},
		contestant{"prometheus", func(b *testing.B) {
			c := prometheus.NewCounter(prometheus.CounterOpts{Name: "cost_total"})
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					c.Add(1.5)
				}
			})
		}},
		contestant{"victoriametrics", func(b *testing.B) {
			c := metrics.NewSet().NewFloatCounter("cost_total")
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					c.Add(1.5)
				}
			})
		}},
		contestant{"floor:atomic-float-add", func(b *testing.B) {
			c := new(atomic.Uint64)
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					for {
						old := c.Load()
						if c.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+1.5)) {
							break
						}
					}
				}
			})
		}},
	)
}

func BenchmarkGaugeSet(b *testing.B) {
	compete(b,
		contestant{"liftemf", func(b *testing.B) {
			g := newEmitter(b).Gauge("Depth")
			parallel(b, func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					g.Set(latency(i))
				}
			})
		}},
		contestant{"prometheus", func(b *testing.B) {
			g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "depth"})
			parallel(b, func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					g.Set(latency(i))
				}
			})
		}},
		contestant{"victoriametrics", func(b *testing.B) {
			g := metrics.NewSet().NewGauge("depth", nil)
			parallel(b, func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					g.Set(latency(i))
				}
			})
		}},
		contestant{"floor:atomic-store", func(b *testing.B) {
			g := new(atomic.Uint64)
			parallel(b, func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					g.Store(math.Float64bits(latency(i)))
				}
			})
		}},
	)
}

func BenchmarkHistogramObserve(b *testing.B) {
	// Cumulative histograms have nothing to be taken between batches.
	observe := func(name string, observe func(float64)) contestant {
		return contestant{name, func(b *testing.B) {
			inBatches(b, func() {}, func(from, to int) {
				for i := from; i < to; i++ {
					observe(latency(i))
				}
			})
		}}
	}
	buckets := prometheus.ExponentialBuckets(1, 2, 12)
	compete(b,
		contestant{"liftemf", func(b *testing.B) {
			e := newEmitter(b)
			h := e.Histogram("Latency", emf.Milliseconds)
			observe := h.Observe
			flush := func() {
				if err := e.Flush(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			inBatches(b, flush, func(from, to int) {
				for i := from; i < to; i++ {
					observe(latency(i))
				}
			})
		}},
		observe("prometheus", prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "latency", Buckets: buckets,
		}).Observe),
		observe("prometheus-native", prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "latency", NativeHistogramBucketFactor: 1.1,
		}).Observe),
		observe("victoriametrics", metrics.NewSet().NewPrometheusHistogramExt("latency", buckets).Update),
		observe("victoriametrics-vmrange", metrics.NewSet().NewHistogram("latency").Update),
		observe("opentelemetry", func() func(float64) {
			h, err := newMeter(b).Float64Histogram("latency")
			if err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			return func(v float64) { h.Record(ctx, v) }
		}()),
		observe("lift", newQueue().handle("latency", "None").record),
		observe("victoriametrics-summary", metrics.NewSet().NewSummary("latency").Update),
	)
}
