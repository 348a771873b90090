package logevents_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink/logevents"
)

// now is the time of documents: a whole second, lest two documents of a test differ.
var now = time.Now().Truncate(time.Second)

// document is one of the metric n with the value i.
func document(i int) emf.Document { return documentAt(i, now) }

func documentAt(i int, at time.Time) emf.Document {
	return emf.Document{Time: at, Values: 1, JSON: fmt.Appendf(nil,
		`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[[]],"Metrics":[{"Name":"n"}]}]},"n":%d}`, at.UnixMilli(), i)}
}

func documents(n int) (docs []emf.Document) {
	for i := range n {
		docs = append(docs, document(i))
	}
	return docs
}

// plain are short documents of no metrics.
func plain(n int) []emf.Document {
	return slices.Repeat([]emf.Document{{JSON: []byte(`{}`), Time: now, Values: 1}}, n)
}

// sized is a document of so many bytes.
func sized(bytes int) emf.Document {
	d := document(1)
	d.JSON = fmt.Appendf(nil, `%s,"p":"%s"}`, d.JSON[:len(d.JSON)-1], strings.Repeat("x", bytes-len(d.JSON)-len(`,"p":""`)))
	return d
}

func newSink(t testing.TB, srv *cwtest.Server, opts ...logevents.Option) *logevents.Sink {
	s, err := logevents.New(srv.LogsClient(), "g", opts...)
	require.NoError(t, err)
	return s
}

// undelivered is what err says of documents; nothing, if it is nil.
func undelivered(t testing.TB, err error) (retry, reject []int) {
	if err == nil {
		return nil, nil
	}
	var u *emf.UndeliveredError
	require.ErrorAs(t, err, &u)
	return u.Retry, u.Reject
}

func indexes(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

func TestBatchesWithinLimits(t *testing.T) {
	for _, c := range []struct {
		name  string
		docs  []emf.Document
		calls int
	}{
		{"10,000 documents", plain(10_000), 1},
		{"10,001", plain(10_001), 2},
		{"25,000", plain(25_000), 3},
		{"1 MiB", []emf.Document{sized(1<<19 - 26), sized(1<<19 - 26)}, 1},
		{"1 MiB and a byte", []emf.Document{sized(1<<19 - 26), sized(1<<19 - 25)}, 2},
		{"the largest", []emf.Document{sized(logevents.MaxDocument), sized(logevents.MaxDocument)}, 2},
		{"24 hours", []emf.Document{documentAt(1, now.Add(-24*time.Hour)), document(2)}, 1},
		{"24 hours and a millisecond", []emf.Document{documentAt(1, now.Add(-24*time.Hour-time.Millisecond)), document(2)}, 2},
		{"out of order over three days", []emf.Document{document(1), documentAt(2, now.Add(-49*time.Hour)), documentAt(3, now.Add(-25*time.Hour)), document(4)}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := cwtest.New(t)
			srv.CreateGroup("g", "", "s")
			s := newSink(t, srv, logevents.WithStream("s"))
			require.NoError(t, s.Write(t.Context(), c.docs))
			assert.Equal(t, c.calls, srv.Calls("PutLogEvents"))
			assert.Len(t, srv.Events("g"), len(c.docs))
			assert.EqualValues(t, len(c.docs), s.Stats().Delivered)
		})
	}
}

// Documents of one millisecond stay in the order given, whatever comes between.
func TestOrder(t *testing.T) {
	srv := cwtest.New(t)
	var docs []emf.Document
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 3000 {
		docs = append(docs, documentAt(i, now.Add(-time.Duration(random.IntN(5))*time.Millisecond)))
	}
	require.NoError(t, newSink(t, srv).Write(t.Context(), docs))
	last := map[int64]int{}
	for _, e := range srv.Events("g") {
		var i int
		_, err := fmt.Sscanf(e.Message[strings.LastIndex(e.Message, `"n":`):], `"n":%d}`, &i)
		require.NoError(t, err)
		require.GreaterOrEqual(t, i, last[e.Timestamp])
		last[e.Timestamp] = i
	}
}

// What no event can hold is rejected with a reason, and takes nothing else with it.
func TestDocumentsThatNoEventHolds(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv)
	invalid := document(5)
	invalid.JSON = []byte(strings.Replace(string(invalid.JSON), `"n":5`, `"n":5,"p":"`+"\xff\xfe"+`"`, 1))
	docs := []emf.Document{document(1), sized(logevents.MaxDocument + 1), {Values: 1, Time: now}, documentAt(1, time.UnixMilli(-1)), invalid, {JSON: document(7).JSON, Values: 1}}
	before := time.Now().UnixMilli()
	err := s.Write(t.Context(), docs)
	retry, reject := undelivered(t, err)
	assert.Empty(t, retry)
	assert.Equal(t, []int{1, 2, 3}, reject)
	for _, reason := range []string{"1048551 bytes", "without text", "before 1970"} {
		require.ErrorContains(t, err, reason)
	}
	events := srv.Events("g")
	require.Len(t, events, 3)
	assert.Contains(t, events[1].Message, "\ufffd\ufffd")
	assert.GreaterOrEqual(t, events[2].Timestamp, before, "a document without a time has that of the call")
	assert.EqualValues(t, 3, s.Stats().Rejected)
	assert.EqualValues(t, 3, srv.SampleCount())
}

