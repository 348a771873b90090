package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// footer writes what was read, and the bill.
func (r *report) footer(w io.Writer) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer out.Flush()
	fmt.Fprintf(out, "lines\t%d: %s, %d skipped", r.Lines, plural(r.Documents, "document"), r.Skipped)
	if r.Filtered > 0 {
		fmt.Fprintf(out, ", %d without such a metric", r.Filtered)
	}
	if r.Invalid > 0 {
		fmt.Fprintf(out, ", %d with errors (see emf check)", r.Invalid)
	}
	fmt.Fprintln(out)
	b := &r.Bill
	fmt.Fprintf(out, "metrics\t%d billable", b.Metrics)
	if whole := float64(b.Metrics); b.MetricMonths < whole {
		fmt.Fprintf(out, ", published in %.3g %% of the hours", 100*b.MetricMonths/whole)
	}
	fmt.Fprintf(out, "\nlogs\t%s of documents", byteSize(float64(b.LogBytes)))
	if b.LogGB != nil {
		fmt.Fprintf(out, " in %s", duration(b.Seconds))
	}
	fmt.Fprintln(out)
	if b.Metrics > 0 {
		fmt.Fprintf(out, "a month\t%s: %s for metrics", dollars(b.USD), dollars(b.MetricUSD))
		if b.LogGB != nil {
			fmt.Fprintf(out, ", %s for %s of logs", dollars(*b.LogUSD), byteSize(*b.LogGB*1e9))
		} else {
			fmt.Fprint(out, "; that of logs cannot be told from one moment")
		}
		fmt.Fprintf(out, "\n\tat this rate, and at the prices of %s since %s, free tier not counted\n", b.Region, b.PricesFrom)
	}
	if len(b.Dimensions) > 0 && b.Dimensions[0].Saves > 0 {
		d := b.Dimensions[0]
		fmt.Fprintf(out, "dimension\t%s costs most: without its %s there would be %s fewer, %s a month\n",
			d.Name, plural(d.Values, "value"), plural(d.Saves, "metric"), dollars(d.USD))
	}
	if r.worst > finestError {
		fmt.Fprintf(out, "percentiles\tare within %.2g %%: some metrics have values far apart\n", 100*r.worst)
	}
}

// finestError is the error of percentiles that is not worth a word, that of a bin that was
// joined once.
const finestError = 2.0 / (1 << mantissaBits)

func dollars(usd float64) string { return fmt.Sprintf("%.2f USD", usd) }

// byteSize writes a size in decimal units, as they are billed.
func byteSize(bytes float64) string {
	for _, unit := range []string{"bytes", "kB", "MB", "GB"} {
		if bytes < 1000 {
			return fmt.Sprintf("%.3g %s", bytes, unit)
		}
		bytes /= 1000
	}
	return fmt.Sprintf("%.4g TB", bytes)
}

func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < time.Minute {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
