package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/liftemf/liftemf/emf"
)

// checkSummary is what "emf check" says at its end. Its JSON form is for scripts.
type checkSummary struct {
	Lines     int                  `json:"lines"`
	Documents int                  `json:"documents"` // broken ones too
	Skipped   int                  `json:"skipped"`   // lines that are none
	Errors    int                  `json:"errors"`
	Warnings  int                  `json:"warnings"`
	Rules     map[string]ruleCount `json:"rules"`
}

type ruleCount struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
}

func newCheckSummary() checkSummary { return checkSummary{Rules: make(map[string]ruleCount)} }

func (s *checkSummary) count(p emf.Problem) {
	n := s.Rules[p.Rule]
	if p.Severity == emf.SeverityError {
		s.Errors++
		n.Errors++
	} else {
		s.Warnings++
		n.Warnings++
	}
	s.Rules[p.Rule] = n
}

func (s *checkSummary) add(other *checkSummary) {
	s.Lines += other.Lines
	s.Documents += other.Documents
	s.Skipped += other.Skipped
	s.Errors += other.Errors
	s.Warnings += other.Warnings
	for rule, n := range other.Rules {
		sum := s.Rules[rule]
		sum.Errors += n.Errors
		sum.Warnings += n.Warnings
		s.Rules[rule] = sum
	}
}

func (s *checkSummary) text(w io.Writer) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer out.Flush()
	fmt.Fprintf(out, "lines\t%d: %s, %d skipped\n", s.Lines, plural(s.Documents, "document"), s.Skipped)
	fmt.Fprintf(out, "problems\t%s, %s\n", plural(s.Errors, "error"), plural(s.Warnings, "warning"))
	for _, rule := range slices.Sorted(maps.Keys(s.Rules)) {
		n := s.Rules[rule]
		switch {
		case n.Warnings == 0:
			fmt.Fprintf(out, "\t%s: %s\n", plural(n.Errors, "error"), rule)
		case n.Errors == 0:
			fmt.Fprintf(out, "\t%s: %s\n", plural(n.Warnings, "warning"), rule)
		default:
			fmt.Fprintf(out, "\t%s, %s: %s\n", plural(n.Errors, "error"), plural(n.Warnings, "warning"), rule)
		}
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
