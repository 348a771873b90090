package cwtest_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func asError(err error, target any) bool { return errors.As(err, target) }

func ptr[T any](v T) *T { return &v }

func dims(n int) (dims []types.Dimension) {
	for i := range n {
		dims = append(dims, types.Dimension{Name: aws.String(fmt.Sprint("d", i)), Value: aws.String("v")})
	}
	return dims
}

func floats(n int) (fs []float64) {
	for i := range n {
		fs = append(fs, float64(i))
	}
	return fs
}

// The limits of PutMetricData: what is at each passes, what is one over does not.
func TestPutMetricDataLimits(t *testing.T) {
	const (
		invalid  = "InvalidParameterValue"
		missing  = "MissingParameter"
		combined = "InvalidParameterCombination"
	)
	type change = func(*types.MetricDatum)
	value := func(v float64) change { return func(d *types.MetricDatum) { d.Value = &v } }
	dim := func(name, value string) change {
		return func(d *types.MetricDatum) { d.Dimensions = []types.Dimension{{Name: &name, Value: &value}} }
	}
	at := func(after time.Duration) change {
		return func(d *types.MetricDatum) { d.Timestamp = ptr(now.Add(after)) }
	}
	set := func(n, sum, low, high float64) change {
		return func(d *types.MetricDatum) {
			d.Value, d.StatisticValues = nil, &types.StatisticSet{SampleCount: &n, Sum: &sum, Minimum: &low, Maximum: &high}
		}
	}
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name   string
		change change
		want   string
	}{
		{"plain", func(*types.MetricDatum) {}, ""},
		{"no value", func(d *types.MetricDatum) { d.Value = nil }, missing},
		{"NaN", value(math.NaN()), invalid},
		{"infinity", value(math.Inf(-1)), invalid},
		{"2^360", value(0x1p360), ""},
		{"above 2^360", value(math.Nextafter(0x1p360, math.Inf(1))), invalid},
		{"below -2^360", value(math.Nextafter(-0x1p360, math.Inf(-1))), invalid},
		{"150 values", func(d *types.MetricDatum) { d.Value, d.Values = nil, floats(150) }, ""},
		{"151 values", func(d *types.MetricDatum) { d.Value, d.Values = nil, floats(151) }, invalid},
		{"counts", func(d *types.MetricDatum) { d.Value, d.Values, d.Counts = nil, floats(2), floats(2) }, ""},
		{"a count more", func(d *types.MetricDatum) { d.Value, d.Values, d.Counts = nil, floats(2), floats(3) }, invalid},
		{"a negative count", func(d *types.MetricDatum) { d.Value, d.Values, d.Counts = nil, floats(1), []float64{-1} }, invalid},
		{"value and values", func(d *types.MetricDatum) { d.Values = floats(2) }, combined},
		{"value and set", func(d *types.MetricDatum) { set(1, 1, 1, 1)(d); d.Value = ptr(1.0) }, combined},
		{"values and set", func(d *types.MetricDatum) { set(1, 1, 1, 1)(d); d.Values = floats(2) }, combined},
		{"a set", set(3, 6, 1, 3), ""},
		{"a set upside down", set(3, 6, 3, 1), invalid},
		{"30 dimensions", func(d *types.MetricDatum) { d.Dimensions = dims(30) }, ""},
		{"31 dimensions", func(d *types.MetricDatum) { d.Dimensions = dims(31) }, invalid},
		{"a dimension twice", func(d *types.MetricDatum) { d.Dimensions = append(dims(1), dims(1)...) }, invalid},
		{"empty dimension value", dim("d", ""), missing},
		{"blank dimension value", dim("d", "  "), invalid},
		{"dimension value not ASCII", dim("d", "é"), invalid},
		{"dimension value with a control character", dim("d", "a\tb"), invalid},
		{"dimension value of 1,024", dim("d", long(1024)), ""},
		{"dimension value of 1,025", dim("d", long(1025)), invalid},
		{"dimension name of 255", dim(long(255), "v"), ""},
		{"dimension name of 256", dim(long(256), "v"), invalid},
		{"colon first in the name", dim(":d", "v"), invalid},
		{"colon first in the value", dim("d", ":v"), ""},
		{"unit", func(d *types.MetricDatum) { d.Unit = "Parsecs" }, invalid},
		{"resolution 1", func(d *types.MetricDatum) { d.StorageResolution = ptr[int32](1) }, ""},
		{"resolution 5", func(d *types.MetricDatum) { d.StorageResolution = ptr[int32](5) }, invalid},
		{"two weeks ago", at(-14 * 24 * time.Hour), ""},
		{"before", at(-14*24*time.Hour - time.Millisecond), invalid},
		{"in two hours", at(2 * time.Hour), ""},
		{"after", at(2*time.Hour + time.Millisecond), invalid},
		{"name of 255", func(d *types.MetricDatum) { d.MetricName = ptr(long(255)) }, ""},
		{"name of 256", func(d *types.MetricDatum) { d.MetricName = ptr(long(256)) }, invalid},
		{"no name", func(d *types.MetricDatum) { d.MetricName = ptr("") }, missing},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := newServer(t)
			d := types.MetricDatum{MetricName: aws.String("n"), Value: ptr(1.0)}
			c.change(&d)
			good := types.MetricDatum{MetricName: aws.String("good"), Value: ptr(1.0)}
			_, err := srv.MetricsClient().PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
				Namespace: aws.String("N"), MetricData: []types.MetricDatum{good, d},
			})
			assert.Equal(t, c.want, code(err), "%v", err)
			if c.want != "" {
				assert.Zero(t, srv.SampleCount(), "the whole request is refused")
			}
		})
	}
}

