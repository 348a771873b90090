package emf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func checkThen(line string) []Problem { return checkAt([]byte(line), time.UnixMilli(conformanceTime)) }

// What Check says is read by people and by programs: all of it, once, exactly.
func TestCheckProblems(t *testing.T) {
	tests := []struct {
		name, line string
		want       []string
	}{
		{"nothing", lineWith(`1`), nil},
		{
			"every problem of a line", lineOf(
				`{"namespace":"App","Dimensions":[["d","x",""]],"Metrics":[{"Name":"m","Unit":"ms"},{"Name":"n"},7]}`,
				`"d":"","m":[1,"2",1e200]`),
			[]string{
				`warning: member-unknown: /_aws/CloudWatchMetrics/0/namespace: Write Namespace: upper and lower case matter.`,
				`error: unit-unknown: /_aws/CloudWatchMetrics/0/Metrics/0/Unit: CloudWatch has no unit "ms": use one of its 27, such as Count or Milliseconds, or leave it out.`,
				`error: member-type: /_aws/CloudWatchMetrics/0/Metrics/2: Make this a metric definition: an object with Name.`,
				`error: member-missing: /_aws/CloudWatchMetrics/0: Add the member Namespace, a string.`,
				`error: dimension-value-empty: /d: Give a dimension value with at least one visible character.`,
				`error: dimension-missing: /_aws/CloudWatchMetrics/0/Dimensions/0/1: The root has no member "x" to take the value from: add it, or leave the dimension out.`,
				`error: dimension-name-empty: /_aws/CloudWatchMetrics/0/Dimensions/0/2: Give a dimension name with at least one visible character.`,
				`error: dimension-missing: /_aws/CloudWatchMetrics/0/Dimensions/0/2: The root has no member "" to take the value from: add it, or leave the dimension out.`,
				`error: target-type: /m/1: Make this a number: the values of a metric are.`,
				`error: value-range: /m/2: Keep values within ±2^360, or leave this one out.`,
				`error: target-missing: /_aws/CloudWatchMetrics/0/Metrics/1/Name: The root has no member "n" to take values from: add it, or leave the metric out.`,
			},
		},
		{
			"pointers are escaped", lineWithName(`"a/b~c\n"`),
			[]string{`error: metric-name-characters: /_aws/CloudWatchMetrics/0/Metrics/0/Name: Leave line breaks out of a metric name.`},
		},
		{
			"escaped pointer", strings.Replace(lineWithName(`"a/b~c"`), `:1}`, `:"x"}`, 1),
			[]string{`error: target-type: /a~1b~0c: Make this a number, an array of numbers, {"Values","Counts"} or {"Min","Max","Sum","Count"}: it is the value of a metric.`},
		},
		{
			"a value is judged once", lineOf(plainDirective+","+plainDirective, `"d":1,"m":"x"`),
			[]string{
				`error: dimension-type: /d: Make this a string: it is the value of a dimension.`,
				`error: target-type: /m: Make this a number, an array of numbers, {"Values","Counts"} or {"Min","Max","Sum","Count"}: it is the value of a metric.`,
			},
		},
		{"truncated", lineWith(`1`)[:60], []string{`error: not-json: The document ends too early, as if the line was cut: write it whole, or smaller.`}},
		{"truncated before its line break", lineWith(`1`)[:60] + "\r\n", []string{`error: not-json: The document ends too early, as if the line was cut: write it whole, or smaller.`}},
		{"cut by the agent", lineWith(`1`)[:60] + `[Truncated...]`, []string{`error: not-json: The line was cut by the CloudWatch agent: write smaller documents.`}},
		{"bare NaN", lineWith(`NaN`), []string{`error: not-json: JSON has no NaN and no infinity (at byte 136): leave the value out.`}},
		{"bare infinity", lineWith(`-Infinity`), []string{`error: not-json: JSON has no NaN and no infinity (at byte 137): leave the value out.`}},
		{"byte order mark", "\xEF\xBB\xBF" + lineWith(`1`), []string{`error: not-json: The line starts with a byte order mark: leave it out.`}},
		{"two documents", `{} {}`, []string{`error: not-json: Something follows the document at byte 3: write it alone on its line.`}},
		{"a wrong byte", "{\"a\":\xff}", []string{`error: not-json: The line is not JSON: byte 0xff at byte 5 does not belong there.`}},
		{"a wrong character", `{"a":é}`, []string{`error: not-json: The line is not JSON: 'é' at byte 5 does not belong there.`}},
		{"empty", "\n", []string{`error: not-json: The line is empty: write a JSON object.`}},
		{"too deep", strings.Repeat("[", 10001), []string{`error: not-json: Values are nested more than 10000 deep (at byte 10000): flatten them.`}},
		{"seconds", lineWithStamp(`1700000000`), []string{`warning: timestamp-window: /_aws/Timestamp: The time lies in 1970: it looks like seconds where milliseconds belong.`}},
		{
			"behind a prefix, offsets count from the line's start", "2023-11-14T22:13:20.000Z {\"a\":x}",
			[]string{`error: not-json: The line is not JSON: 'x' at byte 30 does not belong there.`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, p := range checkThen(test.line) {
				got = append(got, p.String())
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestCheckUsesTheClock(t *testing.T) {
	now := time.Now()
	assert.Empty(t, Check([]byte(lineWithStamp(fmt.Sprint(now.UnixMilli())))))
	for _, at := range []time.Time{now.Add(-15 * 24 * time.Hour), now.Add(3 * time.Hour)} {
		problems := Check([]byte(lineWithStamp(fmt.Sprint(at.UnixMilli()))))
		require.Len(t, problems, 1)
		assert.Equal(t, ruleTimestampWindow, problems[0].Rule)
		assert.Equal(t, SeverityWarning, problems[0].Severity)
	}
}

func TestSeverityText(t *testing.T) {
	text, err := json.Marshal(Problem{Rule: "r", Path: "/p", Message: "m", Severity: SeverityWarning})
	require.NoError(t, err)
	assert.JSONEq(t, `{"rule":"r","path":"/p","message":"m","severity":"warning"}`, string(text))
	var p Problem
	require.NoError(t, json.Unmarshal(text, &p))
	assert.Equal(t, SeverityWarning, p.Severity)
	assert.ErrorContains(t, json.Unmarshal([]byte(`{"severity":"fatal"}`), &p), `"fatal"`)
	assert.Equal(t, "Severity(7)", Severity(7).String())
}

func TestLinePrefix(t *testing.T) {
	const id = "6bc28136-0000-4365-b021-0ce6b2e64ab0"
	for prefix, tolerated := range map[string]bool{
		"2023-11-14T22:13:20.000Z\t" + id + "\t":               true,
		"2023-11-14T22:13:20.000Z\t" + id + "\tINFO\t":         true,
		"2023-11-14T22:13:20.000Z " + id + " ":                 true,
		"[WARNING]\t2023-11-14T22:13:20.000Z\t" + id + "\t":    true,
		"2023-11-14T22:13:20.123456789Z stderr F ":             true,
		"2023-11-14T22:13:20-08:00 ":                           true,
		"2023-11-14T22:13:20Z ":                                true,
		"2023-11-14T22:13:20.000Z":                             false, // nothing between it and the document
		"2023-11-14T22:13:20 ":                                 false, // no zone
		"2023-11-14 22:13:20Z ":                                false,
		id + "\t":                                              false, // no time
		"INFO ":                                                false,
		"2023-11-14T22:13:20Z hello ":                          false,
		"2023-11-14T22:13:20Z 2023-11-14T22:13:20Z ":           false,
		"2023-11-14T22:13:20Z stdout P ":                       false, // a part of a line
		"2023-11-14T22:13:20.000Z\nINFO ":                      false,
		"2023-11-14T22:13:20Z " + strings.Repeat("INFO ", 100): false, // longer than any
		"": false, " ": false,
	} {
		want := 0
		if tolerated {
			want = len(prefix)
		}
		assert.Equal(t, want, linePrefix([]byte(prefix+`{"a":1}`)), "%q", prefix)
	}
}

// Check says not-json exactly where encoding/json does: on the corpus, and on lines that
// differ from it in a byte or two.
func TestCheckAgreesOnJSON(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const bytesOfInterest = "\"\\{}[]:,0123456789-+.eEtrufalsn \t\n\r\x00\x1f\x7f\x80\xed\xa0\xff"
	for name, line := range conformanceLines(t) {
		assertSameJSON(t, line)
		if len(line) > 20_000 {
			continue
		}
		for range 200 {
			changed := bytes.Clone(line)
			for range 1 + random.IntN(2) {
				at := random.IntN(len(changed))
				b := bytesOfInterest[random.IntN(len(bytesOfInterest))]
				switch random.IntN(4) {
				case 0:
					changed = append(changed[:at:at], changed[at+1:]...)
					changed = append(changed, '\n') // so that none gets empty
				case 1:
					changed = append(changed[:at:at], append([]byte{b}, changed[at:]...)...)
				case 2:
					changed = append(changed[:at:at], '\n')
				default:
					changed[at] = b
				}
			}
			if !assertSameJSON(t, changed) {
				t.Fatalf("from %s: %q", name, changed)
			}
		}
	}
}

// assertSameJSON compares Check's idea of JSON with encoding/json's.
func assertSameJSON(t testing.TB, line []byte) bool {
	t.Helper()
	problems := Check(line)
	notJSON := len(problems) == 1 && problems[0].Rule == ruleNotJSON
	return assert.Equal(t, json.Valid(line[linePrefix(line):]), !notJSON, "%.500q", line)
}

// hostileLines are lines of about n bytes that cost a careless reader more than n.
func hostileLines(n int) map[string]string {
	fill := func(part string) string { return strings.Repeat(part, n/len(part)) }
	counted := func(format string, each int) string {
		return listOf(n/each, func(i int) string { return fmt.Sprintf(format, i) })
	}
	return map[string]string{
		"open brackets":      fill("["),
		"open objects":       fill(`{"a":`),
		"backslashes":        `{"a":"` + fill(`\`),
		"spaces":             fill(" "),
		"NULs":               fill("\x00"),
		"digits":             lineWith("1" + fill("0")),
		"exponent":           lineWith("1e" + fill("9")),
		"fraction":           lineWith("0." + fill("3")),
		"one long string":    lineOf(plainDirective, `"d":"v","m":1,"p":"`+fill("x")+`"`),
		"one long value":     lineWithDimension(`"d"`, `"`+fill("é")+`"`),
		"invalid UTF-8":      lineOf(plainDirective, `"d":"v","m":1,"p":"`+fill("\xff")+`"`),
		"lone surrogates":    lineOf(plainDirective, `"d":"v","m":1,"p":"`+fill(`\ud800`)+`"`),
		"many members":       lineOf(plainDirective, `"d":"v","m":1,`+counted(`"k%d":1`, 10)),
		"same member":        lineOf(plainDirective, `"d":"v","m":1,`+counted(`"k":%d`, 9)),
		"same member of aws": lineWithAWS(`{` + conformanceStamp + `,` + counted(`"x":%d`, 9) + `}`),
		"same directives":    lineWithAWS(`{` + conformanceStamp + `,` + listOf(n/40, func(int) string { return `"CloudWatchMetrics":[` + plainDirective + `]` }) + `}`),
		"many directives":    lineOf(listOf(n/len(plainDirective), func(int) string { return plainDirective }), `"d":"v","m":1`),
		"empty directives":   lineOf(listOf(n/3, func(int) string { return `{}` }), ``),
		"wrong directives":   lineOf(listOf(n/2, func(int) string { return `1` }), ``),
		"many sets":          lineOf(directiveOf(`"App"`, counted(`["d%d"]`, 11), `{"Name":"m"}`), `"m":1`),
		"empty sets":         lineOf(directiveOf(`"App"`, listOf(n/3, func(int) string { return `[]` }), `{"Name":"m"}`), `"m":1`),
		"one wide set":       lineOf(directiveOf(`"App"`, `[`+counted(`"d%d"`, 9)+`]`, `{"Name":"m"}`), `"m":1`),
		"same name in a set": lineOf(directiveOf(`"App"`, `[`+listOf(n/4, func(int) string { return `"d"` })+`]`, `{"Name":"m"}`), `"d":"v","m":1`),
		"sets times metrics": lineOf(directiveOf(`"App"`, listOf(n/6, func(int) string { return `[]` }), listOf(n/24, func(int) string { return `{"Name":"m"}` })), `"m":1`),
		"sets times hundred": lineOf(directiveOf(`"App"`, listOf(n/3, func(int) string { return `[]` }), listOf(100, func(i int) string { return fmt.Sprintf(`{"Name":"m%d"}`, i) })), listOf(100, func(i int) string { return fmt.Sprintf(`"m%d":1`, i) })),
		"metrics on an array": lineOf(directiveOf(`"App"`, `[]`, listOf(n/24, func(int) string { return `{"Name":"m"}` })),
			`"m":[`+listOf(n/4, func(int) string { return `1` })+`]`),
		"long array":        lineWith(`[` + listOf(n/2, func(int) string { return `1` }) + `]`),
		"long wrong array":  lineWith(`[` + listOf(n/5, func(int) string { return `null` }) + `]`),
		"long counts":       lineWith(`{"Values":[` + listOf(n/4, func(int) string { return `1` }) + `],"Counts":[` + listOf(n/5, func(int) string { return `-1` }) + `]}`),
		"deep unknown":      lineWithAWS(`{` + conformanceStamp + `,"x":` + strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000) + `}`),
		"escaped keys":      lineOf(plainDirective, `"d":"v","m":1,`+counted(`"\u0061%d":1`, 16)),
		"many line breaks":  strings.Replace(lineWith(`1`), `,"d"`, fill("\n")+`,"d"`, 1),
		"prefix of a kind":  fill("INFO ") + lineWith(`1`),
		"truncated in text": lineOf(plainDirective, `"d":"v","m":1,"p":"`+fill("x")),
	}
}

// A line's cost grows with its length and nothing else. A quadratic reader takes minutes for
// some of these, which go test's timeout ends.
func TestHostileLines(t *testing.T) {
	const size = 1 << 20
	for name, text := range hostileLines(size) {
		t.Run(name, func(t *testing.T) {
			line := []byte(text)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			problems := Check(line)
			metrics, err := Extract(line)
			runtime.ReadMemStats(&after)

			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(400<<20))
			assert.LessOrEqual(t, len(problems), 2*limitProblems)
			assert.Equal(t, hasError(problems), err != nil)
			assert.LessOrEqual(t, len(metrics), limitSeries)
			assertSameJSON(t, line)
		})
	}
}

// Problems are cut, errors are not hidden by warnings.
func TestProblemsAreBounded(t *testing.T) {
	line := lineOf(directiveOf(`"App"`, `["d","x"]`, `{"Name":"m"}`),
		listOf(3000, func(int) string { return `"d":"v"` })+`,"m":1`)
	problems := checkThen(line)
	assert.Len(t, problems, limitProblems+1)
	assert.Equal(t, ruleDimensionMissing, problems[limitProblems].Rule)
}

func TestCheckConcurrently(t *testing.T) {
	lines := conformanceLines(t)
	want := make(map[string][]Problem)
	for name, line := range lines {
		want[name] = checkAt(line, time.UnixMilli(conformanceTime))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for name, line := range lines {
				assert.Equal(t, want[name], checkAt(line, time.UnixMilli(conformanceTime)), name)
				_, _ = Extract(line)
			}
		})
	}
	wg.Wait()
}
