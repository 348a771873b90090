package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/liftemf/liftemf/emf"
)

func TestDemo(t *testing.T) {
	p := start(t, "demo", "--duration=500ms", "--rate=500", "--tenants=7", "--flush-interval=50ms", "--summary=json")
	var docs documents
	docs.add(t, p)
	s := summaryOf(t, p)
	p.end(t)
	docs.agree(t, s)
	if len(s.Tenants) != 7 || s.Flushes < 2 {
		t.Errorf("%d tenants, %d flushes", len(s.Tenants), s.Flushes)
	}
}

// What the README tells to run, but for a shorter time and with a summary for programs.
func TestCommandOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^    (go run \./cmd/emf demo.*)$`).FindSubmatch(readme)
	if line == nil {
		t.Fatal("the README does not say how to run the demo")
	}
	args := append(strings.Fields(string(line[1])), "--duration=500ms", "--summary=json")
	cmd := undisturbed(exec.Command(args[0], args[1:]...))
	cmd.Dir = "../.."
	p := startCommand(t, cmd)
	var docs documents
	docs.add(t, p)
	s := summaryOf(t, p)
	p.end(t)
	docs.agree(t, s)
}

func TestDemoEndsOnSignals(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			p := start(t, "demo", "--duration=1h", "--rate=0", "--flush-interval=20ms", "--summary=json")
			first, err := p.stdout.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			p.signal(t, signal)
			var docs documents
			docs.line(t, first)
			docs.add(t, p)
			s := summaryOf(t, p)
			p.end(t)
			docs.agree(t, s)
		})
	}
}

func TestListen(t *testing.T) {
	const requests, connections, tenants = 20_000, 8, 5
	p := start(t, "demo", "--listen=127.0.0.1:0", "--flush-interval=200ms", "--summary=json")
	var docs documents
	read := make(chan bool)
	go func() { docs.add(t, p); close(read) }()

	line, err := p.stderr.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("%v: %q", err, line)
	}
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}}
	var left atomic.Int64
	left.Store(requests)
	var sent [tenants + 1]atomic.Int64 // the last one is unknown to the service
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				tenant := int(n % (tenants + 1))
				req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/items/%d", url, n), nil)
				req.Header.Set(tenantHeader, fmt.Sprintf("tenant-%03d", tenant+1))
				resp, err := client.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				sent[tenant].Add(1)
			}
		})
	}
	wg.Wait()
	client.CloseIdleConnections()
	p.signal(t, syscall.SIGINT)
	<-read
	s := summaryOf(t, p)
	p.end(t)

	docs.agree(t, s)
	if docs.total != requests {
		t.Errorf("requests.total %v, want %d", docs.total, requests)
	}
	for i := range sent {
		name := fmt.Sprintf("tenant-%03d", i+1)
		if i == tenants {
			name = "" // clients cannot invent tenants
		}
		if docs.tenant[name] != float64(sent[i].Load()) {
			t.Errorf("requests.total of %q: %v, want %d", name, docs.tenant[name], sent[i].Load())
		}
	}
}

// As in emf demo | head -1.
func TestClosedOutputEndsQuietly(t *testing.T) {
	p := &process{Cmd: command("demo", "--duration=1h", "--flush-interval=20ms")}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	p.Stdout, p.Stderr = write, &stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	if _, err := read.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	read.Close()
	_ = p.Wait()
	status := p.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.Signal() != syscall.SIGPIPE || stderr.Len() > 0 {
		t.Errorf("%v, standard error %q", p.ProcessState, &stderr)
	}
}

func TestUnwritableOutputIsAFailure(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	var stderr bytes.Buffer
	cmd := command("demo", "--duration=50ms", "--flush-interval=1h")
	cmd.Stdout, cmd.Stderr = full, &stderr
	if code := exitCode(t, cmd.Run()); code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"no space left", "dropped: undelivered"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("standard error does not say %q: %s", want, &stderr)
		}
	}
	for _, not := range []string{"emf: emf:", "next flush", "retry"} {
		if strings.Contains(stderr.String(), not) {
			t.Errorf("standard error says %q: %s", not, &stderr)
		}
	}
}

// The first request of such a rate is further away than a time.Duration can tell.
func TestSlowRates(t *testing.T) {
	for _, rate := range []string{"1e-12", "5e-324"} {
		p := start(t, "demo", "--duration=100ms", "--summary=json", "--rate="+rate)
		_, _ = io.Copy(io.Discard, p.stdout)
		s := summaryOf(t, p)
		p.end(t)
		if s.Requests > 0 {
			t.Errorf("--rate=%s: %d requests", rate, s.Requests)
		}
	}
}

func TestProgressFollowsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []time.Duration
		stop := tick(100*time.Millisecond, func(passed time.Duration) { got = append(got, passed) })
		time.Sleep(350 * time.Millisecond)
		stop()
		time.Sleep(time.Second)
		if want := []time.Duration{1e8, 2e8, 3e8}; !slices.Equal(got, want) {
			t.Errorf("moved at %v, want %v", got, want)
		}
	})
}

func TestSummaryFitsOnAScreen(t *testing.T) {
	counts := newTally(100)
	for i := range counts.counts {
		counts.counts[i].Add(int64(i))
	}
	var out strings.Builder
	writeSummary(&out, "text", newSummary(time.Second, counts, emf.Stats{Drops: map[string]uint64{"closed": 3}}))
	const want = `requests     5050 in 1.0 s, 5050 a second
documents    0, 0 bytes, in 0 flushes
values       0 recorded = 0 delivered + 0 dropped + 0 pending
             3 dropped: closed
(no tenant)  100 requests
tenant-100   99 requests
`
	if got := out.String(); !strings.HasPrefix(got, want) || strings.Count(got, "\n") > 20 || !strings.HasSuffix(got, "and 89 more tenants\n") {
		t.Error(got)
	}
}
