package price

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTiers(t *testing.T) {
	for n, usd := range map[float64]float64{
		0: 0, 1: 0.30, 10_000: 3000, 10_001: 3000.10, 250_000: 27_000, 500_000: 39_500, 1_000_000: 64_500, 2_000_000: 84_500,
	} {
		assert.InDelta(t, usd, Default.Metrics.Of(n), 1e-6, "%v metrics", n)
	}
	assert.Equal(t, 1030.0, Default.Logs.Of(2060))
	assert.Zero(t, Tiers(nil).Of(5))
}

func TestRead(t *testing.T) {
	whole, err := json.Marshal(Default)
	require.NoError(t, err)
	got, err := Read(strings.NewReader(string(whole)))
	require.NoError(t, err)
	assert.Equal(t, Default, got)

	got, err = Read(strings.NewReader(`{"region":"eu-west-1","date":"2026-01-01","logs":[{"usd":0.57}]}`))
	require.NoError(t, err)
	assert.Equal(t, Table{Region: "eu-west-1", Date: "2026-01-01", Metrics: Default.Metrics, Logs: Tiers{{0, 0.57}}, Requests: Default.Requests}, got)

	for _, bad := range []string{
		``, `[]`, `{"metric":[]}`, `{"logs":[{"usd":-1}]}`, `{"logs":[{"up_to":5,"usd":1}]}`, `{"requests":-1}`,
		`{"metrics":[{"up_to":5,"usd":1},{"up_to":5,"usd":1},{"usd":1}]}`, `{"metrics":[{"usd":1},{"usd":1}]}`,
	} {
		_, err := Read(strings.NewReader(bad))
		assert.Error(t, err, bad)
	}
}
