package lift

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/liftemf/liftemf/emf"
)

// The shapes that are kept: maps of up to maxShapeTags tags, maxShapes for each size.
const (
	maxShapeTags = 8
	maxShapes    = 4
)

// shapes remembers which keys maps of tags have. A program writes its maps in few places,
// so that their keys repeat while the values change; and to look up known keys costs half
// of what reading a map in its random order and sorting does.
type shapes struct {
	mu     sync.Mutex
	bySize [maxShapeTags + 1]atomic.Pointer[[]shape]
}

// shape is the keys of a map in the order of the dimensions they become. Of keys that
// become the same one, that which wins comes first.
type shape []member

type member struct {
	tag, dimension string
	another        bool // for the dimension of the member before
}

// appendTags is like [aliases.appendTags] with dims empty, if the map has a known shape.
func (s shape) appendTags(dims []emf.Dimension, tags map[string]string) (_ []emf.Dimension, ok bool) {
	taken := false
	for i := range s {
		m := &s[i]
		value, ok := tags[m.tag]
		if !ok {
			return dims[:0], false
		}
		taken = taken && m.another
		// The emitter knows no dimension without a name, and would look for it each time.
		if value == "" || taken || m.dimension == "" {
			continue
		}
		dims = append(dims, emf.Dimension{Name: m.dimension, Value: value})
		taken = true
	}
	return dims, true
}

// appendTags adds tags to dims, which is empty, in the order of their names.
func (ss *shapes) appendTags(as aliases, dims []emf.Dimension, tags map[string]string) []emf.Dimension {
	if len(tags) == 0 {
		return dims
	}
	if len(tags) > maxShapeTags {
		return as.appendTags(dims, tags)
	}
	known := ss.bySize[len(tags)].Load()
	if known != nil {
		for _, s := range *known {
			// As many keys as the map has, and all in it: the keys of the map.
			if dims, ok := s.appendTags(dims, tags); ok {
				return dims
			}
		}
	}
	if known == nil || len(*known) < maxShapes {
		ss.learn(as, tags)
	}
	return as.appendTags(dims, tags)
}

// learn keeps the shape of tags.
func (ss *shapes) learn(as aliases, tags map[string]string) {
	s := make(shape, 0, len(tags))
	for tag := range tags {
		m := member{tag: strings.Clone(tag), dimension: tag}
		if i := as.index(tag); i >= 0 {
			m.dimension = as[i].to
		}
		s = append(s, m)
	}
	slices.SortFunc(s, func(a, b member) int {
		// A tag that has the name already has index -1 and wins.
		return cmp.Or(strings.Compare(a.dimension, b.dimension), as.index(a.tag)-as.index(b.tag))
	})
	for i := 1; i < len(s); i++ {
		s[i].another = s[i].dimension == s[i-1].dimension
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	var all []shape
	if known := ss.bySize[len(tags)].Load(); known != nil {
		all = append(all, *known...)
	}
	if len(all) < maxShapes {
		all = append(all, s)
		ss.bySize[len(tags)].Store(&all)
	}
}
