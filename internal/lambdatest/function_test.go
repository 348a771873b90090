package lambdatest_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liftemf/liftemf/internal/lambdatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// One process, until it panics, exits or is killed.
func TestOutcomes(t *testing.T) {
	f := lambdatest.Deploy(t, lambdatest.Config{Program: lambdatest.Build(t, "./echo"), Timeout: 2 * time.Second, Freeze: true, Shutdown: 20 * time.Second})
	for _, step := range []struct {
		order   string
		outcome lambdatest.Outcome
		payload string
		starts  int
	}{
		{"hello", lambdatest.Responded, "hello", 1},
		{"fail", lambdatest.Failed, `{"errorMessage":"refused","errorType":"errorString"}`, 1},
		{"hello", lambdatest.Responded, "hello", 1},
		{"panic", lambdatest.Failed, "", 1},
		{"hello", lambdatest.Responded, "hello", 2},
		{"exit", lambdatest.Exited, "", 2},
		{"hang", lambdatest.TimedOut, "", 3},
		{"break", lambdatest.Responded, "half", 4},
	} {
		result := f.Invoke(lambdatest.Invocation{Payload: `"` + step.order + `"`, RequestID: "r", TenantID: "acme", TraceID: "Root=1-5"})
		assert.Equal(t, step.outcome, result.Outcome, step.order)
		assert.Equal(t, step.starts, f.Starts(), step.order)
		if step.payload != "" {
			assert.Equal(t, step.payload, result.Payload)
		}
		if step.order == "break" {
			assert.Equal(t, "errorString", result.StreamError)
		}
		if step.outcome == lambdatest.Responded {
			lines := lambdatest.Lines(f.Stdout()[:result.Logged])
			assert.Equal(t, step.order+" r acme Root=1-5 Root=1-5", lines[len(lines)-1])
		}
	}
	// Once when it hung, once now.
	f.Shutdown()
	stopped := 0
	for _, line := range lambdatest.Lines(f.Stdout()) {
		if line == "SIGTERM" {
			stopped++
		}
	}
	assert.Equal(t, 2, stopped)
}

// A process that takes four invocations at once, of which all wait for each other's end.
func TestConcurrency(t *testing.T) {
	f := lambdatest.Deploy(t, lambdatest.Config{Program: lambdatest.Build(t, "./echo"), Concurrency: 4, Timeout: 20 * time.Second})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			result := f.Invoke(lambdatest.Invocation{Payload: `"wait"`, TraceID: "Root=1-5"})
			assert.Equal(t, lambdatest.Responded, result.Outcome)
		})
	}
	group.Wait()
	require.Equal(t, 1, f.Starts())
	for _, line := range lambdatest.Lines(f.Stdout()) {
		assert.Regexp(t, `^wait request-\d  Root=1-5 $`, line) // none in the environment
	}
}

// A program that cannot start fails invocations, and keeps nobody waiting.
func TestProgramThatEndsAtOnce(t *testing.T) {
	f := lambdatest.Deploy(t, lambdatest.Config{Program: "/bin/false"})
	assert.Equal(t, lambdatest.Exited, f.Invoke(lambdatest.Invocation{}).Outcome)
}
