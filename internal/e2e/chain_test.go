package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink"
	"github.com/liftemf/liftemf/sink/logevents"
	"github.com/liftemf/liftemf/sink/metricdata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	group   = "/shop/metrics"
	tenants = 20
	rest    = 50 * time.Millisecond // of the breaker
)

// chain is an emitter and all that is behind it.
type chain struct {
	server   *cwtest.Server
	client   *impatient
	emitter  *emf.Emitter
	queue    *sink.RetrySink
	fallback *sink.FallbackSink
	logs     *logevents.Sink
	metrics  *metricdata.Sink

	recorded [tenants]total
}

// total is what is known of a tenant's values.
type total struct{ count, sum float64 }

func newChain(t *testing.T, opts ...sink.RetryOption) *chain {
	t.Helper()
	c := &chain{server: cwtest.New(t)}
	c.client = &impatient{server: c.server}
	var err error
	c.logs, err = logevents.New(c.server.LogsClient(c.client.logs), group, logevents.WithTimeout(time.Hour))
	require.NoError(t, err)
	c.metrics, err = metricdata.New(c.server.MetricsClient(c.client.metrics), metricdata.WithTimeout(time.Hour))
	require.NoError(t, err)
	c.fallback = sink.Fallback(c.logs, c.metrics, sink.WithPrimaryTimeout(time.Hour), sink.WithBreaker(3, rest))
	silent := slog.New(slog.DiscardHandler)
	opts = append([]sink.RetryOption{
		sink.WithBackoff(time.Millisecond, 20*time.Millisecond), sink.WithAttemptTimeout(3 * time.Hour),
		sink.WithDrainTimeout(10 * time.Minute), sink.WithQueueLogger(silent),
	}, opts...)
	c.queue = sink.Retry(c.fallback, opts...)
	c.emitter, err = emf.New("e2e", emf.WithSink(c.queue), emf.WithFlushInterval(0), emf.WithLogger(silent))
	require.NoError(t, err)
	return c
}

// record records values of all tenants: whole numbers, so that sums are exact. A quarter of them are
// increments of a counter.
func (c *chain) record(random *rand.Rand, each int) {
	for tenant := range tenants {
		r := c.emitter.WithTenant(fmt.Sprint(tenant))
		latency, hits := r.Histogram("latency"), r.Counter("hits")
		for i := range each {
			if i%4 == 0 {
				hits.Inc()
				c.recorded[tenant].count++
				continue
			}
			v := float64(random.IntN(1 << 16))
			latency.Observe(v)
			c.recorded[tenant].count++
			c.recorded[tenant].sum += v
		}
	}
}

// recordUntil records until there are so many values, with a few calls to CloudWatch for each ten
// thousand.
func (c *chain) recordUntil(t *testing.T, values float64, seed uint64, each int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, seed))
	for flushes := 1; c.total() < values; flushes++ {
		c.record(random, each)
		require.NoError(t, c.emitter.Flush(t.Context()))
		if flushes%3 == 0 {
			require.NoError(t, c.queue.Flush(t.Context()))
		}
	}
}

func (c *chain) total() (n float64) {
	for _, t := range c.recorded {
		n += t.count
	}
	return n
}

// held is what CloudWatch holds of a tenant.
func (c *chain) held(tenant int) total {
	of := map[string]string{"TenantID": fmt.Sprint(tenant)}
	latency := c.server.Metric("e2e", "latency", of)
	return total{latency.SampleCount + c.server.Metric("e2e", "hits", of).Sum, latency.Sum}
}

// settled ends the chain and holds its books against each other.
func (c *chain) settled(t *testing.T) sink.QueueStats {
	t.Helper()
	require.NoError(t, c.emitter.Close(t.Context()))
	e, q := c.emitter.Stats(), c.queue.Stats()
	assert.EqualValues(t, c.total(), e.Recorded)
	assert.Equal(t, e.Recorded, e.Delivered)
	assert.Equal(t, e.Delivered, q.Accepted.Values)
	assert.Equal(t, q.Accepted.Values, q.Delivered.Values+q.Dropped.Values)
	assert.Zero(t, q.Pending)
	f := c.fallback.Stats()
	assert.Equal(t, q.Delivered.Values, f.Primary+f.Secondary)
	t.Logf("%.0f values: %d by PutLogEvents, %d by PutMetricData, %d dropped; %d + %d ambiguous; %d calls, %d writes of which %d failed",
		c.total(), f.Primary, f.Secondary, q.Dropped.Values, c.logs.Stats().Ambiguous, c.metrics.Stats().Ambiguous,
		c.server.Calls(""), q.Attempts, q.Failures)
	return q
}

// exactly requires that each tenant's values arrived, each once. Sums are those of histograms,
// which documents give to 10^-9.
func (c *chain) exactly(t *testing.T) {
	t.Helper()
	for tenant := range tenants {
		want, held := c.recorded[tenant], c.held(tenant)
		require.Equal(t, want.count, held.count, "tenant %d", tenant)
		require.InEpsilon(t, want.sum, held.sum, 1e-9, "tenant %d", tenant)
	}
}

