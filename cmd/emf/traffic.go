package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// aLifetime is more seconds than any demo runs for, and no more than a Duration holds.
const aLifetime = 1e9

// connections is how many requests are under way at most.
const connections = 8

// traffic sends requests of several tenants.
type traffic struct {
	url    string
	counts *tally
	rng    *rand.Rand
	rate   float64 // a second; 0 for no limit
	client *http.Client
}

func newTraffic(url string, counts *tally, seed uint64, rate float64) *traffic {
	return &traffic{
		url: url, counts: counts, rate: rate,
		rng: rand.New(rand.NewPCG(seed, 0)),
		client: &http.Client{
			Timeout:   patience,
			Transport: &http.Transport{MaxIdleConnsPerHost: connections},
		},
	}
}

// send sends requests until ctx is done or the time is over, and returns when all have
// been answered.
func (t *traffic) send(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer t.client.CloseIdleConnections()
	orders := make(chan order)
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() {
			for o := range orders {
				t.do(o)
			}
		})
	}
	begin := time.Now()
	for n := 1; t.due(ctx, begin, n); n++ {
		orders <- t.next()
	}
	close(orders)
	workers.Wait()
}

// due waits until the nth request is due. Requests that the service was too slow for
// are made up for.
func (t *traffic) due(ctx context.Context, begin time.Time, n int) bool {
	if t.rate > 0 {
		// In seconds: the next request of a slow rate is further away than a Duration can tell.
		if ahead := float64(n)/t.rate - time.Since(begin).Seconds(); ahead > 0 {
			select {
			case <-time.After(time.Duration(min(ahead, aLifetime) * float64(time.Second))):
			case <-ctx.Done():
			}
		}
	}
	return ctx.Err() == nil
}

// order is a request to be sent.
type order struct {
	tenant             int
	method, path, body string
}

// next chooses a request: some tenants send more than others, and some requests fail.
func (t *traffic) next() order {
	o := order{tenant: min(t.rng.IntN(len(t.counts.names)), t.rng.IntN(len(t.counts.names))), method: http.MethodGet}
	switch dice := t.rng.IntN(100); {
	case dice < 55:
		o.path = fmt.Sprintf("/items/%d", t.rng.IntN(1000))
	case dice < 75:
		o.path = fmt.Sprintf("/report?rows=%d", t.rng.IntN(200))
	case dice < 94:
		o.method, o.path = http.MethodPost, "/orders"
		o.body = fmt.Sprintf("amount=%.2f", 5+100*t.rng.ExpFloat64())
	case dice < 97:
		o.path = "/broken"
	default:
		o.path = fmt.Sprintf("/no/such/page/%d", t.rng.IntN(1000))
	}
	return o
}

// do sends a request and reads the answer. It has no context: what is under way when
// the demo is interrupted still gets its answer.
func (t *traffic) do(o order) {
	req, err := http.NewRequest(o.method, t.url+o.path, strings.NewReader(o.body))
	if err != nil {
		t.counts.lost.Add(1)
		return
	}
	req.Header.Set(tenantHeader, t.counts.names[o.tenant])
	if o.body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := t.client.Do(req)
	if err != nil {
		t.counts.lost.Add(1)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.counts.lost.Add(1)
		return
	}
	t.counts.counts[o.tenant].Add(1)
}
