package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/price"
)

// stat is the command line of "emf stat".
type stat struct {
	Files     []string `arg:"" optional:"" name:"file" help:"Logs, of text or compressed by gzip; standard input if none is named, and for -."`
	Namespace []string `placeholder:"NAME" sep:"none" help:"Only metrics of this namespace, or of one of several."`
	Metric    []string `placeholder:"NAME" sep:"none" help:"Only metrics of this name, or of one of several."`
	Dim       []string `placeholder:"NAME=VALUE" sep:"none" help:"Only metrics with this dimension, or with all of several."`
	Format    string   `default:"table" enum:"table,json,csv" help:"${enum} (${default})."`
	Prices    string   `placeholder:"FILE" type:"existingfile" help:"Prices in JSON, for those that differ from the built-in ones of ${price_region} since ${price_date}."`

	dimensions []emf.Dimension
}

// Help is what "emf stat --help" says beside the flags.
func (*stat) Help() string {
	return `It reads logs and shows the metrics that CloudWatch would hold after them, and what they would cost at that rate. ` +
		`Lines that are no documents are skipped, and so are documents with an error, which "emf check" explains. Timestamps are not judged: the log is taken as delivered in time.

Samples, sum, minimum and maximum are exact, but for the rounding of sums. Percentiles are within 0.8 %, for a metric whose values are a factor of 60,000 apart or more perhaps 1.6 %; ` +
		`the table says if they are worse. There is "-" where CloudWatch has none: for statistic sets, and for metrics with a negative value.

A metric is paid for by the hours in which it was published. The log is that of one emitter: what others publish under the same names is paid for once. The filters choose metrics; the bill is for those and for the documents that hold them.

  emf demo | emf stat
  emf stat --metric orders.amount --dim TenantID=tenant-001 app.log
  emf stat --format json app.log | jq '.bill'
  emf stat --prices eu.json app.log        # {"region":"eu-west-1","date":"2026-01-01","logs":[{"usd":0.57}]}`
}

// Validate is called by the parser.
func (cmd *stat) Validate() error {
	for _, text := range cmd.Dim {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return fmt.Errorf("--dim: %q: NAME=VALUE", text)
		}
		cmd.dimensions = append(cmd.dimensions, emf.Dim(name, value))
	}
	return allExist(cmd.Files)
}

// prices returns the prices that hold.
func (cmd *stat) prices() (price.Table, error) {
	if cmd.Prices == "" {
		return price.Default, nil
	}
	file, err := os.Open(cmd.Prices)
	if err != nil {
		return price.Table{}, err
	}
	defer file.Close()
	table, err := price.Read(file)
	if err != nil {
		return price.Table{}, fmt.Errorf("%s: %w", cmd.Prices, err)
	}
	return table, nil
}

// Run is the command.
func (cmd *stat) Run(ctx context.Context, c *console) error {
	prices, err := cmd.prices()
	if err != nil {
		return err
	}
	// Nearly all that is allocated is garbage at once: with little alive, the collector would
	// run all the time.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	in := newInput(cmd.Files)
	done := showReading(c, in, false)
	all, lines := newCollection(), lineCounts{}
	err = inOrder(ctx, in, cmd.chunk, func(e extracted) error {
		lines.add(e.lineCounts)
		for i := range *e.metrics {
			all.add(&(*e.metrics)[i])
		}
		e.release()
		return nil
	})
	done()
	report := newReport(all, lines, prices)
	if errors.Is(ctx.Err(), context.Canceled) {
		fmt.Fprintln(c.messages, "interrupted: what follows is of the lines read so far")
	}
	return errors.Join(err, report.write(c, cmd.Format))
}

// lineCounts counts the lines of a log.
type lineCounts struct {
	Lines     int   `json:"lines"`
	Documents int   `json:"documents"` // without errors, and chosen by the filters
	Bytes     int64 `json:"bytes"`     // of these documents, without line breaks
	Filtered  int   `json:"filtered"`  // documents that the filters left out
	Invalid   int   `json:"invalid"`   // documents with an error
	Skipped   int   `json:"skipped"`   // lines that are no documents
}

func (n *lineCounts) add(m lineCounts) {
	n.Lines += m.Lines
	n.Documents += m.Documents
	n.Bytes += m.Bytes
	n.Filtered += m.Filtered
	n.Invalid += m.Invalid
	n.Skipped += m.Skipped
}

// extracted is what is in a chunk.
type extracted struct {
	lineCounts
	metrics *[]emf.Metric
}

var metricRoom = sync.Pool{New: func() any { return new([]emf.Metric) }}

// release gives the room of the metrics back.
func (e *extracted) release() {
	clear(*e.metrics)
	*e.metrics = (*e.metrics)[:0]
	metricRoom.Put(e.metrics)
}

func (cmd *stat) chunk(c chunk) extracted {
	e := extracted{metrics: metricRoom.Get().(*[]emf.Metric)}
	for line := range bytes.Lines(c.text) {
		e.Lines++
		cmd.line(&e, line)
	}
	return e
}

func (cmd *stat) line(e *extracted, line []byte) {
	if !bytes.Contains(line, []byte("_aws")) { // no producer writes it with escapes
		e.Skipped++
		return
	}
	metrics, err := emf.Extract(line)
	var invalid emf.InvalidError
	switch {
	case err == nil:
	case errors.As(err, &invalid) && !isDocument(invalid.Problems) && !meantAsDocument(line):
		e.Skipped++
		return
	default:
		e.Invalid++
		return
	}
	if cmd.filters() {
		if metrics = slices.DeleteFunc(metrics, func(m emf.Metric) bool { return !cmd.chooses(&m) }); len(metrics) == 0 {
			e.Filtered++
			return
		}
	}
	e.Documents++
	e.Bytes += int64(len(bytes.TrimRight(line, "\r\n")))
	*e.metrics = append(*e.metrics, metrics...)
}

func (cmd *stat) filters() bool {
	return len(cmd.Namespace)+len(cmd.Metric)+len(cmd.dimensions) > 0
}

func (cmd *stat) chooses(m *emf.Metric) bool {
	for _, d := range cmd.dimensions {
		if !slices.Contains(m.Dimensions, d) {
			return false
		}
	}
	return (len(cmd.Namespace) == 0 || slices.Contains(cmd.Namespace, m.Namespace)) &&
		(len(cmd.Metric) == 0 || slices.Contains(cmd.Metric, m.Name))
}
