package emf

import (
	"strings"
	"unicode/utf8"
)

// clean returns s as CloudWatch takes names and dimension values: printable ASCII,
// every other rune replaced by an underscore.
func clean(s string) string {
	for i := 0; i < len(s); i++ {
		if !printable(rune(s[i])) {
			return strings.Map(func(r rune) rune {
				if printable(r) {
					return r
				}
				return '_'
			}, s)
		}
	}
	return s
}

func printable(r rune) bool { return ' ' <= r && r <= '~' }

func blank(s string) bool { return strings.Trim(s, " ") == "" }

// asIs are the bytes that stand in a JSON string as they are, whatever is around them.
var asIs = func() (is [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. What is not valid UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if asIs[c] {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\ufffd"...)
			start = i + 1
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
