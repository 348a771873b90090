package emf_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// faults returns the rules of the embedded metric format and of PutMetricData's MetricDatum
// that a document breaks. It shares nothing with the code that writes documents.
func faults(doc []byte, now time.Time) (found []string) {
	fault := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if !utf8.Valid(doc) {
		fault("invalid UTF-8")
	}
	if bytes.ContainsAny(doc, "\n\r") {
		fault("more than one line")
	}
	if len(doc) > 262_118 {
		fault("%d bytes", len(doc))
	}
	keys, err := rootKeys(doc)
	if err != nil {
		fault("not JSON: %v", err)
		return found
	}
	slices.Sort(keys)
	if unique := slices.Compact(slices.Clone(keys)); len(unique) != len(keys) {
		fault("duplicate keys: %q", keys)
	}
	var root map[string]any
	var members map[string]json.RawMessage // unlike a struct, it tells _aws from _AWS
	var head struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct {
				Name, Unit        string
				StorageResolution *int
			}
		}
	}
	if err := errors.Join(json.Unmarshal(doc, &root), json.Unmarshal(doc, &members), json.Unmarshal(members["_aws"], &head)); err != nil {
		fault("%v", err)
		return found
	}
	if at := time.UnixMilli(head.Timestamp); now.Sub(at) > 14*24*time.Hour || at.Sub(now) > 2*time.Hour {
		fault("timestamp %v", at)
	}
	if len(head.CloudWatchMetrics) != 1 {
		fault("%d directives", len(head.CloudWatchMetrics))
		return found
	}
	directive := head.CloudWatchMetrics[0]
	if n := len(directive.Metrics); n < 1 || n > 100 {
		fault("%d metrics", n)
	}
	if len(directive.Dimensions) < 1 {
		fault("no dimension sets")
	}
	var names []string
	for i, set := range directive.Dimensions {
		if len(set) > 30 {
			fault("dimensions %q", set)
		}
		for j, name := range set {
			if slices.Contains(set[:j], name) {
				fault("dimension %q twice", name)
			}
		}
		for _, other := range directive.Dimensions[:i] {
			if slices.Equal(set, other) {
				fault("dimension set %q twice", set)
			}
		}
		names = append(names, set...)
	}
	for _, name := range names {
		value, isString := root[name].(string)
		switch {
		case !isString:
			fault("dimension %q is not a string", name)
		case len(name) < 1 || len(name) > 250 || !printable(name) || name[0] == ':':
			fault("dimension name %q", name)
		case len(value) < 1 || len(value) > 1024 || !printable(value):
			fault("dimension value %q", value)
		}
	}
	for i, m := range directive.Metrics {
		switch {
		case len(m.Name) < 1 || len(m.Name) > 255 || !printable(m.Name):
			fault("metric name %q", m.Name)
		case m.Unit == "None" || m.Unit != "" && !emf.Unit(m.Unit).Valid():
			fault("unit %q", m.Unit)
		case m.StorageResolution != nil && *m.StorageResolution != 1:
			fault("storage resolution %d", *m.StorageResolution)
		case slices.Contains(names, m.Name) || m.Name == "_aws":
			fault("metric %q is a dimension", m.Name)
		}
		for _, other := range directive.Metrics[:i] {
			if other.Name == m.Name {
				fault("metric %q twice", m.Name)
			}
		}
		for _, v := range numbers(root[m.Name], fault) {
			if math.Abs(v) > 0x1p360 {
				fault("value %v", v)
			}
		}
	}
	return found
}

