package sink_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/sink"
)

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

// An agent that hangs and is then killed takes with it what the buffers of one connection
// held, however long it hung.
func TestAgentHangsAndIsKilled(t *testing.T) {
	agent := newFakeAgent(t, "tcp")
	s := newAgentSink(t, agent, sink.WithAgentTimeout(50*time.Millisecond))
	require.NoError(t, s.Write(t.Context(), emfDocuments(0, 1)))
	agent.wait(1)
	agent.sleep()
	sent, most := 1, kernelBuffers(t)
	for failures := 0; failures < 5; {
		docs := emfDocuments(sent, 1_000)
		retry, _ := undeliveredBy(t, s.Write(t.Context(), docs), len(docs))
		if sent += len(docs) - len(retry); len(retry) > 0 {
			failures++
			time.Sleep(20 * time.Millisecond)
		}
	}
	agent.restart()
	docs := emfDocuments(sent, 10)
	require.Eventually(t, func() bool { return s.Write(t.Context(), docs) == nil }, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, s.Close())
	require.Eventually(t, func() bool {
		agent.mu.Lock()
		defer agent.mu.Unlock()
		return slices.Contains(agent.lines, string(docs[9].JSON))
	}, 20*time.Second, 10*time.Millisecond)
	agent.stop()
	lost := sent + 10 - len(agent.lines)
	t.Logf("%d documents of about 175 bytes lost with the connection", lost)
	assert.NotZero(t, lost)
	assert.LessOrEqual(t, lost*175, most)
	assert.Equal(t, textsOf(docs), agent.lines[len(agent.lines)-10:])
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