// A million values, a quarter of that under the race detector, and requests that are throttled, refused, cut before they are taken, taken in part
// and stalled: each value arrives once, for the right tenant.
func TestEachValueArrivesOnce(t *testing.T) {
	c := newChain(t)
	c.server.SetFaults(c.client.watch(cwtest.Random(1, 0.4, cwtest.Throttle, cwtest.InternalError, cwtest.Unavailable,
		cwtest.UnavailableHTML, cwtest.CutBefore, cwtest.Stall, cwtest.RejectSome, cwtest.NoToken)))
	c.recordUntil(t, values, 1, 100)
	q := c.settled(t)
	assert.Zero(t, q.Dropped)
	c.exactly(t)
	f := c.fallback.Stats()
	assert.NotZero(t, f.Primary)
	assert.NotZero(t, f.Secondary)
}

// The same with less memory than the outages need: what CloudWatch holds and what was dropped is what
// was recorded.
func TestWhatIsMissingIsCounted(t *testing.T) {
	c := newChain(t, sink.WithMaxBytes(128<<10))
	for outage := range 5 {
		c.server.SetFaults(cwtest.Always(cwtest.Throttle))
		random := rand.New(rand.NewPCG(2, uint64(outage)))
		for range 20 {
			c.record(random, 100)
			require.NoError(t, c.emitter.Flush(t.Context()))
		}
		c.server.SetFaults(cwtest.Random(uint64(outage), 0.6, cwtest.Throttle, cwtest.InternalError, cwtest.CutBefore))
		c.recordUntil(t, float64(outage+1)*50_000, 2, 100)
	}
	q := c.settled(t)
	assert.NotZero(t, q.Drops[sink.DropOverflow].Values)
	held := 0.0
	for tenant := range tenants {
		held += c.held(tenant).count
	}
	assert.Equal(t, c.total(), held+float64(q.Dropped.Values))
}

// Answers are lost after requests were taken: nothing is missing, and no more is double than was
// counted as ambiguous.
func TestLostAnswersAreCounted(t *testing.T) {
	c := newChain(t)
	c.server.SetFaults(c.client.watch(cwtest.Random(3, 0.3, cwtest.Throttle, cwtest.InternalError, cwtest.CutBefore,
		cwtest.Stall, cwtest.CutAfter, cwtest.StallAfter)))
	c.recordUntil(t, 250_000, 3, 100)
	q := c.settled(t)
	assert.Zero(t, q.Dropped)
	double := 0.0
	for tenant := range tenants {
		held := c.held(tenant)
		require.GreaterOrEqual(t, held.count, c.recorded[tenant].count)
		double += held.count - c.recorded[tenant].count
	}
	ambiguous := c.logs.Stats().Ambiguous + c.metrics.Stats().Ambiguous
	assert.NotZero(t, double)
	assert.LessOrEqual(t, double, float64(ambiguous))
	t.Logf("%.0f values arrived twice", double)
}

// CloudWatch Logs is down for the whole run: everything arrives by PutMetricData, to the last digit.
func TestPrimaryDown(t *testing.T) {
	c := newChain(t)
	c.server.SetFaults(func(r cwtest.Request) cwtest.Fault {
		if r.Operation == "PutMetricData" {
			return cwtest.None
		}
		return cwtest.Unavailable
	})
	c.recordUntil(t, 200_000, 4, 1000)
	q := c.settled(t)
	assert.Zero(t, q.Dropped)
	assert.Zero(t, q.Failures, "the secondary took what the primary did not")
	c.exactly(t)
	assert.Zero(t, c.fallback.Stats().Primary)
	assert.Empty(t, c.server.Events(group))
}

// When CloudWatch Logs is back and the breaker has rested, it is used again.
func TestPrimaryBack(t *testing.T) {
	c := newChain(t)
	down := func(r cwtest.Request) cwtest.Fault {
		if r.Operation == "PutMetricData" {
			return cwtest.None
		}
		return cwtest.Unavailable
	}
	random := rand.New(rand.NewPCG(5, 5))
	flush := func() {
		t.Helper()
		c.record(random, 40)
		require.NoError(t, c.emitter.Flush(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, c.queue.Flush(ctx))
	}
	flush()
	require.NotEmpty(t, c.server.Events(group))

	c.server.SetFaults(down)
	for c.fallback.Stats().State != sink.BreakerOpen {
		flush()
	}
	before, events := c.fallback.Stats(), len(c.server.Events(group))
	flush()
	assert.Len(t, c.server.Events(group), events)
	assert.Greater(t, c.fallback.Stats().Secondary, before.Secondary)

	c.server.SetFaults(nil)
	time.Sleep(rest + rest/2)
	before = c.fallback.Stats()
	flush()
	after := c.fallback.Stats()
	assert.Equal(t, sink.BreakerClosed, after.State)
	assert.Equal(t, before.Secondary, after.Secondary)
	assert.Greater(t, len(c.server.Events(group)), events)
	c.settled(t)
	c.exactly(t)
}
