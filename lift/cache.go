package lift

import (
	"strings"
	"sync"
	"sync/atomic"
)

// maxCached bounds a cache: names are made of paths and operations at times, and there is
// no end of those.
const maxCached = 4096

// cache keeps what was worked out for a name. Reading takes no lock. When it is full,
// what is missing is worked out again each time.
type cache[V any] struct {
	values sync.Map // string to *V
	size   atomic.Int64
}

func (c *cache[V]) get(name string) (*V, bool) {
	v, ok := c.values.Load(name)
	if !ok {
		return nil, false
	}
	return v.(*V), true
}

// put keeps v and returns it, or what another goroutine put there before.
func (c *cache[V]) put(name string, v *V) *V {
	if c.size.Load() >= maxCached {
		return v
	}
	kept, loaded := c.values.LoadOrStore(strings.Clone(name), v)
	if !loaded {
		c.size.Add(1)
	}
	return kept.(*V)
}
