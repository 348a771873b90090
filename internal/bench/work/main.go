// Command work does one kind of work so many times and nothing else, for its instructions to be
// counted, see TestInstructions. What it does before depends only on the kind of work.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/lift"
)

// works prepares each kind of work and returns what does it n times.
var works = map[string]func(e *emf.Emitter) func(n int){
	"CounterInc": func(e *emf.Emitter) func(int) {
		c := e.Counter("Requests")
		return times(func(int) { c.Inc() })
	},
	"CounterAdd": func(e *emf.Emitter) func(int) {
		c := e.Counter("Cost")
		return times(func(int) { c.Add(1.5) })
	},
	"GaugeSet": func(e *emf.Emitter) func(int) {
		g := e.Gauge("Depth")
		return times(func(i int) { g.Set(float64(i)) })
	},
	"HistogramObserve": func(e *emf.Emitter) func(int) {
		h := e.Histogram("Latency", emf.Milliseconds)
		return times(func(i int) { h.Observe(float64(20 + i%300)) })
	},
	"RecorderCounter/5": func(e *emf.Emitter) func(int) { return counters(e, 5) },
	"RecorderCounter/50": func(e *emf.Emitter) func(int) {
		return counters(e, 50)
	},
	"WithTenant/1000": func(e *emf.Emitter) func(int) {
		ids := tenants(e)
		return times(func(i int) { e.WithTenant(ids[i%len(ids)]) })
	},
	"With/two dimensions": func(e *emf.Emitter) func(int) {
		route, method := emf.Dim("Route", "/v1/carts"), emf.Dim("Method", "GET")
		return times(func(int) { e.With(route, method) })
	},
	"NewTenant": func(e *emf.Emitter) func(int) {
		return times(func(i int) { e.WithTenant("new-" + strconv.Itoa(i)).Counter("Requests").Inc() })
	},
	"LiftCounter/two tags": func(e *emf.Emitter) func(int) {
		c := lift.NewCollector(e)
		tags := map[string]string{"method": "GET", "route": "/v1/carts"}
		return times(func(int) { c.Counter("requests", tags).Inc() })
	},
	"Event": func(e *emf.Emitter) func(int) {
		ctx := context.Background()
		tenant := emf.Dim("TenantID", "tenant-100000")
		return times(func(i int) {
			ev := e.Begin(tenant)
			ev.SetProperty("RequestID", "5f1d7a84-3c2b-4e0f-9a6d-100000000000")
			ev.SetProperty("Route", "/v1/carts/{cart}/items")
			ev.Counter("Requests").Inc()
			ev.Counter("BytesSent", emf.Bytes).Add(float64(1000 + i%1000))
			ev.Histogram("Latency", emf.Milliseconds).Observe(12.345)
			ev.Histogram("LookupTime", emf.Milliseconds).Observe(0.75)
			queries := ev.Histogram("QueryTime", emf.Milliseconds)
			for v := range 10 {
				queries.Observe(float64(v) + 0.125)
			}
			if err := ev.End(ctx); err != nil {
				panic(err)
			}
		})
	},
	// A document of five series, of a thousand recorders; recording included.
	"Flush": func(e *emf.Emitter) func(int) {
		type series struct {
			requests, errors *emf.Counter
			active           *emf.Gauge
			latency, lookup  *emf.Histogram
		}
		var all []series
		for _, id := range tenants(e) {
			r := e.WithTenant(id)
			all = append(all, series{
				r.Counter("Requests"), r.Counter("Errors"), r.Gauge("Active"),
				r.Histogram("Latency", emf.Milliseconds), r.Histogram("LookupTime", emf.Milliseconds),
			})
		}
		return func(n int) {
			for range n / len(all) {
				for i, s := range all {
					s.requests.Add(float64(i))
					s.errors.Inc()
					s.active.Set(float64(i % 90))
					s.latency.Observe(12.345678)
					s.lookup.Observe(0.75)
				}
				if err := e.Flush(context.Background()); err != nil {
					panic(err)
				}
			}
		}
	},
}

func main() {
	if len(os.Args) != 3 {
		var names []string
		for name := range works {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Println(name)
		}
		return
	}
	discard := emf.SinkFunc(func(context.Context, []emf.Document) error { return nil })
	e := emf.Must(emf.New("shop/checkout", emf.WithSink(discard), emf.WithFlushInterval(0), emf.WithMaxRecorders(1<<20),
		emf.WithDimensions(emf.Dim("Service", "checkout-api"), emf.Dim("Region", "eu-central-1")),
		emf.WithLogger(slog.New(slog.DiscardHandler))))
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	works[os.Args[1]](e)(n)
}

func times(f func(i int)) func(n int) {
	return func(n int) {
		for i := range n {
			f(i)
		}
	}
}

func counters(e *emf.Emitter, n int) func(int) {
	r := e.WithTenant("tenant-100000")
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("Requests%02d", i)
		r.Counter(names[i])
	}
	return times(func(i int) { r.Counter(names[i%n]) })
}

func tenants(e *emf.Emitter) []string {
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = "tenant-" + strconv.Itoa(100000+i)
		e.WithTenant(ids[i]).Counter("Requests").Inc()
	}
	return ids
}
