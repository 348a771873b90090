package emf

import (
	"errors"
	"fmt"
)

type dimensionBudget struct {
	name string
	n    int
}

// WithDimensionBudget publishes at most n values of a dimension at a time; what is recorded
// under others is published as "other", so that no sum changes. The first n values are
// published as long as there are no more. Then it is those that were recorded most in the
// last intervals: with a flush a value takes the place of another if it was recorded more
// than twice as often. A gauge's values under "other" are all that were set, not the last
// of each. Values "other" are not counted.
//
// [WithMaxRecorders] bounds all dimensions together.
func WithDimensionBudget(name string, n int) Option {
	return func(c *config) error {
		if err := checkDimensionName(name); err != nil {
			return fmt.Errorf("WithDimensionBudget: %w", err)
		}
		if n < 1 {
			return fmt.Errorf("WithDimensionBudget: %d: at least 1", n)
		}
		for _, b := range c.budgets {
			if b.name == name {
				return fmt.Errorf("WithDimensionBudget: %q has a budget already", name)
			}
		}
		c.budgets = append(c.budgets, dimensionBudget{name, n})
		return nil
	}
}

// WithDimensionValues names all values that a dimension has; any other that is given to
// [Recorder.With] becomes "other". Given again it adds values.
func WithDimensionValues(name string, values ...string) Option {
	return func(c *config) error {
		if err := checkDimensionName(name); err != nil {
			return fmt.Errorf("WithDimensionValues: %w", err)
		}
		if c.values == nil {
			c.values = make(map[string]map[string]bool)
		}
		if c.values[name] == nil {
			c.values[name] = make(map[string]bool)
		}
		for _, value := range values {
			c.values[name][value] = true
		}
		return nil
	}
}

// WithDimensionRewrite has rewrite change the values of a dimension before anything else
// looks at them: "/orders/17" becomes "/orders/{id}". A value that becomes empty leaves the
// dimension out. It is called by every look-up that gives the dimension a value, which takes a
// microsecond instead of some nanoseconds, and must be safe for concurrent use. Where it
// panics the value becomes "other".
func WithDimensionRewrite(name string, rewrite func(value string) string) Option {
	return func(c *config) error {
		if err := checkDimensionName(name); err != nil {
			return fmt.Errorf("WithDimensionRewrite: %w", err)
		}
		if rewrite == nil {
			return errors.New("WithDimensionRewrite: the function is nil")
		}
		if c.rewrites == nil {
			c.rewrites = make(map[string]func(string) string)
		}
		c.rewrites[name] = rewrite
		return nil
	}
}

// restrict applies what the options say of a dimension's values.
func (c *config) restrict(d Dimension) Dimension {
	if rewrite := c.rewrites[d.Name]; rewrite != nil {
		d.Value = rewritten(rewrite, d.Value)
	}
	if values := c.values[d.Name]; values != nil && !values[d.Value] && !blank(d.Value) {
		d.Value = otherValue
	}
	return d
}

func rewritten(rewrite func(string) string, value string) (s string) {
	defer func() {
		if recover() != nil {
			s = otherValue
		}
	}()
	return rewrite(value)
}
