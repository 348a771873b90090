package cwtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/internal/cwtest"
)

// The same data in each protocol, compressed and not, leave the same, and the same errors.
func TestProtocols(t *testing.T) {
	later := now.Add(1234 * time.Millisecond)
	in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("N &=+%"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("a b&c=d"), Value: ptr(2.5), Unit: types.StandardUnitBytesSecond, StorageResolution: ptr[int32](1), Timestamp: &later},
		{MetricName: aws.String("v"), Values: floats(150), Counts: floats(150), Dimensions: dims(12)},
		{MetricName: aws.String("s"), StatisticValues: &types.StatisticSet{SampleCount: ptr(2.0), Sum: ptr(3.5), Minimum: ptr(1.0), Maximum: ptr(2.5)}},
	}}
	protocols := map[string]func(*cloudwatch.Options){
		"cbor":     func(*cloudwatch.Options) {},
		"json-1.0": func(o *cloudwatch.Options) { o.Protocol = awsjson.New10(schemas.GraniteServiceVersion20100801) },
		"query":    func(o *cloudwatch.Options) { o.Protocol = awsquery.New(schemas.GraniteServiceVersion20100801) },
	}
	var want []cwtest.Metric
	for _, name := range []string{"cbor", "json-1.0", "query"} {
		for _, least := range []int64{0, 10_240} {
			srv := newServer(t)
			client := srv.MetricsClient(protocols[name], func(o *cloudwatch.Options) { o.RequestMinCompressSizeBytes = least })
			_, err := client.PutMetricData(t.Context(), in)
			require.NoError(t, err, name)
			request := srv.Requests("PutMetricData")[0]
			assert.Equal(t, name, request.Protocol)
			assert.Equal(t, int64(request.Bytes) >= least, request.Wire != request.Bytes, "compressed")
			assert.Equal(t, 200, request.Status)
			if want == nil {
				want = srv.Metrics()
				require.Len(t, want, 3)
				assert.Equal(t, now, srvMinute(want[0]))
			}
			assert.Equal(t, want, srv.Metrics(), name)

			_, err = client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("N"), MetricData: []types.MetricDatum{{MetricName: aws.String("n")}}})
			assert.Contains(t, []string{"MissingParameter", "MissingRequiredParameterException"}, code(err), name) // the client names it by its type
			for fault, code := range map[cwtest.Fault]string{cwtest.Throttle: "Throttling", cwtest.InternalError: "InternalFailure", cwtest.AccessDenied: "AccessDenied"} {
				srv.SetFaults(cwtest.Always(fault))
				before := srv.Calls("")
				_, err = client.PutMetricData(t.Context(), in)
				require.ErrorContains(t, err, code, name)
				attempts := 3
				if fault == cwtest.AccessDenied {
					attempts = 1
				}
				assert.Equal(t, attempts, srv.Calls("")-before, "%s %s", name, fault)
				srv.SetFaults(nil)
			}
		}
	}
}

func srvMinute(m cwtest.Metric) time.Time {
	for minute := range m.Minutes {
		return minute
	}
	return time.Time{}
}

