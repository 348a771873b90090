// Package lambdatest runs compiled Lambda functions as Lambda does: it serves the Runtime API
// to a process of the function's, and starts, freezes, kills and replaces that process by
// Lambda's rules. What it does on a time-out and on a panic is what AWS's own runtime
// interface emulator was seen to do.
package lambdatest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shutdownPhase is how long a process has from SIGTERM to SIGKILL when an extension is
// registered. Without one it gets no SIGTERM.
//
// Source: the AWS Lambda developer guide, "execution environment lifecycle".
const shutdownPhase = 500 * time.Millisecond

// Config is a function's configuration.
type Config struct {
	Program     string        // the compiled function
	Env         []string      // beside the variables that Lambda sets, which these replace
	Timeout     time.Duration // of an invocation; 3 s if zero
	Concurrency int           // AWS_LAMBDA_MAX_CONCURRENCY; 1 if zero
	Freeze      bool          // stop the process while it waits for invocations
	Shutdown    time.Duration // from SIGTERM to SIGKILL; 500 ms if zero, as in Lambda
}

// Invocation is what a caller sends.
type Invocation struct {
	RequestID string // made up if empty
	TenantID  string
	TraceID   string // the header X-Amzn-Trace-Id
	Payload   string
}

// Outcome is how an invocation ended.
type Outcome string

// The outcomes.
const (
	Responded Outcome = "responded" // the function sent a response
	Failed    Outcome = "failed"    // the function sent an error; after a panic its process exits
	Exited    Outcome = "exited"    // the process ended before the invocation did
	TimedOut  Outcome = "timed out" // the process was killed because the invocation took too long
)

// Result is what a caller gets.
type Result struct {
	Outcome     Outcome
	Payload     string
	ContentType string
	StreamError string // type of the error that broke off a streamed response
	Logged      int64  // bytes on the function's standard output when its answer came
}

// Function is a function that is deployed. It has at most one process at a time.
type Function struct {
	t      testing.TB
	config Config
	stdout *os.File
	stderr *os.File
	ids    atomic.Uint64

	mu      sync.Mutex
	current *process
	starts  int
}

// Build compiles a package of this module as Lambda functions are compiled.
func Build(t testing.TB, pkg string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", program, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return program
}

// Deploy returns a function. It has no process until it is invoked. What is left of it ends
// with the test.
func Deploy(t testing.TB, c Config) *Function {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = 3 * time.Second
	}
	if c.Shutdown == 0 {
		c.Shutdown = shutdownPhase
	}
	if c.Concurrency == 0 {
		c.Concurrency = 1
	}
	f := &Function{t: t, config: c}
	dir := t.TempDir()
	f.stdout, f.stderr = create(t, filepath.Join(dir, "stdout")), create(t, filepath.Join(dir, "stderr"))
	t.Cleanup(func() {
		if p := f.process(false); p != nil {
			p.kill()
		}
		f.stdout.Close()
		f.stderr.Close()
		if t.Failed() {
			t.Logf("standard error of the function:\n%s", tail(f.Stderr(), 4000))
		}
	})
	return f
}

func create(t testing.TB, name string) *os.File {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func tail(s string, n int) string { return s[max(len(s)-n, 0):] }

// Invoke invokes the function and waits for the outcome. Calls beyond the concurrency wait.
func (f *Function) Invoke(in Invocation) Result {
	if in.RequestID == "" {
		in.RequestID = fmt.Sprintf("request-%d", f.ids.Add(1))
	}
	for {
		p := f.process(true)
		inv := newInvocation(in)
		select {
		case p.work <- inv:
		case <-p.exited:
			if p.polled.Load() {
				continue // it ended while this call waited: on to its successor
			}
			return Result{Outcome: Exited}
		}
		if result, ok := f.await(p, inv); ok {
			return result
		}
	}
}

// await waits for the outcome of an invocation; it returns false if the process did not take
// it.
func (f *Function) await(p *process, inv *invocation) (result Result, ok bool) {
	var late <-chan time.Time
	for {
		select {
		case <-inv.refused:
			return Result{}, false
		case result := <-inv.answered:
			return result, true
		case at := <-inv.deadline:
			late = time.After(time.Until(at))
		case <-late:
			p.end()
			return inv.last(TimedOut), true
		case <-p.exited:
			return inv.last(Exited), true
		}
	}
}

// process returns the process, and starts one if there is none and it is wanted.
func (f *Function) process(wanted bool) *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil {
		select {
		case <-f.current.exited:
			f.current = nil
		default:
		}
	}
	if f.current == nil && wanted {
		f.starts++
		f.current = start(f)
	}
	return f.current
}

// Shutdown ends the process as Lambda does with one that it does not need any more.
func (f *Function) Shutdown() {
	if p := f.process(false); p != nil {
		p.end()
	}
}

// Starts returns how many processes there have been.
func (f *Function) Starts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.starts
}

// Stdout returns what the function's processes have written to standard output.
func (f *Function) Stdout() string { return read(f.stdout) }

// Stderr returns what the function's processes have written to standard error.
func (f *Function) Stderr() string { return read(f.stderr) }

func read(file *os.File) string {
	text, err := os.ReadFile(file.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// environment is what the function's processes find in theirs.
func (f *Function) environment(api string) []string {
	env := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"TZ=:UTC",
		"AWS_REGION=eu-central-1",
		"AWS_LAMBDA_RUNTIME_API=" + api,
		"AWS_LAMBDA_FUNCTION_NAME=shop",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/shop",
		"AWS_LAMBDA_LOG_STREAM_NAME=stream",
	}
	if f.config.Concurrency > 1 {
		env = append(env, fmt.Sprintf("AWS_LAMBDA_MAX_CONCURRENCY=%d", f.config.Concurrency))
	}
	for _, name := range []string{"GOCOVERDIR", "GORACE"} {
		if value := os.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return append(env, f.config.Env...)
}

// Lines returns the lines of text, the last one too if it is not complete.
func Lines(text string) []string {
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
