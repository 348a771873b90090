package sink_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
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

func ExampleAgent() {
	agent, _ := net.Listen("tcp", "127.0.0.1:0") // yours listens on port 25888
	defer agent.Close()

	s, err := sink.Agent("tcp://"+agent.Addr().String(), sink.WithAgentLogGroup("/shop/metrics"))
	if err != nil {
		fmt.Println(err)
		return
	}
	metrics := emf.Must(emf.New("Shop", emf.WithSink(s),
		emf.WithClock(func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) })))
	metrics.Counter("orders").Inc()
	if err := metrics.Close(context.Background()); err != nil {
		fmt.Println(err)
	}

	conn, _ := agent.Accept()
	defer conn.Close()
	_, _ = io.Copy(os.Stdout, conn)
	// Output:
	// {"_aws":{"LogGroupName":"/shop/metrics","Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"orders","Unit":"Count"}]}]},"orders":1}
}

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

// What the agent's protocol cannot carry goes the second way, and the rest does not.
func TestAgentFallsBackOnSize(t *testing.T) {
	agent := newFakeAgent(t, "udp")
	second := script()
	s := sink.Fallback(newAgentSink(t, agent), second)
	docs := []emf.Document{emfDocuments(0, 1)[0], sized(70_000), emfDocuments(1, 1)[0]}
	require.NoError(t, s.Write(t.Context(), docs))
	assert.Equal(t, textsOf(pickDocs(docs, []int{0, 2})), agent.wait(2))
	assert.Equal(t, textsOf(docs[1:2]), second.got)
	assert.Equal(t, sink.BreakerClosed, s.Stats().State)
	require.ErrorContains(t, s.Stats().PrimaryError, "WithMaxDocumentSize")
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