// Debian's awscli, which was not made by the makers of the Go SDK nor of this server, and
// speaks the query protocol: the same documents, the same answers.
func TestAWSCommandLine(t *testing.T) {
	const program = "/usr/bin/aws"
	if _, err := os.Stat(program); err != nil {
		t.Skip("needs Debian's awscli: apt-get install awscli")
	}
	srv := cwtest.New(t)
	dir := t.TempDir()
	file := func(name string, content any) string {
		text, err := json.Marshal(content)
		require.NoError(t, err)
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, text, 0o600))
		return "file://" + path
	}
	// run returns what the command prints, and the code of its error.
	run := func(args ...string) (out string, errorCode string) {
		c := exec.CommandContext(t.Context(), program, append([]string{"--endpoint-url", srv.URL, "--output", "json"}, args...)...)
		c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_DEFAULT_REGION=us-east-1",
			"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "HOME="+dir)
		var stdout, stderr bytes.Buffer
		c.Stdout, c.Stderr = &stdout, &stderr
		if err := c.Run(); err != nil {
			_, after, ok := strings.Cut(stderr.String(), "An error occurred (")
			require.True(t, ok, "%v: %s", err, stderr.String())
			errorCode, _, _ = strings.Cut(after, ")")
		}
		return stdout.String(), errorCode
	}
	good := func(args ...string) string {
		out, code := run(args...)
		require.Empty(t, code, "%v", args)
		return out
	}
	at := time.Now().Truncate(time.Second)
	doc := fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service"],[]],"Metrics":[{"Name":"latency","Unit":"Milliseconds"}]}]},"Service":"web","latency":[1,2,2.5]}`, at.UnixMilli())
	put := []string{"logs", "put-log-events", "--log-group-name", "g", "--log-stream-name", "s", "--log-events"}

	_, code := run(append(put, file("one.json", []cwtest.Event{{Timestamp: at.UnixMilli(), Message: doc}}))...)
	assert.Equal(t, "ResourceNotFoundException", code)
	good("logs", "create-log-group", "--log-group-name", "g")
	_, code = run("logs", "create-log-group", "--log-group-name", "g")
	assert.Equal(t, "ResourceAlreadyExistsException", code)
	good("logs", "create-log-stream", "--log-group-name", "g", "--log-stream-name", "s")
	good("logs", "put-retention-policy", "--log-group-name", "g", "--retention-in-days", "30")
	assert.Contains(t, good("logs", "describe-log-groups", "--log-group-name-prefix", "g"), `"retentionInDays": 30`)
	out := good(append(put, file("three.json", []cwtest.Event{
		{Timestamp: at.Add(-15 * 24 * time.Hour).UnixMilli(), Message: "old"}, {Timestamp: at.UnixMilli(), Message: doc}, {Timestamp: at.Add(3 * time.Hour).UnixMilli(), Message: "new"},
	}))...)
	assert.Contains(t, out, `"tooOldLogEventEndIndex": 1`)
	assert.Contains(t, out, `"tooNewLogEventStartIndex": 2`)
	for name, events := range map[string][]cwtest.Event{
		"order": {{Timestamp: at.UnixMilli(), Message: "a"}, {Timestamp: at.UnixMilli() - 1, Message: "b"}},
		"span":  {{Timestamp: at.Add(-25 * time.Hour).UnixMilli(), Message: "a"}, {Timestamp: at.UnixMilli(), Message: "b"}},
		"size":  {{Timestamp: at.UnixMilli(), Message: strings.Repeat("x", 1<<20-25)}},
	} {
		_, code := run(append(put, file(name+".json", events))...)
		assert.Equal(t, "InvalidParameterException", code, name)
	}
	byLog := srv.Metrics()
	require.Len(t, byLog, 2)
	assert.Equal(t, 5.5, byLog[0].Sum)

	// The same metrics as metric data, into a server of the same emptiness.
	srv.Reset()
	var data []map[string]any
	for _, dims := range [][]map[string]string{nil, {{"Name": "Service", "Value": "web"}}} {
		data = append(data, map[string]any{"MetricName": "latency", "Unit": "Milliseconds", "Timestamp": at.UTC().Format(time.RFC3339), "Dimensions": dims, "Values": []float64{1, 2, 2.5}, "Counts": []float64{1, 1, 1}})
	}
	delete(data[0], "Dimensions")
	good("cloudwatch", "put-metric-data", "--namespace", "Shop", "--metric-data", file("data.json", data))
	assert.Equal(t, byLog, srv.Metrics())
	for _, r := range srv.Requests("PutMetricData") {
		assert.Equal(t, "query", r.Protocol)
	}
	_, code = run("cloudwatch", "put-metric-data", "--namespace", "Shop", "--metric-data", file("bad.json", []map[string]any{{"MetricName": "n", "Value": 1, "Values": []float64{1}}}))
	assert.Equal(t, "InvalidParameterCombination", code)
	_, code = run("cloudwatch", "put-metric-data", "--namespace", "Shop", "--metric-data", file("none.json", []map[string]any{{"MetricName": "n"}}))
	assert.Equal(t, "MissingParameter", code)
	srv.SetFaults(cwtest.Always(cwtest.Throttle))
	_, code = run("cloudwatch", "put-metric-data", "--namespace", "Shop", "--metric-data", file("data.json", data))
	assert.Equal(t, "Throttling", code)
}
