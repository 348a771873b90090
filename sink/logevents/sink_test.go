package logevents_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
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

// The first document of all: neither group nor stream is there, and it arrives.
func TestGroupAndStreamAreCreated(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv, logevents.WithRetention(30), logevents.WithStream("s"), logevents.WithClass(types.LogGroupClassStandard))
	e := emf.Must(emf.New("Shop", emf.WithSink(s), emf.WithFlushInterval(0), emf.WithLogger(slog.New(slog.DiscardHandler))))
	e.Counter("orders").Add(3)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, e.Close(ctx))
	assert.Equal(t, 3.0, srv.Metric("Shop", "orders", nil).Sum)
	group, _ := srv.Group("g")
	assert.Equal(t, cwtest.Group{Name: "g", Class: "STANDARD", RetentionDays: 30, Streams: []string{"s"}}, group)
	stats := s.Stats()
	assert.EqualValues(t, 1, stats.Delivered)
	assert.EqualValues(t, srv.Calls(""), stats.Calls)
	assert.NoError(t, stats.LastError)

	// It is deleted under the sink: the next document arrives all the same.
	srv.DeleteGroup("g")
	require.NoError(t, s.Write(t.Context(), documents(1)))
	assert.Len(t, srv.Events("g"), 1)

	// Only the stream is missing.
	srv.CreateGroup("g", "")
	require.NoError(t, s.Write(t.Context(), documents(1)))
	group, _ = srv.Group("g")
	assert.Zero(t, group.RetentionDays, "the group is not the sink's")
}

func TestDefaultStream(t *testing.T) {
	host, err := os.Hostname()
	require.NoError(t, err)
	s := newSink(t, cwtest.New(t))
	assert.True(t, strings.HasPrefix(s.Stream(), host+"/"), s.Stream())
	assert.True(t, strings.HasSuffix(s.Stream(), fmt.Sprint("/", os.Getpid())), s.Stream())
}

func TestWithoutCreation(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv, logevents.WithoutCreation(), logevents.WithStream("s"))
	err := s.Write(t.Context(), documents(2))
	retry, reject := undelivered(t, err)
	assert.Equal(t, []int{0, 1}, retry)
	assert.Empty(t, reject)
	require.ErrorContains(t, err, "create the log group and its stream s")
	srv.CreateGroup("g", "", "s")
	require.NoError(t, s.Write(t.Context(), documents(2)))
}

// A retention that cannot be set holds nothing back, and is tried again.
func TestRetentionIsTriedAgain(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv, logevents.WithRetention(7))
	srv.SetFaults(cwtest.Only("PutRetentionPolicy", cwtest.Sequence(cwtest.AccessDenied)))
	require.NoError(t, s.Write(t.Context(), documents(1)))
	require.ErrorContains(t, s.Stats().LastError, "logs:PutRetentionPolicy")
	require.NoError(t, s.Write(t.Context(), documents(1)))
	group, _ := srv.Group("g")
	assert.Equal(t, 7, group.RetentionDays)
}