func printable(s string) bool {
	return strings.Trim(s, " ") != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func numbers(target any, fault func(string, ...any)) (values []float64) {
	list := func(v any, most int) (values []float64) {
		items, _ := v.([]any)
		if len(items) < 1 || len(items) > most {
			fault("%d values", len(items))
		}
		for _, item := range items {
			number, ok := item.(float64)
			if !ok {
				fault("%v is not a number", item)
			}
			values = append(values, number)
		}
		return values
	}
	switch v := target.(type) {
	case float64:
		return []float64{v}
	case []any:
		return list(v, 100)
	case map[string]any:
		values := list(v["Values"], 100)
		counts := list(v["Counts"], 100)
		if len(values) != len(counts) || len(v) != 2 {
			fault("%d values, %d counts", len(values), len(counts))
		}
		for _, n := range counts {
			if n < 1 || n != math.Trunc(n) {
				fault("count %v", n)
			}
		}
		return values
	}
	fault("target %v", target)
	return nil
}

// rootKeys returns the names of a document's root members, repeated ones too.
func rootKeys(doc []byte) (keys []string, err error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	depth := 0
	isKey := false
	for {
		token, err := d.Token()
		if err == io.EOF {
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		delim, isDelim := token.(json.Delim)
		switch {
		case isDelim && (delim == '{' || delim == '['):
			depth++
			isKey = depth == 1
		case isDelim:
			depth--
			isKey = depth == 1
		case depth == 1 && isKey:
			keys = append(keys, token.(string))
			isKey = false
		case depth == 1:
			isKey = true
		}
	}
}

func TestFaultsAreFound(t *testing.T) {
	const good = `{"_aws":{"Timestamp":1795521630000,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[["d"]],"Metrics":[{"Name":"m","Unit":"Count"}]}]},"d":"v","m":1}`
	require.Empty(t, faults([]byte(good), start))
	for _, change := range [][2]string{
		{`"m":1`, `"m":"1"`},
		{`"m":1`, `"m":1,"d":"w"`},
		{`"m":1`, `"m":[]`},
		{`"m":1`, `"m":1e200`},
		{`"m":1`, `"m":{"Values":[1],"Counts":[1,2]}`},
		{`"m":1`, `"x":1`},
		{`"d":"v"`, `"d":""`},
		{`"d":"v"`, `"d":"é"`},
		{`Count`, `Parsecs`},
		{`1795521630000`, `1`},
		{`,"m":1}`, `,"m":1`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		require.NotEmpty(t, faults([]byte(bad), start), bad)
	}
}

// Whatever is recorded, what comes out is valid, and what goes in is accounted for.
func FuzzEmitter(f *testing.F) {
	f.Add("orders", "TenantID", "a", "RequestId", "r-1", 1.0, uint8(3))
	f.Add("", ":d", "\xff", "_aws", "\x00", 1e300, uint8(200))
	f.Add("_aws", "_aws", `a","b":"c`, "d", "é", math.NaN(), uint8(101))
	f.Add("d", "d", "v", "d", "v", math.Inf(-1), uint8(0))
	f.Add(`a"b\`, `c"\`, `\"`, `"`, `\`, -0x1p360, uint8(7))
	f.Add(strings.Repeat("n", 2000), strings.Repeat("d", 300), strings.Repeat("v", 2000), "p", strings.Repeat("p", 3000), 5e-324, uint8(99))
	f.Fuzz(func(t *testing.T, name, dimension, value, property, text string, v float64, n uint8) {
		e, c := newEmitter(t)
		record := func(r *emf.Recorder) {
			r.Counter(name).Add(v)
			r.Counter(name+"2", emf.Unit(text)).Inc()
			r.Gauge(name+"3", emf.Resolution(n)).Set(v)
			r.Gauge(name).Set(v)
			h := r.Histogram(name+"4", emf.Bytes)
			for i := range int(n) {
				h.Observe(v * float64(i))
			}
		}
		r := e.With(emf.Dim(dimension, value), emf.Dim(value, dimension))
		record(r)
		record(r.WithTenant(text))
		ev := e.Begin(emf.Dim(dimension, value))
		ev.SetProperty(property, text)
		ev.SetProperty(text, []any{value, v, map[string]any{dimension: text}})
		record(ev.Recorder)
		_ = ev.End(t.Context())
		require.NoError(t, e.Close(t.Context()))
		s := requireLaw(t, e)
		require.Zero(t, s.Pending)
		values := 0
		for _, d := range c.take() {
			require.Empty(t, faults([]byte(d.json), start), d.json)
			values += d.values
		}
		require.EqualValues(t, s.Delivered, values)
	})
}
