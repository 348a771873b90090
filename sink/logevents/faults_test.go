package logevents_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
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
