package metricdata_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink/metricdata"
)

// FuzzWrite gives the sink any bytes for a document. It is rejected, or all that is sent of it
// is taken: no request is refused, for that would cost the other documents calls.
func FuzzWrite(f *testing.F) {
	stamp := time.UnixMilli(1_700_000_000_000)
	files, err := filepath.Glob("../../testdata/conformance/*.json")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		if len(text) < 10_000 {
			f.Add([]byte(strings.TrimSuffix(string(text), "\n")))
		}
	}
	srv := cwtest.New(f, cwtest.WithClock(func() time.Time { return stamp }))
	s, err := metricdata.New(srv.MetricsClient(func(o *cloudwatch.Options) { o.DisableRequestCompression = true }))
	require.NoError(f, err)
	s.SetClock(func() time.Time { return stamp })
	f.Fuzz(func(t *testing.T, text []byte) {
		srv.Reset()
		err := s.Write(t.Context(), []emf.Document{{JSON: text, Values: 1}})
		retry, reject := undelivered(t, err)
		require.Empty(t, retry, "%v", err)
		for _, r := range srv.Requests("") {
			require.Equal(t, 200, r.Status, "%v", err)
			require.LessOrEqual(t, r.Bytes, metricdata.MaxBytes)
		}
		if len(reject) == 0 {
			metrics, err := emf.Extract(text)
			require.NoError(t, err)
			n := 0.0
			for _, m := range metrics {
				switch {
				case m.Counts != nil:
					for _, c := range m.Counts {
						n += c
					}
				case m.Values != nil:
					n += float64(len(m.Values))
				default:
					n += m.Stats.Count
				}
			}
			require.InDelta(t, n, srv.SampleCount(), 1e-9*n)
		}
	})
}
