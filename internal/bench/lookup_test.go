package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/liftemf/liftemf/emf"
)

// eachTenant calls body for tenants in random order, each goroutine from somewhere else.
func eachTenant(b *testing.B, ids []string, body func(id string)) {
	parallel(b, func(pb *testing.PB) {
		for i := rand.IntN(len(ids)); pb.Next(); {
			body(ids[i])
			if i++; i == len(ids) {
				i = 0
			}
		}
	})
}

// emitterOf returns an emitter that knows n tenants.
func emitterOf(b *testing.B, n int) *emf.Emitter {
	e := newEmitter(b)
	for i := range n {
		e.WithTenant(tenant(i)).Counter("Requests").Inc()
	}
	return e
}

// BenchmarkTenantCounter looks a counter up by its tenant each time.
func BenchmarkTenantCounter(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ids := visits(n)
			compete(b,
				contestant{"opentelemetry", func(b *testing.B) {
					if n > 1_000 {
						b.Skip("takes a second for nothing new")
					}
					c, err := newMeter(b).Int64Counter("requests")
					if err != nil {
						b.Fatal(err)
					}
					ctx := context.Background()
					eachTenant(b, ids, func(id string) { c.Add(ctx, 1, metric.WithAttributes(attribute.String("tenant", id))) })
				}},
				contestant{"liftemf", func() func(b *testing.B) {
					e := emitterOf(b, n)
					return func(b *testing.B) {
						eachTenant(b, ids, func(id string) { e.WithTenant(id).Counter("Requests").Inc() })
					}
				}()},
				contestant{"prometheus", func() func(b *testing.B) {
					vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total"}, []string{"tenant"})
					for i := range n {
						vec.WithLabelValues(tenant(i)).Inc()
					}
					return func(b *testing.B) {
						eachTenant(b, ids, func(id string) { vec.WithLabelValues(id).Inc() })
					}
				}()},
				contestant{"victoriametrics", func() func(b *testing.B) {
					set := metrics.NewSet()
					for i := range n {
						set.GetOrCreateCounter(`requests_total{tenant="` + tenant(i) + `"}`).Inc()
					}
					return func(b *testing.B) {
						eachTenant(b, ids, func(id string) {
							set.GetOrCreateCounter(`requests_total{tenant="` + id + `"}`).Inc()
						})
					}
				}()},
				contestant{"floor:frozen-map", func() func(b *testing.B) {
					counters := frozen(n)
					return func(b *testing.B) {
						eachTenant(b, ids, func(id string) { (*counters.Load())[id].Add(1) })
					}
				}()},
			)
		})
	}
}

// BenchmarkWithTenant looks only the recorder up. Peers have no such thing.
func BenchmarkWithTenant(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ids := visits(n)
			compete(b,
				contestant{"liftemf", func() func(b *testing.B) {
					e := emitterOf(b, n)
					return func(b *testing.B) {
						eachTenant(b, ids, func(id string) {
							if e.WithTenant(id) == nil {
								panic("no recorder")
							}
						})
					}
				}()},
				contestant{"floor:frozen-map", func() func(b *testing.B) {
					counters := frozen(n)
					return func(b *testing.B) {
						eachTenant(b, ids, func(id string) {
							if (*counters.Load())[id] == nil {
								panic("no counter")
							}
						})
					}
				}()},
			)
		})
	}
}

// frozen is a map that nobody writes any more.
func frozen(n int) *atomic.Pointer[map[string]*atomic.Uint64] {
	counters := make(map[string]*atomic.Uint64, n)
	for i := range n {
		counters[tenant(i)] = new(atomic.Uint64)
	}
	p := new(atomic.Pointer[map[string]*atomic.Uint64])
	p.Store(&counters)
	return p
}

// BenchmarkRecorderCounter looks counters up by name under one recorder, in turn.
func BenchmarkRecorderCounter(b *testing.B) {
	for _, n := range []int{5, 50} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			names := make([]string, n)
			for i := range names {
				names[i] = fmt.Sprintf("Requests%02d", i)
			}
			compete(b,
				contestant{"liftemf", func(b *testing.B) {
					r := newEmitter(b).WithTenant(tenant(0))
					eachTenant(b, names, func(name string) {
						if r.Counter(name) == nil {
							panic("no counter")
						}
					})
				}},
				contestant{"victoriametrics", func(b *testing.B) {
					set := metrics.NewSet()
					eachTenant(b, names, func(name string) {
						if set.GetOrCreateCounter(name) == nil {
							panic("no counter")
						}
					})
				}},
			)
		})
	}
}
