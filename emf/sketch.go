package emf

import (
	"cmp"
	"container/heap"
	"maps"
	"slices"
	"strings"
)

// sketch finds the heaviest of more keys than can be counted: it counts a fixed number of
// them, and a key that is new takes the place, and the count, of the lightest. The count of
// a key is too high by at most what it took over.
//
// Source: Metwally, Agrawal and El Abbadi, Efficient computation of frequent and top-k
// elements in data streams (2005), known as space-saving.
type sketch struct {
	most  int
	cells map[string]*cell
	heap  lightest
}

type cell struct {
	key   string
	count float64
	over  float64 // what it took over at most
	at    int     // in the heap
}

func (s *sketch) empty() bool { return len(s.cells) == 0 }

// add counts weight more of key.
func (s *sketch) add(key string, weight float64) {
	c := s.cells[key]
	switch {
	case c != nil:
		c.count += weight
		heap.Fix(&s.heap, c.at)
		return
	case len(s.cells) < s.most:
		if s.cells == nil {
			s.cells = make(map[string]*cell)
		}
		c = new(cell)
		*c = cell{key: strings.Clone(key), count: weight}
		heap.Push(&s.heap, c)
	default:
		c = s.heap[0]
		delete(s.cells, c.key)
		*c = cell{key: strings.Clone(key), count: c.count + weight, over: c.count}
		heap.Fix(&s.heap, 0)
	}
	s.cells[c.key] = c
}

func (s *sketch) remove(key string) {
	if c := s.cells[key]; c != nil {
		heap.Remove(&s.heap, c.at)
		delete(s.cells, key)
	}
}

// heaviest returns the keys by what they weigh at least, the heaviest first.
func (s *sketch) heaviest() []*cell {
	return slices.SortedFunc(maps.Values(s.cells), func(a, b *cell) int {
		if n := cmp.Compare(b.count-b.over, a.count-a.over); n != 0 {
			return n
		}
		return cmp.Compare(a.key, b.key)
	})
}

// fade halves all counts, so that those of the last intervals matter most, and forgets what
// is next to nothing.
func (s *sketch) fade() {
	for key, c := range s.cells {
		c.count /= 2
		c.over /= 2
		if c.count < 1 {
			delete(s.cells, key)
		}
	}
	s.heap = s.heap[:0]
	for _, c := range s.cells {
		c.at = len(s.heap)
		s.heap = append(s.heap, c)
	}
	heap.Init(&s.heap)
}

// lightest is a heap of cells, the lightest first.
type lightest []*cell

func (h lightest) Len() int           { return len(h) }
func (h lightest) Less(i, j int) bool { return h[i].count < h[j].count }
func (h lightest) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *lightest) Push(x any) {
	c := x.(*cell)
	c.at = len(*h)
	*h = append(*h, c)
}

func (h *lightest) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return c
}
