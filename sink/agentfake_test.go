package sink_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liftemf/liftemf/emf"
)

// fakeAgent is a listener that keeps the rules of the CloudWatch agent, as measured on its
// version 1.300052.1.
type fakeAgent struct {
	t       testing.TB
	network string
	address string // the same after a restart

	mu      sync.Mutex
	arrived *sync.Cond // when one of the lists grows
	lines   []string   // documents that it passes on
	dropped []string   // that it drops in silence
	conns   map[net.Conn]bool
	asleep  bool // it does not read
	stopped bool

	listener io.Closer
	all      sync.WaitGroup
}

// newFakeAgent starts an agent that listens on a network, and stops it with the test.
func newFakeAgent(t testing.TB, network string) *fakeAgent {
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, leaks) })
	a := &fakeAgent{t: t, network: network, address: "127.0.0.1:0", conns: make(map[net.Conn]bool)}
	a.arrived = sync.NewCond(&a.mu)
	if strings.HasPrefix(network, "unix") {
		a.address = filepath.Join(t.TempDir(), "emf.sock")
	}
	a.start()
	t.Cleanup(a.stop)
	return a
}

func (a *fakeAgent) endpoint() string { return a.network + "://" + a.address }

// start makes it listen again, at the same address.
func (a *fakeAgent) start() {
	a.wake()
	a.setStopped(false)
	if a.network == "udp" || a.network == "unixgram" {
		conn, err := net.ListenPacket(a.network, a.address)
		require.NoError(a.t, err)
		a.address, a.listener = conn.LocalAddr().String(), conn
		a.all.Go(func() {
			buf := make([]byte, 1<<20)
			for {
				a.awake()
				n, _, err := conn.ReadFrom(buf)
				if err != nil {
					return
				}
				a.take(string(buf[:n]))
			}
		})
		return
	}
	listener, err := net.Listen(a.network, a.address)
	require.NoError(a.t, err)
	a.address, a.listener = listener.Addr().String(), listener
	a.all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			a.mu.Lock()
			if a.stopped {
				_ = conn.Close()
			}
			a.conns[conn] = true
			a.mu.Unlock()
			a.all.Go(func() { a.read(conn) })
		}
	})
}

func (a *fakeAgent) read(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 1<<20)
	for {
		a.awake()
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // reset
			}
			return
		}
		if len(line) > 0 {
			a.take(strings.TrimRight(string(line), "\r\n"))
		}
		if err != nil {
			return
		}
	}
}

// take passes a document on if it names its log group, and drops anything else.
func (a *fakeAgent) take(line string) {
	good := json.Valid([]byte(line)) && strings.Contains(line, `"LogGroupName":"`)
	a.mu.Lock()
	defer a.mu.Unlock()
	if good {
		a.lines = append(a.lines, line)
	} else {
		a.dropped = append(a.dropped, line)
	}
	a.arrived.Broadcast()
}

// sleep makes it stop reading, wake read again. A read that goes on ends first.
func (a *fakeAgent) sleep() { a.setAsleep(true) }
func (a *fakeAgent) wake()  { a.setAsleep(false) }

func (a *fakeAgent) setAsleep(asleep bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asleep = asleep
	a.arrived.Broadcast()
}

func (a *fakeAgent) awake() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.asleep {
		a.arrived.Wait()
	}
}

// hangUp closes the connections: what it has not read is lost, and the client gets a reset
// if there is any.
func (a *fakeAgent) hangUp() {
	a.mu.Lock()
	for conn := range a.conns {
		_ = conn.Close()
	}
	clear(a.conns)
	a.mu.Unlock()
	a.wake()
}

// stop closes the listener and the connections.
func (a *fakeAgent) stop() {
	a.setStopped(true)
	_ = a.listener.Close()
	a.hangUp()
	a.all.Wait()
	if strings.HasPrefix(a.network, "unix") {
		_ = os.Remove(a.address)
	}
}

func (a *fakeAgent) setStopped(stopped bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = stopped
}

func (a *fakeAgent) restart() {
	a.stop()
	a.start()
}

// wait returns the documents that it passes on once there are n.
func (a *fakeAgent) wait(n int) []string {
	a.t.Helper()
	late := time.AfterFunc(20*time.Second, a.arrived.Broadcast)
	defer late.Stop()
	begin := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.lines) < n {
		if time.Since(begin) >= 20*time.Second {
			a.t.Fatalf("%d documents arrived of %d", len(a.lines), n)
		}
		a.arrived.Wait()
	}
	return append([]string(nil), a.lines...)
}

// emfDocuments are n documents of a value each, numbered from first, that name a log group.
func emfDocuments(first, n int) []emf.Document {
	docs := make([]emf.Document, n)
	for i := range docs {
		docs[i] = emf.Document{Values: 1, JSON: fmt.Appendf(nil,
			`{"_aws":{"Timestamp":1795521600000,"LogGroupName":"shop","CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"orders"}]}]},"orders":1,"number":%d}`, first+i)}
	}
	return docs
}

// sized is a document of so many bytes.
func sized(bytes int) emf.Document {
	doc := emfDocuments(0, 1)[0]
	head := string(doc.JSON[:len(doc.JSON)-1]) + `,"filling":"`
	doc.JSON = []byte(head + strings.Repeat("x", bytes-len(head)-2) + `"}`)
	return doc
}

// textsOf returns what documents say.
func textsOf(docs []emf.Document) (texts []string) {
	for _, d := range docs {
		texts = append(texts, string(d.JSON))
	}
	return texts
}

func dialAgent(t testing.TB, a *fakeAgent) net.Conn {
	conn, err := net.Dial(a.network, a.address)
	require.NoError(t, err)
	return conn
}
