package main

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/lift"
)

// behindInterface hides the type of a collector from the compiler, as a framework does.
//
//go:noinline
func behindInterface(c lift.MetricsCollector) lift.MetricsCollector { return c }

// BenchmarkLiftCounter asks a collector for the counter of two tags in a map and adds one, as
// Lift's middlewares do for every value.
func BenchmarkLiftCounter(b *testing.B) {
	tags := map[string]string{"method": "GET", "route": "/v1/carts"}
	compete(b,
		contestant{"liftemf", func(b *testing.B) {
			c := behindInterface(lift.NewCollector(newEmitter(b, withFixed())))
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					c.Counter("requests", tags).Inc()
				}
			})
		}},
		contestant{"prometheus", func(b *testing.B) {
			vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total"}, []string{"method", "route"})
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					vec.With(tags).Inc()
				}
			})
		}},
		contestant{"lift", func(b *testing.B) {
			q := newQueue()
			parallel(b, func(pb *testing.PB) {
				for pb.Next() {
					q.handle("requests", "Count", tags).record(1)
				}
			})
		}},
	)
}

// BenchmarkNew makes an emitter, as a cold start does.
func BenchmarkNew(b *testing.B) {
	compete(b, contestant{"liftemf", func(b *testing.B) {
		parallel(b, func(pb *testing.PB) {
			for pb.Next() {
				emf.Must(emf.New("shop/checkout", withFixed(), emf.WithSink(discard), emf.WithFlushInterval(0)))
			}
		})
	}})
}
