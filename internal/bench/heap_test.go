package main

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/liftemf/liftemf/emf"
)

// heapSeries is how many counters are made to see what one takes.
const heapSeries = 100_000

// BenchmarkHeap reports the live heap per counter with three dimensions, with one and
// with five counters for each set of dimensions. It takes no time worth measuring and
// does its work once.
func BenchmarkHeap(b *testing.B) {
	for _, each := range []int{1, 5} {
		b.Run(fmt.Sprint(each), func(b *testing.B) {
			names := make([]string, each)
			for i := range names {
				names[i] = "requests_" + strconv.Itoa(i)
			}
			heap := func(name string, fill func(each int) any) contestant {
				size := sync.OnceValue(func() float64 { return float64(liveHeap(fill, each)) / heapSeries })
				return contestant{name, func(b *testing.B) {
					b.ReportMetric(size(), "B/series")
					b.ReportMetric(0, "ns/op")
				}}
			}
			compete(b,
				heap("liftemf", func(each int) any {
					e := newEmitter(b)
					for i := range heapSeries / each {
						service, tenant, route := labels(i)
						r := e.With(emf.Dim("Service", service), emf.Dim("TenantID", tenant), emf.Dim("Route", route))
						for _, name := range names {
							r.Counter(name).Inc()
						}
					}
					return e
				}),
				heap("prometheus", func(each int) any {
					vecs := make([]*prometheus.CounterVec, each)
					for j, name := range names {
						vecs[j] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: name}, []string{"service", "tenant", "route"})
					}
					for i := range heapSeries / each {
						service, tenant, route := labels(i)
						for _, vec := range vecs {
							vec.WithLabelValues(service, tenant, route).Inc()
						}
					}
					return vecs
				}),
				heap("victoriametrics", func(each int) any {
					set := metrics.NewSet()
					for i := range heapSeries / each {
						service, tenant, route := labels(i)
						for _, name := range names {
							set.GetOrCreateCounter(name + `{service="` + service + `",tenant="` + tenant + `",route="` + route + `"}`).Inc()
						}
					}
					return set
				}),
			)
		})
	}
}

// labels are values of 4 to 9 bytes, made afresh: what is kept of them counts.
func labels(i int) (service, tenant, route string) {
	return "svc-" + strconv.Itoa(i%10), "t" + strconv.Itoa(1_000_000+i), "/r/" + strconv.Itoa(i%100)
}

func liveHeap(fill func(each int) any, each int) int64 {
	before := liveBytes()
	kept := fill(each)
	after := liveBytes()
	runtime.KeepAlive(kept)
	return after - before
}

func liveBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
