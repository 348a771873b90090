package emf

import (
	"strings"
	"unicode/utf8"
)

// nameRules are the rules for one kind of text that CloudWatch shows to people.
type nameRules struct {
	what                      string // with an article
	empty, length, characters string // rule identifiers
	atMost                    int    // characters
	// schemaAtMost is what the published schema allows where that is more: longer is an
	// error, in between a warning. 0 where AWS's sources agree.
	schemaAtMost int
	// blank is the severity of nothing but white space, control of a control
	// character other than a line break.
	blank, control Severity
	noColon        bool // must not start with a colon
}

var (
	namespaceRules = nameRules{
		what:  "a namespace",
		empty: ruleNamespaceEmpty, length: ruleNamespaceLength, characters: ruleNamespaceCharacters,
		atMost: limitNamespace, schemaAtMost: limitNamespaceSchema,
		blank: SeverityWarning, control: SeverityError, noColon: true,
	}
	metricNameRules = nameRules{
		what:  "a metric name",
		empty: ruleMetricNameEmpty, length: ruleMetricNameLength, characters: ruleMetricNameCharacters,
		atMost: limitMetricName, schemaAtMost: limitMetricNameSchema,
		blank: SeverityWarning, control: SeverityWarning,
	}
	dimensionNameRules = nameRules{
		what:  "a dimension name",
		empty: ruleDimensionNameEmpty, length: ruleDimensionNameLength, characters: ruleDimensionNameCharacters,
		atMost: limitDimensionName,
		blank:  SeverityError, control: SeverityError, noColon: true,
	}
	dimensionValueRules = nameRules{
		what:  "a dimension value",
		empty: ruleDimensionValueEmpty, length: ruleDimensionValueLength, characters: ruleDimensionValueCharacters,
		atMost: limitDimensionValue,
		blank:  SeverityError, control: SeverityError,
	}
)

// checkName applies rules to text. It is called for every name of every document, so it
// lets through what is plainly sound and leaves the rest to nameProblems.
func (in *inspection) checkName(rules *nameRules, text []byte, path func() string) {
	sound := len(text) > 0 && len(text) <= rules.atMost &&
		text[0] > ' ' && !(rules.noColon && text[0] == ':')
	for i := 0; i < len(text) && sound; i++ {
		sound = ' ' <= text[i] && text[i] <= '~'
	}
	if !sound {
		in.nameProblems(rules, string(text), path())
	}
}

// nameProblems reports what breaks a rule in text, which may be nothing.
func (in *inspection) nameProblems(rules *nameRules, text, path string) {
	if strings.TrimSpace(text) == "" {
		severity := rules.blank
		if text == "" {
			severity = SeverityError
		}
		in.report(severity, rules.empty, path, "Give %s with at least one visible character.", rules.what)
		return
	}
	if n := utf8.RuneCountInString(text); n > rules.atMost {
		severity, limit := SeverityError, rules.atMost
		if n <= rules.schemaAtMost {
			severity = SeverityWarning
		}
		in.report(severity, rules.length, path, "Shorten this to %d characters: it has %d.", limit, n)
	}
	if rules.noColon && text[0] == ':' {
		in.report(SeverityError, rules.characters, path, "Start %s with another character than a colon.", rules.what)
	}
	control, other := -1, -1
	for i, r := range text {
		switch {
		case r == '\n':
			in.report(SeverityError, rules.characters, path, "Leave line breaks out of %s.", rules.what)
			return
		case r < ' ' || r == 0x7F:
			if control < 0 {
				control = i
			}
		case r > '~' && other < 0:
			other = i
		}
	}
	if control >= 0 {
		in.report(rules.control, rules.characters, path, "Leave control characters such as %q out of %s.", text[control], rules.what)
	}
	if other >= 0 {
		r, _ := utf8.DecodeRuneInString(text[other:])
		in.report(SeverityWarning, rules.characters, path, "Keep to printable ASCII in %s: replace %q.", rules.what, r)
	}
}

// clipText shortens a text for a message.
func clipText(text []byte) string {
	const most = 60
	if len(text) <= most {
		return string(text)
	}
	return strings.ToValidUTF8(string(text[:most]), "") + "..."
}
