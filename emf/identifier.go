package emf

import (
	"strings"
	"sync"
)

// identifiers looks out for dimensions whose values look like those of identifiers: each
// value makes metrics that are paid for.
type identifiers struct {
	mu   sync.Mutex
	seen map[string]int // values by name; those that are not warned of any more have warnFrom
}

// warnFrom is how many such values of a dimension are worth a warning.
const warnFrom = 100

// look notes a dimension with a value that was not seen lately. It reports whether the
// dimension is worth a warning now.
func (x *identifiers) look(d Dimension) bool {
	if !looksLikeIdentifier(d.Value) {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.seen[d.Name] >= warnFrom {
		return false
	}
	if x.seen == nil {
		x.seen = make(map[string]int)
	}
	x.seen[d.Name]++
	return x.seen[d.Name] == warnFrom
}

// looksLikeIdentifier reports whether a value looks as if no other thing had it: a UUID, a
// trace id, a ULID or a long number.
func looksLikeIdentifier(value string) bool {
	value = strings.TrimPrefix(value, "Root=")
	if len(value) < 12 || len(value) > 64 {
		return false
	}
	digits := 0
	for i := range len(value) {
		switch c := value[i]; {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'f', 'A' <= c && c <= 'F', c == '-':
		case 'G' <= c && c <= 'Z':
			if len(value) != 26 { // of a ULID
				return false
			}
		default:
			return false
		}
	}
	return digits >= len(value)/5 && digits >= 4
}