// A group whose class makes no metrics: the documents are not wasted on it.
func TestClassThatMakesNoMetrics(t *testing.T) {
	for _, class := range []string{"INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"} {
		srv := cwtest.New(t)
		srv.CreateGroup("g", class)
		s := newSink(t, srv)
		for range 2 {
			err := s.Write(t.Context(), documents(1))
			var wrong *logevents.ClassError
			require.ErrorAs(t, err, &wrong)
			assert.EqualValues(t, class, wrong.Class)
			retry, _ := undelivered(t, err)
			assert.Equal(t, []int{0}, retry, "a fallback can deliver them")
		}
		assert.Zero(t, srv.Calls("PutLogEvents"))
		srv.CreateGroup("g", "STANDARD")
		require.NoError(t, s.Write(t.Context(), documents(1)))

		_, err := logevents.New(srv.LogsClient(), "g", logevents.WithClass(types.LogGroupClass(class)))
		require.ErrorContains(t, err, class)

		srv.CreateGroup("g", class)
		require.NoError(t, newSink(t, srv, logevents.WithoutClassCheck()).Write(t.Context(), documents(1)))
	}
	// Another group of the same prefix does not matter, nor does a question without an answer.
	srv := cwtest.New(t)
	srv.CreateGroup("g2", "INFREQUENT_ACCESS")
	require.NoError(t, newSink(t, srv).Write(t.Context(), documents(1)))
	for _, fault := range []cwtest.Fault{cwtest.AccessDenied, cwtest.Throttle, cwtest.UnavailableHTML, cwtest.CutBefore} {
		srv.Reset()
		srv.SetFaults(cwtest.Only("DescribeLogGroups", cwtest.Always(fault)))
		s := newSink(t, srv)
		for range 5 {
			require.NoError(t, s.Write(t.Context(), documents(1)))
		}
		assert.LessOrEqual(t, srv.Calls("DescribeLogGroups"), 3, "%s", fault)
	}
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

// What each fault makes of 20 documents, if it does not end and if it happens once.
func TestFaults(t *testing.T) {
	const n = 20
	for _, c := range []struct {
		fault  cwtest.Fault
		copies int // of each document that the server holds when the client has given up, after three attempts
		lost   int // answers
		reason string
	}{
		{cwtest.Throttle, 0, 0, "ThrottlingException"},
		{cwtest.InternalError, 0, 0, "InternalServiceFault"},
		{cwtest.Unavailable, 0, 0, "ServiceUnavailable"},
		{cwtest.UnavailableHTML, 0, 0, "503"},
		{cwtest.CutBefore, 0, 3, "EOF"},
		{cwtest.CutAfter, 3, 3, "EOF"},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			srv := cwtest.New(t)
			srv.CreateGroup("g", "", "s")
			s := newSink(t, srv, logevents.WithStream("s"))
			srv.SetFaults(cwtest.Only("PutLogEvents", cwtest.Always(c.fault)))
			err := s.Write(t.Context(), documents(n))
			retry, reject := undelivered(t, err)
			assert.Equal(t, indexes(0, n), retry)
			assert.Empty(t, reject)
			require.ErrorContains(t, err, c.reason)
			stats := s.Stats()
			assert.EqualValues(t, n, stats.Retried)
			assert.EqualValues(t, c.lost*n, stats.Ambiguous)
			assert.EqualValues(t, c.copies*n, srv.SampleCount())
			assert.Zero(t, stats.Delivered)

			srv.SetFaults(cwtest.Only("PutLogEvents", cwtest.Sequence(c.fault)))
			require.NoError(t, s.Write(t.Context(), documents(n)))
			once := min(c.copies, 1)
			assert.EqualValues(t, (c.copies+once+1)*n, srv.SampleCount(), "the client tried again")
			assert.EqualValues(t, (c.lost+min(c.lost, 1))*n, s.Stats().Ambiguous)
			assert.EqualValues(t, n, s.Stats().Delivered)
			assert.EqualValues(t, srv.Calls(""), s.Stats().Calls)
		})
	}
}

// A success is a success without the optional token.
func TestAnswerWithoutToken(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv)
	srv.SetFaults(cwtest.Always(cwtest.NoToken))
	require.NoError(t, s.Write(t.Context(), documents(5)))
	assert.Len(t, srv.Events("g"), 5)
}

// Nobody listens: nothing was sent, so nothing can be double.
func TestNoConnection(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv)
	srv.Close()
	retry, _ := undelivered(t, s.Write(t.Context(), documents(3)))
	assert.Equal(t, []int{0, 1, 2}, retry)
	assert.Zero(t, s.Stats().Ambiguous)
}

