package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/price"
)

// runOn runs a command with standard input.
func runOn(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, messages bytes.Buffer
	cmd := command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &messages
	code = exitCode(t, cmd.Run())
	return out.String(), messages.String(), code
}

// A log with a line for each rule, broken as the conformance corpus does: every line and its
// rule is named.
func TestCheckNamesEveryRule(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "conformance", "*.json"))
	require.NoError(t, err)
	var log strings.Builder
	var want []string
	rules := map[string]bool{}
	for _, file := range files {
		verdict, rest, _ := strings.Cut(filepath.Base(file), "_")
		rule, _, _ := strings.Cut(strings.TrimSuffix(rest, ".json"), "_")
		if strings.HasSuffix(file, ".metrics.json") || verdict == "ok" || rule == "timestamp-window" {
			continue
		}
		line, err := os.ReadFile(file)
		require.NoError(t, err)
		if bytes.Count(line, []byte("\n")) != 1 {
			continue // of several lines, which no log has as one
		}
		log.Write(line)
		rules[rule] = true
		want = append(want, verdict+" "+rule)
	}
	require.Greater(t, len(rules), 40)

	// Old ones all of them.
	out, messages, code := runOn(t, log.String(), "check", "--strict", "--ignore", "timestamp-window")
	assert.Equal(t, exitFailure, code)
	got := make([]map[string]bool, len(want))
	pattern := regexp.MustCompile(`^stdin:(\d+): ([a-z0-9-]+): .* \[(error|warning)( at /.*)?\]$`)
	for line := range strings.Lines(out) {
		m := pattern.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		require.NotNil(t, m, line)
		var n int
		_, err := fmt.Sscan(m[1], &n)
		require.NoError(t, err)
		if got[n-1] == nil {
			got[n-1] = map[string]bool{}
		}
		got[n-1][m[3]+" "+m[2]] = true
	}
	for i, w := range want {
		assert.Contains(t, got[i], w, "line %d", i+1)
		for found := range got[i] {
			assert.Equal(t, strings.Fields(w)[1], strings.Fields(found)[1], "line %d", i+1)
		}
	}
	assert.Contains(t, messages, fmt.Sprintf("%d: %d documents, 0 skipped", len(want), len(want)))

	// The one rule that depends on when it is read.
	out, _, code = runOn(t, strings.ReplaceAll(sound(time.Now().Add(-15*24*time.Hour)), "\n", ""), "check")
	assert.Zero(t, code)
	assert.Contains(t, out, "stdin:1: timestamp-window: ")
	out, _, code = runOn(t, sound(time.Now()), "check", "--fail-on-warning")
	assert.Zero(t, code)
	assert.Empty(t, out)
}

func sound(at time.Time) string {
	return fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"App","Dimensions":[["d"]],"Metrics":[{"Name":"m"}]}]},"d":"v","m":1}`, at.UnixMilli())
}

// Lines that are far too long are told by their rule, and the next one is read.
func TestCheckLongLines(t *testing.T) {
	doc := sound(time.Now())
	long := strings.TrimSuffix(doc, "}") + `,"p":"` + strings.Repeat("x", 20<<20) + `"}`
	out, messages, code := runOn(t, long+"\n"+doc+"\n"+strings.TrimSuffix(long, `"}`), "check")
	assert.Equal(t, exitFailure, code)
	assert.Regexp(t, `^stdin:1: document-size: .*\nstdin:3: not-json: The document ends too early.*\n$`, out)
	assert.Contains(t, messages, "3: 3 documents, 0 skipped")

	huge := filepath.Join(t.TempDir(), "huge.log")
	file, err := os.Create(huge)
	require.NoError(t, err)
	_, err = file.WriteString(`{"_aws":{},"p":"`)
	require.NoError(t, err)
	for range maxLine>>20 + 1 {
		_, err = file.WriteString(strings.Repeat("x", 1<<20))
		require.NoError(t, err)
	}
	_, err = file.WriteString("\"}\n" + doc + "\n")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	out, messages, code = runOn(t, "", "check", huge)
	assert.Equal(t, exitFailure, code)
	assert.Regexp(t, `huge.log:1: document-size: The line has more than 67108864 bytes: split the document. \[error\]\n$`, out)
	assert.Contains(t, messages, "2: 2 documents, 0 skipped")
}

