package metricdata

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/liftemf/liftemf/emf"
)

// The limits of PutMetricData, from its API reference. One datum that breaks one of them makes it
// refuse the whole request.
const (
	maxData           = 1000
	maxValues         = 150
	maxName           = 255
	maxDimensions     = 30
	maxDimensionValue = 1024
	windowBack        = 14 * 24 * time.Hour
	windowAhead       = 2 * time.Hour
)

// appendData appends what a metric is in PutMetricData: a datum; several, if it has more values
// than one may hold; none, if it has no values.
func appendData(data []types.MetricDatum, m *emf.Metric, now time.Time) ([]types.MetricDatum, error) {
	if err := check(m, now); err != nil {
		return data, err
	}
	d := types.MetricDatum{MetricName: &m.Name, Dimensions: dimensions(m.Dimensions), Timestamp: &m.Time}
	if m.Unit != emf.None {
		d.Unit = types.StandardUnit(m.Unit)
	}
	if m.Resolution == emf.HighResolution {
		d.StorageResolution = aws.Int32(int32(m.Resolution))
	}
	if m.Values == nil {
		if m.Stats == nil || m.Stats.Count == 0 {
			return data, nil
		}
		d.StatisticValues = &types.StatisticSet{SampleCount: &m.Stats.Count, Sum: &m.Stats.Sum, Minimum: &m.Stats.Min, Maximum: &m.Stats.Max}
		return append(data, d), nil
	}
	values, counts := distinct(m.Values, m.Counts)
	if len(values) == 1 && counts[0] == 1 {
		d.Value = &values[0]
		return append(data, d), nil
	}
	for len(values) > 0 {
		n := min(len(values), maxValues)
		d.Values, d.Counts = values[:n:n], counts[:n:n]
		values, counts = values[n:], counts[n:]
		data = append(data, d)
	}
	return data, nil
}

// dimensions are each named once: a document may name one twice, which has one value all the same.
func dimensions(dims []emf.Dimension) []types.Dimension {
	if len(dims) == 0 {
		return nil
	}
	out := make([]types.Dimension, 0, len(dims))
	for i := range dims {
		if !slices.ContainsFunc(dims[:i], func(d emf.Dimension) bool { return d.Name == dims[i].Name }) {
			out = append(out, types.Dimension{Name: &dims[i].Name, Value: &dims[i].Value})
		}
	}
	return out
}

// distinct lists each value once, in ascending order, with how often it occurred, as
// PutMetricData asks for. counts of nil stands for one each. What did not occur is left out.
func distinct(values, counts []float64) (distinct, times []float64) {
	type entry struct{ value, n float64 }
	entries := make([]entry, len(values))
	for i, v := range values {
		entries[i] = entry{v, 1}
		if counts != nil {
			entries[i].n = counts[i]
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.value, b.value) })
	distinct, times = make([]float64, 0, len(values)), make([]float64, 0, len(values))
	for _, e := range entries {
		last := len(distinct) - 1
		switch {
		case e.n == 0:
		case last >= 0 && distinct[last] == e.value:
			times[last] += e.n
		default:
			distinct, times = append(distinct, e.value), append(times, e.n)
		}
	}
	return distinct, times
}

// check finds what PutMetricData would refuse, of what [emf.Extract] lets pass.
func check(m *emf.Metric, now time.Time) error {
	switch {
	case m.Time.Before(now.Add(-windowBack)):
		return errors.New("PutMetricData takes no metrics more than 14 days old")
	case m.Time.After(now.Add(windowAhead)):
		return errors.New("PutMetricData takes no metrics more than 2 hours in the future: is this host's clock right?")
	case len(m.Namespace) > maxName || m.Namespace == "" || m.Namespace[0] == ':' || !printable(m.Namespace):
		return fmt.Errorf("namespace %.300q: PutMetricData takes 1 to 255 printable ASCII characters, no colon first", m.Namespace)
	case len(m.Name) > maxName || strings.TrimSpace(m.Name) == "":
		return fmt.Errorf("metric name %.300q: PutMetricData takes 1 to 255 characters, not all blank", m.Name)
	case len(m.Dimensions) > maxDimensions:
		return fmt.Errorf("metric %s: PutMetricData takes %d dimensions, and there are %d", m.Name, maxDimensions, len(m.Dimensions))
	case m.Values == nil && m.Stats != nil && m.Stats.Min > m.Stats.Max:
		return fmt.Errorf("metric %s: the minimum is above the maximum", m.Name)
	}
	for _, d := range m.Dimensions {
		if len(d.Name) > maxName || d.Name == "" || d.Name[0] == ':' || !printable(d.Name) {
			return fmt.Errorf("dimension name %.300q: PutMetricData takes 1 to 255 printable ASCII characters, no colon first", d.Name)
		}
		if len(d.Value) > maxDimensionValue || !printable(d.Value) {
			return fmt.Errorf("dimension %s has value %.300q: PutMetricData takes 1 to 1,024 printable ASCII characters", d.Name, d.Value)
		}
	}
	return nil
}

// printable reports whether s is ASCII without control characters, and not blank.
func printable(s string) bool {
	blank := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
		blank = blank && s[i] == ' '
	}
	return !blank
}
