package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/liftemf/liftemf/emf"
)

// The sizes of documents that reach CloudWatch by way of the agent, with the names that
// the sink puts in.
const (
	// maxAgentLine is the largest event of CloudWatch Logs, 1 MiB less 26 bytes: the
	// agent cuts a larger one off, which loses its metrics, and resets a TCP connection
	// over a line of more than 1 MiB.
	maxAgentLine = 1<<20 - 26
	// maxDatagram is what one UDP datagram over IPv4 can carry.
	maxDatagram = 65_507
)

const (
	defaultAgentTimeout = 5 * time.Second
	// agentChunk is how much is handed to a connection at a time.
	agentChunk = 256 << 10
)

// AgentOption is a setting of [Agent]. An option with a bad argument makes Agent fail.
type AgentOption func(*agentConfig) error

type agentConfig struct {
	group, stream string
	anyGroup      bool
	timeout       time.Duration
	dial          dialFunc
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

var (
	agentLogGroup  = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	agentLogStream = regexp.MustCompile(`^[^:*\x00-\x1f]{1,512}$`)
)

// WithAgentLogGroup names the log group of documents that name none: 1 to 512 letters,
// digits and . - _ / #. [emf.WithLogGroup] says it when documents are written, which costs
// less, and counts it in the size of documents.
func WithAgentLogGroup(name string) AgentOption {
	return func(c *agentConfig) error {
		if !agentLogGroup.MatchString(name) {
			return fmt.Errorf("WithAgentLogGroup: %q: 1 to 512 letters, digits and . - _ / #", name)
		}
		c.group = name
		return nil
	}
}

// WithAgentLogStream names the log stream of documents that name none: 1 to 512 characters
// other than : and *. By default the agent names it.
func WithAgentLogStream(name string) AgentOption {
	return func(c *agentConfig) error {
		if !agentLogStream.MatchString(name) || !utf8.ValidString(name) {
			return fmt.Errorf("WithAgentLogStream: %q: 1 to 512 characters without : and *", name)
		}
		c.stream = name
		return nil
	}
}

// WithoutLogGroup passes documents on that name no log group, instead of refusing them: for
// receivers other than the CloudWatch agent that know where documents go, such as FireLens.
func WithoutLogGroup() AgentOption {
	return func(c *agentConfig) error {
		c.anyGroup = true
		return nil
	}
}

// WithAgentTimeout bounds how long connecting takes, and how long the agent may take no
// bytes while documents are written to it. The default is 5 s.
func WithAgentTimeout(d time.Duration) AgentOption {
	return func(c *agentConfig) error {
		if d <= 0 {
			return fmt.Errorf("WithAgentTimeout: %v: more than 0", d)
		}
		c.timeout = d
		return nil
	}
}

// withAgentDialer makes connections for tests.
func withAgentDialer(dial dialFunc) AgentOption {
	return func(c *agentConfig) error {
		c.dial = dial
		return nil
	}
}

// Agent returns a sink that sends documents to the CloudWatch agent, which listens where its
// configuration has "logs": {"metrics_collected": {"emf": {}}}. The endpoint is one of
//
//	tcp://127.0.0.1:25888   the agent's default
//	udp://127.0.0.1:25888   one document a datagram
//	unix:///run/emf.sock    for relays: the agent has none
//	unixgram:///run/emf.sock
//
// Nothing is dialled before the first Write, so that a service starts without its agent. A
// Write to an agent that is away fails at once or within [WithAgentTimeout], and its
// documents are to be retried; connections are then attempted at intervals that grow to
// 5 s, and a Write before the next attempt fails at once.
//
// A connection that the agent has closed is noticed before documents are written into it:
// the batch goes over a new one. What is left of a batch when a connection breaks goes over
// a new one as well. The agent acknowledges nothing, so a document counts as delivered when
// the system has taken all of it: documents in the buffers of a connection are lost
// with it, and never sent twice. Over UDP documents are lost without a trace wherever a
// buffer is full; an agent that does not listen is noticed on the same host.
//
// A document that the agent would drop in silence is refused: one that names no log group
// while [WithAgentLogGroup] gives none, one that is not EMF, one larger than an event of
// CloudWatch Logs, 1,048,550 bytes, or over UDP than a datagram, 65,507 bytes. Over UDP give
// the emitter [emf.WithMaxDocumentSize], with room for the names. Agents before version
// 1.300058 cut documents of more than 262,118 bytes off.
//
// Source: the agent's source, and version 1.300052.1 as measured.
func Agent(endpoint string, opts ...AgentOption) (*AgentSink, error) {
	network, address, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, fmt.Errorf("sink: Agent: %w", err)
	}
	c := agentConfig{timeout: defaultAgentTimeout, dial: (&net.Dialer{}).DialContext}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(&c); err != nil {
			return nil, fmt.Errorf("sink: Agent: %w", err)
		}
	}
	s := &AgentSink{
		to:   newAddressee(c.group, c.stream, c.anyGroup),
		max:  maxAgentLine,
		turn: make(chan struct{}, 1),
		link: newAgentLink(network, address, c.dial, c.timeout),
	}
	if network == "udp" {
		s.max = maxDatagram
	}
	s.turn <- struct{}{}
	return s, nil
}

