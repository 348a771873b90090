package emf

import (
	"sync"
	"time"

	"github.com/liftemf/liftemf/internal/distribution"
)

// core is what an event keeps and its user never gets hold of: values, properties, time. When
// the event is over the next one gets it.
//
// What users hold, which is the Event, its recorders and their metrics, is never used again,
// because nobody knows for how long they hold it. It names the event by core and number, and
// whoever comes to record compares the number under the core's lock. So a value is either
// recorded on the event that it was meant for, or late, and never on another event.
type core struct {
	e    *Emitter
	more extra // of all recorders of its events

	mu         sync.Mutex
	number     uint64 // of the event that it serves, 0: none
	at         time.Time
	properties properties
	recorders  []*Recorder // of the event, in order of first use
	tallies    []tally     // in order of first use
	first      map[tallyName]int
	asks       bool // there is a gauge function among them

	handles []handles // for events to come
	unused  []series  // for tallies to come
	events  int       // how many it has served
	place   int       // among the open ones
}

// tally is one metric of an event.
type tally struct {
	r      *Recorder
	handle *series // what the user records on
	def    *definition

	n      uint64    // counter: recordings in v; gauge: whether v is set
	v      float64   // sum or value
	values []float64 // histogram, while they are few
	many   *distribution.Distribution
}

// tallyName is what tallies are found by where there are many.
type tallyName struct {
	r    *Recorder
	name string
}

// handles is what a user gets of an event, but for the metrics.
type handles struct {
	event Event
	root  Recorder
}

// So many handles and series are allocated at once where a core has served several events:
// few enough that one that is kept does not hold much memory.
const (
	handlesTogether = 16
	seriesTogether  = 32
)

// manyTallies is how many tallies are searched one by one.
const manyTallies = 16

// begin makes the core serve an event under the dimensions of base. The caller holds the lock.
func (c *core) begin(number uint64, at time.Time, base, published *Recorder) *Event {
	if len(c.handles) == 0 {
		n := 1
		if c.events > 0 {
			n = handlesTogether
		}
		c.handles = make([]handles, n)
	}
	h := &c.handles[0]
	c.handles = c.handles[1:]
	h.event = Event{&h.root, c, number}
	c.mirror(&h.root, number, base, published)
	c.events++
	c.number, c.at = number, at
	c.recorders = append(c.recorders, &h.root)
	return &h.event
}

// mirror makes r the event's recorder for the emitter's recorder base, whose documents are those
// of published.
func (c *core) mirror(r *Recorder, number uint64, base, published *Recorder) {
	r.keys, r.base, r.dims, r.hash = published.keys, base, published.dims, number
	r.more.Store(&c.more)
	r.state.Store(ofEvent)
}

// recorder returns the recorder for the emitter's recorder base of the event that from belongs to.
func (c *core) recorder(from, base *Recorder) *Recorder {
	published := base.published()
	c.mu.Lock()
	defer c.mu.Unlock()
	over := c.number != from.hash
	if !over {
		for _, r := range c.recorders {
			if r.base == base {
				return r
			}
		}
	}
	r := new(Recorder)
	c.mirror(r, from.hash, base, published)
	if !over {
		c.recorders = append(c.recorders, r)
	}
	return r
}

// series returns the metric that a look-up on a recorder of an event means.
func (c *core) series(r *Recorder, k kind, name string, want declaration) *series {
	s, over := c.find(r, k, name, want)
	switch {
	case s != nil:
		return s
	case !over:
		return c.addSeries(r, k, name, want)
	}
	if s = r.search(k, name, want); s != nil {
		return s
	}
	return r.addSeries(k, name, want)
}

// find returns the event's metric, made if there is none and it is a known one.
func (c *core) find(r *Recorder, k kind, name string, want declaration) (s *series, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.number != r.hash {
		return nil, true
	}
	s, taken := c.search(r, k, name, want)
	if s != nil || taken {
		return s, false
	}
	if def := r.find(len(c.tallies), k, name, want); def != nil {
		return c.add(r, def), false
	}
	return nil, false
}

// search returns the event's metric if it has it, and whether it has one of that name at all.
// The caller holds the lock.
func (c *core) search(r *Recorder, k kind, name string, want declaration) (s *series, taken bool) {
	i := 0
	if len(c.tallies) > manyTallies {
		if i, taken = c.first[tallyName{r, name}]; !taken {
			return nil, false
		}
	}
	for ; i < len(c.tallies); i++ {
		if t := &c.tallies[i]; t.r == r && t.def.name == name {
			if t.def.answers(k, want) {
				return t.handle, true
			}
			taken = true
		}
	}
	return nil, taken
}

