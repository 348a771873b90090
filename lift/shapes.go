package lift

import (
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

// shape is the keys of a map in the order of the dimensions they become.
type shape []member

type member struct{ tag, dimension string }

// appendTags is like [aliases.appendTags] with dims empty, if the map has a known shape.
func (s shape) appendTags(dims []emf.Dimension, tags map[string]string) (_ []emf.Dimension, ok bool) {
	for i := range s {
		value, ok := tags[s[i].tag]
		if !ok {
			return dims[:0], false
		}
		if value != "" {
			dims = append(dims, emf.Dimension{Name: s[i].dimension, Value: value})
		}
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

// learn keeps the shape of tags, unless what becomes of one tag depends on another.
func (ss *shapes) learn(as aliases, tags map[string]string) {
	names := make(map[string]string, len(tags)) // each tag under its own name, as its value
	for name := range tags {
		names[name] = name
	}
	var s shape
	for _, d := range as.appendTags(nil, names) {
		s = append(s, member{tag: d.Value, dimension: d.Name})
	}
	if len(s) < len(tags) {
		return // two become one, or a name is empty
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