// CloudWatch tells the events that it does not take by their place in the batch, which is not
// that of the documents.
func TestRejectedEventsAreFoundAgain(t *testing.T) {
	srv := cwtest.New(t)
	srv.CreateGroup("g", "", "s")
	s := newSink(t, srv, logevents.WithStream("s"))
	days := func(n int) time.Time { return time.Now().Add(time.Duration(n) * 24 * time.Hour) }
	err := s.Write(t.Context(), []emf.Document{
		documentAt(0, days(1)), documentAt(1, now), documentAt(2, days(-20)), documentAt(3, now), documentAt(4, days(-15)), documentAt(5, days(-13)),
	})
	_, reject := undelivered(t, err)
	assert.Equal(t, []int{0, 2, 4}, reject)
	require.ErrorContains(t, err, "2 documents: CloudWatch Logs rejected it as more than 14 days old")
	require.ErrorContains(t, err, "hours in the future")
	assert.EqualValues(t, 3, srv.SampleCount())
	assert.EqualValues(t, 3, s.Stats().Delivered)

	_, err = srv.LogsClient().PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: ptr("g"), RetentionInDays: ptr(int32(3))})
	require.NoError(t, err)
	err = s.Write(t.Context(), []emf.Document{document(1), documentAt(2, days(-4)), documentAt(3, days(-15))})
	_, reject = undelivered(t, err)
	assert.Equal(t, []int{1, 2}, reject)
	require.ErrorContains(t, err, "retention")

	srv.SetFaults(cwtest.Only("PutLogEvents", cwtest.Sequence(cwtest.RejectSome)))
	err = s.Write(t.Context(), documents(8))
	_, reject = undelivered(t, err)
	assert.Equal(t, []int{0, 1, 6, 7}, reject)
}

func ptr[T any](v T) *T { return &v }

func TestEntity(t *testing.T) {
	srv := cwtest.New(t)
	entity := types.Entity{KeyAttributes: map[string]string{"Type": "Service", "Name": "shop", "Environment": "test"}}
	s := newSink(t, srv, logevents.WithEntity(entity))
	require.NoError(t, s.Write(t.Context(), documents(1)))
	assert.Zero(t, s.Stats().EntitiesRejected)

	entity.KeyAttributes["Type"] = "Nonsense"
	s = newSink(t, srv, logevents.WithEntity(entity))
	require.NoError(t, s.Write(t.Context(), documents(1)))
	assert.EqualValues(t, 1, s.Stats().EntitiesRejected)
	require.ErrorContains(t, s.Stats().LastError, "InvalidTypeValue")
	assert.Len(t, srv.Events("g"), 2)
}

// Several writers at once: each document arrives once.
func TestConcurrentWrites(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 10 {
				docs := documents(50)
				for k := range docs {
					docs[k] = document((i*10+j)*50 + k)
				}
				assert.NoError(t, s.Write(t.Context(), docs))
			}
		})
	}
	all.Wait()
	m := srv.Metric("N", "n", nil)
	assert.EqualValues(t, 4000, m.SampleCount)
	assert.Len(t, m.Values, 4000)
	assert.EqualValues(t, 4000, s.Stats().Delivered)
}

func TestBadOptions(t *testing.T) {
	api := cwtest.New(t).LogsClient()
	good := map[string]string{"Type": "Service", "Name": "n"}
	many := map[string]string{}
	for i := range 11 {
		many[fmt.Sprint(i)] = "v"
	}
	for want, opt := range map[string]logevents.Option{
		"WithStream":              logevents.WithStream("a:b"),
		"WithRetention":           logevents.WithRetention(2),
		"WithClass":               logevents.WithClass(types.LogGroupClassDelivery),
		"WithTimeout":             logevents.WithTimeout(0),
		"WithoutCreation":         logevents.WithoutCreation(),
		"1 key attributes":        logevents.WithEntity(types.Entity{KeyAttributes: map[string]string{"Type": "Service"}}),
		"Type is missing":         logevents.WithEntity(types.Entity{KeyAttributes: map[string]string{"Name": "n", "Environment": "e"}}),
		"11 attributes":           logevents.WithEntity(types.Entity{KeyAttributes: good, Attributes: many}),
		`no key attribute "Kind"`: logevents.WithEntity(types.Entity{KeyAttributes: map[string]string{"Type": "Service", "Kind": "n"}}),
		"values 1 to 512":         logevents.WithEntity(types.Entity{KeyAttributes: good, Attributes: map[string]string{"a": strings.Repeat("x", 513)}}),
	} {
		_, err := logevents.New(api, "g", opt)
		require.ErrorContains(t, err, want)
	}
	for _, group := range []string{"", "a b", "aws/x", strings.Repeat("x", 513)} {
		_, err := logevents.New(api, group)
		require.ErrorContains(t, err, "log group")
	}
	_, err := logevents.New(nil, "g")
	require.Error(t, err)
}
