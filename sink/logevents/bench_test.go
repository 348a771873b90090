package logevents_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/internal/traffic"
	"github.com/liftemf/liftemf/sink/logevents"
)

// BenchmarkWrite sends the documents of a flush over a real connection to a server that reads
// them and does nothing else, on the same CPUs. calls/Mvalue and bytes/Mvalue are requests and bytes of
// their bodies for a million values.
func BenchmarkWrite(b *testing.B) {
	for name, docs := range traffic.Flush(b) {
		b.Run(name, func(b *testing.B) {
			s, err := logevents.New(cloudwatchlogs.NewFromConfig(cwtest.Drain(b)), "g", logevents.WithoutClassCheck())
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
