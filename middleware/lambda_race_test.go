package middleware_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	"github.com/liftemf/liftemf/middleware"
)

// Invocations that end, one way or another, just when the early flush comes are counted once,
// and what they and their leftover goroutines record is there once, under whose it is.
func TestEarlyFlushRacesWithTheEnd(t *testing.T) {
	const each, workers = 150, 8
	for name, opts := range map[string][]middleware.Option{"all": nil, "sampled": {middleware.WithSampling(0.3)}} {
		t.Run(name, func(t *testing.T) {
			e, metrics := emftest.New(t)
			o := middleware.MetricsOnly(e, append(opts, middleware.WithLambdaTenant(), middleware.WithEarlyFlush(time.Millisecond))...)
			var leftover sync.WaitGroup
			handle := middleware.Lambda(o, func(ctx context.Context, n int) (int, error) {
				r := emf.FromContext(ctx)
				r.Counter("orders").Add(float64(n))
				r.Gauge("order").Set(float64(n))
				leftover.Go(func() {
					for range 20 {
						r.Counter("orders").Add(float64(n))
						emf.FromContext(ctx).Histogram("took").Observe(float64(n))
						emf.SetProperty(ctx, "n", n)
					}
				})
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
				switch n % 5 {
				case 0:
					return 0, errors.New("refused")
				case 1:
					panic("out")
				}
				return n, nil
			})
			var all sync.WaitGroup
			for w := range workers {
				all.Go(func() {
					for i := range each {
						n := 1 + w*each + i
						func() {
							defer func() { _ = recover() }()
							ctx, cancel := context.WithTimeout(invoked(fmt.Sprint("id-", n), fmt.Sprint("t", n%7)), 2*time.Millisecond)
							defer cancel()
							_, _ = handle(ctx, n)
						}()
					}
				})
			}
			all.Wait()
			leftover.Wait()
			for tenant := range 7 {
				sum, count := 0, 0
				for n := 1; n <= workers*each; n++ {
					if n%7 == tenant {
						sum += n
						count++
					}
				}
				of := emf.Dim("TenantID", fmt.Sprint("t", tenant))
				assert.Equal(t, float64(21*sum), metrics.Sum("orders", of))
				assert.Equal(t, float64(20*count), metrics.Count("took", of))
				assert.Equal(t, float64(count), metrics.Sum("requests.total", of))
				assert.Equal(t, float64(count), metrics.Count("requests.duration", of))
			}
			assert.Equal(t, float64(2*workers*each/5), metrics.Sum("requests.errors"))
			totals := map[string]int{}
			for _, doc := range metrics.Documents() {
				var m map[string]any
				require.NoError(t, json.Unmarshal(doc, &m))
				id, ok := m["request_id"].(string)
				if !ok {
					continue // late, or not in a document of its own
				}
				var n int
				_, err := fmt.Sscanf(id, "id-%d", &n)
				require.NoError(t, err)
				if m["TenantID"] != nil {
					assert.Equal(t, fmt.Sprint("t", n%7), m["TenantID"])
				}
				for _, key := range []string{"n", "order"} {
					if m[key] != nil {
						assert.Equal(t, float64(n), m[key])
					}
				}
				if m["requests.total"] != nil {
					totals[id]++
				}
			}
			for id, n := range totals {
				assert.Equal(t, 1, n, id)
			}
			s := e.Stats()
			assert.Equal(t, s.Recorded, s.Delivered)
		})
	}
}
