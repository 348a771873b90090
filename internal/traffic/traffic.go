// Package traffic has documents to measure sinks by.
package traffic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/liftemf/liftemf/emf"
)

// Flush returns the documents of one flush, by what made them: "counters" are 2,000 tenants with
// five counters that were each increased once; "requests" is one service with 50 routes, each with a
// histogram of 2,000 latencies, a counter and a gauge; "events" are 5,000 requests with four
// values and two properties each.
func Flush(t testing.TB) map[string][]emf.Document {
	random := rand.New(rand.NewPCG(1, 2))
	collect := func(record func(e *emf.Emitter)) []emf.Document {
		var docs []emf.Document
		e, err := emf.New("Shop", emf.WithDimensions(emf.Dim("Service", "checkout")), emf.WithFlushInterval(0),
			emf.WithSink(emf.SinkFunc(func(_ context.Context, batch []emf.Document) error {
				for _, d := range batch {
					docs = append(docs, emf.Document{Time: d.Time, JSON: slices.Clone(d.JSON), Values: d.Values})
				}
				return nil
			})))
		if err == nil {
			record(e)
			err = e.Close(context.Background())
		}
		if err != nil {
			t.Fatal(err)
		}
		return docs
	}
	return map[string][]emf.Document{
		"counters": collect(func(e *emf.Emitter) {
			for i := range 2000 {
				tenant := e.WithTenant(fmt.Sprint("tenant-", i))
				for _, name := range []string{"requests", "errors", "bytes", "hits", "misses"} {
					tenant.Counter(name).Add(float64(random.IntN(1000)))
				}
			}
		}),
		"requests": collect(func(e *emf.Emitter) {
			for i := range 50 {
				route := e.With(emf.Dim("Route", fmt.Sprint("/api/", i)))
				for range 2000 {
					route.Histogram("latency", emf.Milliseconds).Observe(random.ExpFloat64() * 40)
					route.Counter("requests").Inc()
				}
				route.Gauge("active").Set(3)
			}
		}),
		"events": collect(func(e *emf.Emitter) {
			for i := range 5000 {
				ev := e.Begin(emf.Dim("Route", fmt.Sprint("/api/", i%50)))
				ev.SetTimestamp(time.Now().Add(time.Duration(i) * time.Microsecond))
				ev.SetProperty("RequestID", fmt.Sprintf("%032x", random.Uint64()))
				ev.SetProperty("Path", "/api/cart?item=1")
				ev.Histogram("latency", emf.Milliseconds).Observe(random.ExpFloat64() * 40)
				ev.Histogram("size", emf.Bytes).Observe(float64(random.IntN(1 << 20)))
				ev.Counter("requests").Inc()
				ev.Counter("errors").Add(0)
				if err := ev.End(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		}),
	}
}
