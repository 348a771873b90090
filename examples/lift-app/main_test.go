package main_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/lambdatest"
)

func request(path, tenant string) string {
	return fmt.Sprintf(`{"httpMethod":"GET","path":%q,"headers":{"X-Tenant-Id":%q}}`, path, tenant)
}

func TestOutput(t *testing.T) {
	f := lambdatest.Deploy(t, lambdatest.Config{Program: lambdatest.Build(t, ".")})
	for i, c := range []struct {
		payload, answer string
		status          any
		failed          bool
	}{
		{request("/orders/7", "acme"), `{"statusCode":200,"body":{"id":"7"}}`, "200", false},
		{request("/orders/0", "acme"), `{"statusCode":404,"body":"no such order"}`, "404", false},
		{request("/orders/broken", "globex"), `{"statusCode":500,"body":"internal error"}`, "500", true},
		{request("/nowhere", "globex"), `{"statusCode":500,"body":"no such route"}`, "500", true},
		{`{"Records":[{"body":"mail"}]}`, `null`, nil, false},
	} {
		id := fmt.Sprint("r-", i)
		got := f.Invoke(lambdatest.Invocation{RequestID: id, Payload: c.payload})
		assert.Equal(t, lambdatest.Responded, got.Outcome)
		assert.JSONEq(t, c.answer, got.Payload)

		found := false
		for _, line := range lambdatest.Lines(f.Stdout()) {
			require.Empty(t, emf.Check([]byte(line)), line)
			var doc map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &doc))
			if doc["request_id"] != id || doc["requests.total"] == nil {
				continue
			}
			require.False(t, found, "recorded twice: %s", line)
			found = true
			assert.Equal(t, 1.0, doc["requests.total"])
			assert.Equal(t, c.failed, doc["requests.errors"] == 1.0, line)
			assert.Equal(t, c.status, doc["status"], line)
		}
		assert.True(t, found, id)
	}
	sums := map[string]float64{}
	for _, line := range lambdatest.Lines(f.Stdout()) {
		metrics, err := emf.Extract([]byte(line))
		require.NoError(t, err)
		for _, m := range metrics {
			key := m.Name
			for _, d := range m.Dimensions {
				key += " " + d.Value
			}
			for _, v := range m.Values {
				sums[key] += v
			}
		}
	}
	assert.Equal(t, 5.0, sums["requests.total production"])
	assert.Equal(t, 2.0, sums["requests.total production acme"])
	assert.Equal(t, 2.0, sums["orders.read acme"])
	assert.Equal(t, 1.0, sums["orders.read globex"])
	assert.Equal(t, 1.0, sums["messages"])
}
