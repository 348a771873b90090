package emf

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// events are an emitter's open events.
type events struct {
	mu     sync.Mutex
	begun  uint64 // events
	open   []*core
	idle   []*core
	closed bool
}

// maxIdle is how many cores are kept for later beside as many as are in use.
const maxIdle = 16

// notOpen is the place of a core that is not among the open ones.
const notOpen = -1

// begin begins an event under the dimensions of base. After the emitter's end it is over before
// it began.
func (es *events) begin(at time.Time, base *Recorder) *Event {
	published := base.published()
	es.mu.Lock()
	es.begun++
	number := es.begun
	c := es.obtain(base.e)
	closed := es.closed
	c.mu.Lock() // first: whoever finds it open finds the event
	defer c.mu.Unlock()
	if !closed {
		c.place = len(es.open)
		es.open = append(es.open, c)
	}
	es.mu.Unlock()
	ev := c.begin(number, at, base, published)
	if closed {
		c.number = 0
	}
	return ev
}

// obtain returns a core that is not in use. The caller holds the lock.
func (es *events) obtain(e *Emitter) *core {
	n := len(es.idle)
	if n == 0 {
		c := &core{e: e, place: notOpen}
		c.more.event = c
		return c
	}
	c := es.idle[n-1]
	es.idle[n-1] = nil
	es.idle = es.idle[:n-1]
	return c
}

// end ends an event and returns all of it, or nil if it is over. Nobody else has access to
// what it returns.
func (es *events) end(c *core, number uint64) *core {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.number != number {
		return nil
	}
	c.number = 0
	return c
}

// split returns a core with what was recorded on an event so far, or nil if it is over.
func (es *events) split(c *core, number uint64) *core {
	es.mu.Lock()
	part := es.obtain(c.e)
	es.mu.Unlock()
	c.mu.Lock()
	over := c.number != number
	if !over {
		c.moveTo(part)
	}
	c.mu.Unlock()
	if over {
		es.recycle(part)
		return nil
	}
	return part
}

// recycle keeps a core that is not in use any more for another event.
func (es *events) recycle(c *core) {
	worth := c.reset()
	es.mu.Lock()
	defer es.mu.Unlock()
	if c.place >= 0 {
		last := len(es.open) - 1
		es.open[last].place, es.open[c.place] = c.place, es.open[last]
		es.open[last] = nil
		es.open = es.open[:last]
		c.place = notOpen
	}
	if worth && len(es.idle) < len(es.open)+maxIdle {
		es.idle = append(es.idle, c)
	}
}

// all returns the open events, the oldest first; last keeps others from being opened.
func (es *events) all(last bool) []*Event {
	es.mu.Lock()
	es.closed = es.closed || last
	open := slices.Clone(es.open)
	es.mu.Unlock()
	var list []*Event
	for _, c := range open {
		c.mu.Lock()
		if c.number != 0 {
			list = append(list, &Event{core: c, number: c.number})
		}
		c.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b *Event) int { return cmp.Compare(a.number, b.number) })
	return list
}
