package emf

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// inspection is one reading of one line: the line's parts, and what is wrong with
// them. Check returns the one, Extract builds on the other.
//
// It has three steps. The syntax scan splits the line into root members; the
// directives are read; then names are looked up among the members, and only what
// they point at is read. Each step goes over its part once, whatever the line holds.
type inspection struct {
	text    []byte // the document, without a prefix
	prefix  int    // length of the prefix
	scan    syntaxScan
	reader  jsonReader
	members []rootMember
	decoded [][]byte // keys that were written with escapes
	slots   []int32  // hash table: 1 + index of a member

	trailing   bool // the text is not JSON because something follows the document
	timed      bool // timestamp was read
	timestamp  int64
	directives []readDirective
	sets       []readSet
	names      []readName
	metrics    []readMetric
	targets    []readTarget
	numbers    []float64 // what targets hold

	buf  []byte   // scratch
	sums []uint64 // scratch

	// quiet is for Extract, which only asks whether there is an error.
	quiet    bool
	found    [2]int // by severity
	problems []Problem
}

var inspections = sync.Pool{New: func() any { return &inspection{reader: newJSONReader()} }}

func newInspection(quiet bool) *inspection {
	in := inspections.Get().(*inspection)
	in.quiet, in.found, in.trailing, in.timed, in.reader.stop = quiet, [2]int{}, false, false, false
	in.members, in.decoded = in.members[:0], in.decoded[:0]
	in.directives, in.sets, in.names = in.directives[:0], in.sets[:0], in.names[:0]
	in.metrics, in.targets, in.numbers = in.metrics[:0], in.targets[:0], in.numbers[:0]
	return in
}

// release gives the inspection back. What one huge line made it grow is let go, so
// that the pool stays small.
func (in *inspection) release() {
	if cap(in.members) > 1<<10 || cap(in.names) > 1<<10 || cap(in.buf) > 1<<16 || cap(in.metrics) > 1<<9 ||
		cap(in.sets) > 1<<9 || cap(in.targets) > 1<<9 || cap(in.numbers) > 1<<13 {
		return
	}
	// A pooled inspection must not keep the line alive.
	in.reader.close()
	in.text, in.scan.text, in.problems = nil, nil, nil
	clear(in.decoded)
	clear(in.directives)
	clear(in.names)
	clear(in.metrics)
	inspections.Put(in)
}

// inspect reads a line and notes what is wrong with it.
func (in *inspection) inspect(line []byte, now time.Time) {
	if len(line) > math.MaxInt32 {
		in.report(SeverityError, ruleDocumentSize, "", "The line has %d bytes, more than can be read.", len(line))
		return
	}
	in.prefix = linePrefix(line)
	in.text = line[in.prefix:]
	isObject, ok := in.readRoot()
	if !ok {
		in.report(SeverityError, ruleNotJSON, "", "%s", in.syntaxMessage())
		return
	}
	in.indexKeys()
	aws := in.member([]byte("_aws"))
	if !isObject || aws < 0 {
		// What else the line breaks does not matter: it is no document.
		in.problems, in.found = nil, [2]int{}
		in.report(SeverityError, ruleNotEMF, "", "The line is not an embedded metric format document: make it a JSON object with a member _aws.")
		return
	}
	in.checkLine(line)
	if !in.readAWS(&in.members[aws]) {
		return
	}
	if !in.quiet {
		in.checkTimestamp(now)
	}
	in.checkDirectives()
}

