package metricdata_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/internal/awssend"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/internal/traffic"
	"github.com/liftemf/liftemf/sink/metricdata"
)

// BenchmarkWrite sends the documents of a flush over a real connection to a server that reads
// them and does nothing else, on the same CPUs. calls/Mvalue and bytes/Mvalue are requests and bytes of
// their bodies for a million values.
func BenchmarkWrite(b *testing.B) {
	for name, docs := range traffic.Flush(b) {
		b.Run(name, func(b *testing.B) {
			s, err := metricdata.New(cloudwatch.NewFromConfig(cwtest.Drain(b)))
			require.NoError(b, err)
			size := 0
			for _, d := range docs {
				size += len(d.JSON)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, s.Write(b.Context(), docs))
			}
			stats := s.Stats()
			millions := float64(stats.Delivered) / 1e6
			b.ReportMetric(float64(len(docs)*b.N)/b.Elapsed().Seconds(), "docs/s")
			b.ReportMetric(float64(stats.Delivered)/b.Elapsed().Seconds(), "values/s")
			b.ReportMetric(float64(stats.Calls)/millions, "calls/Mvalue")
			b.ReportMetric(float64(stats.Bytes)/millions, "bytes/Mvalue")
		})
	}
}

// BenchmarkADatumAValue sends values as Lift's own collector does: each recording is a datum of its
// own, and a call takes 20. It is not that collector but its flow of data, for the calls and
// bytes of a million values.
func BenchmarkADatumAValue(b *testing.B) {
	client := cloudwatch.NewFromConfig(cwtest.Drain(b))
	in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop")}
	for range 20 {
		in.MetricData = append(in.MetricData, types.MetricDatum{
			MetricName: aws.String("requests"), Unit: types.StandardUnitCount, Value: aws.Float64(17), Timestamp: aws.Time(time.Now()),
			Dimensions: []types.Dimension{
				{Name: aws.String("Service"), Value: aws.String("checkout")}, {Name: aws.String("TenantID"), Value: aws.String("tenant-1000")},
			},
		})
	}
	var w awssend.Watch
	b.ReportAllocs()
	for b.Loop() {
		_, err := client.PutMetricData(b.Context(), in, func(o *cloudwatch.Options) { o.APIOptions = append(o.APIOptions, w.Install) })
		require.NoError(b, err)
	}
	millions := float64(20*b.N) / 1e6
	b.ReportMetric(float64(20*b.N)/b.Elapsed().Seconds(), "values/s")
	b.ReportMetric(float64(w.Attempts)/millions, "calls/Mvalue")
	b.ReportMetric(float64(w.Bytes)/millions, "bytes/Mvalue")
}
