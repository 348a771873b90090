package emf

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// seedLines adds the corpus and the samples, but for what is too long to mutate well.
func seedLines(f *testing.F) {
	f.Helper()
	for _, lines := range []map[string][]byte{conformanceLines(f), sampleLines(f)} {
		for _, line := range lines {
			if len(line) < 4096 {
				f.Add(line)
			}
		}
	}
}

// FuzzCheck holds Check to encoding/json's idea of JSON, to answers that can be used, and
// to the same answer twice.
func FuzzCheck(f *testing.F) {
	seedLines(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		kept := string(line)
		now := time.UnixMilli(conformanceTime)
		problems := checkAt(line, now)
		assert.Equal(t, problems, checkAt(line, now))
		assert.Equal(t, kept, string(line))

		document := line[linePrefix(line):]
		notJSON := false
		for _, p := range problems {
			notJSON = notJSON || p.Rule == ruleNotJSON
			assert.NotEmpty(t, p.Rule)
			assert.NotEmpty(t, p.Message)
			assert.True(t, p.Path == "" || p.Path[0] == '/', p.Path)
			assert.Contains(t, []Severity{SeverityError, SeverityWarning}, p.Severity)
		}
		assert.Equal(t, json.Valid(document), !notJSON)
	})
}

// FuzzExtract holds Extract to Check, and what it returns to the limits.
func FuzzExtract(f *testing.F) {
	seedLines(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		metrics, err := Extract(line)
		assert.Equal(t, hasError(Check(line)), err != nil)
		if err != nil {
			var invalid InvalidError
			assert.True(t, errors.As(err, &invalid))
			assert.Empty(t, metrics)
			return
		}
		for _, m := range metrics {
			assert.NotEmpty(t, m.Namespace)
			assert.NotEmpty(t, m.Name)
			assert.True(t, m.Unit.Valid())
			assert.Contains(t, []Resolution{StandardResolution, HighResolution}, m.Resolution)
			assert.LessOrEqual(t, len(m.Dimensions), limitDimensions)
			for _, d := range m.Dimensions {
				assert.NotEmpty(t, d.Name)
				assert.NotEmpty(t, d.Value)
			}
			assert.LessOrEqual(t, len(m.Values), limitValues)
			assert.True(t, len(m.Values) > 0 || m.Stats != nil)
			assert.True(t, m.Counts == nil || len(m.Counts) == len(m.Values))
			for _, v := range m.Values {
				assert.LessOrEqual(t, v, limitMagnitude)
				assert.GreaterOrEqual(t, v, -limitMagnitude)
			}
		}
	})
}
