package cwtest

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// Server is a CloudWatch of one account and Region.
type Server struct {
	URL string // http://127.0.0.1:PORT

	http      *httptest.Server
	transport *http.Transport
	now       func() time.Time
	closed    chan struct{}
	closing   sync.Once
	poison    func(text string) bool
	stallEnd  time.Duration

	asking sync.Mutex // held while faults is asked, which may ask the server in turn

	mu       sync.Mutex
	faults   Faults
	requests []Request
	groups   map[string]*group
	held     map[string]*series
	emf      Extraction
}

// Option is a setting of [New] and [Start].
type Option func(*Server)

// WithClock sets the server's clock, by which it accepts timestamps.
func WithClock(now func() time.Time) Option { return func(s *Server) { s.now = now } }

// WithStallLimit cuts a stalled connection after d. Without it a stall ends with the client's
// patience, which then has to be so short that a busy machine exhausts it without a fault: a
// test that counts duplicates wants the server to end its stalls.
func WithStallLimit(d time.Duration) Option { return func(s *Server) { s.stallEnd = d } }

// WithPoison makes the server refuse, as an invalid parameter and with all that is sent
// beside it, a log event or a metric of which poison says so: of the event's message, or the
// metric's name. It stands for the rules that AWS does not document.
func WithPoison(poison func(text string) bool) Option { return func(s *Server) { s.poison = poison } }

// New starts a server that is closed with the test.
func New(t testing.TB, opts ...Option) *Server {
	s := Start(opts...)
	t.Cleanup(s.Close)
	return s
}

// Start starts a server for who has no test at hand, such as an example.
func Start(opts ...Option) *Server {
	s := &Server{now: time.Now, closed: make(chan struct{}), transport: &http.Transport{MaxIdleConnsPerHost: 16}, poison: func(string) bool { return false }}
	for _, opt := range opts {
		opt(s)
	}
	s.Reset()
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close ends stalled requests and the server, and the connections of its clients.
func (s *Server) Close() {
	s.closing.Do(func() {
		close(s.closed)
		s.transport.CloseIdleConnections()
		s.http.CloseClientConnections()
		s.http.Close()
		s.transport.CloseIdleConnections()
	})
}

// Reset forgets all groups, metrics, requests and faults.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.requests, s.emf = nil, nil, Extraction{}
	s.groups, s.held = make(map[string]*group), make(map[string]*series)
}

// Config returns a configuration for clients of this server.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region:                      "us-east-1",
		BaseEndpoint:                aws.String(s.URL),
		Credentials:                 credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:                  &http.Client{Transport: s.transport},
		RequestMinCompressSizeBytes: 10_240,
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
			})
		},
	}
}

// LogsClient returns a client for CloudWatch Logs.
func (s *Server) LogsClient(opts ...func(*cloudwatchlogs.Options)) *cloudwatchlogs.Client {
	return cloudwatchlogs.NewFromConfig(s.Config(), opts...)
}

// MetricsClient returns a client for CloudWatch metrics.
func (s *Server) MetricsClient(opts ...func(*cloudwatch.Options)) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(s.Config(), opts...)
}

// Request is a request that the server got.
type Request struct {
	Operation string // such as PutLogEvents
	Protocol  string // json-1.1, cbor, json-1.0 or query
	Wire      int    // bytes of the body as sent
	Bytes     int    // bytes of the body, decompressed
	Fault     Fault  // what was made of it, if it was not answered as it should be
	Status    int    // of the answer, 0 if there was none
}

// Requests returns the requests for an operation, or all for "", in order of arrival.
func (s *Server) Requests(operation string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.requests), func(r Request) bool {
		return operation != "" && r.Operation != operation
	})
}

// Calls returns how many requests there were for an operation, or for all if it is "".
func (s *Server) Calls(operation string) int { return len(s.Requests(operation)) }

// maxBody bounds what the server reads.
const maxBody = 16 << 20

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // cut by the client: a half request is none
	}
	request := Request{Wire: len(body)}
	if r.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gunzip(body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	request.Bytes = len(body)
	wire, operation := identify(r, body)
	request.Operation, request.Protocol = operation, wire.name()

	request.Fault = s.ask(request)
	s.mu.Lock()
	at := len(s.requests)
	s.requests = append(s.requests, request)
	s.mu.Unlock()

	answer := s.handle(r, wire, operation, body, request.Fault)
	s.mu.Lock()
	if at < len(s.requests) { // Reset may have come between
		s.requests[at].Status = answer.status
	}
	s.mu.Unlock()
	answer.write(w)
}

func (s *Server) ask(request Request) Fault {
	s.mu.Lock()
	faults := s.faults
	s.mu.Unlock()
	if faults == nil {
		return None
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	return faults(request)
}

// handle makes an answer, or none.
func (s *Server) handle(r *http.Request, wire protocol, operation string, body []byte, f Fault) answer {
	switch f {
	case Throttle, InternalError, Unavailable, AccessDenied:
		return wire.failure(f.failure(wire, operation))
	case UnavailableHTML:
		return answer{
			status: http.StatusServiceUnavailable,
			header: map[string]string{"Content-Type": "text/html"},
			body:   []byte("<html><body><h1>503 Service Unavailable</h1></body></html>"),
		}
	case Stall:
		s.stall(r)
		return answer{}
	case CutBefore:
		return answer{}
	}
	result, failure := s.perform(wire, operation, body, f)
	switch {
	case f == CutAfter:
		return answer{}
	case f == StallAfter:
		s.stall(r)
		return answer{}
	case failure != nil:
		return wire.failure(failure)
	}
	a := wire.success(operation, result)
	a.cut = f == CutAnswer
	return a
}

func (s *Server) stall(r *http.Request) {
	var end <-chan time.Time
	if s.stallEnd > 0 {
		end = time.After(s.stallEnd)
	}
	select {
	case <-end:
	case <-r.Context().Done():
	case <-s.closed:
	}
}

// perform does what is asked for.
func (s *Server) perform(wire protocol, operation string, body []byte, f Fault) (any, *failure) {
	if operation == "PutMetricData" {
		in, failure := wire.metricData(body)
		if failure == nil {
			failure = s.putMetricData(in, len(body))
		}
		return nil, failure
	}
	if wire == (jsonLogs{}) {
		return s.performLogs(operation, body, f)
	}
	return nil, &failure{code: "UnknownOperationException", message: "unknown operation " + operation, status: http.StatusNotFound}
}

// answer is what the server sends; with status 0 it closes the connection instead.
type answer struct {
	status int
	header map[string]string
	body   []byte
	cut    bool // the connection is closed before the body's end
}

func (a answer) write(w http.ResponseWriter) {
	if a.status == 0 {
		panic(http.ErrAbortHandler) // closes the connection
	}
	if a.cut {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		a.body = a.body[:len(a.body)/2]
		defer panic(http.ErrAbortHandler)
		defer http.NewResponseController(w).Flush()
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

func gunzip(body []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxBody))
}

// identify finds out what the request speaks and asks for.
func identify(r *http.Request, body []byte) (protocol, string) {
	target := r.Header.Get("X-Amz-Target")
	switch {
	case strings.HasPrefix(target, "Logs_20140328."):
		return jsonLogs{}, strings.TrimPrefix(target, "Logs_20140328.")
	case strings.HasPrefix(target, "GraniteServiceVersion20100801."):
		return jsonMetrics{}, strings.TrimPrefix(target, "GraniteServiceVersion20100801.")
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		return cborMetrics{}, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	}
	return queryMetrics{}, queryAction(body)
}
