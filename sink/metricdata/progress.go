package metricdata

import (
	"crypto/sha256"
	"slices"
)

// progress remembers of documents that take several requests how many of these were taken. Two
// documents of the same bytes may take each other's place: they come to the same.
type progress struct{ list []started } // oldest first

type started struct {
	document [sha256.Size]byte
	done     int // parts
}

// maxStarted bounds the memory to 40 kB.
const maxStarted = 1000

func (p *progress) remember(document [sha256.Size]byte, done int) {
	if len(p.list) == maxStarted {
		p.list = slices.Delete(p.list, 0, 1)
	}
	p.list = append(p.list, started{document, done})
}

// recall returns how many parts were taken, and forgets it.
func (p *progress) recall(document [sha256.Size]byte) (done int) {
	for i, s := range p.list {
		if s.document == document {
			p.list = slices.Delete(p.list, i, i+1)
			return s.done
		}
	}
	return 0
}
