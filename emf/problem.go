package emf

import (
	"fmt"
	"strconv"
)

// Problem is one rule that a document breaks, as [Check] finds it.
type Problem struct {
	// Rule identifies the rule, such as "metric-count". Identifiers are stable;
	// docs/rules.md lists them with their sources.
	Rule string `json:"rule"`
	// Path is a JSON pointer (RFC 6901) to what breaks the rule, or to the object
	// that lacks it. It is empty where the whole line is meant.
	Path string `json:"path"`
	// Message is a sentence that says what to change. Its wording may change
	// between versions.
	Message string `json:"message"`
	// Severity says how sure AWS's own sources are of the rule.
	Severity Severity `json:"severity"`
}

// String returns the problem in one line: severity, rule, path and message.
func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("%s: %s: %s", p.Severity, p.Rule, p.Message)
	}
	return fmt.Sprintf("%s: %s: %s: %s", p.Severity, p.Rule, p.Path, p.Message)
}

// Severity tells rules that AWS states plainly from those it leaves unclear.
type Severity int

const (
	// SeverityError marks a breach that CloudWatch's specification, schema or API
	// reference forbids: the document, or a part of it, yields no metrics.
	SeverityError Severity = iota
	// SeverityWarning marks a breach on which AWS's sources are silent or
	// disagree, or that depends on when and how the line is delivered.
	SeverityWarning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	switch s {
	case SeverityError:
		return "error"
	case SeverityWarning:
		return "warning"
	}
	return "Severity(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText writes what String returns, so that JSON carries words.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Severity) UnmarshalText(text []byte) error {
	switch string(text) {
	case "error":
		*s = SeverityError
	case "warning":
		*s = SeverityWarning
	default:
		return fmt.Errorf("emf: unknown severity %q", text)
	}
	return nil
}

// InvalidError is what [Extract] returns for a document that [Check] finds an
// error in.
type InvalidError struct {
	// Problems is what Check says of the document, warnings included.
	Problems []Problem
}

// Error names the first error and says how many more there are.
func (e InvalidError) Error() string {
	first, more := -1, -1
	for i, p := range e.Problems {
		if p.Severity != SeverityError {
			continue
		}
		if first < 0 {
			first = i
		}
		more++
	}
	if first < 0 {
		return "emf: invalid document"
	}
	text := "emf: invalid document: " + e.Problems[first].String()
	if more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}
