package lift_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/lift"
)

// Everything at once, as requests of Lift's middlewares do it: copies made for each, the
// same map passed to several calls, handles never kept; flushes, closing copies and
// looking at statistics meanwhile. Every value must come out once, under its own tenant.
func TestConcurrentUse(t *testing.T) {
	const workers, requests, tenants = 8, 300, 7
	m, e, sink := collector(t, lift.WithDeltaGauges("open"))
	stop := make(chan struct{})
	var recording, meddling sync.WaitGroup
	for range workers {
		recording.Go(func() {
			for i := range requests {
				tenant := fmt.Sprint("t", i%tenants)
				at := tags{"method": "GET", "tenant_id": tenant}
				m.Counter("requests.total", at).Inc()
				m.Gauge("requests.active", at).Inc()
				m.Gauge("open", at).Add(2)
				m.Histogram("requests.duration", at).Observe(float64(i))
				m.Gauge("requests.active", at).Dec()

				copied := m.WithTags(tags{"method": "GET"}).WithTag("tenant_id", tenant)
				copied.RecordSuccess("op")
				copied.RecordLatency("op", time.Millisecond)
				m.WithTenant(tenant).WithDimensions(tags{"method": "GET"}).RecordCount("requests.total", 1)
				if err := copied.RecordBatch([]*lift.MetricEntry{
					{Name: "batch", Value: 1},
					{Name: "stamped", Value: 1, Timestamp: noon, Fields: fields{"i": i}},
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, meddle := range []func() error{
		m.Flush,
		m.WithTag("a", "b").Close,
		func() error { m.GetStats(); return nil },
	} {
		meddling.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if err := meddle(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	recording.Wait()
	close(stop)
	meddling.Wait()
	require.NoError(t, m.Close())

	sums := map[string]map[string]float64{}
	for _, d := range sink.documents(t) {
		require.Equal(t, "GET", d.dimensions["method"])
		tenant := d.dimensions["TenantID"]
		if sums[tenant] == nil {
			sums[tenant] = map[string]float64{}
		}
		for name := range d.units {
			sums[tenant][name] += d.sum(name)
		}
	}
	require.Len(t, sums, tenants)
	for i := range tenants {
		n, values := 0, 0
		for at := i; at < requests; at += tenants {
			n, values = n+1, values+at
		}
		n, values = n*workers, values*workers
		got := sums[fmt.Sprint("t", i)]
		delete(got, "requests.active") // the value at each flush
		require.Equal(t, map[string]float64{
			"requests.total": float64(2 * n), "open": float64(2 * n), "requests.duration": float64(values),
			"op.success": float64(n), "op.latency": float64(n), "batch": float64(n), "stamped": float64(n),
		}, got)
	}
	s := requireLaw(t, e)
	require.Zero(t, s.Dropped, s.Drops)
	require.Zero(t, s.Pending)
	require.EqualValues(t, s.Recorded, m.GetStats().MetricsRecorded)
}

// Recording that goes on while the root is closed is delivered or counted.
func TestRecordingWhileClosing(t *testing.T) {
	m, e, sink := collector(t)
	const workers, each = 4, 2000
	var recording sync.WaitGroup
	started := make(chan struct{}, workers)
	for i := range workers {
		recording.Go(func() {
			started <- struct{}{}
			for range each {
				m.WithTag("worker", fmt.Sprint(i)).Counter("n", tags{"a": "1"}).Inc()
			}
		})
	}
	<-started
	require.NoError(t, m.Close())
	recording.Wait()
	s := requireLaw(t, e)
	require.EqualValues(t, workers*each, s.Recorded)
	var sum float64
	for _, d := range sink.documents(t) {
		sum += d.sum("n")
	}
	require.EqualValues(t, s.Delivered, sum)
	// Close may find a value before whoever recorded it has noticed that it came too late.
	require.Equal(t, s.Dropped, s.Drops["closed"]+s.Drops["undelivered"])
}
