package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/liftemf/liftemf/emf"
)

// fleet is tenants with five series each: two counters, a gauge, two histograms.
type fleet struct {
	fill  func()       // records one value in every series
	flush func() int64 // writes all of them, returns the bytes
}

// BenchmarkFlush writes all series, each with one value.
func BenchmarkFlush(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			flush := func(name string, makeFleet func(tb testing.TB, n int) fleet) contestant {
				once := sync.OnceValue(func() fleet { return makeFleet(b, n) })
				return contestant{name, func(b *testing.B) {
					f := once()
					f.fill()
					f.flush()
					b.ReportAllocs()
					for b.Loop() {
						b.StopTimer()
						f.fill()
						b.StartTimer()
						b.SetBytes(f.flush())
					}
				}}
			}
			all := []contestant{flush("liftemf", emfFleet), flush("append", appendFleet(false)), flush("victoriametrics", victoriaFleet)}
			if n <= 10_000 { // half a million series take it seconds
				all = append(all, flush("prometheus", prometheusFleet))
			}
			compete(b, append(all, flush("floor:append-cached", appendFleet(true)))...)
		})
	}
}

func emfFleet(tb testing.TB, n int) fleet {
	return emfFleetTo(tb, n, time.Now, func([]byte) {})
}

func emfFleetTo(tb testing.TB, n int, now func() time.Time, write func([]byte)) fleet {
	type handles struct {
		requests, errors *emf.Counter
		active           *emf.Gauge
		latency, lookup  *emf.Histogram
	}
	var size int64
	sink := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
		for _, d := range docs {
			write(d.JSON)
			size += int64(len(d.JSON)) + 1
		}
		return nil
	})
	e := newEmitter(tb, withFixed(), emf.WithClock(now), emf.WithSink(sink))
	all := make([]handles, n)
	for i := range all {
		r := e.WithTenant(tenant(i))
		all[i] = handles{
			r.Counter("Requests"), r.Counter("Errors"), r.Gauge("Active"),
			r.Histogram("Latency", emf.Milliseconds), r.Histogram("LookupTime", emf.Milliseconds),
		}
	}
	return fleet{
		fill: func() {
			for i, h := range all {
				v := valuesOf(i)
				h.requests.Add(v[0])
				h.errors.Add(v[1])
				h.active.Set(v[2])
				h.latency.Observe(v[3])
				h.lookup.Observe(v[4])
			}
		},
		flush: func() int64 {
			size = 0
			if err := e.Flush(context.Background()); err != nil {
				tb.Fatal(err)
			}
			return size
		},
	}
}

func valuesOf(i int) [5]float64 {
	return [5]float64{float64(1 + i%5000), float64(i % 3), float64(i % 90), latency(i), latency(i * 7)}
}

const fullBatch = 256 << 10

// appendFleet writes the documents by hand from a slice of structs, which nobody else
// touches meanwhile.
func appendFleet(cached bool) func(tb testing.TB, n int) fleet {
	return func(_ testing.TB, n int) fleet { return appendFleetTo(n, cached, time.Now, func([]byte) {}) }
}

func appendFleetTo(n int, cached bool, now func() time.Time, write func([]byte)) fleet {
	type series struct {
		tenant string
		dims   []byte
		values [5]float64
	}
	all := make([]series, n)
	for i := range all {
		s := sample{tenant: tenant(i)}
		all[i] = series{tenant: s.tenant, dims: s.appendDimensions(nil)}
	}
	names := [5]string{"Requests", "Errors", "Active", "Latency", "LookupTime"}
	units := [5]string{"Count", "Count", "", "Milliseconds", "Milliseconds"}
	const body = `,"CloudWatchMetrics":[{"Namespace":"shop/checkout","Dimensions":[["Service","Region","TenantID"]],"Metrics":[` +
		`{"Name":"Requests","Unit":"Count"},{"Name":"Errors","Unit":"Count"},{"Name":"Active"},` +
		`{"Name":"Latency","Unit":"Milliseconds"},{"Name":"LookupTime","Unit":"Milliseconds"}]}]},`
	keys := [5]string{`"Requests":`, `,"Errors":`, `,"Active":`, `,"Latency":`, `,"LookupTime":`}

	plain := func(dst []byte, at time.Time, s *series) []byte {
		dst = appendDirective(dst, at, "TenantID")
		for i, name := range names {
			dst = appendMetric(dst, name, units[i])
		}
		dst = (&sample{tenant: s.tenant}).appendDimensions(endDirective(dst))
		for i, name := range names {
			dst = appendMember(dst, name, s.values[i])
		}
		dst[len(dst)-1] = '}'
		return dst
	}
	fast := func(dst []byte, at time.Time, s *series) []byte {
		dst = append(dst, cachedHead...)
		dst = strconv.AppendInt(dst, at.UnixMilli(), 10)
		dst = append(dst, body...)
		dst = append(dst, s.dims...)
		for i, key := range keys {
			dst = appendNumber(append(dst, key...), s.values[i])
		}
		return append(dst, '}')
	}
	encode := plain
	if cached {
		encode = fast
	}
	buf := make([]byte, 0, fullBatch+4096)
	return fleet{
		fill: func() {
			for i := range all {
				all[i].values = valuesOf(i)
			}
		},
		flush: func() (size int64) {
			at := now()
			for i := range all {
				buf = append(encode(buf, at, &all[i]), '\n')
				if len(buf) >= fullBatch || i == len(all)-1 {
					write(buf)
					size += int64(len(buf))
					buf = buf[:0]
				}
			}
			return size
		},
	}
}

