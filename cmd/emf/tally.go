package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
)

// maxTenants keeps the demo within the recorders that an emitter has by default.
const maxTenants = 1000

// tally counts requests beside the metrics, so that one can be held against the other:
// those that clients got an answer to, or with --listen those that were served.
type tally struct {
	names  []string
	counts []atomic.Int64 // by tenant, as in names; one more for requests without
	index  map[string]int
	lost   atomic.Int64 // got no answer
}

func newTally(tenants int) *tally {
	t := &tally{
		names:  make([]string, tenants),
		counts: make([]atomic.Int64, tenants+1),
		index:  make(map[string]int, tenants),
	}
	for i := range t.names {
		t.names[i] = fmt.Sprintf("tenant-%03d", i+1)
		t.index[t.names[i]] = i
	}
	return t
}

// served counts the requests that next has served.
func (t *tally) served(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i, known := t.index[r.Header.Get(tenantHeader)]
		if !known {
			i = len(t.names)
		}
		defer t.counts[i].Add(1)
		next.ServeHTTP(w, r)
	})
}

func (t *tally) total() (n int64) {
	for i := range t.counts {
		n += t.counts[i].Load()
	}
	return n
}
