package lift

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/liftemf/liftemf/emf"
)

// GetStats tells what the emitter has done since it was made, whichever copy or user
// recorded it; see [emf.Stats], which says more.
//
// MetricsRecorded and MetricsDropped count values of metrics; properties that had to be left
// out are no metrics, and counted only if they are named like a dimension or metric, which
// the emitter's statistics do not tell from other conflicts. A gauge counts once for each
// flush in which it was touched. LastFlush is when the last flush ended, failed or not.
//
// ErrorCount is in values too, so that Lift's health check, which divides it by
// MetricsRecorded, sees the share that is lost: those dropped, save because output was
// switched off, and, while the sink refuses to take any, those that wait for it. LastError
// is that of the last write that failed, or else says why values were dropped.
func (c *Collector) GetStats() MetricsStats {
	if c.common().emitter == nil {
		return MetricsStats{}
	}
	s := c.common().emitter.Stats()
	for _, property := range []string{"bad property", "property too large"} {
		n := s.Drops[property]
		s.Recorded -= min(n, s.Recorded) // the drops were read later and may be ahead
		s.Dropped -= n
		delete(s.Drops, property)
	}
	delete(s.Drops, "disabled") // the user's wish, no error
	var lost uint64
	for _, n := range s.Drops {
		lost += n
	}
	stats := MetricsStats{
		MetricsRecorded: int64(s.Recorded),
		MetricsDropped:  int64(s.Dropped),
		LastFlush:       s.LastFlush,
		ErrorCount:      int64(lost),
	}
	if c.common().delivery.failing(&s) {
		stats.ErrorCount += int64(s.Pending)
	}
	switch {
	case s.LastError != nil:
		stats.LastError = s.LastError.Error()
	case lost > 0:
		stats.LastError = "values dropped: " + reasons(s.Drops)
	}
	return stats
}

// delivery works out whether the sink takes anything at present. The emitter's statistics
// only say how often it did and did not, so that it takes a look back.
type delivery struct {
	mu                sync.Mutex
	errors, documents uint64 // when last looked at
	failed            bool
}

func (d *delivery) failing(s *emf.Stats) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case s.Errors > d.errors:
		d.failed = true
	case s.Documents > d.documents:
		d.failed = false
	}
	d.errors, d.documents = max(d.errors, s.Errors), max(d.documents, s.Documents)
	return d.failed
}

// reasons lists why values were dropped.
func reasons(drops map[string]uint64) string {
	var list []string
	for _, why := range slices.Sorted(maps.Keys(drops)) {
		list = append(list, fmt.Sprintf("%s (%d)", why, drops[why]))
	}
	return strings.Join(list, ", ")
}