// A server that does not answer holds nobody beyond the context, nor beyond the call's own time.
func TestStalls(t *testing.T) {
	for _, fault := range []cwtest.Fault{cwtest.Stall, cwtest.StallAfter} {
		for name, timeout := range map[string]time.Duration{"context": time.Minute, "time-out": time.Second} {
			t.Run(string(fault)+"/"+name, func(t *testing.T) {
				srv := cwtest.New(t)
				s := newSink(t, srv, logevents.WithTimeout(timeout))
				require.NoError(t, s.Write(t.Context(), documents(1))) // makes the connection
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				srv.SetFaults(func(cwtest.Request) cwtest.Fault {
					if name == "context" {
						cancel()
					}
					return fault
				})
				err := s.Write(ctx, documents(3))
				retry, _ := undelivered(t, err)
				assert.Equal(t, []int{0, 1, 2}, retry)
				if name == "context" {
					require.ErrorIs(t, err, context.Canceled)
				} else {
					require.ErrorIs(t, err, context.DeadlineExceeded)
				}
				assert.EqualValues(t, 3, s.Stats().Ambiguous)
				assert.Equal(t, 3, srv.Calls("PutLogEvents"), "two made the stream, one is repeated by nobody")
			})
		}
	}
}

func TestContextThatIsDone(t *testing.T) {
	srv := cwtest.New(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	err := newSink(t, srv).Write(ctx, documents(3))
	retry, _ := undelivered(t, err)
	assert.Equal(t, []int{0, 1, 2}, retry)
	require.ErrorIs(t, err, reason)
	assert.Zero(t, srv.Calls(""))
}

// After a failure the rest of the documents wait: they stay in order and the service in peace.
func TestOneFailureEndsTheWrite(t *testing.T) {
	srv := cwtest.New(t)
	srv.CreateGroup("g", "", "s")
	s := newSink(t, srv, logevents.WithStream("s"))
	srv.SetFaults(cwtest.Only("PutLogEvents", cwtest.Sequence(cwtest.None, cwtest.Throttle, cwtest.Throttle, cwtest.Throttle)))
	retry, _ := undelivered(t, s.Write(t.Context(), plain(35_000)))
	assert.Len(t, retry, 25_000)
	assert.Equal(t, 10_000, retry[0])
	assert.Equal(t, 4, srv.Calls("PutLogEvents"))
	require.NoError(t, s.Write(t.Context(), plain(25_000)))
	assert.Len(t, srv.Events("g"), 35_000)
}

// A success that cannot be read to its end says nothing about rejections: it is no success.
func TestHalfAnAnswer(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv)
	srv.SetFaults(cwtest.Only("PutLogEvents", cwtest.Always(cwtest.CutAnswer)))
	retry, _ := undelivered(t, s.Write(t.Context(), documents(20)))
	assert.Equal(t, indexes(0, 20), retry)
	assert.EqualValues(t, 20, s.Stats().Ambiguous)
	assert.EqualValues(t, 20, srv.SampleCount())
}

func TestMissingPermission(t *testing.T) {
	for _, operation := range []string{"PutLogEvents", "CreateLogGroup", "CreateLogStream"} {
		srv := cwtest.New(t)
		s := newSink(t, srv)
		srv.SetFaults(cwtest.Only(operation, cwtest.Always(cwtest.AccessDenied)))
		err := s.Write(t.Context(), plain(25_000))
		retry, reject := undelivered(t, err)
		assert.Len(t, retry, 25_000)
		assert.Empty(t, reject)
		var denied *logevents.PermissionError
		require.ErrorAs(t, err, &denied)
		assert.Equal(t, "logs:"+operation, denied.Action)
		assert.Equal(t, 1, strings.Count(err.Error(), "allow the action"), "said once: %v", err)
		assert.Equal(t, 1, srv.Calls(operation), "and asked once")
	}
}

