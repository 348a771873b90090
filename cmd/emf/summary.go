package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/liftemf/liftemf/emf"
)

// summary is what the demo says at its end. Its JSON form is for scripts.
type summary struct {
	Seconds  float64 `json:"seconds"`
	Requests int64   `json:"requests"` // answered, or with --listen served
	Lost     int64   `json:"lost"`     // sent, but not answered

	Documents uint64 `json:"documents"`
	Bytes     uint64 `json:"bytes"`
	Flushes   uint64 `json:"flushes"`
	Errors    uint64 `json:"errors"`

	Recorded  uint64            `json:"recorded"`
	Delivered uint64            `json:"delivered"`
	Dropped   uint64            `json:"dropped"`
	Pending   uint64            `json:"pending"`
	Drops     map[string]uint64 `json:"drops,omitempty"`

	Tenants []tenantCount `json:"tenants"`
}

type tenantCount struct {
	Tenant   string `json:"tenant"` // empty: none
	Requests int64  `json:"requests"`
}

func newSummary(took time.Duration, counts *tally, s emf.Stats) *summary {
	sum := &summary{
		Seconds: took.Seconds(), Requests: counts.total(), Lost: counts.lost.Load(),
		Documents: s.Documents, Bytes: s.Bytes, Flushes: s.Flushes, Errors: s.Errors,
		Recorded: s.Recorded, Delivered: s.Delivered, Dropped: s.Dropped, Pending: s.Pending, Drops: s.Drops,
		Tenants: []tenantCount{},
	}
	for i := range counts.counts {
		n := counts.counts[i].Load()
		switch {
		case i < len(counts.names):
			sum.Tenants = append(sum.Tenants, tenantCount{counts.names[i], n})
		case n > 0:
			sum.Tenants = append(sum.Tenants, tenantCount{"", n})
		}
	}
	return sum
}

// writeSummary writes what a command sums up in the form that its flag --summary asks for.
func writeSummary(w io.Writer, form string, s interface{ text(w io.Writer) }) {
	switch form {
	case "text":
		s.text(w)
	case "json":
		_ = json.NewEncoder(w).Encode(s)
	}
}

// screen is how many tenants are listed: with them the summary fits on a screen.
const screen = 12

func (s *summary) text(w io.Writer) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer out.Flush()
	fmt.Fprintf(out, "requests\t%d in %.1f s, %.0f a second", s.Requests, s.Seconds, float64(s.Requests)/max(s.Seconds, 1e-3))
	if s.Lost > 0 {
		fmt.Fprintf(out, "; %d more without an answer", s.Lost)
	}
	fmt.Fprintf(out, "\ndocuments\t%d, %d bytes, in %d flushes", s.Documents, s.Bytes, s.Flushes)
	if s.Errors > 0 {
		fmt.Fprintf(out, "; %d writes failed", s.Errors)
	}
	fmt.Fprintf(out, "\nvalues\t%d recorded = %d delivered + %d dropped + %d pending\n", s.Recorded, s.Delivered, s.Dropped, s.Pending)
	for _, why := range slices.Sorted(maps.Keys(s.Drops)) {
		fmt.Fprintf(out, "\t%d dropped: %s\n", s.Drops[why], why)
	}
	busiest := slices.Clone(s.Tenants)
	slices.SortStableFunc(busiest, func(a, b tenantCount) int { return int(b.Requests - a.Requests) })
	for i, t := range busiest {
		if i == screen {
			fmt.Fprintf(out, "\tand %d more tenants\n", len(busiest)-screen)
			break
		}
		name := t.Tenant
		if name == "" {
			name = "(no tenant)"
		}
		fmt.Fprintf(out, "%s\t%d requests\n", name, t.Requests)
	}
}
