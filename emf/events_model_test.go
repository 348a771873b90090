package emf_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// fleet is events of several tenants that many goroutines share: each may record on any of
// them, keep what it got, end it, dissolve it, and go on recording. What it adds up beside
// that is what all documents together must say.
type fleet struct {
	t       *testing.T
	e       *emf.Emitter
	rollups bool

	mu       sync.Mutex
	events   []*voyage // most are over
	counters []*heldCounter
	values   map[string]view // by metric and dimensions, as reader has them
	docs     []emf.Metric
}

// voyage is an event with whose it is.
type voyage struct {
	*emf.Event
	id, tenant string
	across     *emf.Recorder
}

// heldCounter is handles that somebody has kept.
type heldCounter struct {
	tenant, route string // route: of those across two sets
	counter       *emf.Counter
	histogram     *emf.Histogram
}

const (
	fleetTenants    = 5
	fleetGoroutines = 6
	fleetSteps      = 2500 // of each
)

// expect notes a value under the sets that it is published under.
func (f *fleet) expect(metric, tenant, route string, v float64) {
	var keys []string
	if f.rollups {
		keys = append(keys, metric+"[]")
	}
	if tenant != "" {
		keys = append(keys, metric+"[TenantID="+tenant+"]")
	}
	if route != "" {
		keys = append(keys, metric+"[route="+route+"]")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range keys {
		f.values[key] = view{sum: f.values[key].sum + v, count: f.values[key].count + 1}
	}
}

// write is the sink: at times it takes nothing, or a part.
func (f *fleet) write(_ context.Context, docs []emf.Document) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch rand.IntN(12) {
	case 0:
		return errors.New("sink down")
	case 1:
		panic("sink")
	}
	retry := len(docs)
	if rand.IntN(6) == 0 {
		retry = rand.IntN(len(docs))
	}
	left := &emf.UndeliveredError{Err: errors.New("some")}
	for i, d := range docs {
		if i >= retry {
			left.Retry = append(left.Retry, i)
			continue
		}
		if found := faults(d.JSON, d.Time); found != nil {
			f.t.Errorf("%q in %s", found, d.JSON)
		}
		metrics, err := emf.Extract(d.JSON)
		if err != nil {
			f.t.Errorf("%v in %s", err, d.JSON)
		}
		f.docs = append(f.docs, metrics...)
		f.checkOwner(parse(d), metrics)
	}
	if left.Retry != nil {
		return left
	}
	return nil
}

// checkOwner reports a document in which something is not of the event that it names.
func (f *fleet) checkOwner(d document, metrics []emf.Metric) {
	id, named := d.root["event"].(string)
	for _, m := range metrics {
		for _, dim := range m.Dimensions {
			if dim.Name == "TenantID" && dim.Value != "other" && named && !strings.HasPrefix(id, dim.Value+"/") {
				f.t.Errorf("%s of %s in the document of %s", m.Name, dim.Value, id)
			}
		}
		if m.Name == "level" && named && fmt.Sprint(m.Values[0]) != id[strings.Index(id, "/")+1:] {
			f.t.Errorf("gauge %v in the document of %s", m.Values, id)
		}
	}
}

func (f *fleet) begin(tenant, number int) {
	v := &voyage{tenant: "t" + strconv.Itoa(tenant)}
	v.id = v.tenant + "/" + strconv.Itoa(number)
	if v.Event = f.e.Begin(); tenant%2 == 0 {
		v.Event = f.e.Begin(emf.Dim("TenantID", v.tenant))
	}
	v.SetProperty("event", v.id)
	if !f.rollups && number%3 == 0 {
		v.across = across(v.Event, []*emf.Recorder{f.e.WithTenant(v.tenant), f.e.With(emf.Dim("route", "/"))})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, v)
}

// step does one thing to one event.
func (f *fleet) step(number int) {
	f.mu.Lock()
	recent := f.events[max(len(f.events)-20, 0):]
	v := recent[rand.IntN(len(recent))]
	var held *heldCounter
	if len(f.counters) > 0 {
		held = f.counters[rand.IntN(len(f.counters))]
	}
	f.mu.Unlock()
	amount := float64(rand.IntN(1000))
	r := v.WithTenant(v.tenant)
	switch rand.IntN(20) {
	case 0, 1, 2:
		f.begin(rand.IntN(fleetTenants), number)
	case 3, 4:
		r.Counter("n").Add(amount)
		f.expect("n", v.tenant, "", amount)
	case 5:
		r.Counter("n").Add(amount + 0.5)
		f.expect("n", v.tenant, "", amount+0.5)
	case 6:
		for range 1 + 110*rand.IntN(2) {
			r.Histogram("h").Observe(7)
			f.expect("h", v.tenant, "", 7)
		}
	case 7:
		level, _ := strconv.ParseFloat(v.id[strings.Index(v.id, "/")+1:], 64)
		r.Gauge("level").Set(level)
	case 8:
		v.SetProperty("step", number)
		v.SetProperty("TenantID", "is a dimension")
	case 9:
		if v.across != nil {
			v.across.Counter("both").Add(amount)
			v.across.Histogram("both.h").Observe(amount)
			f.expect("both", v.tenant, "/", amount)
			f.expect("both.h", v.tenant, "/", amount)
		}
	case 10, 11:
		keep := &heldCounter{tenant: v.tenant, counter: r.Counter("n"), histogram: r.Histogram("h")}
		if v.across != nil && number%2 == 0 {
			keep = &heldCounter{v.tenant, "/", v.across.Counter("both"), v.across.Histogram("both.h")}
		}
		f.mu.Lock()
		f.counters = append(f.counters[max(len(f.counters)-50, 0):], keep)
		f.mu.Unlock()
	case 12, 13, 14:
		if held == nil {
			return
		}
		names := [2]string{"n", "h"}
		if held.route != "" {
			names = [2]string{"both", "both.h"}
		}
		held.counter.Inc()
		held.histogram.Observe(7)
		f.expect(names[0], held.tenant, held.route, 1)
		f.expect(names[1], held.tenant, held.route, 7)
	case 15:
		_ = v.Flush(context.Background())
	case 16:
		ctx, cancel := context.WithCancel(context.Background())
		if number%4 == 0 {
			cancel()
		}
		_ = v.End(ctx)
		cancel()
	case 17:
		dissolve(v.Event)
	case 18:
		_ = f.e.Flush(context.Background())
	case 19:
		f.e.WithTenant(v.tenant).Counter("n").Inc()
		f.expect("n", v.tenant, "", 1)
		f.e.Stats()
	}
}

