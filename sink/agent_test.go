package sink_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

var agentNetworks = []string{"tcp", "udp", "unix", "unixgram"}

// newAgentSink connects a sink to the agent, and closes it with the test.
func newAgentSink(t testing.TB, a *fakeAgent, opts ...sink.AgentOption) *sink.AgentSink {
	t.Helper()
	s, err := sink.Agent(a.endpoint(), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// An emitter's documents arrive, each with the names that the agent asks for.
func TestAgentDelivers(t *testing.T) {
	for _, network := range agentNetworks {
		t.Run(network, func(t *testing.T) {
			agent := newFakeAgent(t, network)
			s, err := sink.Agent(agent.endpoint(), sink.WithAgentLogGroup("shop"), sink.WithAgentLogStream("host 1"))
			require.NoError(t, err)
			e := emf.Must(emf.New("Shop", emf.WithSink(s), emf.WithFlushInterval(0), emf.WithMaxDocumentSize(16<<10)))
			for tenant := range 5 {
				e.WithTenant(fmt.Sprint(tenant)).Counter("orders").Inc()
			}
			require.NoError(t, e.Close(t.Context()))
			lines := agent.wait(5)
			for _, line := range lines {
				assert.Empty(t, emf.Check([]byte(line)), line)
				assert.Contains(t, line, `{"_aws":{"LogGroupName":"shop","LogStreamName":"host 1","Timestamp":`)
			}
			assert.Empty(t, agent.dropped)
			stats := s.Stats()
			assert.Equal(t, sink.AgentStats{Documents: 5, Values: 5, Connects: 1}, stats)
			require.Error(t, s.Write(t.Context(), emfDocuments(0, 1)), "it is closed")
		})
	}
}

func TestAgentEndpoints(t *testing.T) {
	for _, good := range []string{"tcp://localhost:25888", "tcp://[::1]:25888/", "udp://10.0.0.1:1", "unix:///run/emf.sock", "unixgram:///run/emf.sock"} {
		s, err := sink.Agent(good)
		require.NoError(t, err, good)
		require.NoError(t, s.Close())
	}
	for _, bad := range []string{"", "127.0.0.1:25888", "tcp://", "tcp://host", "tcp://:25888", "tcp://host:0", "tcp://host:65536", "tcp://host:emf", "tcp://host:1/path", "tcp://user@host:1", "http://host:1", "unix://", "unix:///", "unix://relative/path", "udp://host:1?x=1", "tcp://ho st:1", "\x00"} {
		_, err := sink.Agent(bad)
		require.ErrorContains(t, err, "the form is tcp://host:25888", bad)
	}
}

func TestAgentOptions(t *testing.T) {
	for want, opt := range map[string]sink.AgentOption{
		"WithAgentLogGroup":  sink.WithAgentLogGroup("my shop"),
		"WithAgentLogStream": sink.WithAgentLogStream("a:b"),
		"WithAgentTimeout":   sink.WithAgentTimeout(0),
	} {
		_, err := sink.Agent("tcp://localhost:25888", opt)
		require.ErrorContains(t, err, want)
	}
	_, err := sink.Agent("tcp://localhost:25888", sink.WithAgentLogGroup(""))
	require.Error(t, err)
	_, err = sink.Agent("tcp://localhost:25888", nil)
	require.NoError(t, err)
}

// What the agent would drop in silence is refused aloud, and the rest is delivered.
func TestAgentRefuses(t *testing.T) {
	noGroup := emf.Document{JSON: []byte(`{"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[]},"a":1}`), Values: 2}
	good := emfDocuments(1, 1)[0]
	for name, c := range map[string]struct {
		doc  emf.Document
		want string
	}{
		"no log group": {noGroup, "WithAgentLogGroup"},
		"not EMF":      {emf.Document{JSON: []byte(`{"message":"hello"}`), Values: 2}, `no "_aws" object`},
		"not JSON":     {emf.Document{JSON: []byte(`hello`), Values: 2}, `no "_aws" object`},
		"too large":    {emf.Document{JSON: sized(1<<20 - 25).JSON, Values: 2}, "WithMaxDocumentSize"},
	} {
		t.Run(name, func(t *testing.T) {
			agent := newFakeAgent(t, "tcp")
			s := newAgentSink(t, agent)
			err := s.Write(t.Context(), []emf.Document{c.doc, good, c.doc})
			require.ErrorContains(t, err, c.want)
			retry, reject := undeliveredBy(t, err, 3)
			assert.Empty(t, retry)
			assert.Equal(t, []int{0, 2}, reject)
			assert.Equal(t, textsOf([]emf.Document{good}), agent.wait(1))
			stats := s.Stats()
			assert.EqualValues(t, 4, stats.Rejected)
			assert.EqualValues(t, 1, stats.Values)
			assert.EqualValues(t, 1, stats.Documents)
		})
	}
	agent := newFakeAgent(t, "tcp")
	s := newAgentSink(t, agent, sink.WithoutLogGroup())
	require.NoError(t, s.Write(t.Context(), []emf.Document{noGroup}), "FireLens knows where it goes")
}

// At the limits and one over.
func TestAgentSizes(t *testing.T) {
	for network, limit := range map[string]int{"tcp": 1<<20 - 26, "unix": 1<<20 - 26, "udp": 65_507} {
		t.Run(network, func(t *testing.T) {
			agent := newFakeAgent(t, network)
			s := newAgentSink(t, agent)
			docs := []emf.Document{sized(limit + 1), sized(limit), sized(limit - 1)}
			err := s.Write(t.Context(), docs)
			retry, reject := undeliveredBy(t, err, 3)
			assert.Equal(t, []int{0}, reject)
			assert.Empty(t, retry)
			assert.Equal(t, textsOf(docs[1:]), agent.wait(2))
		})
	}
	t.Run("unixgram", func(t *testing.T) { // the system knows
		agent := newFakeAgent(t, "unixgram")
		s := newAgentSink(t, agent)
		docs := []emf.Document{sized(1_000), sized(900_000), sized(1_001)}
		err := s.Write(t.Context(), docs)
		retry, reject := undeliveredBy(t, err, 3)
		assert.Equal(t, []int{1}, reject)
		assert.Empty(t, retry)
		agent.wait(2)
	})
}

// The agent is restarted between two batches: the second one is not lost.
func TestAgentRestartsBetweenBatches(t *testing.T) {
	for _, network := range agentNetworks {
		t.Run(network, func(t *testing.T) {
			agent := newFakeAgent(t, network)
			s := newAgentSink(t, agent)
			for i := range 20 {
				require.NoError(t, s.Write(t.Context(), emfDocuments(10*i, 10)))
				agent.wait(10 * (i + 1))
				agent.restart()
			}
			assert.Equal(t, textsOf(emfDocuments(0, 200)), agent.wait(200))
			if network != "udp" {
				assert.EqualValues(t, 20, s.Stats().Connects)
			}
		})
	}
}

// An agent that is not there yet: nothing is lost, nothing waits.
func TestAgentAway(t *testing.T) {
	for _, network := range agentNetworks {
		t.Run(network, func(t *testing.T) {
			agent := newFakeAgent(t, network)
			agent.stop()
			s := newAgentSink(t, agent)
			docs := emfDocuments(0, 100)
			left := docs
			for range 50 {
				err := s.Write(t.Context(), left)
				require.Error(t, err)
				retry, reject := undeliveredBy(t, err, len(left))
				require.Empty(t, reject)
				require.Len(t, retry, len(left), "nobody has taken any: %v", err)
			}
			assert.Zero(t, s.Stats().Documents)
			agent.start()
			require.Eventually(t, func() bool { return s.Write(t.Context(), docs) == nil }, 20*time.Second, 10*time.Millisecond)
			assert.Equal(t, textsOf(docs), agent.wait(100))
			assert.EqualValues(t, 100, s.Stats().Documents)
		})
	}
}

// An agent that hangs holds no flush longer than its context or the time-out, and gets
// each document once when it wakes up: what was torn is ended, and dropped by the agent.
func TestAgentHangs(t *testing.T) {
	for _, network := range []string{"tcp", "unix", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			agent := newFakeAgent(t, network)
			s := newAgentSink(t, agent, sink.WithAgentTimeout(50*time.Millisecond))
			require.NoError(t, s.Write(t.Context(), emfDocuments(0, 1)))
			agent.wait(1)
			agent.sleep()
			sent, failures := 1, 0
			for failures < 3 {
				ctx, cancel := context.WithTimeout(t.Context(), 40*time.Millisecond)
				docs := emfDocuments(sent, 1_000)
				retry, reject := undeliveredBy(t, s.Write(ctx, docs), len(docs))
				cancel()
				require.Empty(t, reject)
				if len(retry) > 0 {
					failures++
				}
				for i, r := range retry {
					require.Equal(t, len(docs)-len(retry)+i, r, "the rest of the batch")
				}
				sent += len(docs) - len(retry)
			}
			agent.wake()
			require.Eventually(t, func() bool { return s.Write(t.Context(), emfDocuments(sent, 1)) == nil }, 20*time.Second, 10*time.Millisecond)
			assert.Equal(t, textsOf(emfDocuments(0, sent+1)), agent.wait(sent+1))
			assert.EqualValues(t, 1, s.Stats().Connects, "the connection whose buffers are full of documents is kept")
			assert.EqualValues(t, sent+1, s.Stats().Documents)
		})
	}
}

