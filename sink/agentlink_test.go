package sink

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// lineFor is a document that names a log group.
func lineFor(number int) emf.Document {
	return emf.Document{Values: 1, JSON: fmt.Appendf(nil, `{"_aws":{"LogGroupName":"shop"},"number":%d}`, number)}
}

func dialledBy(t *testing.T, dial dialFunc) *AgentSink {
	s, err := Agent("tcp://agent:25888", withAgentDialer(dial))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// An agent that is away for ten minutes, while documents come every 50 ms: it is dialled at
// intervals that grow to 5 s, and no Write waits.
func TestAgentBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("refused")
		var dials []time.Time
		s := dialledBy(t, func(context.Context, string, string) (net.Conn, error) {
			dials = append(dials, time.Now())
			return nil, refused
		})
		for begin := time.Now(); time.Since(begin) < 10*time.Minute; time.Sleep(50 * time.Millisecond) {
			before := time.Now()
			require.ErrorIs(t, s.Write(t.Context(), []emf.Document{lineFor(0)}), refused)
			require.Zero(t, time.Since(before))
		}
		assert.Greater(t, len(dials), 600/8)
		assert.Less(t, len(dials), 600/2)
		first, last := dials[1].Sub(dials[0]), dials[len(dials)-1].Sub(dials[len(dials)-2])
		assert.LessOrEqual(t, first, 200*time.Millisecond)
		assert.GreaterOrEqual(t, last, 2500*time.Millisecond)
		assert.LessOrEqual(t, last, 7550*time.Millisecond)
	})
}

// Connecting that hangs takes the time-out, or the context's time if that is less, and then
// backs off too. A caller that gives up does not count against the agent.
func TestAgentDialHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		s := dialledBy(t, func(ctx context.Context, _, _ string) (net.Conn, error) {
			dials++
			<-ctx.Done()
			return nil, ctx.Err()
		})
		write := func(ctx context.Context) (took time.Duration) {
			begin := time.Now()
			require.Error(t, s.Write(ctx, []emf.Document{lineFor(0)}))
			return time.Since(begin)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		assert.Equal(t, time.Second, write(ctx))
		assert.Equal(t, 5*time.Second, write(t.Context()))
		assert.Zero(t, write(t.Context()))
		time.Sleep(5 * time.Second)
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Equal(t, time.Second, write(ctx))
		assert.Zero(t, write(t.Context()))
		assert.Equal(t, 3, dials)
	})
}

// A connection over which nothing moves is kept for a minute, then made anew.
func TestAgentLeavesAConnectionThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends []net.Conn
		s := dialledBy(t, func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			ends = append(ends, there)
			return here, nil
		})
		begin := time.Now()
		for len(ends) < 2 {
			require.ErrorIs(t, s.Write(t.Context(), []emf.Document{lineFor(1)}), os.ErrDeadlineExceeded)
			time.Sleep(10 * time.Second)
		}
		assert.InDelta(t, time.Minute+20*time.Second, time.Since(begin), float64(20*time.Second))

		read := make(chan string)
		go func() {
			line, _ := bufio.NewReader(ends[1]).ReadString('\n')
			read <- line
		}()
		require.NoError(t, s.Write(t.Context(), []emf.Document{lineFor(2)}))
		assert.Equal(t, string(lineFor(2).JSON)+"\n", <-read)
		for _, end := range ends {
			end.Close()
		}
	})
}

// halfConn takes so many bytes, then fails.
type halfConn struct {
	net.Conn
	room  int
	taken strings.Builder
}

func (c *halfConn) SetWriteDeadline(time.Time) error { return nil }
func (c *halfConn) SetReadDeadline(time.Time) error  { return nil }
func (c *halfConn) Read([]byte) (int, error)         { return 0, os.ErrDeadlineExceeded }
func (c *halfConn) Close() error                     { return nil }

func (c *halfConn) Write(p []byte) (int, error) {
	n := min(len(p), c.room)
	c.room -= n
	c.taken.Write(p[:n])
	if n < len(p) {
		return n, io.ErrClosedPipe
	}
	return n, nil
}

// A connection that breaks at any byte of a batch: the documents that it took whole, their
// newline or not, are not sent again, and all others are, over the next connection.
func TestAgentConnectionBreaksAtAnyByte(t *testing.T) {
	docs := []emf.Document{lineFor(1), lineFor(2), lineFor(3)}
	all := string(docs[0].JSON) + "\n" + string(docs[1].JSON) + "\n" + string(docs[2].JSON) + "\n"
	first := string(lineFor(0).JSON) + "\n"
	for room := range len(all) + 1 {
		conns := []*halfConn{{room: len(first) + room}, {room: len(all)}}
		dials := 0
		s := dialledBy(t, func(context.Context, string, string) (net.Conn, error) {
			dials++
			return conns[dials-1], nil
		})
		require.NoError(t, s.Write(t.Context(), []emf.Document{lineFor(0)}))
		require.NoError(t, s.Write(t.Context(), docs))
		// What the agent makes of both: a last line without a newline counts.
		var numbers []int
		for _, c := range conns {
			for _, line := range strings.Split(c.taken.String(), "\n") {
				var doc struct{ Number int }
				if json.Unmarshal([]byte(line), &doc) == nil {
					numbers = append(numbers, doc.Number)
				}
			}
		}
		assert.Equal(t, []int{0, 1, 2, 3}, numbers, "room for %d", room)
	}
}

// datagramConn answers each datagram with an error of its own.
type datagramConn struct {
	halfConn
	answers []error
}

