package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
)

// sender is "emf send" against a server, and with credentials that need no network.
func sender(url string, args ...string) *exec.Cmd {
	cmd := command(append([]string{"send", "--endpoint-url", url, "--region", "us-east-1"}, args...)...)
	cmd.Env = append(cmd.Env, "AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_MAX_ATTEMPTS=1")
	return cmd
}

// sent runs it, and returns the exit code and the summary.
func sent(t *testing.T, cmd *exec.Cmd) (code int, s sendSummary, messages string) {
	t.Helper()
	cmd.Args = append(cmd.Args, "--summary=json")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	code = exitCode(t, cmd.Run())
	line, rest, _ := strings.Cut(stderr.String(), "\n")
	if err := json.Unmarshal([]byte(line), &s); err != nil {
		return code, s, stderr.String()
	}
	return code, s, rest
}

// numberedLines are documents with the values from to to-1.
func numberedLines(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"send","Dimensions":[[]],"Metrics":[{"Name":"n"}]}]},"n":%d}`+"\n",
			time.Now().UnixMilli(), i)
	}
	return b.String()
}

func writeLog(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.log")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// once requires that the server has each of so many values once.
func once(t *testing.T, server *cwtest.Server, n int) {
	t.Helper()
	held := server.Metric("send", "n", map[string]string{})
	require.EqualValues(t, n, held.SampleCount)
	require.Len(t, held.Values, n)
}

const mixed = `plain text
{"level":"info"}
{"_aws":{"Timestamp":1,"CloudWatchMetrics":[]}}
{"_aws":{"Timestamp":"x","CloudWatchMetrics":[{"Namespace":"send","Dimensions":[[]],"Metrics":[{"Name":"n"}]}]},"n":1}
`

func TestSend(t *testing.T) {
	server := cwtest.New(t)
	lines := numberedLines(0, 2500)
	log := writeLog(t, mixed+lines+mixed)
	zipped := filepath.Join(t.TempDir(), "app.gz")
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, "2026-11-25T12:00:00.000Z "+strings.TrimSuffix(numberedLines(2500, 2501), "\n")) // as Lambda's runtimes log it
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(zipped, b.Bytes(), 0o600))

	for _, to := range []string{"logs:/send", "metrics"} {
		server.Reset()
		code, s, messages := sent(t, sender(server.URL, "--to", to, log, zipped))
		require.Equal(t, exitOK, code, messages)
		assert.Empty(t, messages)
		once(t, server, 2501)
		assert.Equal(t, 2501, s.Documents)
		assert.EqualValues(t, 2501, s.Values)
		assert.Equal(t, 2501+8, s.Lines)
		assert.Equal(t, 6, s.Skipped)
		assert.Equal(t, 2, s.Invalid)

		// What a dry run says of it is what has happened.
		calls, wire := map[string]int{}, 0
		for _, r := range server.Requests("") {
			if r.Operation == "PutLogEvents" || r.Operation == "PutMetricData" {
				calls[r.Operation]++
				wire += r.Wire
			}
		}
		server.Reset()
		code, dry, messages := sent(t, sender(server.URL, "--to", to, log, zipped, "--dry-run"))
		require.Equal(t, exitOK, code, messages)
		assert.Empty(t, server.Requests(""))
		assert.True(t, dry.DryRun)
		assert.Equal(t, s.Documents, dry.Documents)
		assert.Equal(t, 1, dry.Metrics)
		assert.NotNil(t, dry.Prices)
		for operation, n := range calls {
			if operation == "PutLogEvents" && n > dry.Calls[operation] {
				n-- // the first one finds that there is no log group
			}
			assert.Equal(t, n, dry.Calls[operation])
		}
		assert.InEpsilon(t, float64(wire), float64(dry.WireBytes), 0.5)
	}
}

func TestSendToAnAgent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	received := make(chan string)
	go func() {
		defer close(received)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			received <- lines.Text()
		}
	}()
	cmd := sender("", "--to", "agent:tcp://"+listener.Addr().String(), "--log-group", "/send", writeLog(t, numberedLines(0, 3)))
	require.NoError(t, cmd.Start())
	n := 0
	for line := range received {
		assert.Contains(t, line, `"LogGroupName":"/send"`)
		assert.Contains(t, line, fmt.Sprintf(`"n":%d}`, n))
		n++
	}
	assert.NoError(t, cmd.Wait())
	assert.Equal(t, 3, n)
}

// Interrupted and started again, it sends each document once; killed, none is left out.
func TestSendGoesOn(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"interrupted": syscall.SIGINT, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			server := cwtest.New(t)
			const n, rate = 1000, 200
			log, state := writeLog(t, numberedLines(0, n)), filepath.Join(t.TempDir(), "state.json")
			p := &process{Cmd: sender(server.URL, "--to=metrics", "--state", state, fmt.Sprintf("--rate=%d", rate), log)}
			var stderr bytes.Buffer
			p.Stderr = &stderr
			require.NoError(t, p.Start())
			for server.Calls("PutMetricData") < 2 {
				time.Sleep(5 * time.Millisecond)
			}
			p.signal(t, signal)
			require.Error(t, p.Wait())
			if signal == syscall.SIGINT {
				assert.Equal(t, exitFailure, p.ProcessState.ExitCode())
				assert.Contains(t, stderr.String(), "interrupted; the same command goes on from here")
			}
			before := server.Metric("send", "n", map[string]string{}).SampleCount
			require.Less(t, before, float64(n))
			require.NotZero(t, before)

			code, _, messages := sent(t, sender(server.URL, "--to=metrics", "--state", state, log))
			require.Equal(t, exitOK, code, messages)
			held := server.Metric("send", "n", map[string]string{})
			require.Len(t, held.Values, n, "none is missing")
			if signal == syscall.SIGINT {
				once(t, server, n)
			} else {
				assert.LessOrEqual(t, held.SampleCount, float64(n+rate), "a batch is sent twice at most")
			}

			// The log grows, and a line of it is not finished.
			f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			more := numberedLines(n, n+2)
			_, err = f.WriteString(more[:len(more)-20])
			require.NoError(t, err)
			code, s, messages := sent(t, sender(server.URL, "--to=metrics", "--state", state, log))
			require.Equal(t, exitOK, code, messages)
			assert.Equal(t, 1, s.Documents)
			_, err = f.WriteString(more[len(more)-20:])
			require.NoError(t, err)
			require.NoError(t, f.Close())
			code, s, messages = sent(t, sender(server.URL, "--to=metrics", "--state", state, log))
			require.Equal(t, exitOK, code, messages)
			assert.Equal(t, 1, s.Documents)
			assert.Len(t, server.Metric("send", "n", map[string]string{}).Values, n+2)

			// Another log of that name, and another destination.
			code, _, messages = sent(t, sender(server.URL, "--to=logs:x", "--state", state, log))
			assert.Equal(t, exitFailure, code)
			assert.Contains(t, messages, "says what was sent to metrics, not logs:x")
			require.NoError(t, os.WriteFile(log, []byte(numberedLines(5, 10)), 0o600))
			code, _, messages = sent(t, sender(server.URL, "--to=metrics", "--state", state, log))
			assert.Equal(t, exitFailure, code)
			assert.Contains(t, messages, "is not the file of which")
		})
	}
}

// It goes on trying through an outage, and gives up at last.
func TestSendThroughAnOutage(t *testing.T) {
	server := cwtest.New(t)
	log, state := writeLog(t, numberedLines(0, 50)), filepath.Join(t.TempDir(), "state.json")
	server.SetFaults(cwtest.Always(cwtest.Unavailable))
	code, s, messages := sent(t, sender(server.URL, "--to=metrics", "--state", state, "--give-up=0s", log))
	assert.Equal(t, exitFailure, code)
	assert.Zero(t, s.Documents)
	assert.Contains(t, messages, "50 documents could not be delivered")

	server.SetFaults(cwtest.Sequence(cwtest.Throttle, cwtest.CutBefore))
	code, _, messages = sent(t, sender(server.URL, "--to=metrics", "--state", state, log))
	assert.Equal(t, exitOK, code, messages)
	once(t, server, 50)
}

func TestSendTellsWhatWasRefused(t *testing.T) {
	server := cwtest.New(t)
	const old = `{"_aws":{"Timestamp":1000000000000,"CloudWatchMetrics":[{"Namespace":"send","Dimensions":[[]],"Metrics":[{"Name":"n"}]}]},"n":9}`
	code, s, messages := sent(t, sender(server.URL, "--to=metrics", writeLog(t, numberedLines(0, 3)+old+"\n")))
	assert.Equal(t, exitFailure, code)
	assert.Equal(t, 1, s.Refused)
	assert.Equal(t, 3, s.Documents)
	assert.Contains(t, messages, "1 documents were refused")
}

func TestSendOfALogThatWasCut(t *testing.T) {
	server := cwtest.New(t)
	log, state := writeLog(t, numberedLines(0, 50)), filepath.Join(t.TempDir(), "state.json")
	code, _, messages := sent(t, sender(server.URL, "--to=metrics", "--state", state, log))
	require.Equal(t, exitOK, code, messages)
	require.NoError(t, os.Truncate(log, 2*headSize))
	code, _, messages = sent(t, sender(server.URL, "--to=metrics", "--state", state, log))
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, messages, "it has become shorter than the")
	once(t, server, 50)
}

// Documents come out of a pipe that stays open.
func TestSendFollowsAPipe(t *testing.T) {
	server := cwtest.New(t)
	cmd := sender(server.URL, "--to=logs:/send")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	_, err = io.WriteString(in, numberedLines(0, 3))
	require.NoError(t, err)
	for until := time.Now().Add(30 * time.Second); len(server.Events("/send")) < 3 && time.Now().Before(until); {
		time.Sleep(10 * time.Millisecond)
	}
	once(t, server, 3)
	_, err = io.WriteString(in, numberedLines(3, 5))
	require.NoError(t, err)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait(), stderr.String())
	once(t, server, 5)
}

func TestSendUsage(t *testing.T) {
	log := writeLog(t, "")
	for _, args := range [][]string{
		{log},
		{"--to=logs", log},
		{"--to=logs:", log},
		{"--to=metrics:x", log},
		{"--to=agent", log},
		{"--to=stdout", log},
		{"--to=metrics", "--rate=-1", log},
		{"--to=metrics", "--rate=NaN", log},
		{"--to=metrics", "--give-up=-1s", log},
		{"--to=metrics", "--log-group=/x", log},
		{"--to=metrics", "--state=x"},
		{"--to=metrics", "--state=x", "/dev/null"},
		{"--to=metrics", filepath.Join(t.TempDir(), "missing")},
	} {
		out, err := sender("", args...).CombinedOutput()
		assert.Equal(t, exitUsage, exitCode(t, err), "%v: %s", args, out)
	}
	for want, args := range map[string][]string{
		"the form is tcp://": {"--to=agent:nonsense", log}, "is no name of a log group": {"--to=logs:a b", log},
	} {
		out, err := sender("", args...).CombinedOutput()
		assert.Equal(t, exitFailure, exitCode(t, err))
		assert.Contains(t, string(out), want)
	}
}

func TestDemoTo(t *testing.T) {
	server := cwtest.New(t)
	for _, to := range []string{"logs:/demo", "metrics"} {
		server.Reset()
		cmd := sender(server.URL)
		cmd.Args = append([]string{cmd.Args[0], "demo", "--duration=300ms", "--rate=200", "--summary=json", "--to", to}, cmd.Args[2:]...)
		p := startCommand(t, cmd)
		out, err := io.ReadAll(p.stdout)
		require.NoError(t, err)
		s := summaryOf(t, p)
		p.end(t)
		assert.Empty(t, out)
		assert.NotZero(t, s.Requests)
		assert.Equal(t, s.Recorded, s.Delivered)
		total := 0.0
		for _, m := range server.Metrics() {
			if m.Name == "requests.total" && m.Dimensions["TenantID"] != "" {
				total += m.Sum
			}
		}
		assert.EqualValues(t, s.Requests, total)
	}
}

// What is written down of a batch that was taken in part is where the first document is that was not.
func TestReplayWritesDownWhatIsSettled(t *testing.T) {
	log, statePath := writeLog(t, mixed+numberedLines(0, 10)), filepath.Join(t.TempDir(), "state.json")
	to := destination{kind: toMetrics}
	var got []string
	failing := true
	sink := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
		partial := &emf.UndeliveredError{Err: errors.New("in part")}
		for i, d := range docs {
			switch {
			case failing && (i == 4 || i == 7):
				partial.Retry = append(partial.Retry, i)
			case failing && i == 5:
				partial.Reject = append(partial.Reject, i)
			default:
				got = append(got, string(d.JSON[bytes.LastIndexByte(d.JSON, ':')+1:len(d.JSON)-1]))
			}
		}
		if failing {
			return partial
		}
		return nil
	})
	run := func() (*replay, error) {
		state, err := readSendState(statePath, to)
		require.NoError(t, err)
		r := &replay{to: sink, state: state, limit: maxBatch, tab: newTab(), in: newInput([]string{log})}
		return r, r.file(t.Context(), log)
	}
	r, err := run()
	require.ErrorContains(t, err, "2 documents could not be delivered: 2 documents to retry, 1 refused: in part")
	assert.Equal(t, 7, r.sum.Documents)
	assert.Equal(t, 1, r.sum.Refused)
	assert.Equal(t, []string{"0", "1", "2", "3", "6", "8", "9"}, got)
	failing, got = false, nil
	r, err = run()
	require.NoError(t, err)
	assert.Equal(t, []string{"4", "5", "6", "7", "8", "9"}, got)
	assert.Zero(t, r.sum.Skipped)
	got = nil
	_, err = run()
	require.NoError(t, err)
	assert.Empty(t, got)
}

// A compressed log that is cut: what could be read is sent, and the failure told.
func TestSendOfACutLog(t *testing.T) {
	server := cwtest.New(t)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, numberedLines(0, 100))
	require.NoError(t, errors.Join(err, z.Flush()))
	path := filepath.Join(t.TempDir(), "cut.gz")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	code, s, messages := sent(t, sender(server.URL, "--to=metrics", path))
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, messages, "cut.gz: unexpected EOF")
	assert.Equal(t, 100, s.Documents)
	once(t, server, 100)
}
