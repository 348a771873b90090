package emf

import "bytes"

// longestPrefix is how far a line is searched for the start of its document.
const longestPrefix = 160

// linePrefix returns the length of what a runtime put in front of a document: a
// timestamp, and around it the words that Lambda's runtimes (request ID, log
// level) and container runtimes (stream, full-line flag) add. Anything else in
// front of a document keeps CloudWatch from seeing it, and the result is 0.
//
// No JSON text starts with such a prefix, so taking it off never hides what is
// wrong with one.
func linePrefix(line []byte) int {
	head := line
	if len(head) > longestPrefix {
		head = head[:longestPrefix]
	}
	brace := bytes.IndexByte(head, '{')
	if brace <= 0 || head[brace-1] != ' ' && head[brace-1] != '\t' {
		return 0
	}
	stamped := false
	for rest := head[:brace]; len(rest) > 0; {
		end := bytes.IndexAny(rest, " \t")
		word := rest[:end] // the prefix ends in a space or a tab, so there is one
		rest = rest[end+1:]
		switch {
		case len(word) == 0 || isPrefixWord(word):
		case !stamped && isTimestamp(word):
			stamped = true
		default:
			return 0
		}
	}
	if !stamped {
		return 0
	}
	return brace
}

// isPrefixWord reports whether a runtime writes the word beside its timestamp.
func isPrefixWord(word []byte) bool {
	if n := len(word); n > 2 && word[0] == '[' && word[n-1] == ']' {
		word = word[1 : n-1] // Python's runtime
	}
	switch string(word) {
	case "TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL",
		"undefined", // Node's runtime, in place of a request ID outside an invocation
		"stdout", "stderr", "F":
		return true
	}
	return hasShape(word, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
}

// isTimestamp reports whether word looks like an RFC 3339 timestamp in UTC or with
// an offset, to any fraction of a second.
func isTimestamp(word []byte) bool {
	const seconds = "0000-00-00T00:00:00"
	if len(word) <= len(seconds) || !hasShape(word[:len(seconds)], seconds) {
		return false
	}
	word = word[len(seconds):]
	if word[0] == '.' {
		word = bytes.TrimLeft(word[1:], "0123456789")
	}
	if len(word) > 0 && word[0] == '-' {
		return hasShape(word, "-00:00")
	}
	return string(word) == "Z" || hasShape(word, "+00:00")
}

// hasShape compares word with a shape in which 0 stands for any digit, x for any
// hexadecimal digit, and other characters for themselves.
func hasShape(word []byte, shape string) bool {
	if len(word) != len(shape) {
		return false
	}
	for i, c := range word {
		digit := '0' <= c && c <= '9'
		switch shape[i] {
		case '0':
			if !digit {
				return false
			}
		case 'x':
			if !digit && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		default:
			if c != shape[i] {
				return false
			}
		}
	}
	return true
}
