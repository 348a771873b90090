package emf

import (
	"errors"
	"fmt"
	"slices"
)

// WithRollups publishes what is recorded under each of these sets of dimensions instead of
// under all of a recorder's: with {"Service"} and {"Service", "TenantID"} there is each metric
// for the whole service and for each tenant. A recorder that lacks a dimension of a set is
// left out of that set, one that belongs to none is published under its own dimensions. The
// empty set is everything together, without a dimension.
//
// Values are added up for each set, so that documents, memory and metrics follow the sum of
// the sets' sizes: ten thousand tenants times fifty routes under {"TenantID"} and {"Route"}
// are 10,050 metrics. [Stats] count a value once for each set. A gauge is published, in each
// set, as the last value of each recorder that was touched in the interval: statistics read
// Sum as the total, Maximum as the largest. The documents of an [Event] carry the sets that
// its recorder belongs to.
//
// A set has up to 30 names. CloudWatch bills each combination of values in each set as a
// metric.
func WithRollups(sets ...[]string) Option {
	return func(c *config) error {
		if len(sets) == 0 {
			return errors.New("WithRollups: no sets")
		}
		for _, set := range sets {
			if len(set) > maxDimensions {
				return fmt.Errorf("WithRollups: %d dimensions in a set: at most %d", len(set), maxDimensions)
			}
			for i, name := range set {
				if err := checkDimensionName(name); err != nil {
					return fmt.Errorf("WithRollups: %w", err)
				}
				if slices.Contains(set[:i], name) {
					return fmt.Errorf("WithRollups: %q twice in a set", name)
				}
			}
			if slices.ContainsFunc(c.rollups, func(other []string) bool { return sameNames(set, other) }) {
				return fmt.Errorf("WithRollups: the set %q comes twice", set)
			}
			c.rollups = append(c.rollups, slices.Clone(set))
		}
		return nil
	}
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// split makes a new recorder pass on what is recorded to the recorder of each set it belongs
// to. The caller holds the lock.
func (s *store) split(r *Recorder, dims []Dimension) {
	var views []*Recorder
	for _, set := range s.e.config.rollups {
		if part := project(dims, set); part != nil {
			views = append(views, s.view(part))
		}
	}
	if views == nil {
		views = []*Recorder{s.view(dims[:min(len(dims), maxDimensions)])}
	}
	r.extend().onward = views
	r.keys = s.keys.under(r.keys, views)
	r.state.Store(split)
}

// project returns the dimensions that a set names, nil if there is one that dims lack.
func project(dims []Dimension, set []string) []Dimension {
	part := make([]Dimension, 0, len(set))
	for _, name := range set {
		i := indexName(dims, name)
		if i < 0 {
			return nil
		}
		part = append(part, dims[i])
	}
	return part
}

// published returns the recorder whose dimensions the documents of an event under r carry: r,
// unless the guard has turned some of its dimensions away.
func (r *Recorder) published() *Recorder {
	store := r.e.store
	if r.state.Load() != split {
		return store.admit(r)
	}
	var away []Dimension
	for _, view := range r.onward() {
		for rest := store.admit(view).dims; rest != ""; {
			var d Dimension
			if d, rest = cutDimension(rest); d.Value == otherValue {
				away = append(away, d)
			}
		}
	}
	if away == nil {
		return r
	}
	var dims []byte
	for rest := r.dims; rest != ""; {
		var d Dimension
		if d, rest = cutDimension(rest); indexName(away, d.Name) >= 0 {
			d.Value = otherValue
		}
		dims = appendDimension(dims, d)
	}
	return &Recorder{keys: r.keys, dims: string(dims)}
}
