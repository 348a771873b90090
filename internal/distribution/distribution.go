// Package distribution keeps what a histogram has observed: every value while they are few,
// counts and sums in bins when they are many, and makes of the bins the few entries that a
// document has room for.
package distribution

import "sync"

// MaxEntries is the number of values that CloudWatch takes for one metric of a document.
const MaxEntries = 100

// Distribution holds the values observed since they were last taken. The zero value is
// empty. A Distribution is safe for concurrent use; its lock is held for some nanoseconds
// to observe and about a microsecond to take.
//
// It takes up to 0.8 kB for 100 values, about 1.1 kB for each factor of two between the
// smallest and the largest of more, at most about 110 kB for 64 of them and half a megabyte
// whatever the data; bins not used for some takes are let go.
type Distribution struct {
	mu     sync.Mutex
	values []float64 // in order, while they are few
	bins   *bins     // empty until there are more
	most   int       // of values; 0: MaxEntries
}

// Hold makes the distribution keep up to that many values as they are, instead of
// MaxEntries. It must be called before the first is observed.
func (d *Distribution) Hold(most int) { d.most = most }

// Use gives the distribution room for its first values, which must not be used for
// anything else as long as the distribution is in use.
func (d *Distribution) Use(room []float64) { d.values = room[:0] }

// Observe adds v, which must be finite.
func (d *Distribution) Observe(v float64) {
	d.mu.Lock()
	switch {
	case d.bins != nil && d.bins.count > 0:
		d.bins.add(v)
	case len(d.values) < cap(d.values):
		d.values = append(d.values, v)
	default:
		d.grow(v)
	}
	d.mu.Unlock()
}

// grow adds v where there is no room left among the values.
func (d *Distribution) grow(v float64) {
	if len(d.values) < max(d.most, MaxEntries) {
		d.values = append(grown(d.values, max(d.most, MaxEntries)), v)
		return
	}
	d.bin()
	d.bins.add(v)
}

// bin moves the values to bins.
func (d *Distribution) bin() {
	if d.bins == nil {
		d.bins = new(bins)
	}
	for _, v := range d.values {
		d.bins.add(v)
	}
	if d.values = d.values[:0]; cap(d.values) > MaxEntries {
		d.values = nil
	}
}

// Merge observes what was taken from another distribution, exactly as far as it is in bins
// there. Entries must not have been called on s.
func (d *Distribution) Merge(s *Snapshot) {
	if !s.binned {
		for _, v := range s.values {
			d.Observe(v)
		}
		return
	}
	d.mu.Lock()
	d.bin()
	d.bins.merge(s)
	d.mu.Unlock()
}

// grown returns values with more room: most histograms of a tenant see few values.
func grown(values []float64, most int) []float64 {
	room := min(4*cap(values), most)
	if room == 0 {
		room = 4
	}
	return append(make([]float64, 0, room), values...)
}

// Count is the number of values observed and not taken.
func (d *Distribution) Count() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bins != nil && d.bins.count > 0 {
		return d.bins.count
	}
	return uint64(len(d.values))
}

// Take moves what was observed to s, whose content it replaces. Each value is in exactly
// one Take.
func (d *Distribution) Take(s *Snapshot) {
	s.values, s.bins, s.binned = s.values[:0], s.bins[:0], false
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bins != nil && d.bins.count > 0 {
		s.binned = true
		d.bins.take(s)
		return
	}
	s.values = append(s.values, d.values...)
	s.count = uint64(len(s.values))
	d.values = d.values[:0]
	d.bins = nil // it has not been so many this time
}

// Snapshot is what was taken. It is reused from Take to Take and is not safe for concurrent
// use.
type Snapshot struct {
	count    uint64
	values   []float64
	binned   bool
	bins     []bin // ascending, none empty
	sum      float64
	min, max float64
	entries  []Entry
}

// Entry is a value and how often it was observed.
type Entry struct {
	Value float64
	Count uint64
}

// Count is the number of values taken.
func (s *Snapshot) Count() uint64 { return s.count }

// Values returns the values in the order they were observed if they are few, see
// [Distribution.Hold], else nil. It is valid until the next Take.
func (s *Snapshot) Values() []float64 {
	if s.binned {
		return nil
	}
	return s.values
}
