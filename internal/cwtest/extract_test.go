package cwtest_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/internal/cwtest"
)

func TestExtraction(t *testing.T) {
	metric := `{"Name":"n"}`
	list := func(n int, of string) string {
		return strings.TrimSuffix(strings.Repeat(of+",", n), ",")
	}
	with := func(directive, members string) string {
		return fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[%s]},%s}`, now.UnixMilli(), directive, members)
	}
	at := func(after time.Duration) string {
		return strings.Replace(document(`"n":1`, metric), fmt.Sprint(now.UnixMilli()), fmt.Sprint(now.Add(after).UnixMilli()), 1)
	}
	parsing, validation := cwtest.Extraction{ParsingErrors: 1}, cwtest.Extraction{ValidationErrors: 1}
	good := cwtest.Extraction{Documents: 1}
	for _, c := range []struct {
		name, message string
		n, sum        float64
		want          cwtest.Extraction
	}{
		{"a number", document(`"n":2`, metric), 1, 2, good},
		{"an array", document(`"n":[1,2,2]`, metric), 3, 5, good},
		{"100 values", document(`"n":[`+list(100, "1")+`]`, metric), 100, 100, good},
		{"101 values", document(`"n":[`+list(101, "1")+`]`, metric), 0, 0, validation},
		{"values and counts", document(`"n":{"Values":[1,3],"Counts":[2,4],"Count":99,"Sum":99,"Min":0,"Max":99}`, metric), 6, 14, good},
		{"a statistic set", document(`"n":{"Min":1,"Max":3,"Sum":6,"Count":3}`, metric), 3, 6, good},
		{"text", document(`"n":"1"`, metric), 0, 0, validation},
		{"null", document(`"n":null`, metric), 0, 0, validation},
		{"no target", document(`"m":1`, metric+`,{"Name":"m"}`), 0, 0, cwtest.Extraction{Documents: 1, ValidationErrors: 1}},
		{"100 metrics", document(`"n":1`, list(100, metric)), 100, 100, good},
		{"101 metrics", document(`"n":1`, list(101, metric)), 0, 0, validation},
		{"two weeks old", at(-14 * 24 * time.Hour), 1, 1, good},
		{"older", at(-14*24*time.Hour - 1e6), 0, 0, validation},
		{"a unit", document(`"n":1`, `{"Name":"n","Unit":"Parsecs"}`), 0, 0, validation},
		{"other case", document(`"n":1`, `{"name":"n"}`), 0, 0, parsing},
		{"no directives", `{"_aws":{"Timestamp":1}}`, 0, 0, parsing},
		{"no object", "hello", 0, 0, cwtest.Extraction{Plain: 1}},
		{"no metadata", `{"a":1}`, 0, 0, cwtest.Extraction{Plain: 1}},
		{"numeric dimension", with(`{"Namespace":"N","Dimensions":[["d"]],"Metrics":[{"Name":"n"}]}`, `"n":1,"d":1`), 0, 0, validation},
		{"no dimension set", with(`{"Namespace":"N","Dimensions":[],"Metrics":[{"Name":"n"}]}`, `"n":1`), 0, 0, validation},
		{"a dimension without target", with(`{"Namespace":"N","Dimensions":[["d"],[]],"Metrics":[{"Name":"n"}]}`, `"n":1`), 1, 1, cwtest.Extraction{Documents: 1, ValidationErrors: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := newServer(t)
			_, err := srv.LogsClient().PutLogEvents(t.Context(), put(event(c.message, 0)))
			require.NoError(t, err)
			m := srv.Metric("N", "n", nil)
			assert.Equal(t, c.n, m.SampleCount)
			assert.Equal(t, c.sum, m.Sum)
			assert.Equal(t, c.want, srv.Extraction())
		})
	}
}

// The corpus of the conformance test, which was made without this server: of an event that
// breaks a rule for sure no metric is made, of others those that the corpus says.
func TestConformanceCorpus(t *testing.T) {
	files, err := filepath.Glob("../../testdata/conformance/*_*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	stamp := time.UnixMilli(1_700_000_000_000)
	srv := cwtest.New(t, cwtest.WithClock(func() time.Time { return stamp }))
	logs := srv.LogsClient()
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if strings.HasSuffix(name, ".metrics") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for prefix, because := range departures {
				if strings.HasPrefix(name, prefix) {
					t.Skip(because)
				}
			}
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			srv.Reset()
			srv.CreateGroup("g", "", "s")
			in := put(event(strings.TrimSuffix(string(text), "\n"), 0))
			in.LogEvents[0].Timestamp = aws.Int64(stamp.UnixMilli())
			_, err = logs.PutLogEvents(t.Context(), in)
			if err != nil {
				require.Equal(t, "InvalidParameterException", code(err))
			}
			want := wanted(t, strings.TrimSuffix(file, ".json")+".metrics.json")
			for _, m := range srv.Metrics() {
				key := describe(m.Namespace, m.Name, m.Dimensions, m.Unit, m.Resolution)
				w, ok := want[key]
				require.True(t, ok, "%s is made, and the corpus has %v", key, want)
				assert.Equal(t, w.n, m.SampleCount, key)
				assert.InDelta(t, w.sum, m.Sum, 1e-12*math.Abs(w.sum), key)
				delete(want, key)
			}
			assert.Empty(t, want)
		})
	}
}

// departures are cases that the corpus and this server see differently, and why.
var departures = map[string]string{
	"warning_line-prefix":             "AWS's present text allows nothing in front of a document",
	"warning_timestamp-window":        "the corpus leaves the clock out of what is extracted",
	"warning_namespace-empty_blank":   "the server takes the stricter reading",
	"error_invalid-utf8":              "the client makes the message valid before it sends it",
	"error_series-count":              "a bound of the library's own",
	"error_target-missing_one_of_two": "an AWS library states that the other metric is made",
}

type count struct{ n, sum float64 }

func describe(namespace, name string, dims map[string]string, unit string, resolution int) string {
	return fmt.Sprintf("%q %q %q %s %d", namespace, name, dims, unit, resolution)
}

// wanted reads what the corpus says of a case: nothing, if there is no such file.
func wanted(t *testing.T, file string) map[string]count {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return map[string]count{}
	}
	require.NoError(t, err)
	var metrics []struct {
		Namespace, Name, Unit string
		Dimensions            [][2]string
		Resolution            int
		Timestamp             int64
		Values, Counts        []float64
		Statistics            *struct{ Sum, Count float64 }
	}
	require.NoError(t, json.Unmarshal(text, &metrics))
	want := make(map[string]count)
	for _, m := range metrics {
		dims := make(map[string]string)
		for _, d := range m.Dimensions {
			dims[d[0]] = d[1]
		}
		var c count
		for i, v := range m.Values {
			n := 1.0
			if m.Counts != nil {
				n = m.Counts[i]
			}
			c.n, c.sum = c.n+n, c.sum+n*v
		}
		if m.Values == nil && m.Statistics != nil {
			c = count{m.Statistics.Count, m.Statistics.Sum}
		}
		key := describe(m.Namespace, m.Name, dims, m.Unit, m.Resolution)
		want[key] = count{want[key].n + c.n, want[key].sum + c.sum}
	}
	return want
}

// The server judges documents by rules of its own: it must not read them by the library's.
func TestServerDoesNotUseTheLibrary(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "github.com/liftemf/liftemf/internal/cwtest")
	assert.NotContains(t, string(out), "github.com/liftemf/liftemf/emf")
}