// counted is a writer that only counts.
type counted int64

func (c *counted) Write(p []byte) (int, error) {
	*c += counted(len(p))
	return len(p), nil
}

// The peers' histograms would write a dozen lines each; a sum is the least that they
// can keep of a histogram.
func victoriaFleet(_ testing.TB, n int) fleet {
	type handles struct {
		requests, errors *metrics.Counter
		active           *metrics.Gauge
		latency, lookup  *metrics.FloatCounter
	}
	set := metrics.NewSet()
	all := make([]handles, n)
	for i := range all {
		labels := `{service="` + service + `",region="` + region + `",tenant="` + tenant(i) + `"}`
		all[i] = handles{
			set.NewCounter("requests_total" + labels), set.NewCounter("errors_total" + labels),
			set.NewGauge("active"+labels, nil),
			set.NewFloatCounter("latency_sum" + labels), set.NewFloatCounter("lookup_sum" + labels),
		}
	}
	set.WritePrometheus(io.Discard) // sorts
	return fleet{
		fill: func() {
			for i, h := range all {
				v := valuesOf(i)
				h.requests.Add(int(v[0]))
				h.errors.Add(int(v[1]))
				h.active.Set(v[2])
				h.latency.Set(v[3])
				h.lookup.Set(v[4])
			}
		},
		flush: func() int64 {
			var size counted
			set.WritePrometheus(&size)
			return int64(size)
		},
	}
}

func prometheusFleet(tb testing.TB, n int) fleet {
	labels := []string{"service", "region", "tenant"}
	registry := prometheus.NewRegistry()
	gauge := func(name string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name}, labels)
		registry.MustRegister(v)
		return v
	}
	vecs := [5]*prometheus.GaugeVec{gauge("requests"), gauge("errors"), gauge("active"), gauge("latency_sum"), gauge("lookup_sum")}
	all := make([][5]prometheus.Gauge, n)
	for i := range all {
		for j, v := range vecs {
			all[i][j] = v.WithLabelValues(service, region, tenant(i))
		}
	}
	return fleet{
		fill: func() {
			for i := range all {
				for j, v := range valuesOf(i) {
					all[i][j].Set(v)
				}
			}
		},
		flush: func() int64 {
			families, err := registry.Gather()
			if err != nil {
				tb.Fatal(err)
			}
			var size counted
			for _, f := range families {
				if _, err := expfmt.MetricFamilyToText(&size, f); err != nil {
					tb.Fatal(err)
				}
			}
			return int64(size)
		},
	}
}

func TestFlushesAreEqual(t *testing.T) {
	const n = 100
	at := time.UnixMilli(1_767_225_600_123)
	clock := func() time.Time { return at }
	var got []byte
	lift := emfFleetTo(t, n, clock, func(doc []byte) { got = append(append(got, doc...), '\n') })
	lift.fill()
	lift.flush()
	for _, cached := range []bool{false, true} {
		var want []byte
		f := appendFleetTo(n, cached, clock, func(p []byte) { want = append(want, p...) })
		f.fill()
		f.flush()
		sameJSON(t, fmt.Sprintf("append, cached %v", cached), got[:len(got)-1], want[:len(want)-1])
	}
}