// A Write that is cancelled while the agent hangs, or while another one waits for it.
func TestAgentInterrupted(t *testing.T) {
	agent := newFakeAgent(t, "tcp")
	s := newAgentSink(t, agent, sink.WithAgentTimeout(time.Hour))
	agent.sleep()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			for n := 0; ; n += 10_000 {
				if err := s.Write(ctx, emfDocuments(n+i*1e9, 10_000)); err != nil {
					assert.ErrorIs(t, err, context.Canceled)
					return
				}
			}
		})
	}
	time.AfterFunc(100*time.Millisecond, cancel)
	all.Wait()
	agent.wake()
	require.NoError(t, s.Write(t.Context(), emfDocuments(-1, 1)), "the agent is not to blame")
	agent.wait(int(s.Stats().Documents))
}

// Connections are reset, or the agent is restarted (the listener is closed and opened),
// during a run. Nothing is doubled, and what is lost was in the system's buffers: hardly
// anything where the agent keeps up, all they hold where the sink is always ahead of it.
func TestAgentUnderFire(t *testing.T) {
	for name, strike := range map[string]func(*fakeAgent){"resets": (*fakeAgent).hangUp, "restarts": (*fakeAgent).restart} {
		for pace, pause := range map[string]time.Duration{"keeps up": 2 * time.Millisecond, "is flooded": 0} {
			t.Run(name+", agent "+pace, func(t *testing.T) { agentUnderFire(t, strike, pause) })
		}
	}
}