// addSeries is the slow way of series, for a metric that is not known yet.
func (c *core) addSeries(r *Recorder, k kind, name string, want declaration) *series {
	given, asked := name, want
	name, want, void := r.mend(name, want)
	c.mu.Lock()
	if c.number != r.hash {
		c.mu.Unlock()
		return c.series(r, k, given, asked)
	}
	s, taken := c.search(r, k, name, want)
	if s == nil {
		why := void
		if taken && void == kept {
			why = conflict
		}
		def := c.e.definitions.declare(k, name, want, why)
		if why == kept {
			if c.e.properties.has(name) {
				r.clash.Store(true)
			}
			if name == given && want == asked {
				r.remember(k, name, want, def)
			}
		}
		s = c.add(r, def)
	}
	c.mu.Unlock()
	r.report(s, void)
	return s
}

// add adds a metric to the event. The caller holds the lock.
func (c *core) add(r *Recorder, def *definition) *series {
	if len(c.unused) == 0 {
		n := manySeries
		if c.events > 1 {
			n = seriesTogether
		}
		c.unused = make([]series, n)
	}
	s := &c.unused[0]
	c.unused = c.unused[1:]
	s.r, s.def, s.tally = r, def, uint32(len(c.tallies))
	s.divert()
	if n := len(c.tallies); n < cap(c.tallies) {
		c.tallies = c.tallies[:n+1] // with the room for values that it has
	} else {
		c.tallies = append(c.tallies, tally{})
	}
	t := &c.tallies[s.tally]
	t.r, t.handle, t.def = r, s, def
	c.asks = c.asks || def.kind == gaugeFunc
	if len(c.tallies) > manyTallies {
		c.indexTallies()
	}
	return s
}

// indexTallies puts the tallies into the index that are not there yet.
func (c *core) indexTallies() {
	if c.first == nil {
		c.first = make(map[tallyName]int)
	}
	from := len(c.tallies) - 1
	if from == manyTallies {
		from = 0
	}
	for i := from; i < len(c.tallies); i++ {
		name := tallyName{c.tallies[i].r, c.tallies[i].def.name}
		if _, ok := c.first[name]; !ok {
			c.first[name] = i
		}
	}
}

// addTo records n additions of v altogether to a counter. It reports false if the event is over.
func (c *core) addTo(s *series, n uint64, v float64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.number != s.r.hash {
		return false
	}
	t := &c.tallies[s.tally]
	t.n += n
	t.v += v
	return true
}

// set records the value of a gauge. It reports false if the event is over.
func (c *core) set(s *series) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.number != s.r.hash {
		return false
	}
	s.flags.And(^uint32(touched))
	t := &c.tallies[s.tally]
	t.n, t.v = 1, s.value()
	return true
}

// observe records a value of a histogram. It reports false if the event is over.
func (c *core) observe(s *series, v float64) bool {
	c.mu.Lock()
	over := c.number != s.r.hash
	if !over {
		c.tallies[s.tally].observe(v)
	}
	c.mu.Unlock()
	return !over
}

func (t *tally) observe(v float64) {
	if t.many == nil {
		if len(t.values) < distribution.MaxEntries {
			t.values = append(t.values, v)
			return
		}
		t.many = new(distribution.Distribution)
		t.r.e.config.hold(t.many)
		for _, old := range t.values {
			t.many.Observe(old)
		}
		t.values = t.values[:0]
	}
	t.many.Observe(v)
}

// waiting is the number of values in the event.
func (c *core) waiting() (n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.number == 0 {
		return 0
	}
	for i := range c.tallies {
		n += c.tallies[i].waiting() * uint64(c.tallies[i].r.weight)
	}
	return n
}

func (s *tally) waiting() uint64 {
	n := s.n + uint64(len(s.values))
	if s.many != nil {
		n += s.many.Count()
	}
	return n
}

// moveTo moves what was recorded to another core, which has none, and copies the properties.
// The caller holds the lock.
func (c *core) moveTo(to *core) {
	to.at, to.asks = c.at, c.asks
	to.recorders = append(to.recorders, c.recorders...)
	c.properties.copyTo(&to.properties)
	for i := range c.tallies {
		if n := len(to.tallies); n < cap(to.tallies) {
			to.tallies = to.tallies[:n+1]
		} else {
			to.tallies = append(to.tallies, tally{})
		}
		from, into := &c.tallies[i], &to.tallies[i]
		spare := into.values
		*into = *from
		from.n, from.v, from.values, from.many = 0, 0, spare, nil
	}
}

// reset forgets the event. It reports whether the core is worth keeping.
func (c *core) reset() bool {
	for i := range c.tallies {
		c.tallies[i] = tally{values: c.tallies[i].values[:0]}
	}
	worth := len(c.tallies) <= maxMetrics && cap(c.properties.buf) <= keepProperties
	clear(c.recorders)
	clear(c.first)
	c.asks = false
	c.recorders, c.tallies = c.recorders[:0], c.tallies[:0]
	c.properties.reset()
	return worth
}