// What cannot be written is a failure, not a log without problems.
func TestReadersReportUnwritableOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, name := range []string{"check", "stat"} {
		var messages bytes.Buffer
		cmd := command(name)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(`{"_aws":`), full, &messages
		assert.Equal(t, exitFailure, exitCode(t, cmd.Run()), name)
		assert.Contains(t, messages.String(), "no space left", name)
	}
}

// The statistics of a log are those of its documents, read by encoding/json.
func TestStatAgreesWithDocuments(t *testing.T) {
	p := start(t, "demo", "--duration=400ms", "--rate=0", "--tenants=4", "--flush-interval=50ms", "--summary=json")
	var log strings.Builder
	var docs documents
	for {
		line, err := p.stdout.ReadBytes('\n')
		if err != nil {
			break
		}
		docs.line(t, line)
		log.Write(line)
	}
	s := summaryOf(t, p)
	p.end(t)
	docs.agree(t, s)

	out, messages, code := runOn(t, log.String(), "stat", "--format=json")
	assert.Zero(t, code)
	assert.Empty(t, messages)
	var got report
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	assert.Equal(t, docs.lines, got.Documents)
	assert.EqualValues(t, docs.bytes, got.Bytes)
	assert.Equal(t, docs.bytes, int(got.Bill.LogBytes))
	tenants, samples, metrics := map[string]float64{}, 0.0, map[string]bool{}
	for _, r := range got.Rows {
		metrics[fmt.Sprint(r.Name, r.Dimensions)] = true
		switch r.Name {
		case "requests.total":
			if id := r.Dimensions["TenantID"]; id != "" { // those requests are there once more, by route
				tenants[id] += r.Sum
				tenants[""] -= r.Sum
			} else {
				tenants[""] += r.Sum
			}
		case "requests.duration":
			if r.Dimensions["TenantID"] == "" {
				samples += r.Samples
			}
			require.NotNil(t, r.P50)
			assert.True(t, r.Min <= *r.P50 && *r.P50 <= *r.P90 && *r.P90 <= *r.P99 && *r.P99 <= r.Max, "%+v", r)
		}
	}
	assert.Equal(t, docs.tenant, tenants)
	assert.EqualValues(t, s.Requests, samples)
	assert.Equal(t, len(metrics), got.Bill.Metrics)
	assert.Equal(t, "TenantID", got.Bill.Dimensions[0].Name)
	assert.Equal(t, 4, got.Bill.Dimensions[0].Values)
	one, _, _ := runOn(t, log.String(), "stat", "--format=json", "--dim=TenantID=tenant-002", "--metric=requests.total")
	require.NoError(t, json.Unmarshal([]byte(one), &got))
	require.NotEmpty(t, got.Rows)
	for _, r := range got.Rows {
		assert.Equal(t, "tenant-002", r.Dimensions["TenantID"])
		assert.Equal(t, "requests.total", r.Name)
	}
}

// collectionOf collects metrics published by each tenant under a rollup too, in hours.
func collectionOf(tenants, hours int) *collection {
	c := newCollection()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for hour := range hours {
		for tenant := range tenants {
			m := emf.Metric{
				Namespace: "n", Name: "m", Unit: emf.Count, Time: begin.Add(time.Duration(hour)*time.Hour + time.Minute), Values: []float64{1},
				Dimensions: []emf.Dimension{emf.Dim("Tenant", fmt.Sprint(tenant)), emf.Dim("Service", "s")},
			}
			if hour == 0 || tenant%2 == 0 { // half of them in the first hour only
				c.add(&m)
			}
			m.Dimensions = m.Dimensions[1:]
			c.add(&m)
		}
	}
	return c
}

