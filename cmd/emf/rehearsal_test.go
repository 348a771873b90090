package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A dry run knows what would be refused, and does not price it.
func TestDryRunTellsWhatWouldBeRefused(t *testing.T) {
	aged := func(age time.Duration) string {
		return fmt.Sprintf(`{"_aws":{"Timestamp":%d,"LogGroupName":"/x","CloudWatchMetrics":[{"Namespace":"send","Dimensions":[[]],"Metrics":[{"Name":"n%d"}]}]},"n%[2]d":9}`+"\n",
			time.Now().Add(-age).UnixMilli(), age)
	}
	log := writeLog(t, aged(-3*time.Hour)+numberedLines(0, 3)+aged(15*24*time.Hour)+aged(13*24*time.Hour))
	for to, c := range map[string]struct {
		args    []string
		refused int
		why     string
	}{
		"logs:/send":                {nil, 2, "14 days old"},
		"metrics":                   {nil, 2, "14 days old"},
		"agent:tcp://127.0.0.1:1":   {nil, 3, "give --log-group"},
		"agent:udp://localhost:100": {[]string{"--log-group=/send"}, 0, ""},
	} {
		code, s, messages := sent(t, sender("", append(c.args, "--dry-run", "--to", to, log)...))
		assert.Equal(t, c.refused, s.Refused, to)
		assert.Equal(t, 6-c.refused, s.Documents, to)
		assert.Contains(t, messages, c.why, to)
		assert.Equal(t, c.refused > 0, code == exitFailure)
		if c.refused == 2 {
			assert.Equal(t, 2, s.Metrics, "n, and that of 13 days ago")
		}
	}
}
