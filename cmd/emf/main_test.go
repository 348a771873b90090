package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "emf")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "emf")
	args := []string{"build", "-o", binary}
	if raceEnabled {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// process is a run of the command.
type process struct {
	*exec.Cmd
	stdout, stderr *bufio.Reader
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startCommand(t, command(args...))
}

func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd}
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout, p.stderr = bufio.NewReader(stdout), bufio.NewReader(stderr)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	return p
}

// command is a run of the command that the environment does not change.
func command(args ...string) *exec.Cmd { return undisturbed(exec.Command(binary, args...)) }

func undisturbed(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = []string{"GORACE=atexit_sleep_ms=0"} // else each run ends with a second of sleep
	for _, member := range os.Environ() {
		if !strings.HasPrefix(member, "AWS_") && !strings.HasPrefix(member, "POWERTOOLS_") {
			cmd.Env = append(cmd.Env, member)
		}
	}
	return cmd
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return exit.ExitCode()
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		code int
		args []string
	}{
		{0, []string{"--help"}},
		{0, []string{"demo", "--help"}},
		{2, nil},
		{2, []string{"nonsense"}},
		{2, []string{"demo", "--nonsense"}},
		{2, []string{"demo", "--tenants=0"}},
		{2, []string{"demo", "--tenants=1001"}},
		{2, []string{"demo", "--rate=-1"}},
		{2, []string{"demo", "--rate=NaN"}},
		{2, []string{"demo", "--rate=Inf"}},
		{2, []string{"demo", "--rate=-Inf"}},
		{2, []string{"demo", "--rate=0", "--listen=127.0.0.1:0"}},
		{2, []string{"demo", "--listen=127.0.0.1:0", "--seed=0"}},
		{2, []string{"demo", "--duration=-1s"}},
		{2, []string{"demo", "--flush-interval=0s"}},
		{2, []string{"demo", "--summary=xml"}},
		{1, []string{"demo", "--listen=256.0.0.1:1"}},
		{2, []string{"check", "no such file"}},
		{2, []string{"check", "."}},
		{2, []string{"check", "--format=xml"}},
		{2, []string{"stat", "no such file"}},
		{2, []string{"stat", "--dim=TenantID"}},
		{2, []string{"stat", "--dim==a"}},
		{2, []string{"stat", "--prices=no such file"}},
		{1, []string{"stat", "--prices=main.go"}},
	} {
		var stdout, stderr bytes.Buffer
		cmd := command(c.args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if code := exitCode(t, cmd.Run()); code != c.code {
			t.Errorf("emf %s: exit code %d, want %d", strings.Join(c.args, " "), code, c.code)
		}
		if c.code != 0 && (stdout.Len() > 0 || stderr.Len() == 0) {
			t.Errorf("emf %s: stdout %q, stderr %q", strings.Join(c.args, " "), &stdout, &stderr)
		}
	}
}

// documents are totals over lines of documents.
type documents struct {
	lines  int
	bytes  int
	total  float64            // requests.total
	tenant map[string]float64 // the same by tenant
}

// add reads the lines that are left on a process's standard output.
func (d *documents) add(t *testing.T, p *process) {
	t.Helper()
	lines := bufio.NewScanner(p.stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		d.line(t, lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Error(err)
	}
}

func (d *documents) line(t *testing.T, line []byte) {
	t.Helper()
	var doc struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []json.RawMessage
		} `json:"_aws"`
		TenantID string
		Total    float64 `json:"requests.total"`
	}
	if err := json.Unmarshal(line, &doc); err != nil {
		t.Errorf("%v: %s", err, line)
		return
	}
	if doc.AWS.Timestamp == 0 || len(doc.AWS.CloudWatchMetrics) != 1 {
		t.Errorf("no document: %s", line)
	}
	if d.tenant == nil {
		d.tenant = map[string]float64{}
	}
	d.lines++
	d.bytes += len(bytes.TrimSpace(line))
	d.total += doc.Total
	d.tenant[doc.TenantID] += doc.Total
}

// summaryOf reads the summary, the only thing left on a process's standard error.
func summaryOf(t *testing.T, p *process) (s summary) {
	t.Helper()
	decoder := json.NewDecoder(p.stderr)
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	if decoder.More() {
		t.Error("standard error has more than the summary")
	}
	return s
}

// agree holds the documents against the summary.
func (d *documents) agree(t *testing.T, s summary) {
	t.Helper()
	if s.Requests == 0 || s.Lost > 0 || d.total != float64(s.Requests) {
		t.Errorf("requests.total %v, want %d; %d without an answer", d.total, s.Requests, s.Lost)
	}
	for _, tenant := range s.Tenants {
		if d.tenant[tenant.Tenant] != float64(tenant.Requests) {
			t.Errorf("requests.total of %q: %v, want %d", tenant.Tenant, d.tenant[tenant.Tenant], tenant.Requests)
		}
	}
	if uint64(d.lines) != s.Documents || uint64(d.bytes) != s.Bytes {
		t.Errorf("%d documents, %d bytes; the summary has %d and %d", d.lines, d.bytes, s.Documents, s.Bytes)
	}
	if s.Recorded != s.Delivered || s.Dropped > 0 || s.Pending > 0 || s.Errors > 0 {
		t.Errorf("values were lost: %+v", s)
	}
}

// end waits for a process that is to end by itself.
func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}
