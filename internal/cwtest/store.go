package cwtest

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// StatisticSet stands for values that were sent added up.
type StatisticSet struct{ SampleCount, Sum, Min, Max float64 }

// Metric is what the server holds of a metric and unit.
type Metric struct {
	Namespace, Name string
	Dimensions      map[string]string
	Unit            string
	Resolution      int
	// Statistics of all there is.
	StatisticSet
	// Values are all values that were not sent added up, with how often they occurred.
	Values map[float64]float64
	// Minutes are the statistics by minute, under the minute's start in UTC.
	Minutes map[time.Time]StatisticSet
}

// reading is a number of values of a metric at a time.
type reading struct {
	namespace, name string
	dimensions      map[string]string
	unit            string
	resolution      int
	time            time.Time
	values          []float64
	counts          []float64 // of values; nil for 1 each
	set             *StatisticSet
}

// series is what is held of a metric.
type series struct {
	reading // of its name
	minutes map[int64]*bucket
}

// bucket is what is held of a minute.
type bucket struct {
	values map[float64]float64
	sets   []StatisticSet
}

// key identifies a metric of one unit and resolution.
func (r *reading) key() string {
	var b strings.Builder
	for _, word := range append([]string{r.namespace, r.name, r.unit, strconv.Itoa(r.resolution)}, sortedPairs(r.dimensions)...) {
		b.WriteString(strconv.Itoa(len(word)))
		b.WriteByte(':')
		b.WriteString(word)
	}
	return b.String()
}

func sortedPairs(dims map[string]string) (words []string) {
	for _, name := range slices.Sorted(maps.Keys(dims)) {
		words = append(words, name, dims[name])
	}
	return words
}

// hold adds a reading. The caller has the lock.
func (s *Server) hold(r reading) {
	key := r.key()
	held := s.held[key]
	if held == nil {
		held = &series{reading: r, minutes: make(map[int64]*bucket)}
		held.values, held.counts, held.set = nil, nil, nil
		s.held[key] = held
	}
	minute := r.time.Truncate(time.Minute).Unix()
	b := held.minutes[minute]
	if b == nil {
		b = &bucket{values: make(map[float64]float64)}
		held.minutes[minute] = b
	}
	for i, v := range r.values {
		n := 1.0
		if r.counts != nil {
			n = r.counts[i]
		}
		if n > 0 {
			b.values[v] += n
		}
	}
	if r.set != nil && r.set.SampleCount > 0 {
		b.sets = append(b.sets, *r.set)
	}
}

// Metrics returns all that the server holds, by namespace, name, dimensions, unit and
// resolution.
func (s *Server) Metrics() []Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := slices.Collect(maps.Values(s.held))
	slices.SortFunc(held, func(a, b *series) int {
		return slices.Compare(a.sortKey(), b.sortKey())
	})
	metrics := make([]Metric, len(held))
	for i, h := range held {
		metrics[i] = h.metric()
	}
	return metrics
}

func (r *reading) sortKey() []string {
	return append(append([]string{r.namespace, r.name}, sortedPairs(r.dimensions)...), r.unit, strconv.Itoa(r.resolution))
}

// Metric returns what the server holds of a metric under exactly these dimensions, in all
// units together. SampleCount is 0 if it holds nothing.
func (s *Server) Metric(namespace, name string, dimensions map[string]string) Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := &series{minutes: make(map[int64]*bucket)}
	for _, held := range s.held {
		if held.namespace != namespace || held.name != name || !maps.Equal(held.dimensions, dimensions) {
			continue
		}
		all.unit, all.resolution = held.unit, held.resolution
		for minute, b := range held.minutes {
			into := all.minutes[minute]
			if into == nil {
				into = &bucket{values: make(map[float64]float64)}
				all.minutes[minute] = into
			}
			into.add(b)
		}
	}
	all.namespace, all.name, all.dimensions = namespace, name, dimensions
	return all.metric()
}

// SampleCount returns how many values the server holds of all metrics together.
func (s *Server) SampleCount() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0.0
	for _, held := range s.held {
		for _, b := range held.minutes {
			n += b.count()
		}
	}
	return n
}

func (b *bucket) add(other *bucket) {
	for v, n := range other.values {
		b.values[v] += n
	}
	b.sets = append(b.sets, other.sets...)
}

func (b *bucket) count() (n float64) {
	for _, times := range b.values {
		n += times
	}
	for _, set := range b.sets {
		n += set.SampleCount
	}
	return n
}

// statistics adds up in ascending order, so that the result does not depend on the order
// of arrival.
func (b *bucket) statistics() StatisticSet {
	total := StatisticSet{SampleCount: b.count()}
	if total.SampleCount == 0 {
		return total
	}
	total.Min, total.Max = math.Inf(1), math.Inf(-1)
	var terms []float64
	for v, n := range b.values {
		terms = append(terms, v*n)
		total.Min, total.Max = min(total.Min, v), max(total.Max, v)
	}
	for _, set := range b.sets {
		terms = append(terms, set.Sum)
		total.Min, total.Max = min(total.Min, set.Min), max(total.Max, set.Max)
	}
	slices.Sort(terms)
	total.Sum = compensatedSum(terms)
	return total
}

// compensatedSum is Neumaier's.
func compensatedSum(terms []float64) float64 {
	sum, lost := 0.0, 0.0
	for _, v := range terms {
		next := sum + v
		if math.Abs(sum) >= math.Abs(v) {
			lost += (sum - next) + v
		} else {
			lost += (v - next) + sum
		}
		sum = next
	}
	return sum + lost
}

func (held *series) metric() Metric {
	m := Metric{
		Namespace: held.namespace, Name: held.name, Dimensions: maps.Clone(held.dimensions), Unit: held.unit, Resolution: held.resolution,
		Minutes: make(map[time.Time]StatisticSet, len(held.minutes)),
	}
	all := bucket{values: make(map[float64]float64)}
	for minute, b := range held.minutes {
		if b.count() > 0 {
			m.Minutes[time.Unix(minute, 0).UTC()] = b.statistics()
		}
		all.add(b)
	}
	m.StatisticSet, m.Values = all.statistics(), all.values
	return m
}
