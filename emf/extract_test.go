package emf

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExtract(t *testing.T) {
	at := time.UnixMilli(conformanceTime).UTC()
	dims := []Dimension{Dim("d", "v")}
	metric := func(m Metric) Metric {
		m.Time = at
		if m.Namespace == "" {
			m.Namespace, m.Name = "App", "m"
		}
		if m.Unit == "" {
			m.Unit = None
		}
		if m.Resolution == 0 {
			m.Resolution = StandardResolution
		}
		return m
	}
	tests := []struct {
		name, line string
		want       []Metric
	}{
		{"number", lineWith(`1.5`), []Metric{metric(Metric{Dimensions: dims, Values: []float64{1.5}})}},
		{"array", lineWith(`[3,1,2]`), []Metric{metric(Metric{Dimensions: dims, Values: []float64{3, 1, 2}})}},
		{
			"values and counts", lineWith(`{"Values":[1,2.5],"Counts":[3,4]}`),
			[]Metric{metric(Metric{Dimensions: dims, Values: []float64{1, 2.5}, Counts: []float64{3, 4}})},
		},
		{
			"values without counts", lineWith(`{"Values":[1,2]}`),
			[]Metric{metric(Metric{Dimensions: dims, Values: []float64{1, 2}})},
		},
		{
			"statistic set", lineWith(`{"Min":1,"Max":4,"Sum":7.5,"Count":3}`),
			[]Metric{metric(Metric{Dimensions: dims, Stats: &StatisticSet{Min: 1, Max: 4, Sum: 7.5, Count: 3}})},
		},
		{
			"counts beat Count", lineWith(`{"Values":[1,2],"Counts":[3,4],"Min":1,"Max":2,"Sum":11,"Count":99}`),
			[]Metric{metric(Metric{
				Dimensions: dims, Values: []float64{1, 2}, Counts: []float64{3, 4},
				Stats: &StatisticSet{Min: 1, Max: 2, Sum: 11, Count: 7},
			})},
		},
		{
			"unit and resolution", lineWithMetric(`{"Name":"m","Unit":"Bytes/Second","StorageResolution":1}`),
			[]Metric{metric(Metric{Dimensions: dims, Unit: BytesPerSecond, Resolution: HighResolution, Values: []float64{1}})},
		},
		{
			"each metric, then each set",
			lineOf(directiveOf(`"A"`, `["b","a"],[]`, `{"Name":"m"},{"Name":"n"}`), `"n":2,"a":"1","b":"2","m":1`),
			[]Metric{
				metric(Metric{Namespace: "A", Name: "m", Dimensions: []Dimension{Dim("b", "2"), Dim("a", "1")}, Values: []float64{1}}),
				metric(Metric{Namespace: "A", Name: "m", Values: []float64{1}}),
				metric(Metric{Namespace: "A", Name: "n", Dimensions: []Dimension{Dim("b", "2"), Dim("a", "1")}, Values: []float64{2}}),
				metric(Metric{Namespace: "A", Name: "n", Values: []float64{2}}),
			},
		},
		{
			"several directives",
			lineOf(directiveOf(`"A"`, `["d"]`, `{"Name":"m","Unit":"Count"}`)+","+directiveOf(`"B"`, `["d"]`, `{"Name":"m"},{"Name":"n"}`), `"d":"v","m":1,"n":2`),
			[]Metric{
				metric(Metric{Namespace: "A", Name: "m", Dimensions: dims, Unit: Count, Values: []float64{1}}),
				metric(Metric{Namespace: "B", Name: "m", Dimensions: dims, Values: []float64{1}}),
				metric(Metric{Namespace: "B", Name: "n", Dimensions: dims, Values: []float64{2}}),
			},
		},
		{"no directives", lineOf(``, ``), nil},
		{"no metrics", lineWithMetric(``), nil},
		{"no values", lineWith(`[]`), []Metric{}},
		{"last of a repeated key", lineOf(plainDirective, `"d":"u","d":"v","m":"x","m":7`), []Metric{metric(Metric{Dimensions: dims, Values: []float64{7}})}},
		{"behind a prefix", "2023-11-14T22:13:20.000Z\t6bc28136-0000-4365-b021-0ce6b2e64ab0\tINFO\t" + lineWith(`1`), []Metric{metric(Metric{Dimensions: dims, Values: []float64{1}})}},
		{"with a line break", lineWith(`1`) + "\r\n", []Metric{metric(Metric{Dimensions: dims, Values: []float64{1}})}},
		{"time with an exponent", lineWithStamp(`17e11`), []Metric{metric(Metric{Dimensions: dims, Values: []float64{1}})}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Extract([]byte(test.line))
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

// Numbers come back as strconv would read them, however they are written.
func TestExtractNumbers(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "-0": math.Copysign(0, -1), "7": 7, "-12.50": -12.5, "0.1": 0.1, "1e3": 1000, "1E-3": 0.001,
		"0.30000000000000004": 0.30000000000000004, "9007199254740993": 9007199254740992,
		"18446744073709551615": 18446744073709551615, "123456789012345678901234567890": 1.2345678901234568e29,
		"9007199254740992.5": 9007199254740992, "1.7976931348623157e-300": 1.7976931348623157e-300,
		"2.2250738585072011e-308": 2.2250738585072011e-308, "4.9e-324": 5e-324, "1e-400": 0,
		"2.3485425827738332e108": 0x1p360, "0.000001": 0.000001, "0.0000001": 0.0000001, "1.000000000000000000000": 1,
	} {
		for _, form := range []string{"%", "[%]", "[ % ]", "[%\r\n]", `{"Values":[%],"Counts":[1]}`} {
			line := ""
			for _, r := range form {
				if r == '%' {
					line += text
				} else {
					line += string(r)
				}
			}
			metrics, err := Extract([]byte(lineWith(line)))
			require.NoError(t, err, line)
			require.Len(t, metrics, 1)
			assert.Equal(t, math.Float64bits(want), math.Float64bits(metrics[0].Values[0]), line)
		}
	}
}

func TestExtractRefuses(t *testing.T) {
	metrics, err := Extract([]byte(lineOf(plainDirective, `"d":"v","é":1,"é":2`)))
	assert.Nil(t, metrics)
	var invalid InvalidError
	require.True(t, errors.As(err, &invalid))
	var rules []string
	for _, p := range invalid.Problems {
		rules = append(rules, p.Rule)
	}
	assert.Equal(t, []string{ruleDuplicateKey, ruleTimestampWindow, ruleTargetMissing}, rules, "warnings are in it")
	assert.EqualError(t, err, `emf: invalid document: error: target-missing: /_aws/CloudWatchMetrics/0/Metrics/0/Name: `+
		`The root has no member "m" to take values from: add it, or leave the metric out.`)

	_, err = Extract([]byte(lineWith(`["x",null]`)))
	assert.ErrorContains(t, err, "(and 1 more)")
	assert.EqualError(t, InvalidError{}, "emf: invalid document")
}

// What is returned stays as it is when the line's buffer is used again.
func TestExtractKeepsNothing(t *testing.T) {
	line := []byte(lineWith(`[1,2]`))
	before, err := Extract(line)
	require.NoError(t, err)
	for i := range line {
		line[i] = 'x'
	}
	_, err = Extract([]byte(lineOf(directiveOf(`"Z"`, `["z"]`, `{"Name":"y"}`), `"z":"w","y":[8,9]`)))
	require.NoError(t, err)
	after, err := Extract([]byte(lineWith(`[1,2]`)))
	require.NoError(t, err)
	assert.Equal(t, after, before)

	// Appending to what metrics share must not write into another's.
	two, err := Extract([]byte(lineOf(directiveOf(`"A"`, `["a"],["b"]`, `{"Name":"m"},{"Name":"n"}`), `"a":"1","b":"2","m":[1],"n":[2]`)))
	require.NoError(t, err)
	_ = append(two[0].Values, 99)
	_ = append(two[0].Dimensions, Dim("x", "y"))
	assert.Equal(t, []float64{2}, two[2].Values)
	assert.Equal(t, []Dimension{Dim("b", "2")}, two[1].Dimensions)
}
