package emf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The samples were written in these hours; they are judged as of then.
var samplesTime = time.UnixMilli(1795480000000)

// badSamples are the lines of other producers that break a rule, and which.
var badSamples = map[string]string{
	"aws-embedded-metrics-node-4.2.1.jsonl:16": "warning lone-surrogate",
	"aws-embedded-metrics-node-4.2.1.jsonl:21": "warning metric-name-length",
	"aws-embedded-metrics-node-4.2.1.jsonl:41": "error dimensions-empty",
	"aws-embedded-metrics-node-4.2.1.jsonl:51": "warning metrics-empty",
	"aws-embedded-metrics-node-4.2.1.jsonl:55": "warning namespace-length",
	"powertools-python-3.2.1a1.jsonl:7":        "warning dimension-name-characters, warning dimension-value-characters",
	"powertools-python-3.2.1a1.jsonl:12":       "error not-json",
	"powertools-python-3.2.1a1.jsonl:13":       "error not-json",
	"powertools-typescript-2.36.0.jsonl:16":    "warning timestamp-window",
}

func sampleLines(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(samplesDir, "*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	lines := make(map[string][]byte)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		n := 0
		for line := range bytes.Lines(text) {
			n++
			lines[fmt.Sprintf("%s:%d", filepath.Base(file), n)] = line
		}
	}
	return lines
}

func TestSamples(t *testing.T) {
	schema := loadSchema(t)
	for name, line := range sampleLines(t) {
		problems := checkAt(line, samplesTime)
		verdicts := []string{}
		for _, p := range problems {
			verdicts = append(verdicts, p.Severity.String()+" "+p.Rule)
		}
		assert.Equal(t, badSamples[name], strings.Join(verdicts, ", "), name)
		if hasError(problems) {
			continue
		}
		assert.NoError(t, againstSchema(schema, line), name)
		metrics, err := Extract(line)
		require.NoError(t, err, name)
		assert.Equal(t, declaredMetrics(t, line), conformanceMetrics(metrics), name)
	}
}

// declaredMetrics reads a document by encoding/json, as the specification says it: what
// a sample declares, without the code under test.
func declaredMetrics(t *testing.T, line []byte) []conformanceMetric {
	var doc struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct {
					Name              string
					Unit              Unit
					StorageResolution Resolution
				}
			}
		} `json:"_aws"`
	}
	var root map[string]any
	require.NoError(t, json.Unmarshal(line, &doc))
	require.NoError(t, json.Unmarshal(line, &root))
	metrics := []conformanceMetric{}
	for _, d := range doc.AWS.CloudWatchMetrics {
		for _, m := range d.Metrics {
			for _, set := range d.Dimensions {
				c := conformanceMetric{
					Namespace: d.Namespace, Name: m.Name, Dimensions: [][2]string{}, Unit: m.Unit,
					Resolution: m.StorageResolution, Timestamp: doc.AWS.Timestamp,
				}
				if c.Unit == "" {
					c.Unit = None
				}
				if c.Resolution == 0 {
					c.Resolution = StandardResolution
				}
				for _, name := range set {
					c.Dimensions = append(c.Dimensions, [2]string{name, root[name].(string)})
				}
				switch v := root[m.Name].(type) {
				case float64:
					c.Values = []float64{v}
				case []any:
					for _, v := range v {
						c.Values = append(c.Values, v.(float64))
					}
				}
				metrics = append(metrics, c)
			}
		}
	}
	return metrics
}