// A document that CloudWatch refuses for a reason that nobody knows is found by halving.
func TestPoison(t *testing.T) {
	srv := cwtest.New(t, cwtest.WithPoison(func(message string) bool { return strings.Contains(message, `"n":-`) }))
	s := newSink(t, srv)
	docs := documents(5_000)
	docs[3_777] = document(-1)
	err := s.Write(t.Context(), docs)
	retry, reject := undelivered(t, err)
	assert.Empty(t, retry)
	assert.Equal(t, []int{3_777}, reject)
	require.ErrorContains(t, err, "a log event is invalid")
	assert.EqualValues(t, 4_999, srv.SampleCount())
	assert.LessOrEqual(t, srv.Calls("PutLogEvents"), 2+2*14)

	// Several, at the ends.
	docs = documents(100)
	docs[0], docs[50], docs[99] = document(-1), document(-2), document(-3)
	_, reject = undelivered(t, s.Write(t.Context(), docs))
	assert.Equal(t, []int{0, 50, 99}, reject)
	assert.EqualValues(t, 4_999+97, srv.SampleCount())
	_, reject = undelivered(t, s.Write(t.Context(), []emf.Document{document(-1)}))
	assert.Equal(t, []int{0}, reject)
}

// Where nothing was ever taken it may be the sink's settings that are refused: no document is
// given up for them.
func TestRefusedSettingsCostNoDocument(t *testing.T) {
	refuse := true
	srv := cwtest.New(t, cwtest.WithPoison(func(string) bool { return refuse }))
	s := newSink(t, srv)
	for _, n := range []int{1, 2, 1000} {
		err := s.Write(t.Context(), documents(n))
		retry, reject := undelivered(t, err)
		assert.Len(t, retry, n)
		assert.Empty(t, reject)
		require.ErrorContains(t, err, "none was ever taken")
	}
	assert.Less(t, srv.Calls("PutLogEvents"), 60)
	refuse = false
	require.NoError(t, s.Write(t.Context(), documents(3)))
}

// A group that cannot be created is no fault of the documents, even if the sink has delivered
// before.
func TestRefusedCreationCostsNoDocument(t *testing.T) {
	srv := cwtest.New(t)
	s, err := logevents.New(refusing{srv.LogsClient()}, "g", logevents.WithStream("s"))
	require.NoError(t, err)
	srv.CreateGroup("g", "", "s")
	require.NoError(t, s.Write(t.Context(), documents(1)))
	srv.DeleteGroup("g")
	retry, reject := undelivered(t, s.Write(t.Context(), documents(2)))
	assert.Equal(t, []int{0, 1}, retry)
	assert.Empty(t, reject)
}

// refusing refuses to create a log stream.
type refusing struct{ *cloudwatchlogs.Client }

func (refusing) CreateLogStream(context.Context, *cloudwatchlogs.CreateLogStreamInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	return nil, &types.InvalidParameterException{}
}

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

// Random faults, and an emitter that offers again what was not delivered: nothing is lost, and
// nothing double unless an answer was lost.
func TestRandomFaults(t *testing.T) {
	faults := []cwtest.Fault{cwtest.Throttle, cwtest.InternalError, cwtest.Unavailable, cwtest.UnavailableHTML, cwtest.CutBefore, cwtest.NoToken}
	for name, faults := range map[string][]cwtest.Fault{"taken once": faults, "answers lost": append(faults, cwtest.CutAfter, cwtest.CutAfter)} {
		t.Run(name, func(t *testing.T) {
			srv := cwtest.New(t)
			srv.SetFaults(cwtest.Random(1, 0.5, faults...))
			s := newSink(t, srv)
			e := emf.Must(emf.New("N", emf.WithSink(s), emf.WithFlushInterval(0), emf.WithLogger(slog.New(slog.DiscardHandler))))
			const n = 300
			for i := range n {
				e.Histogram("n").Observe(float64(i))
				_ = e.Flush(t.Context())
			}
			srv.SetFaults(nil)
			require.NoError(t, e.Close(t.Context()))
			stats := s.Stats()
			assert.EqualValues(t, n, stats.Delivered)
			assert.Zero(t, stats.Rejected)
			m := srv.Metric("N", "n", nil)
			assert.Len(t, m.Values, n, "each value is there")
			if name == "taken once" {
				assert.EqualValues(t, n, m.SampleCount, "and once")
			} else {
				assert.Greater(t, m.SampleCount, float64(n), "the test needs lost answers")
				assert.LessOrEqual(t, m.SampleCount-n, float64(stats.Ambiguous))
			}
		})
	}
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
