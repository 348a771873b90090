package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/price"
)

// rehearsal stands in for a network: what a sink would send is made and counted, and every
// request succeeds, but for what can be told to be refused.
type rehearsal struct {
	grouped bool // an agent is told the log group of documents that name none

	mu    sync.Mutex
	calls map[string]int
	wire  int64 // bytes of the bodies, compressed as they would be
}

// config is for clients that send nothing.
func (r *rehearsal) config(region string) aws.Config {
	return aws.Config{
		Region: region, HTTPClient: r, RequestMinCompressSizeBytes: 10_240,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "none", SecretAccessKey: "none"}, nil
		}),
	}
}

// Do is what the clients of the AWS SDK call.
func (r *rehearsal) Do(req *http.Request) (*http.Response, error) {
	operation := path.Base(req.URL.Path)
	if target := req.Header.Get("X-Amz-Target"); target != "" {
		operation = target[strings.LastIndexByte(target, '.')+1:]
	}
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body.Close()
	}
	r.count(operation, int64(len(body)))
	answer := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req, Body: http.NoBody}
	if protocol := req.Header.Get("Smithy-Protocol"); protocol != "" {
		answer.Header.Set("Smithy-Protocol", protocol)
	} else {
		text := []byte("{}")
		if operation == "PutLogEvents" {
			text = judged(body, time.Now())
		}
		answer.Body = io.NopCloser(bytes.NewReader(text))
	}
	return answer, nil
}

// judged answers a request of PutLogEvents: CloudWatch Logs rejects events of the wrong time.
//
// Source: the PutLogEvents API reference.
func judged(request []byte, now time.Time) (answer []byte) {
	type event struct {
		Timestamp int64 `json:"timestamp"`
	}
	var put struct {
		LogEvents []event `json:"logEvents"`
	}
	var verdict struct {
		Rejected struct {
			TooOld *int `json:"tooOldLogEventEndIndex,omitempty"`
			TooNew *int `json:"tooNewLogEventStartIndex,omitempty"`
		} `json:"rejectedLogEventsInfo"`
	}
	_ = json.Unmarshal(request, &put) // the client has written it
	at := func(limit time.Time) int {
		i, _ := slices.BinarySearchFunc(put.LogEvents, limit.UnixMilli(), func(e event, limit int64) int { return cmp.Compare(e.Timestamp, limit) })
		return i
	}
	if i := at(now.Add(-14 * 24 * time.Hour)); i > 0 {
		verdict.Rejected.TooOld = &i
	}
	if i := at(now.Add(2 * time.Hour)); i < len(put.LogEvents) {
		verdict.Rejected.TooNew = &i
	}
	answer, _ = json.Marshal(verdict)
	return answer
}

func (r *rehearsal) count(operation string, size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls == nil {
		r.calls = make(map[string]int)
	}
	r.calls[operation]++
	r.wire += size
}

var errNoLogGroup = errors.New("an agent drops documents that name no log group: give --log-group")

// Write makes it a sink, in place of an agent.
func (r *rehearsal) Write(_ context.Context, docs []emf.Document) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	refused := emf.UndeliveredError{Err: errNoLogGroup}
	for i := range docs {
		var doc struct {
			AWS struct{ LogGroupName *string } `json:"_aws"`
		}
		if !r.grouped && (json.Unmarshal(docs[i].JSON, &doc) != nil || doc.AWS.LogGroupName == nil) {
			refused.Reject = append(refused.Reject, i)
			continue
		}
		r.wire += int64(len(docs[i].JSON)) + 1
	}
	if refused.Reject != nil {
		return &refused
	}
	return nil
}

// eventOverhead is what CloudWatch Logs adds to each event's size.
//
// Source: the PutLogEvents API reference.
const eventOverhead = 26

// tab is what documents come to at CloudWatch's prices. It holds hashes of metrics: that two of
// a million share one has a probability of 1 to 10^7.
type tab struct {
	seed    maphash.Seed
	metrics map[uint64]struct{}
	hours   map[uint64]struct{} // of metrics: a metric is paid for by the hour
	logs    int64               // bytes
}

func newTab() *tab {
	return &tab{seed: maphash.MakeSeed(), metrics: make(map[uint64]struct{}), hours: make(map[uint64]struct{})}
}

func (t *tab) add(size int, metrics []emf.Metric) {
	t.logs += int64(size) + eventOverhead
	for i := range metrics {
		m := &metrics[i]
		name := struct{ namespace, name, dimensions string }{m.Namespace, m.Name, dimensionKey(m.Dimensions)}
		metric := maphash.Comparable(t.seed, name)
		t.metrics[metric] = struct{}{}
		t.hours[maphash.Comparable(t.seed, [2]uint64{metric, uint64(m.Time.Unix() / 3600)})] = struct{}{}
	}
}

// dimensionKey is the same for the same dimensions in any order.
func dimensionKey(dims []emf.Dimension) string {
	pairs := make([]string, len(dims))
	for i, d := range dims {
		pairs[i] = d.Name + "\x00" + d.Value
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "\x01")
}

// prices of what a tab holds, in USD.
type prices struct {
	Logs     float64 `json:"logs_usd"`
	Requests float64 `json:"requests_usd"`
	Metrics  float64 `json:"metrics_usd"` // for the hours in which they have values
	Region   string  `json:"price_region"`
	Date     string  `json:"price_date"`
}

func (t *tab) prices(to destination, puts int) prices {
	table := price.Default
	p := prices{Region: table.Region, Date: table.Date}
	p.Metrics = table.Metrics.Of(float64(len(t.hours)) / price.Month.Hours())
	switch to.kind {
	case toMetrics:
		p.Requests = float64(puts) * table.Requests
	default: // an agent sends to CloudWatch Logs
		p.Logs = table.Logs.Of(float64(t.logs) / price.GB)
	}
	return p
}
