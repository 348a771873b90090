package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const golden = `{"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service","TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"},{"Name":"payment.duration","Unit":"Milliseconds"}]}]},"Service":"checkout","TenantID":"acme","orders":1,"payment.duration":12.5}
`

func TestOutput(t *testing.T) {
	program := filepath.Join(t.TempDir(), "quickstart")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var stderr strings.Builder
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "AWS_EMF_NAMESPACE=", "AWS_EMF_SERVICE_NAME=", "POWERTOOLS_METRICS_DISABLED=")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	got := regexp.MustCompile(`"Timestamp":\d{13}`).ReplaceAllString(string(out), `"Timestamp":0`)
	if got != golden {
		t.Errorf("got  %swant %s", got, golden)
	}
}
