package lift

import (
	"strings"

	"github.com/liftemf/liftemf/emf"
)

// aliases rename tags. There are few of them, so that a loop beats a map.
type aliases []alias

type alias struct{ from, to string }

// appendTags adds tags to dims, which are in the order of their names and stay so. A name
// that is there already gets the new value; empty values add nothing.
func (as aliases) appendTags(dims []emf.Dimension, tags map[string]string) []emf.Dimension {
	for name, value := range tags {
		if value == "" {
			continue
		}
		if i := as.index(name); i >= 0 {
			if as.hidden(i, tags) {
				continue
			}
			name = as[i].to
		}
		dims = put(dims, emf.Dimension{Name: name, Value: value})
	}
	return dims
}

func (as aliases) index(from string) int {
	for i := range as {
		if as[i].from == from {
			return i
		}
	}
	return -1
}

// hidden reports whether another of the tags has the name that alias i gives: by itself,
// unless it is renamed away, or by an alias that comes before. What wins must not depend
// on the order in which a map is read.
func (as aliases) hidden(i int, tags map[string]string) bool {
	to := as[i].to
	if tags[to] != "" && as.index(to) < 0 {
		return true
	}
	for _, a := range as[:i] {
		if a.to == to && tags[a.from] != "" {
			return true
		}
	}
	return false
}

// put adds d to dims at its place in the order of names.
func put(dims []emf.Dimension, d emf.Dimension) []emf.Dimension {
	i := len(dims)
	for ; i > 0; i-- {
		order := strings.Compare(dims[i-1].Name, d.Name)
		if order == 0 {
			dims[i-1].Value = d.Value
			return dims
		}
		if order < 0 {
			break
		}
	}
	dims = append(dims, d)
	if i < len(dims)-1 {
		copy(dims[i+1:], dims[i:])
		dims[i] = d
	}
	return dims
}