func TestPutMetricDataRequestLimits(t *testing.T) {
	data := func(n int) (data []types.MetricDatum) {
		for i := range n {
			data = append(data, types.MetricDatum{MetricName: aws.String(fmt.Sprint("n", i)), Value: ptr(1.0)})
		}
		return data
	}
	srv := newServer(t)
	send := func(namespace string, data []types.MetricDatum) error {
		_, err := srv.MetricsClient(func(o *cloudwatch.Options) { o.DisableRequestCompression = true }).
			PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: &namespace, MetricData: data})
		return err
	}
	require.NoError(t, send("N", data(1000)))
	assert.Equal(t, "InvalidParameterValue", code(send("N", data(1001))))
	require.NoError(t, send(strings.Repeat("n", 255), data(1)))
	assert.Equal(t, "InvalidParameterValue", code(send(strings.Repeat("n", 256), data(1))))
	assert.Equal(t, "InvalidParameterValue", code(send(":n", data(1))))
	assert.Equal(t, "InvalidParameterValue", code(send("é", data(1))))
	assert.Equal(t, "MissingParameter", code(send("", data(1))))
	assert.Equal(t, "MissingParameter", code(send("N", nil)))

	// At 1 MB and one over: with dimensions most of it, then padding in names to the byte.
	full := data(1000)
	size := func() int {
		require.NoError(t, send("N", full))
		requests := srv.Requests("PutMetricData")
		return requests[len(requests)-1].Bytes
	}
	for i := range (1<<20 - size()) / 1100 {
		full[i].Dimensions = []types.Dimension{{Name: aws.String("d"), Value: aws.String(strings.Repeat("x", 1024))}}
	}
	for i, rest := 990, 1<<20-size(); rest > 100; i, rest = i-1, 1<<20-size() {
		*full[i].MetricName += strings.Repeat("x", min(rest-50, 200))
	}
	*full[999].MetricName += strings.Repeat("x", 30) // its length takes a byte more from here on
	*full[999].MetricName += strings.Repeat("x", 1<<20-size())
	assert.Equal(t, 1<<20, size(), "1 MB")
	*full[999].MetricName += "x"
	assert.Equal(t, "RequestEntityTooLarge", code(send("N", full)), "1 MB and a byte")
}

func TestWhatTheServerHolds(t *testing.T) {
	srv := newServer(t)
	metrics := srv.MetricsClient()
	later := now.Add(time.Minute)
	_, err := metrics.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("N"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("n"), Value: ptr(2.5), Timestamp: &now, Unit: types.StandardUnitCount},
		{MetricName: aws.String("n"), Values: []float64{1, 4}, Counts: []float64{3, 2}, Timestamp: &later, Unit: types.StandardUnitCount},
		{MetricName: aws.String("n"), StatisticValues: &types.StatisticSet{SampleCount: ptr(2.0), Sum: ptr(9.0), Minimum: ptr(-1.0), Maximum: ptr(10.0)}, Timestamp: &later, Unit: types.StandardUnitCount},
		{MetricName: aws.String("n"), Value: ptr(7.0), Dimensions: dims(1)},
	}})
	require.NoError(t, err)
	m := srv.Metric("N", "n", nil)
	assert.Equal(t, 8.0, m.SampleCount)
	assert.Equal(t, 2.5+3+8+9, m.Sum)
	assert.Equal(t, -1.0, m.Min)
	assert.Equal(t, 10.0, m.Max)
	assert.Equal(t, map[float64]float64{1: 3, 2.5: 1, 4: 2}, m.Values)
	assert.Equal(t, 1.0, m.Minutes[now].SampleCount)
	assert.Equal(t, 7.0, m.Minutes[later].SampleCount)
	assert.Equal(t, "Count", m.Unit)
	assert.Equal(t, 7.0, srv.Metric("N", "n", map[string]string{"d0": "v"}).Sum)
	assert.Len(t, srv.Metrics(), 2)
	assert.Equal(t, 9.0, srv.SampleCount())
	srv.Reset()
	assert.Empty(t, srv.Metrics())
}
