package sink

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/liftemf/liftemf/emf"
)

const (
	itemOverhead = 128      // bytes of memory a document costs beside its JSON
	slabSize     = 64 << 10 // documents share memory up to so many bytes
)

// memory is a queue in memory.
type memory struct {
	ledger *ledger
	limit  int64 // of size
	age    time.Duration

	mu      sync.Mutex
	flight  []item         // with the next sink; older than waiting
	docs    []emf.Document // in flight
	waiting []item
	size    int64  // of both
	pushed  uint64 // documents
	closed  bool
}

type item struct {
	doc    emf.Document
	since  time.Time
	number uint64
}

func (it *item) size() int64 { return int64(len(it.doc.JSON)) + itemOverhead }

func newMemory(c queueConfig, l *ledger) *memory {
	return &memory{ledger: l, limit: c.maxBytes, age: c.maxAge}
}

func (m *memory) push(docs []emf.Document) error {
	var tooLarge []int
	own := make([]item, 0, len(docs))
	var total Amount
	for i := range docs {
		it := item{doc: docs[i]}
		if it.size() > m.limit {
			tooLarge = append(tooLarge, i)
			continue
		}
		total = total.plus(amountOf(&docs[i]))
		own = append(own, it)
	}
	copyJSON(own)
	if err := m.add(own, total); err != nil {
		return err
	}
	if tooLarge != nil {
		return &emf.UndeliveredError{Reject: tooLarge, Err: fmt.Errorf("sink: larger than the %d bytes of WithMaxBytes", m.limit)}
	}
	return nil
}

// copyJSON gives items JSON of their own, several in one piece of memory.
func copyJSON(items []item) {
	for start := 0; start < len(items); {
		end, size := start, 0
		for end < len(items) && (end == start || size+len(items[end].doc.JSON) <= slabSize) {
			size += len(items[end].doc.JSON)
			end++
		}
		slab := make([]byte, 0, size)
		for i := start; i < end; i++ {
			from := len(slab)
			slab = append(slab, items[i].doc.JSON...)
			items[i].doc.JSON = slab[from:len(slab):len(slab)]
		}
		start = end
	}
}

func (m *memory) add(items []item, total Amount) error {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return fmt.Errorf("sink: Write after Close: %w", emf.ErrClosed)
	}
	m.ledger.accept(total)
	for i := range items {
		items[i].since, items[i].number = now, m.pushed
		m.pushed++
		m.size += items[i].size()
	}
	m.waiting = append(m.waiting, items...)
	m.expire(now)
	n, size := 0, m.size
	for size > m.limit {
		size -= m.waiting[n].size()
		n++
	}
	m.discard(n, DropOverflow)
	return nil
}

// expire drops what has waited too long.
func (m *memory) expire(now time.Time) {
	n := 0
	for n < len(m.waiting) && now.Sub(m.waiting[n].since) > m.age {
		n++
	}
	m.discard(n, DropAge)
}

// discard drops the n oldest that wait.
func (m *memory) discard(n int, reason string) {
	if n == 0 {
		return
	}
	var lost Amount
	for i := range m.waiting[:n] {
		m.size -= m.waiting[i].size()
		lost = lost.plus(amountOf(&m.waiting[i].doc))
	}
	clear(m.waiting[:n])
	m.waiting = m.waiting[n:]
	m.ledger.drop(reason, lost)
}

func (m *memory) next() ([]emf.Document, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(time.Now())
	n, size := 0, 0
	for n < len(m.waiting) && n < batchDocuments {
		if size += len(m.waiting[n].doc.JSON) + eventBytes; size > batchBytes && n > 0 {
			break
		}
		n++
	}
	m.flight = append(m.flight[:0], m.waiting[:n]...)
	clear(m.waiting[:n])
	m.waiting = m.waiting[n:]
	m.docs = m.docs[:0]
	for i := range m.flight {
		m.docs = append(m.docs, m.flight[i].doc)
	}
	return m.docs, nil
}

func (m *memory) settle(fates []fate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var took, lost Amount
	var again []item
	for i, it := range m.flight {
		switch {
		case fates != nil && fates[i] == kept:
			again = append(again, it)
			continue
		case fates != nil && fates[i] == refused:
			lost = lost.plus(amountOf(&it.doc))
		default:
			took = took.plus(amountOf(&it.doc))
		}
		m.size -= it.size()
	}
	clear(m.flight) // their memory goes with them
	clear(m.docs)
	m.flight = m.flight[:0]
	if again != nil {
		m.waiting = slices.Concat(again, m.waiting)
	}
	m.ledger.deliver(took)
	m.ledger.drop(DropRejected, lost)
}

func (m *memory) numbers() (pushed, oldest uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case len(m.flight) > 0:
		return m.pushed, m.flight[0].number
	case len(m.waiting) > 0:
		return m.pushed, m.waiting[0].number
	}
	return m.pushed, m.pushed
}

func (m *memory) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
}

func (m *memory) finish() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.waiting)
	if n == 0 {
		return nil
	}
	m.discard(n, DropClosed)
	m.waiting = nil
	return fmt.Errorf("sink: %d documents dropped: %w", n, errClosing)
}
