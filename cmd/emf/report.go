package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/liftemf/liftemf/internal/price"
)

// report is what "emf stat" says. Its JSON form is for scripts.
type report struct {
	lineCounts
	Rows []row `json:"metrics"`
	Bill bill  `json:"bill"`

	worst float64 // error of a percentile
}

// row is a metric in one unit.
type row struct {
	Namespace  string            `json:"namespace"`
	Name       string            `json:"metric"`
	Dimensions map[string]string `json:"dimensions"`
	Unit       string            `json:"unit"`
	Samples    float64           `json:"samples"`
	Sum        float64           `json:"sum"`
	Min        float64           `json:"min"`
	Average    float64           `json:"avg"`
	P50        *float64          `json:"p50"` // nil: CloudWatch has none
	P90        *float64          `json:"p90"`
	P99        *float64          `json:"p99"`
	Max        float64           `json:"max"`

	labels string // Dimensions in order
}

func newReport(c *collection, lines lineCounts, prices price.Table) *report {
	r := &report{lineCounts: lines, Bill: newBill(c, lines.Bytes, prices), Rows: []row{}}
	for _, s := range c.sortedSeries() {
		r.Rows = append(r.Rows, newRow(s))
		if !s.noQuantile {
			r.worst = max(r.worst, s.quantiles.errorBound())
		}
	}
	return r
}

func newRow(s *series) row {
	r := row{
		Namespace: s.metric.namespace, Name: s.metric.name, Unit: string(s.unit),
		Samples: s.samples, Sum: s.sum, Min: s.min, Average: s.sum / s.samples, Max: s.max,
		Dimensions: make(map[string]string, len(s.metric.dimensions)),
	}
	labels := make([]string, 0, len(s.metric.dimensions))
	for _, d := range s.metric.dimensions {
		r.Dimensions[d.Name] = d.Value
		labels = append(labels, d.Name+"="+d.Value)
	}
	r.labels = strings.Join(labels, " ")
	if !s.noQuantile {
		at := s.quantiles.at(0.5, 0.9, 0.99)
		for i := range at {
			at[i] = min(max(at[i], s.min), s.max) // the mean of a bin may be rounded to beyond its values
		}
		r.P50, r.P90, r.P99 = &at[0], &at[1], &at[2]
	}
	return r
}

var columns = []string{"namespace", "metric", "dimensions", "unit", "samples", "sum", "min", "avg", "p50", "p90", "p99", "max"}

// textColumns are the first ones, which are not numbers.
const textColumns = 4

func (r *row) cells(number func(float64) string) []string {
	cells := []string{r.Namespace, r.Name, r.labels, r.Unit}
	for _, v := range []*float64{&r.Samples, &r.Sum, &r.Min, &r.Average, r.P50, r.P90, r.P99, &r.Max} {
		if v == nil {
			cells = append(cells, "-")
		} else {
			cells = append(cells, number(*v))
		}
	}
	return cells
}

func (r *report) write(c *console, format string) error {
	out := bufio.NewWriter(c.documents)
	switch format {
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(r); err != nil {
			return err
		}
	case "csv":
		w := csv.NewWriter(out)
		_ = w.Write(columns)
		for i := range r.Rows {
			_ = w.Write(r.Rows[i].cells(exact))
		}
		w.Flush()
		r.footer(c.messages)
	default:
		r.table(out)
		r.footer(out)
	}
	return out.Flush()
}

// table writes the rows in columns.
func (r *report) table(w io.Writer) {
	if len(r.Rows) == 0 {
		return
	}
	lines := [][]string{columns}
	for i := range r.Rows {
		cells := r.Rows[i].cells(readable)
		if cells[2] == "" {
			cells[2] = "-"
		}
		for j := range textColumns {
			cells[j] = visible(cells[j])
		}
		lines = append(lines, cells)
	}
	widths := make([]int, len(columns))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, line := range lines {
		for i, cell := range line {
			width := widths[i]
			if i < textColumns {
				width = -width
			}
			if i > 0 {
				fmt.Fprint(w, "  ")
			}
			fmt.Fprintf(w, "%*s", width, cell)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

// exact writes a number that reads back as v.
func exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// readable writes whole numbers as they are, others to six digits.
func readable(v float64) string {
	size := math.Abs(v)
	switch {
	case v == math.Trunc(v) && size < 1e15:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case size >= 1e15 || size < 1e-4:
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	places := max(5-int(math.Floor(math.Log10(size))), 2)
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', places, 64), "0"), ".")
}
