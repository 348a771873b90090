package emf

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/liftemf/liftemf/internal/price"
)

// Cost is an estimate of what an emitter's documents cost a month, from what it has emitted
// lately: if it goes on like that for 730 hours. The free tier is left out.
//
// CloudWatch bills a metric, which is a name under one combination of dimensions, for each hour
// in which it gets data, whoever sends it: what several processes publish under the same
// dimensions is paid for once. Logs are billed by their bytes, of every process. Storage,
// queries, alarms and retries are not in it.
type Cost struct {
	// Metrics is how many different metrics were published in the last full hour, or in this
	// one if those are more, to about 2 %.
	Metrics int
	// LogBytes is the size of a month's documents at the rate of the time Observed, which is
	// one to two hours once the emitter is as old.
	LogBytes int64
	Observed time.Duration

	MetricsUSD, LogsUSD float64 // a month

	// Region and Prices say where and from when the prices hold, see [WithPrices].
	Region, Prices string
}

// USD is the sum, in dollars a month.
func (c Cost) USD() float64 { return c.MetricsUSD + c.LogsUSD }

// WithPrices replaces the price table of [Emitter.Cost], which has the list prices of us-east-1,
// by one in JSON, as emf stat --prices takes it. What it leaves out stays as it is:
//
//	{"region":"eu-west-1","date":"2026-01-01","metrics":[{"up_to":10000,"usd":0.30},{"usd":0.10}],"logs":[{"usd":0.57}]}
func WithPrices(table io.Reader) Option {
	return func(c *config) error {
		if table == nil {
			return errors.New("WithPrices: the table is nil")
		}
		prices, err := price.Read(table)
		if err != nil {
			return fmt.Errorf("WithPrices: %w", err)
		}
		c.prices = prices
		return nil
	}
}

// Cost estimates what the emitter costs. It may be called at any time.
func (e *Emitter) Cost() Cost {
	now := e.now()
	metrics, since := 0, mark{at: e.bill.born}
	if h := e.bill.hour.Load(); h != nil {
		metrics, since = max(h.before, h.metrics.count()), h.since
	}
	return costOf(metrics, e.account.bytes.Load()-since.bytes, now.Sub(since.at), &e.config.prices)
}

// costOf is the arithmetic.
func costOf(metrics int, bytes uint64, observed time.Duration, prices *price.Table) Cost {
	c := Cost{Metrics: metrics, Observed: observed, Region: prices.Region, Prices: prices.Date}
	if observed > 0 {
		c.LogBytes = int64(float64(bytes) * float64(price.Month) / float64(observed))
	}
	c.MetricsUSD = prices.Metrics.Of(float64(c.Metrics))
	c.LogsUSD = prices.Logs.Of(float64(c.LogBytes) / price.GB)
	return c
}

// bill counts the different metrics of each hour. Most are counted once an hour, see
// [billedHour.note].
type bill struct {
	born time.Time
	hour atomic.Pointer[billedHour] // nil: nothing was published yet
}

// billedHour is an hour of the clock, and what is kept of the one before.
type billedHour struct {
	number  uint32 // since 1970
	metrics distinct
	began   mark

	before int  // metrics
	since  mark // when it began
}

// mark is how many bytes were delivered by a time.
type mark struct {
	at    time.Time
	bytes uint64
}

// at returns the hour that a time belongs to, or the one that runs if the time is before it.
func (b *bill) at(now time.Time, bytes *atomic.Uint64) *billedHour {
	number := uint32(now.Unix() / 3600)
	for {
		old := b.hour.Load()
		if old != nil && number <= old.number {
			return old
		}
		h := &billedHour{number: number, began: mark{now, bytes.Load()}}
		switch {
		case old == nil:
			h.began = mark{b.born, 0}
			h.since = h.began
		case old.number+1 == number:
			h.before = old.metrics.count()
			fallthrough
		default:
			h.since = old.began
		}
		if b.hour.CompareAndSwap(old, h) {
			return h
		}
	}
}

// note counts the metric of an aggregated series, once an hour. The caller has the turn to
// write.
func (h *billedHour) note(s *series) {
	if s.tally == h.number {
		return
	}
	s.tally = h.number
	if s.def.void == kept {
		h.count(s.r, s.def)
	}
}

// count counts a metric under each set of dimensions that it is published under.
func (h *billedHour) count(r *Recorder, def *definition) {
	switch r.state.Load() {
	case ofEvent:
		h.count(r.base, def)
	case split, folded:
		for _, to := range r.onward() {
			h.count(to, def)
		}
	default:
		h.metrics.add((r.hash ^ def.hash) * 0x9E3779B97F4A7C15)
	}
}
