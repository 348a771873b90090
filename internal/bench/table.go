package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// us is the contestant that the others are compared with; floors are stand-ins that do
// less than a library has to.
const (
	us    = "liftemf"
	floor = "floor:"
)

// table is what the benchmarks printed: rows in order, and in each the contestants.
type table struct {
	cpu  string
	rows []*row
}

// row is one kind of work at one number of CPUs.
type row struct {
	name        string
	cpus        int
	contestants []*contestantResult
}

type contestantResult struct {
	name   string
	values map[string][]float64 // by unit, one a pass
}

// Lines are `BenchmarkFlush/1000/liftemf-2   	 100	 12.3 ns/op	 0 B/op	 0 allocs/op`.
var (
	resultLine = regexp.MustCompile(`^Benchmark(\S+)/([^/\s]+?)(?:-(\d+))?\s+\d+\s+(.*)$`)
	cpuLine    = regexp.MustCompile(`^cpu: (.*)$`)
)

// parse reads the output of any number of passes.
func parse(output io.Reader) *table {
	t := new(table)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if m := cpuLine.FindStringSubmatch(lines.Text()); m != nil {
			t.cpu = strings.TrimSpace(m[1])
		}
		m := resultLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		name, cpus := m[2], 1
		if m[3] != "" {
			cpus, _ = strconv.Atoi(m[3])
		}
		c := t.row(m[1], cpus).contestant(name)
		fields := strings.Fields(m[4])
		for i := 0; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				c.values[fields[i+1]] = append(c.values[fields[i+1]], v)
			}
		}
	}
	rank := func(r *row) int {
		i := slices.IndexFunc(targets, func(t target) bool { return t.row == r.name })
		if i < 0 {
			return len(targets)
		}
		return i
	}
	slices.SortStableFunc(t.rows, func(a, b *row) int { return cmp.Compare(rank(a), rank(b)) })
	return t
}

func (t *table) row(name string, cpus int) *row {
	for _, r := range t.rows {
		if r.name == name && r.cpus == cpus {
			return r
		}
	}
	r := &row{name: name, cpus: cpus}
	t.rows = append(t.rows, r)
	return r
}

func (r *row) contestant(name string) *contestantResult {
	for _, c := range r.contestants {
		if c.name == name {
			return c
		}
	}
	c := &contestantResult{name, make(map[string][]float64)}
	r.contestants = append(r.contestants, c)
	return c
}

// median returns the median of a unit's values, 0 if there are none.
func (c *contestantResult) median(unit string) float64 {
	v := slices.Sorted(slices.Values(c.values[unit]))
	if len(v) == 0 {
		return 0
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// unit is what the row is compared by: less is better. At one CPU that is the time for which the
// process had a processor, where it was measured.
func (r *row) unit() string {
	ours := r.contestant(us)
	switch {
	case len(ours.values["B/series"]) > 0:
		return "B/series"
	case r.cpus == 1 && len(ours.values["cpu-ns/op"]) > 0:
		return "cpu-ns/op"
	}
	return "ns/op"
}

// best returns the best of the peers, or of the floors; nil if there are none.
func (r *row) best(floors bool) *contestantResult {
	var of []*contestantResult
	for _, c := range r.contestants {
		if c.name != us && strings.HasPrefix(c.name, floor) == floors {
			of = append(of, c)
		}
	}
	if len(of) == 0 {
		return nil
	}
	return slices.MinFunc(of, func(a, b *contestantResult) int {
		return cmp.Compare(a.median(r.unit()), b.median(r.unit()))
	})
}

// ratio is ours over the other's; 0 if there is no other.
func (r *row) ratio(floors bool) float64 {
	other := r.best(floors)
	if other == nil {
		return 0
	}
	return r.contestant(us).median(r.unit()) / other.median(r.unit())
}

// added is what we add to the best floor, over what the best peer adds to it.
func (r *row) added() float64 {
	bottom := r.best(true).median(r.unit())
	return (r.contestant(us).median(r.unit()) - bottom) / (r.best(false).median(r.unit()) - bottom)
}

// figure is a median as people write it.
func (r *row) figure(c *contestantResult) string {
	v := c.median(r.unit())
	var s string
	switch {
	case r.unit() == "B/series":
		return fmt.Sprintf("%.0f B", v)
	case v < 10_000:
		s = fmt.Sprintf("%.3g ns", v)
		if v >= 1000 {
			s = fmt.Sprintf("%.0f ns", v)
		}
	case v < 1e6:
		s = fmt.Sprintf("%.3g µs", v/1e3)
	default:
		s = fmt.Sprintf("%.3g ms", v/1e6)
	}
	if rate := c.median("MB/s"); rate > 0 {
		s += fmt.Sprintf(", %.0f MB/s", rate)
	}
	return s
}

// print writes the table in Markdown.
func (t *table) print(w io.Writer, passes int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s %s/%s, %s, %s: medians of %d passes.\n\n", time.Now().UTC().Format(time.DateOnly),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, cmp.Or(t.cpu, "unknown CPU"), commit(), passes)
	b.WriteString("| row | CPUs | liftemf | B/op | allocs | best peer | | ratio | floor | | ratio | target | |\n")
	b.WriteString("|---|--:|--:|--:|--:|---|--:|--:|---|--:|--:|---|---|\n")
	for _, r := range t.rows {
		ours := r.contestant(us)
		fmt.Fprintf(&b, "| %s | %d | %s |", r.name, r.cpus, r.figure(ours))
		if len(ours.values["allocs/op"]) > 0 {
			fmt.Fprintf(&b, " %.0f | %.0f |", ours.median("B/op"), ours.median("allocs/op"))
		} else {
			b.WriteString(" | |")
		}
		for _, floors := range []bool{false, true} {
			if other := r.best(floors); other != nil {
				fmt.Fprintf(&b, " %s | %s | **%.2f** |", strings.TrimPrefix(other.name, floor), r.figure(other), r.ratio(floors))
			} else {
				b.WriteString(" | | |")
			}
		}
		text, verdict := r.judge()
		fmt.Fprintf(&b, " %s | %s |\n", text, verdict)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// commit names the state of the working copy as far as git knows it.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown commit"
	}
	return "commit " + strings.TrimSpace(string(out))
}
