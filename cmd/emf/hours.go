package main

import "slices"

// hours are the hours in which a metric was published, whatever the order of the logs: hosts write
// side by side, and app.log comes before app.log.1, which is older.
type hours []hourSpan // in order, with hours between them

// hourSpan is hours in a row, the last one included.
type hourSpan struct{ first, last int64 }

func (s *hours) add(hour int64) {
	list := *s
	at, _ := slices.BinarySearchFunc(list, hour, func(span hourSpan, hour int64) int { // the first that ends no earlier than the hour before
		if span.last < hour-1 {
			return -1
		}
		return 1
	})
	switch {
	case at == len(list) || list[at].first > hour+1:
		*s = slices.Insert(list, at, hourSpan{hour, hour})
	case hour < list[at].first:
		list[at].first = hour
	case hour > list[at].last:
		list[at].last = hour
		if next := at + 1; next < len(list) && list[next].first == hour+1 {
			list[at].last = list[next].last
			*s = slices.Delete(list, next, next+1)
		}
	}
}

// count is how many hours there are.
func (s hours) count() (n int64) {
	for _, span := range s {
		n += span.last - span.first + 1
	}
	return n
}