var errEndpoint = errors.New("the form is tcp://host:25888, udp://host:25888, unix:///path or unixgram:///path")

func parseEndpoint(endpoint string) (network, address string, err error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", "", fmt.Errorf("endpoint %q: %w", endpoint, errEndpoint)
	}
	fits := u.User == nil && u.RawQuery == "" && u.Fragment == "" && u.Opaque == ""
	switch u.Scheme {
	case "tcp", "udp":
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		fits = fits && u.Hostname() != "" && err == nil && port > 0 && (u.Path == "" || u.Path == "/")
		address = u.Host
	case "unix", "unixgram":
		fits = fits && u.Host == "" && len(u.Path) > 1
		address = u.Path
	default:
		fits = false
	}
	if !fits {
		return "", "", fmt.Errorf("endpoint %q: %w", endpoint, errEndpoint)
	}
	return u.Scheme, address, nil
}

// AgentSink is a sink made by [Agent]. It is safe for concurrent use: batches are sent one
// after the other, in whole lines.
type AgentSink struct {
	to  *addressee
	max int

	turn chan struct{} // holds a token while nobody writes
	// What follows belongs to the one who has it.
	link   *agentLink
	closed bool
	buf    []byte
	lines  [][]byte // in buf
	at     []int    // the document of each line

	mu    sync.Mutex
	stats AgentStats
}

// AgentStats is what an [AgentSink] has done so far.
type AgentStats struct {
	Documents, Values  uint64 // taken by the system; the agent acknowledges nothing
	Rejected           uint64 // values in documents that the agent would have dropped
	Connects, Failures uint64 // connections made; Writes that left documents to be retried
	LastError          error
}

// Stats returns what the sink has done so far. It may be called at any time.
func (s *AgentSink) Stats() AgentStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

var errAgentClosed = errors.New("sink: the agent sink is closed")

// Write implements [emf.Sink].
func (s *AgentSink) Write(ctx context.Context, docs []emf.Document) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer func() { s.turn <- struct{}{} }()
	if s.closed {
		return errAgentClosed
	}
	out := s.write(ctx, docs)
	s.count(docs, out)
	return out.undelivered()
}

// acquire waits for the turn to write.
func (s *AgentSink) acquire(ctx context.Context) error {
	select {
	case <-s.turn:
		return nil
	default:
	}
	select {
	case <-s.turn:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("sink: agent %s: another Write has not ended: %w", s.link, context.Cause(ctx))
	}
}

func (s *AgentSink) write(ctx context.Context, docs []emf.Document) (out outcome) {
	for next := 0; next < len(docs); {
		next = s.fill(docs, next, &out)
		refused, unsent, err := s.link.send(ctx, s.lines)
		out.reject = append(out.reject, pick(s.at, refused)...)
		out.retry = append(out.retry, pick(s.at, unsent)...)
		if err != nil {
			out.err = errors.Join(out.err, fmt.Errorf("sink: agent %s: %w", s.link, err))
		}
		if len(unsent) > 0 {
			for ; next < len(docs); next++ {
				out.retry = append(out.retry, next)
			}
		}
	}
	slices.Sort(out.reject)
	return out
}

// fill makes lines of documents, from the next one on, until they make a chunk. It returns
// which is next then.
func (s *AgentSink) fill(docs []emf.Document, next int, out *outcome) int {
	if cap(s.buf) > 4*agentChunk {
		s.buf = nil
	}
	s.buf, s.lines, s.at = s.buf[:0], s.lines[:0], s.at[:0]
	for ; next < len(docs) && len(s.buf) < agentChunk; next++ {
		start := len(s.buf)
		var err error
		s.buf, err = s.to.address(s.buf, docs[next].JSON)
		if size := len(s.buf) - start; err == nil && size > s.max {
			err = fmt.Errorf("the document has %d bytes, and %d is all that reaches CloudWatch this way: see emf.WithMaxDocumentSize", size, s.max)
		}
		if err != nil {
			s.buf = s.buf[:start]
			out.reject = append(out.reject, next)
			out.err = joinOnce(out.err, err)
			continue
		}
		s.lines = append(s.lines, s.buf[start:len(s.buf):len(s.buf)])
		s.at = append(s.at, next)
	}
	return next
}

// joinOnce keeps one error of a kind: a batch may have thousands.
func joinOnce(errs, err error) error {
	if errs != nil {
		return errs
	}
	return fmt.Errorf("sink: agent: %w", err)
}

func (s *AgentSink) count(docs []emf.Document, out outcome) {
	again, refused := valuesAt(docs, out.retry), valuesAt(docs, out.reject)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Documents += uint64(len(docs) - len(out.retry) - len(out.reject))
	s.stats.Values += valuesOf(docs) - again - refused
	s.stats.Rejected += refused
	s.stats.Connects = s.link.connects
	if len(out.retry) > 0 {
		s.stats.Failures++
	}
	if out.err != nil {
		s.stats.LastError = out.err
	}
}

// Close waits for a Write that runs and closes the connection: the system goes on sending
// what it has taken. Later Writes fail. Closing again returns nil.
func (s *AgentSink) Close() error {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	s.closed = true
	return s.link.hangUp()
}
