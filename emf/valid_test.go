package emf_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// faults returns what is wrong with a document of the emitter: the rules that Check knows,
// warnings too, and what the emitter promises beyond them. Whether the timestamp is right it
// asks of the clock that the emitter went by.
func faults(doc []byte, now time.Time) (found []string) {
	for _, p := range emf.Check(doc) {
		if p.Rule != "timestamp-window" {
			found = append(found, p.String())
		}
	}
	if bytes.ContainsAny(doc, "\n\r") {
		found = append(found, "more than one line")
	}
	if len(doc) > 262_118 {
		found = append(found, fmt.Sprintf("%d bytes", len(doc)))
	}
	metrics, err := emf.Extract(doc)
	if err != nil {
		return found
	}
	if len(metrics) == 0 {
		found = append(found, "no metrics")
	}
	for _, m := range metrics {
		if now.Sub(m.Time) > 14*24*time.Hour || m.Time.Sub(now) > 2*time.Hour {
			found = append(found, fmt.Sprintf("timestamp %v", m.Time))
		}
	}
	return found
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
		{`"d":"v"`, "\n" + `"d":"v"`},
		{`"d":"v"`, `"d":"v","p":"` + strings.Repeat("x", 300_000) + `"`},
		{`{"Name":"m","Unit":"Count"}`, ``},
		{`Count`, `Parsecs`},
		{`1795521630000`, `1`},
		{`,"m":1}`, `,"m":1`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		require.NotEmpty(t, faults([]byte(bad), start), "%.200s", bad)
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

// FuzzRoundTrip records one metric of an arbitrary name, under arbitrary dimensions: either
// Extract returns exactly what was recorded, or all of it was dropped for its name.
func FuzzRoundTrip(f *testing.F) {
	f.Add("orders", "TenantID", "a", "r-1", 1.0, 0.5, uint8(3), uint8(0))
	f.Add("latency", "d", "v", "v", 1e-3, 1.7, uint8(250), uint8(2))
	f.Add("é\x00", "é", "\xff", `"`, -0x1p360, 1.0, uint8(1), uint8(1))
	f.Add("d", "d", "v", "d", 1e100, -1.5, uint8(101), uint8(2))
	f.Add("_aws", ":d", strings.Repeat("v", 2000), "_aws", math.Inf(1), 0.0, uint8(9), uint8(0))
	f.Add("narrow", "d", "v", "v", -287.9995714285714, 0.00011243386243386243, uint8(206), uint8(2))
	f.Fuzz(func(t *testing.T, name, dimension, value, text string, from, step float64, n, kind uint8) {
		e, c := newEmitter(t)
		r := e.With(emf.Dim(dimension, value), emf.Dim(text, dimension))
		var observe func(float64)
		switch kind % 3 {
		case 0:
			observe = r.Counter(name).Add
		case 1:
			observe = r.Gauge(name).Set
		case 2:
			observe = r.Histogram(name).Observe
		}
		var taken []float64 // those in range
		for i := range int(n) {
			v := from + step*float64(i*i%37)
			observe(v)
			if math.Abs(v) <= 0x1p360 {
				taken = append(taken, v)
			}
		}
		var want, size float64
		for _, v := range taken {
			want += v
			size += math.Abs(v)
		}
		count := float64(len(taken))
		if len(taken) > 0 {
			switch kind % 3 {
			case 0:
				count = 1 // a counter is its sum
			case 1:
				want, count = taken[len(taken)-1], 1
			}
		}
		require.NoError(t, e.Close(t.Context()))
		s := requireLaw(t, e)

		var sum, found float64
		names := map[string]bool{}
		for _, d := range c.take() {
			metrics, err := emf.Extract([]byte(d.json))
			require.NoError(t, err)
			for _, m := range metrics {
				names[m.Name] = true
				for i, v := range m.Values {
					times := 1.0
					if m.Counts != nil {
						times = m.Counts[i]
					}
					sum += v * times
					found += times
				}
			}
		}
		require.LessOrEqual(t, len(names), 1)
		if len(names) == 0 {
			require.Equal(t, s.Recorded, s.Dropped)
			require.True(t, len(taken) == 0 || unusable(name, dimension, text) || kind%3 == 0 && size > 0x1p360, "dropped: %v", s.Drops)
			return
		}
		require.Equal(t, count, found)
		require.LessOrEqual(t, math.Abs(sum-want), 1e-9*size)
		if kind%3 == 1 {
			require.EqualValues(t, 1, s.Delivered) // a gauge is its last value
		} else {
			require.EqualValues(t, len(taken), s.Delivered)
		}
		require.Equal(t, int(n)-len(taken), int(s.Dropped))
	})
}

// unusable reports whether a metric's name is blank, too long, or that of another root member.
func unusable(name string, dimensions ...string) bool {
	ascii := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '_'
			}
			return r
		}, s)
	}
	name = ascii(name)
	if strings.Trim(name, " ") == "" || len(name) > 255 || name == "_aws" {
		return true
	}
	for _, d := range dimensions {
		// A dimension's name may lose its end and its first colon.
		if d = ascii(d); name[1:] == d[min(len(d), 1):min(len(d), 250)] {
			return true
		}
	}
	return false
}