// agentUnderFire writes documents while strike breaks connections, and accounts for all.
func agentUnderFire(t *testing.T, strike func(*fakeAgent), pause time.Duration) {
	agent := newFakeAgent(t, "tcp")
	s := newAgentSink(t, agent)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10 {
			time.Sleep(30 * time.Millisecond)
			strike(agent)
		}
	}()
	const batch = 100
	next := 0
	for running, failed := true, false; running || failed; time.Sleep(pause) {
		select {
		case <-done:
			running = false
		default:
		}
		docs := emfDocuments(next, batch)
		retry, reject := undeliveredBy(t, s.Write(t.Context(), docs), batch)
		require.Empty(t, reject)
		for i, r := range retry {
			require.Equal(t, batch-len(retry)+i, r, "the rest of the batch")
		}
		next += batch - len(retry) // the rest comes again
		if failed = len(retry) > 0; failed {
			time.Sleep(time.Millisecond)
		}
	}
	require.NoError(t, s.Close())
	require.Eventually(t, func() bool { // the last connection was read to its end
		agent.mu.Lock()
		defer agent.mu.Unlock()
		return slices.Contains(agent.lines, string(emfDocuments(next-1, 1)[0].JSON))
	}, 20*time.Second, 50*time.Millisecond)
	agent.stop()

	stats := s.Stats()
	require.EqualValues(t, next, stats.Documents)
	arrived := make([]int, next)
	for _, line := range agent.lines {
		_, number, _ := strings.Cut(line, `"number":`)
		var n int
		_, err := fmt.Sscanf(number, "%d}", &n)
		require.NoError(t, err)
		arrived[n]++
	}
	lost, largest, run := 0, 0, 0
	for n, times := range arrived {
		require.LessOrEqual(t, times, 1, "document %d was doubled", n)
		if times == 1 {
			run = 0
			continue
		}
		lost++
		run++
		largest = max(largest, run)
	}
	size := len(emfDocuments(next, 1)[0].JSON) + 1
	t.Logf("%d documents of about %d bytes over %d connections: %d lost, at most %d in a row", next, size, stats.Connects, lost, largest)
	assert.LessOrEqual(t, largest*size, kernelBuffers(t), "more is gone than the buffers of one connection hold")
	for _, torn := range agent.dropped {
		assert.False(t, strings.HasSuffix(torn, "}}"), "a whole document was dropped: %s", torn)
	}
}

