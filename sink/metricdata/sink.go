package metricdata

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/awssend"
)

// API is the method of *cloudwatch.Client that the sink calls.
type API interface {
	PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error)
}

// PermissionError is why documents are to be retried for lack of a permission. It names the
// action to allow.
type PermissionError = awssend.PermissionError

// Sink sends the metrics of documents. It is an [emf.Sink], safe for concurrent use.
type Sink struct {
	api     API
	timeout time.Duration
	now     func() time.Time

	mu       sync.Mutex
	stats    Stats
	progress progress
}

// Option is a setting of [New]. An option with a bad argument makes New fail.
type Option func(*Sink) error

// WithTimeout bounds each call, the client's own repeats included. The default is 30
// seconds. A call that runs out of it is counted as ambiguous, and its documents are to be retried.
func WithTimeout(d time.Duration) Option {
	return func(s *Sink) error {
		if d <= 0 {
			return fmt.Errorf("WithTimeout: %v is not above 0", d)
		}
		s.timeout = d
		return nil
	}
}

// New returns a sink that sends through api, a *cloudwatch.Client. It makes no call.
func New(api API, opts ...Option) (*Sink, error) {
	if api == nil {
		return nil, errors.New("metricdata: the API is nil: give a *cloudwatch.Client")
	}
	s := &Sink{api: api, timeout: 30 * time.Second, now: time.Now}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(s); err != nil {
			return nil, fmt.Errorf("metricdata: %w", err)
		}
	}
	return s, nil
}

var _ emf.Sink = (*Sink)(nil)

// Write sends what CloudWatch would extract of documents, see [emf.Extract]: each metric under each
// of its dimension sets, with its values and how often they occurred, its unit, resolution
// and time. A document without metrics is delivered by sending nothing.
//
// It returns nil when CloudWatch has taken all, or an [emf.UndeliveredError]:
//
//   - Reject: a document that Extract refuses; one with a metric that PutMetricData would refuse, and
//     with it the whole request: more than 14 days old or 2 hours ahead, a name above 255
//     characters, a namespace or dimension beyond printable ASCII; and what it refuses all the same. A
//     request that is refused is halved until the document at fault is found; the others are
//     delivered.
//   - Retry: throttling, 5xx, time-outs and connections that fail, after the client's own
//     retries, and a permission that is missing ([PermissionError]). Nothing more is sent in this call then.
//
// A document is delivered when all of its data are. They go in one request, unless there are
// more than 1,000 or 1 MB, or of several namespaces. Where a request fails after others of the same document
// were taken, the document is to be retried and the sink remembers what to leave out when
// it is given the same bytes again; Stats counts its values as ambiguous, since another sink does not know.
//
// Where an answer was lost, the documents are to be retried although CloudWatch may have taken
// them, and Stats counts their values as ambiguous. Write returns soon after ctx is done.
func (s *Sink) Write(ctx context.Context, docs []emf.Document) error {
	w := &write{s: s, ctx: ctx, docs: docs, d: awssend.NewDelivery(ctx, docs, true), open: make(map[string]*request)}
	now := s.now()
	for i := range docs {
		if w.d.Stopped() {
			w.d.Retry([]int{i})
			continue
		}
		list, err := parts(docs[i].JSON, now)
		switch {
		case err != nil:
			w.d.Reject(i, err)
		case len(list) == 1:
			w.add(i, list[0])
		case len(list) > 1:
			w.d.Send([]int{i}, func([]int) error { return w.sendParts(i, list) })
		}
	}
	for _, r := range w.order {
		w.flush(r)
	}
	values, err := w.d.Result()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Delivered += values.Delivered
	s.stats.Rejected += values.Rejected
	s.stats.Retried += values.Retried
	if err != nil {
		s.stats.LastError = err
		return fmt.Errorf("metricdata: %w", err)
	}
	return nil
}

// write is one call of Write.
type write struct {
	s     *Sink
	ctx   context.Context
	docs  []emf.Document
	d     *awssend.Delivery
	open  map[string]*request // by namespace
	order []*request          // of open, in order of the first document
}

// request is one that is being filled.
type request struct {
	namespace string
	docs      []int
	parts     []part // of docs
	data      int
	bytes     int
}

// add puts a document that is one part into the request of its namespace, which is sent first if
// there is no room.
func (w *write) add(doc int, p part) {
	r := w.open[p.namespace]
	if r == nil {
		r = &request{namespace: p.namespace}
		w.open[p.namespace] = r
		w.order = append(w.order, r)
	}
	if r.data+len(p.data) > maxData || sizeRequest(r.namespace)+r.bytes+p.bytes > maxBytes {
		w.flush(r)
	}
	r.docs, r.parts = append(r.docs, doc), append(r.parts, p)
	r.data, r.bytes = r.data+len(p.data), r.bytes+p.bytes
}

// flush sends a request and empties it.
func (w *write) flush(r *request) {
	if len(r.docs) == 0 {
		return
	}
	w.d.Send(r.docs, func(docs []int) error {
		first := 0
		for r.docs[first] != docs[0] {
			first++
		}
		in := part{namespace: r.namespace, data: make([]types.MetricDatum, 0, r.data)}
		values := 0
		for i, doc := range docs {
			in.data = append(in.data, r.parts[first+i].data...)
			values += w.docs[doc].Values
		}
		return w.s.put(w.ctx, in, values)
	})
	*r = request{namespace: r.namespace}
}

// sendParts sends a document that takes several requests, but for those parts of it that were
// taken before.
func (w *write) sendParts(doc int, list []part) error {
	key := sha256.Sum256(w.docs[doc].JSON)
	w.s.mu.Lock()
	done := w.s.progress.recall(key)
	w.s.mu.Unlock()
	values := w.docs[doc].Values
	for i, p := range list[done:] {
		err := w.s.put(w.ctx, p, values)
		if err == nil {
			continue
		}
		if done += i; done == 0 {
			return err
		}
		if awssend.KindOf(err) == awssend.Refused {
			return fmt.Errorf("after %d of %d parts were taken: %w", done, len(list), err)
		}
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		w.s.progress.remember(key, done)
		w.s.stats.Ambiguous += uint64(max(values, 0))
		return err
	}
	return nil
}

// put makes one call and counts it: its attempts, and as ambiguous the values that it carries for
// each attempt whose answer was lost.
func (s *Sink) put(ctx context.Context, p part, values int) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var w awssend.Watch
	_, err := s.api.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: &p.namespace, MetricData: p.data},
		func(o *cloudwatch.Options) { o.APIOptions = append(o.APIOptions, w.Install) })
	w.Settle(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Calls += uint64(w.Attempts)
	s.stats.Bytes += uint64(w.Bytes)
	s.stats.Ambiguous += uint64(w.Lost * max(values, 0))
	if err == nil {
		s.stats.Data += uint64(len(p.data))
	}
	return awssend.Explain("cloudwatch:PutMetricData", err)
}
