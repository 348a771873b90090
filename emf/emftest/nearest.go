package emftest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/liftemf/liftemf/emf"
)

// query writes what was asked for: orders, TenantID=a.
func query(name string, dims []emf.Dimension) string {
	for _, d := range dims {
		name += ", " + d.Name + "=" + d.Value
	}
	return name
}

// described writes a metric that there is: orders with TenantID=b.
func described(m emf.Metric) string {
	if len(m.Dimensions) == 0 {
		return m.Name + " without dimensions"
	}
	text := m.Name + " with"
	for i, d := range m.Dimensions {
		if i > 0 {
			text += ","
		}
		text += " " + d.Name + "=" + d.Value
	}
	return text
}

// mostNearest is how many metrics a message names.
const mostNearest = 3

// nearest says which metrics there are that could have been meant.
func (c *Capture) nearest(name string, dims []emf.Dimension) string {
	type candidate struct {
		text     string
		distance int
	}
	var candidates []candidate
	known := make(map[string]bool)
	for _, m := range c.Metrics() {
		text := described(m)
		if known[text] {
			continue
		}
		known[text] = true
		d := 100 * distance(strings.ToLower(name), strings.ToLower(m.Name))
		if name != m.Name {
			d += 50
		}
		for _, want := range dims {
			d += 10 * missing(want, m.Dimensions)
		}
		candidates = append(candidates, candidate{text, d + len(m.Dimensions)})
	}
	if len(candidates) == 0 {
		if n := c.emitter.Stats().Pending; n > 0 {
			return fmt.Sprintf("nothing was written, but %d values wait in events that have not ended", n)
		}
		if n := c.emitter.Stats().Dropped; n > 0 {
			return fmt.Sprintf("nothing was written, but %d values were dropped: %v", n, c.emitter.Stats().Drops)
		}
		return "nothing was recorded"
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var texts []string
	for _, near := range candidates[:min(len(candidates), mostNearest)] {
		texts = append(texts, near.text)
	}
	more := ""
	if n := len(candidates) - len(texts); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return "there is " + strings.Join(texts, "; ") + more
}

// missing is how far a dimension is from those that there are: 0 to 3.
func missing(want emf.Dimension, dims []emf.Dimension) int {
	far := 3
	for _, d := range dims {
		switch {
		case d == want:
			return 0
		case d.Name == want.Name, strings.EqualFold(d.Name, want.Name):
			far = 1
		case d.Value == want.Value:
			far = min(far, 2)
		}
	}
	return far
}

// distance is the number of characters to change, add or remove to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
