package main_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

var wrk = flag.Duration("wrk", 0, "how long TestWrk loads the server; it needs the program wrk")

// server is the program under test.
type server struct {
	url    string
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr *bufio.Reader
}

var program string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "httpserver")
	if err == nil {
		program = filepath.Join(dir, "httpserver")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func start(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{cmd: exec.Command(program, append([]string{"-listen=127.0.0.1:0"}, args...)...)}
	s.cmd.Env = append(os.Environ(), "AWS_EMF_NAMESPACE=", "AWS_EMF_SERVICE_NAME=", "POWERTOOLS_SERVICE_NAME=", "POWERTOOLS_METRICS_DISABLED=")
	s.cmd.Stdout = &s.stdout
	stderr, err := s.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	s.stderr = bufio.NewReader(stderr)
	line, err := s.stderr.ReadString('\n')
	require.NoError(t, err)
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	require.True(t, ok, line)
	s.url = url
	return s
}

// stop ends the program and returns what it has logged.
func (s *server) stop(t *testing.T) string {
	t.Helper()
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	logs, err := io.ReadAll(s.stderr)
	require.NoError(t, err)
	require.NoError(t, s.cmd.Wait(), logs)
	return string(logs)
}

// sums checks the documents and returns how often each metric was recorded, or of counters
// their sum: "name value-of-a-dimension ...".
func (s *server) sums(t *testing.T) (sums map[string]float64, documents int) {
	t.Helper()
	sums = map[string]float64{}
	for line := range bytes.Lines(s.stdout.Bytes()) {
		documents++
		line = bytes.TrimSuffix(line, []byte("\n"))
		require.Empty(t, emf.Check(line), "%s", line)
		metrics, err := emf.Extract(line)
		require.NoError(t, err)
		for _, m := range metrics {
			name := m.Name
			for _, d := range m.Dimensions {
				if d.Name != "Service" {
					name += " " + d.Value
				}
			}
			for i, v := range m.Values {
				n := 1.0
				if m.Counts != nil {
					n = m.Counts[i]
				}
				if m.Name == "requests.total" || m.Name == "requests.errors" || m.Name == "orders.items" {
					n *= v
				}
				sums[name] += n
			}
		}
	}
	return sums, documents
}

func (s *server) send(t *testing.T, method, path, tenant string, status int) {
	req, err := http.NewRequest(method, s.url+path, nil)
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("X-Tenant-Id", tenant)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != status {
		t.Errorf("%s %s: %d", method, path, resp.StatusCode)
	}
}

func TestRequestsAreOnStandardOutput(t *testing.T) {
	for _, args := range [][]string{nil, {"-per-request"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			s := start(t, args...)
			for i, tenant := range []string{"acme", "acme", "globex", "invented"} {
				s.send(t, "GET", fmt.Sprintf("/items/%d", i), tenant, 200)
			}
			s.send(t, "POST", "/orders?items=3", "acme", 201)
			s.send(t, "POST", "/orders?items=none", "acme", 400)
			s.send(t, "GET", "/healthz", "", 200)
			s.send(t, "GET", "/nothing", "", 404)
			// One that is under way when the program is told to end.
			req, _ := http.NewRequest("GET", s.url+"/report", nil)
			req.Header.Set("X-Tenant-Id", "globex")
			slow, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			require.Empty(t, s.stop(t))
			report, err := io.ReadAll(slow.Body)
			slow.Body.Close()
			require.NoError(t, err)
			require.Equal(t, "counting\nnothing to report\n", string(report))

			sums, documents := s.sums(t)
			if args != nil {
				require.GreaterOrEqual(t, documents, 8)
				require.Contains(t, s.stdout.String(), `"path":"/items/2"`)
			}
			for name, want := range map[string]float64{
				"requests.total GET /items/{id}": 4,
				"requests.total POST /orders":    2,
				"requests.total GET /report":     1,
				"requests.total GET unmatched":   1,
				"requests.total GET /healthz":    0,
				"requests.total acme":            4,
				"requests.total globex":          2,
				"requests.total invented":        0,
				"requests.duration globex":       2,
				"requests.errors acme":           0,
				"orders.items acme":              3,
			} {
				require.Equal(t, want, sums[name], name)
			}
		})
	}
}

func TestAddressInUse(t *testing.T) {
	s := start(t)
	out, err := exec.Command(program, "-listen", strings.TrimPrefix(s.url, "http://")).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "address already in use")
	s.stop(t)
}

// load is a script for wrk. Each of its threads has one connection, and stops when it has an
// answer and the time is over, so that no request is sent that nobody counts.
const load = `
local names = {"acme", "globex", "initech", "invented"}
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init()
	n, counts, ending = 0, "", os.time() + %d
	for i = 1, #names do _G["count" .. i] = 0 end
end
function request()
	n = n + 1
	return wrk.format("GET", "/items/" .. n, {["X-Tenant-Id"] = names[n %% #names + 1]})
end
function response(status)
	local i = n %% #names + 1
	if status == 200 then _G["count" .. i] = _G["count" .. i] + 1 end
	if os.time() >= ending then wrk.thread:stop() end
end
function done(summary)
	local e = summary.errors
	io.write(string.format("errors %%d\n", e.connect + e.read + e.write + e.status + e.timeout))
	for i, name in ipairs(names) do
		local sum = 0
		for _, thread in ipairs(threads) do sum = sum + thread:get("count" .. i) end
		io.write(string.format("tenant %%s %%d\n", name, sum))
	end
end
`

// What a load generator of another make has counted is what the documents add up to.
//
//	go test ./examples/httpserver -run Wrk -v -wrk 30s
func TestWrk(t *testing.T) {
	if *wrk == 0 {
		t.Skip("takes long: run it with -wrk 10s")
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Skip("needs wrk: apt-get install wrk")
	}
	script := filepath.Join(t.TempDir(), "load.lua")
	require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, load, int(wrk.Seconds())), 0o600))
	for _, args := range [][]string{{"-bare"}, nil, {"-per-request"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			s := start(t, args...)
			out, err := exec.Command("wrk", "-t8", "-c8", "-s", script, "-d", fmt.Sprint(int(wrk.Seconds())+2), s.url).CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Empty(t, s.stop(t))
			t.Logf("%s", out)
			require.Contains(t, string(out), "errors 0\n")
			total := 0.0
			sums, documents := s.sums(t)
			for _, m := range regexp.MustCompile(`tenant (\w+) (\d+)`).FindAllStringSubmatch(string(out), -1) {
				n, _ := strconv.ParseFloat(m[2], 64)
				total += n
				if m[1] != "invented" && len(sums) > 0 {
					require.Equal(t, n, sums["requests.total "+m[1]], m[1])
					require.Equal(t, n, sums["requests.duration "+m[1]], m[1])
				}
			}
			require.Positive(t, total)
			if args == nil || args[0] != "-bare" {
				require.Equal(t, total, sums["requests.total GET /items/{id}"])
				require.Equal(t, total, sums["requests.duration GET /items/{id}"])
			}
			t.Logf("%.0f requests, %.0f a second; %d documents", total, total/wrk.Seconds(), documents)
		})
	}
}