func TestBill(t *testing.T) {
	c := collectionOf(20, 4)
	b := newBill(c, 1e9, price.Default)
	assert.Equal(t, 21, b.Metrics)
	assert.InDelta(t, 10+10./4+1, b.MetricMonths, 1e-9)
	assert.InDelta(t, 13.5*0.30, b.MetricUSD, 1e-9)
	assert.Equal(t, 3*3600., b.Seconds)
	assert.InDelta(t, 730./3, *b.LogGB, 1e-9)
	assert.InDelta(t, 730./3*0.50, *b.LogUSD, 1e-9)
	assert.InDelta(t, b.MetricUSD+*b.LogUSD, b.USD, 1e-9)
	// Without the tenants the metrics fall together with those of the rollup.
	require.Len(t, b.Dimensions, 2)
	assert.Equal(t, "Tenant", b.Dimensions[0].Name)
	assert.Equal(t, 20, b.Dimensions[0].Values)
	assert.Equal(t, 20, b.Dimensions[0].Saves)
	assert.InDelta(t, b.MetricUSD*20/21, b.Dimensions[0].USD, 1e-9)
	assert.Zero(t, b.Dimensions[1].Saves)

	moment := newBill(collectionOf(1, 1), 1e9, price.Default)
	assert.Nil(t, moment.LogUSD)
	assert.InDelta(t, 0.60, moment.USD, 1e-9)
}

// Logs come in the order of their names, which is seldom that of their times.
func TestBillOfLogsInAnyOrder(t *testing.T) {
	c := newCollection()
	for _, hour := range []int64{20, 21, 16, 17, 20, 18, 19} {
		c.add(&emf.Metric{Namespace: "n", Name: "m", Time: time.Unix(hour*3600, 0), Values: []float64{1}})
	}
	assert.InDelta(t, 1, newBill(c, 1e9, price.Default).MetricMonths, 1e-9, "published in each hour")
}

// What was counted as zero did not occur, and spoils no report.
func TestStatOfNothing(t *testing.T) {
	var log strings.Builder
	for _, target := range []string{`{"Values":[1],"Counts":[0]}`, `{"Min":0,"Max":0,"Sum":0,"Count":0}`, `{"Values":[2,100],"Counts":[5,0]}`} {
		fmt.Fprintf(&log, `{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[[]],"Metrics":[{"Name":"m%d"}]}]},"m%[1]d":%s}`+"\n", log.Len(), target)
	}
	out, messages, code := runOn(t, log.String(), "stat", "--format=json")
	require.Equal(t, exitOK, code, messages)
	var got report
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Len(t, got.Rows, 1)
	assert.EqualValues(t, 5, got.Rows[0].Samples)
	assert.EqualValues(t, 2, got.Rows[0].Max)
	assert.Equal(t, 3, got.Documents)
	assert.Equal(t, 1, got.Bill.Metrics)
}

// A metric is its namespace, name and dimensions, whatever their order, and no two share one.
func TestSeries(t *testing.T) {
	c := newCollection()
	add := func(name string, unit emf.Unit, dims ...emf.Dimension) {
		kept := slices.Clone(dims)
		c.add(&emf.Metric{Namespace: "n", Name: name, Unit: unit, Dimensions: dims, Values: []float64{1}})
		assert.Equal(t, kept, dims, "Extract's dimensions are shared")
	}
	add("m", emf.Count, emf.Dim("b", "1"), emf.Dim("a", "2"))
	add("m", emf.Count, emf.Dim("a", "2"), emf.Dim("b", "1"))
	add("m", emf.Bytes, emf.Dim("a", "2"), emf.Dim("b", "1"))
	add("m", emf.Count, emf.Dim("a", "1"), emf.Dim("b", "2"))
	add("m", emf.Count)
	add("m\x00None", emf.Count)
	assert.Len(t, c.metrics, 4)
	var got []string
	for _, s := range c.sortedSeries() {
		r := newRow(s)
		got = append(got, fmt.Sprintf("%q %s %s %v", r.Name, r.labels, r.Unit, r.Samples))
	}
	assert.Equal(t, []string{
		`"m"  Count 1`, `"m" a=1 b=2 Count 1`, `"m" a=2 b=1 Bytes 1`, `"m" a=2 b=1 Count 2`, `"m\x00None"  Count 1`,
	}, got)
}