// checkLine holds the rules about the line as a whole.
func (in *inspection) checkLine(line []byte) {
	line = bytes.TrimRight(line, "\r\n")
	if len(line) > limitEventBytes {
		in.report(SeverityError, ruleDocumentSize, "",
			"The line has %d bytes, and a log event at most %d: split the document, or drop properties.", len(line), limitEventBytes)
	}
	if in.prefix > 0 {
		in.report(SeverityWarning, ruleLinePrefix, "",
			"The document stands behind %q: write it alone on its line.", line[:in.prefix])
	}
	if bytes.IndexByte(bytes.TrimSpace(line), '\n') >= 0 {
		in.report(SeverityWarning, ruleLineBreak, "",
			"The document spans lines, which standard output, the agent and Docker take for several events: write it on one line.")
	}
	valid := utf8.Valid(in.text)
	for i := range in.members {
		m := &in.members[i]
		if m.lone && !in.mutes() {
			in.report(SeverityWarning, ruleLoneSurrogate, pointerMember("", in.keyOf(m)),
				`A \u escape stands for half a surrogate pair, which is no character: write the pair, or leave it out.`)
		}
		if !valid && !utf8.Valid(in.text[m.keyStart:m.end]) {
			in.report(SeverityError, ruleInvalidUTF8, pointerMember("", in.keyOf(m)),
				"The text is not UTF-8, as JSON and PutLogEvents want it: encode it as UTF-8.")
		}
	}
}

// syntaxMessage says why the scan failed.
func (in *inspection) syntaxMessage() string {
	bad := min(in.scan.bad, len(in.text))
	rest := in.text[bad:]
	place := "at byte " + strconv.Itoa(in.prefix+bad)
	switch {
	case len(bytes.TrimSpace(in.text)) == 0:
		return "The line is empty: write a JSON object."
	case bytes.HasSuffix(bytes.TrimSpace(in.text), []byte("[Truncated...]")):
		return "The line was cut by the CloudWatch agent: write smaller documents."
	case len(bytes.TrimRight(rest, "\r\n")) == 0:
		return "The document ends too early, as if the line was cut: write it whole, or smaller."
	case bytes.HasPrefix(in.text, []byte("\xEF\xBB\xBF")):
		return "The line starts with a byte order mark: leave it out."
	case bytes.HasPrefix(rest, []byte("NaN")), bytes.HasPrefix(rest, []byte("Infinity")):
		return "JSON has no NaN and no infinity (" + place + "): leave the value out."
	case in.scan.depth == limitDepth && (rest[0] == '{' || rest[0] == '['):
		return fmt.Sprintf("Values are nested more than %d deep (%s): flatten them.", limitDepth, place)
	case in.trailing:
		return "Something follows the document " + place + ": write it alone on its line."
	}
	r, size := utf8.DecodeRune(rest)
	if r == utf8.RuneError && size == 1 {
		return fmt.Sprintf("The line is not JSON: byte %#02x %s does not belong there.", rest[0], place)
	}
	return fmt.Sprintf("The line is not JSON: %q %s does not belong there.", r, place)
}

// report notes a problem. A line may break more rules than anyone reads: after
// limitProblems errors, or the first if only their being there matters, the rest of the
// line is left unread, and warnings beyond limitProblems are only counted.
func (in *inspection) report(severity Severity, rule, path, format string, args ...any) {
	if in.enough() {
		return
	}
	in.found[severity]++
	in.reader.stop = in.enough()
	if in.quiet || in.found[severity] > limitProblems {
		return
	}
	in.problems = append(in.problems, Problem{
		Rule: rule, Path: path, Message: fmt.Sprintf(format, args...), Severity: severity,
	})
}

// mutes reports whether a warning would not be noted. What a line can break at every few
// bytes asks first, since the path to it costs more than finding it.
func (in *inspection) mutes() bool {
	return in.quiet || in.found[SeverityWarning] >= limitProblems
}

func (in *inspection) enough() bool {
	n := in.found[SeverityError]
	return n >= limitProblems || n > 0 && in.quiet
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// pointerMember adds a key to a JSON pointer.
func pointerMember(parent string, key []byte) string {
	return parent + "/" + pointerEscaper.Replace(strings.ToValidUTF8(string(key), "\uFFFD"))
}

// pointerElement adds an index to a JSON pointer.
func pointerElement(parent string, i int) string { return parent + "/" + strconv.Itoa(i) }