// published adds up what the documents say, by metric and dimensions.
func (f *fleet) published() map[string]view {
	sums := map[string]view{}
	for _, m := range f.docs {
		var dims []string
		for _, d := range m.Dimensions {
			dims = append(dims, d.Name+"="+d.Value)
		}
		slices.Sort(dims)
		v := sums[fmt.Sprint(m.Name, dims)]
		for i, x := range m.Values {
			n := 1.0
			if m.Counts != nil {
				n = m.Counts[i]
			}
			v.sum += x * n
			v.count += n
		}
		sums[fmt.Sprint(m.Name, dims)] = v
	}
	return sums
}

// together adds up the tenants.
func together(values map[string]view) map[string]view {
	sums := map[string]view{}
	for key, v := range values {
		metric, dims, _ := strings.Cut(key, "[")
		if name, _, ok := strings.Cut(dims, "="); ok {
			key = metric + "[" + name
			v = view{sum: sums[key].sum + v.sum, count: sums[key].count + v.count}
		}
		sums[key] = v
	}
	return sums
}

func (f *fleet) sail(steps int) {
	f.begin(0, 0)
	var all sync.WaitGroup
	for g := range fleetGoroutines {
		all.Go(func() {
			for i := range steps {
				f.step(1 + g*steps + i)
			}
		})
	}
	all.Wait()
}

func newFleet(t *testing.T, rollups bool, opts ...emf.Option) *fleet {
	f := &fleet{t: t, rollups: rollups, values: map[string]view{}}
	if rollups {
		opts = append(opts, emf.WithRollups(nil, []string{"TenantID"}))
	}
	e, err := emf.New("test", append(opts,
		emf.WithSink(emf.SinkFunc(f.write)), emf.WithMaxPending(1<<30), emf.WithFlushInterval(0),
		emf.WithClock(func() time.Time { return start }), emf.WithLogger(slog.New(slog.DiscardHandler)),
		emf.WithProperties(map[string]any{"build": 7, "n": "is a metric", "step": 0}))...)
	require.NoError(t, err)
	f.e = e
	return f
}

// Fifteen thousand random steps of many goroutines on events that they share: no value is
// lost, doubled, or under another's name, and CloudWatch takes every document.
func TestEventsAgainstAModel(t *testing.T) {
	for name, c := range map[string]struct {
		rollups, folds bool
		opts           []emf.Option
	}{
		"plain":           {},
		"rollups":         {rollups: true},
		"turned away":     {folds: true, opts: []emf.Option{emf.WithMaxRecorders(3), emf.WithDimensionBudget("TenantID", 2)}},
		"small documents": {opts: []emf.Option{emf.WithMaxDocumentSize(1024), emf.WithPlainArrays(), emf.WithLogLevel("ERROR")}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, c.rollups, c.opts...)
			f.sail(fleetSteps)
			for range 100 { // the sink fails at times
				for _, v := range f.events {
					_ = v.End(t.Context())
				}
				if f.e.Flush(t.Context()) == nil && f.e.Stats().Pending == 0 {
					break
				}
			}
			got := f.published()
			if c.folds { // who is turned away is not said, but all together are all
				f.values, got = together(f.values), together(got)
			}
			for key, want := range f.values {
				assert.InDelta(t, want.sum, got[key].sum, 1e-6, key)
				if strings.HasPrefix(key, "h[") || strings.HasPrefix(key, "both.h[") {
					assert.Equal(t, want.count, got[key].count, key)
				}
			}
			for key := range got {
				if !strings.HasPrefix(key, "level[") {
					assert.Contains(t, f.values, key)
				}
			}
			s := requireLaw(t, f.e)
			assert.Zero(t, s.Pending)
			for why := range s.Drops {
				assert.Equal(t, "conflict", why) // properties
			}
		})
	}
}

// The same with the emitter closed in the middle of it, and with tenants turned away.
func TestEventsWhileTheEmitterCloses(t *testing.T) {
	for range 4 {
		f := newFleet(t, false, emf.WithMaxRecorders(3), emf.WithDimensionBudget("route", 1))
		var closing sync.WaitGroup
		closing.Go(func() {
			for f.e.Stats().Recorded < 2000 {
				time.Sleep(time.Millisecond)
			}
			_ = f.e.Close(context.Background())
		})
		f.sail(fleetSteps / 4)
		closing.Wait()
		s := requireLaw(t, f.e)
		assert.Zero(t, s.Pending)
	}
}