func TestPercentilesAsCloudWatchHasThem(t *testing.T) {
	for name, c := range map[string]struct {
		metric emf.Metric
		want   *float64 // median
	}{
		"values":             {emf.Metric{Values: []float64{1, 2, 3}}, new(2.0)},
		"counts":             {emf.Metric{Values: []float64{1, 2}, Counts: []float64{1, 9}}, new(2.0)},
		"negative":           {emf.Metric{Values: []float64{-1, 2, 3}}, nil},
		"statistics":         {emf.Metric{Stats: &emf.StatisticSet{Min: 1, Max: 2, Sum: 3, Count: 2}}, nil},
		"statistics of one":  {emf.Metric{Stats: &emf.StatisticSet{Min: 7, Max: 7, Sum: 7, Count: 1}}, new(7.0)},
		"statistics of same": {emf.Metric{Stats: &emf.StatisticSet{Min: 7, Max: 7, Sum: 21, Count: 3}}, new(7.0)},
		"both":               {emf.Metric{Values: []float64{4}, Counts: []float64{2}, Stats: &emf.StatisticSet{Min: 3, Max: 5, Sum: 8, Count: 2}}, new(4.0)},
	} {
		all := newCollection()
		all.add(&c.metric)
		for _, s := range all.series {
			r := newRow(s)
			assert.Equal(t, c.want, r.P50, name)
			if m := c.metric.Stats; m != nil {
				assert.Equal(t, []float64{m.Min, m.Max, m.Sum, m.Count}, []float64{r.Min, r.Max, r.Sum, r.Samples}, name)
			}
		}
	}
}

func TestReadableNumbers(t *testing.T) {
	got := map[float64]string{}
	want := map[float64]string{
		0: "0", 1: "1", -2.5: "-2.5", 1234567: "1234567", 1.0 / 3: "0.333333", 1234567.891: "1234567.89",
		0.00001234567: "1.23457e-05", 1e15: "1e+15", 0x1p360: "2.34854e+108", 99999.5: "99999.5", 0.1 + 0.2: "0.3",
	}
	for v := range maps.Keys(want) {
		got[v] = readable(v)
	}
	assert.Equal(t, want, got)
	assert.Equal(t, "0.30000000000000004", exact(0.1+math.Sqrt(0.04)))
	for bytes, text := range map[float64]string{0: "0 bytes", 999: "999 bytes", 1500: "1.5 kB", 2.5e9: "2.5 GB", 5e12: "5 TB", 5e15: "5000 TB"} {
		assert.Equal(t, text, byteSize(bytes))
	}
}

// A log cannot forge lines of the output or steer the terminal.
func TestOutputIsVisible(t *testing.T) {
	doc := fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"App","Dimensions":[[]],"Metrics":[{"Name":"m\u001b[2J"}]}]},`, time.Now().UnixMilli()) +
		`"m\u001b[2J":1,"x\n\"y":1,"x\n\"y":2}`
	for _, command := range []string{"check", "stat"} {
		out, _, code := runOn(t, doc, command)
		assert.Zero(t, code)
		assert.NotContains(t, out, "\x1b")
		assert.Contains(t, out, `\x1b`)
	}
	out, _, _ := runOn(t, doc, "check")
	assert.Contains(t, out, `[warning at /x\n"y]`)
	assert.Equal(t, 2, strings.Count(out, "\n"))
}