// kernelBuffers is how much the buffers of both ends of a TCP connection may hold.
func kernelBuffers(t *testing.T) (bytes int) {
	for _, file := range []string{"/proc/sys/net/ipv4/tcp_wmem", "/proc/sys/net/ipv4/tcp_rmem"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Skip("needs the sizes of the system's buffers, which Linux tells: ", err)
		}
		var least, usual, most int
		_, err = fmt.Sscan(string(text), &least, &usual, &most)
		require.NoError(t, err)
		bytes += most
	}
	return bytes + 1<<20 // and what the agent itself has read and not passed on
}

// Two emitters and one sink: lines stay whole.
func TestAgentOfSeveralEmitters(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			agent := newFakeAgent(t, network)
			s := newAgentSink(t, agent)
			shared := emf.SinkFunc(s.Write) // so that the first to close does not close it for all
			const emitters, flushes, tenants = 4, 20, 50
			var all sync.WaitGroup
			for i := range emitters {
				e := emf.Must(emf.New(fmt.Sprint("Shop", i), emf.WithSink(shared), emf.WithFlushInterval(0), emf.WithLogGroup("shop")))
				all.Go(func() {
					for range flushes {
						for tenant := range tenants {
							e.WithTenant(fmt.Sprint(tenant)).Counter("orders").Inc()
						}
						assert.NoError(t, e.Flush(context.Background()))
					}
					assert.NoError(t, e.Close(context.Background()))
				})
			}
			all.Wait()
			const want = emitters * flushes * tenants
			for _, line := range agent.wait(want) {
				require.Empty(t, emf.Check([]byte(line)), line)
			}
			assert.EqualValues(t, want, s.Stats().Values)
			assert.Empty(t, agent.dropped)
		})
	}
}

// Sockets that cannot be written to: an error that says what is wrong, and the documents wait.
func TestAgentUnwritableSocket(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for path, want := range map[string]string{
		filepath.Join(dir, "missing"): "no such file",
		file:                          "connection refused",
		dir:                           "connection refused",
		filepath.Join(dir, strings.Repeat("long", 50)): "invalid argument",
	} {
		s, err := sink.Agent("unix://" + path)
		require.NoError(t, err)
		err = s.Write(t.Context(), emfDocuments(0, 3))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, path)
		retry, reject := undeliveredBy(t, err, 3)
		assert.Equal(t, []int{0, 1, 2}, retry)
		assert.Empty(t, reject)
		require.ErrorContains(t, s.Stats().LastError, want)
		require.NoError(t, s.Close())
	}
}

// The rules are the agent's: the tests stand on them.
func TestFakeAgentKeepsTheRules(t *testing.T) {
	agent := newFakeAgent(t, "tcp")
	conn := dialAgent(t, agent)
	doc := string(emfDocuments(0, 1)[0].JSON)
	_, err := io.WriteString(conn, doc+"\r\nhello\n{\"_aws\":{}}\n"+doc)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	assert.Equal(t, []string{doc, doc}, agent.wait(2))
	assert.Equal(t, []string{"hello", `{"_aws":{}}`}, agent.dropped)
}