func (c *datagramConn) Write(p []byte) (int, error) {
	err := c.answers[0]
	c.answers = c.answers[1:]
	return len(p), err
}

// An agent that does not listen shows at the datagram after the one that it did not take, and one
// that was too large to leave does not count as that.
func TestAgentRefusesTheDatagramBefore(t *testing.T) {
	for name, c := range map[string]struct {
		answers       []error
		retry, reject []int
	}{
		"at once":           {[]error{syscall.ECONNREFUSED}, []int{0, 1, 2}, nil},
		"the one before":    {[]error{nil, nil, syscall.ECONNREFUSED}, []int{1, 2}, nil},
		"one was too large": {[]error{nil, syscall.EMSGSIZE, syscall.ECONNREFUSED}, []int{0, 2}, []int{1}},
		"two were":          {[]error{syscall.EMSGSIZE, syscall.EMSGSIZE, syscall.ECONNREFUSED}, []int{2}, []int{0, 1}},
	} {
		s, err := Agent("udp://agent:25888", withAgentDialer(func(context.Context, string, string) (net.Conn, error) {
			return &datagramConn{answers: c.answers}, nil
		}))
		require.NoError(t, err)
		var undelivered *emf.UndeliveredError
		require.ErrorAs(t, s.Write(t.Context(), []emf.Document{lineFor(0), lineFor(1), lineFor(2)}), &undelivered)
		assert.Equal(t, c.retry, undelivered.Retry, name)
		assert.Equal(t, c.reject, undelivered.Reject, name)
	}
}

// A new connection that breaks is not followed by another one in the same Write.
func TestAgentDoesNotDialForEver(t *testing.T) {
	dials := 0
	s := dialledBy(t, func(context.Context, string, string) (net.Conn, error) {
		dials++
		return &halfConn{room: 60}, nil
	})
	var undelivered *emf.UndeliveredError
	require.ErrorAs(t, s.Write(t.Context(), []emf.Document{lineFor(1), lineFor(2)}), &undelivered)
	assert.Equal(t, []int{1}, undelivered.Retry)
	assert.Equal(t, 1, dials)
}

// Inserting names leaves a document as it is otherwise, and valid.
func FuzzAgentAddress(f *testing.F) {
	files, err := filepath.Glob("../testdata/conformance/*")
	require.NoError(f, err)
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(text)
		}
	}
	for _, text := range []string{
		`{"_aws":{}}`, ` { "a" : [1,"}"] , "_aws" : { "LogGroupName" : "own" } }`, `{"\u005faws":{"LogStreamName":"own"}}`,
		`{"_aws":{"Log\u0047roupName":"own"}}`, `{"_aws":[]}`, `{"a":"\"_aws\":{}"}`, `{"_aws":{"x":{"LogGroupName":"other"}}}`, `{"_aws":{"`, `{"_aws":{"a":1e5,"b":nul}`, `{"":{},"_aws":{"":""}}`,
	} {
		f.Add([]byte(text))
	}
	to := newAddressee("shop", `a "stream"`, false)
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := to.address([]byte("before"), doc)
		require.True(t, strings.HasPrefix(string(got), "before"))
		got = got[len("before"):]
		if err != nil {
			require.Empty(t, got)
			require.False(t, json.Valid(doc) && documentIn(doc), "%s: %v", doc, err)
			return
		}
		inserted := len(got) - len(doc)
		require.GreaterOrEqual(t, inserted, 0)
		same := 0
		for same < len(doc) && doc[same] == got[same] {
			same++
		}
		require.Equal(t, string(doc[same:]), string(got[same+inserted:]), "something is in one place, the rest as it was")
		if !json.Valid(doc) {
			return
		}
		require.True(t, json.Valid(got), "%s", got)
		before, after := emf.Check(doc), emf.Check(got)
		if len(before) == 0 {
			require.Empty(t, after, "%s", got)
			names := namesIn(t, got)
			own := namesIn(t, doc)
			for name, value := range map[string]string{"LogGroupName": "shop", "LogStreamName": `a "stream"`} {
				if has, ok := own[name]; ok {
					require.Equal(t, has, names[name], "unchanged")
				} else {
					require.Equal(t, value, names[name])
				}
			}
		}
	})
}

// documentIn reports whether a text has an object "_aws".
func documentIn(doc []byte) bool {
	var root map[string]json.RawMessage
	if json.Unmarshal(doc, &root) != nil {
		return false
	}
	var aws map[string]any
	return json.Unmarshal(root["_aws"], &aws) == nil && aws != nil && strings.Count(string(doc), "aws") == 1
}

func namesIn(t *testing.T, doc []byte) map[string]any {
	var root struct {
		AWS map[string]any `json:"_aws"`
	}
	require.NoError(t, json.Unmarshal(doc, &root))
	return root.AWS
}

// What it costs to see whether a document names its log group, and to put it in.
func BenchmarkAgentAddress(b *testing.B) {
	const rest = `"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service","TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"},{"Name":"errors","Unit":"Count"},{"Name":"latency","Unit":"Milliseconds"}]}]},"Service":"checkout","TenantID":"tenant-1234","orders":12,"errors":0,"latency":{"Values":[12,13.5,250],"Counts":[3,8,1]}}`
	to := newAddressee("shop", "", false)
	for name, doc := range map[string][]byte{
		"named": []byte(`{"_aws":{"Timestamp":1795521600000,"LogGroupName":"shop",` + rest),
		"added": []byte(`{"_aws":{"Timestamp":1795521600000,` + rest),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(doc)))
			var buf []byte
			for b.Loop() {
				buf, _ = to.address(buf[:0], doc)
			}
		})
	}
}
