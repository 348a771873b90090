package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/liftemf/liftemf/emf"
)

// sendSummary is what "emf send" says at its end. Its JSON form is for scripts.
type sendSummary struct {
	To      string  `json:"to"`
	DryRun  bool    `json:"dry_run"`
	Seconds float64 `json:"seconds"`

	Documents int    `json:"documents"` // sent
	Bytes     int64  `json:"bytes"`     // of their JSON
	Values    uint64 `json:"values"`    // in them
	Refused   int    `json:"refused"`   // documents that the destination does not take

	Lines   int `json:"lines"`
	Skipped int `json:"skipped"` // lines that are no documents, or have no metrics
	Invalid int `json:"invalid"` // documents with an error

	// Of a dry run.
	Metrics   int            `json:"metrics,omitempty"`    // different ones
	Calls     map[string]int `json:"calls,omitempty"`      // by the API's operation
	WireBytes int64          `json:"wire_bytes,omitempty"` // of requests, compressed where they are
	Prices    *prices        `json:"prices,omitempty"`
}

// finish adds what a rehearsal has counted.
func (s *sendSummary) finish(to destination, r *replay, dry *rehearsal) {
	s.To = to.String()
	if dry == nil {
		return
	}
	s.DryRun = true
	s.Metrics = len(r.tab.metrics)
	s.Calls, s.WireBytes = dry.calls, dry.wire
	s.Prices = new(r.tab.prices(to, dry.calls["PutMetricData"]))
}

func (s *sendSummary) text(w io.Writer) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer out.Flush()
	verb := "sent"
	if s.DryRun {
		verb = "would send"
	}
	fmt.Fprintf(out, "%s\t%d documents to %s, %d bytes", verb, s.Documents, s.To, s.Bytes)
	if !s.DryRun {
		fmt.Fprintf(out, ", in %.1f s", s.Seconds)
	}
	if s.Refused > 0 {
		fmt.Fprintf(out, "; %d more were refused", s.Refused)
	}
	fmt.Fprintf(out, "\nvalues\t%d", s.Values)
	if s.DryRun {
		fmt.Fprintf(out, " of %d metrics", s.Metrics)
	}
	fmt.Fprintf(out, "\nlines\t%d, %d of them skipped", s.Lines, s.Skipped)
	if s.Invalid > 0 {
		fmt.Fprintf(out, ", %d documents with errors (see emf check)", s.Invalid)
	}
	fmt.Fprintln(out)
	if !s.DryRun {
		return
	}
	for _, operation := range slices.Sorted(maps.Keys(s.Calls)) {
		fmt.Fprintf(out, "calls\t%d of %s\n", s.Calls[operation], operation)
	}
	fmt.Fprintf(out, "network\t%d bytes of requests\n", s.WireBytes)
	p := s.Prices
	fmt.Fprintf(out, "price\t%.4f USD: %.4f for logs, %.4f for requests, %.4f for metrics in the hours that they have values in\n",
		p.Logs+p.Requests+p.Metrics, p.Logs, p.Requests, p.Metrics)
	fmt.Fprintf(out, "\tat the prices of %s since %s, free tier not counted; a metric that is published anyway is paid for once\n", p.Region, p.Date)
}

// pickDocuments returns those at some indexes.
func pickDocuments(docs []emf.Document, at []int) []emf.Document {
	picked := make([]emf.Document, len(at))
	for i, j := range at {
		picked[i] = docs[j]
	}
	return picked
}

func pickIndexes(from, at []int) []int {
	picked := make([]int, len(at))
	for i, j := range at {
		picked[i] = from[j]
	}
	return picked
}
