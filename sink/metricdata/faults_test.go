package metricdata_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink/metricdata"
)

func TestFaults(t *testing.T) {
	const n = 20
	for _, c := range []struct {
		fault  cwtest.Fault
		copies int // that the server holds when the client has given up, after three attempts
		lost   int
		reason string
	}{
		{cwtest.Throttle, 0, 0, "Throttling"},
		{cwtest.InternalError, 0, 0, "InternalFailure"},
		{cwtest.Unavailable, 0, 0, "ServiceUnavailable"},
		{cwtest.UnavailableHTML, 0, 0, "503"},
		{cwtest.CutBefore, 0, 3, "EOF"},
		{cwtest.CutAfter, 3, 3, "EOF"},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			srv := cwtest.New(t)
			s := newSink(t, srv)
			srv.SetFaults(cwtest.Always(c.fault))
			err := s.Write(t.Context(), plains(n))
			retry, reject := undelivered(t, err)
			assert.Equal(t, indexes(0, n), retry)
			assert.Empty(t, reject)
			require.ErrorContains(t, err, c.reason)
			assert.EqualValues(t, n, s.Stats().Retried)
			assert.EqualValues(t, c.lost*n, s.Stats().Ambiguous)
			assert.EqualValues(t, c.copies*n, srv.SampleCount())
			assert.EqualValues(t, 3, s.Stats().Calls)

			srv.SetFaults(cwtest.Sequence(c.fault))
			require.NoError(t, s.Write(t.Context(), plains(n)))
			assert.EqualValues(t, (c.copies+min(c.copies, 1)+1)*n, srv.SampleCount())
			assert.EqualValues(t, (c.lost+min(c.lost, 1))*n, s.Stats().Ambiguous)
			assert.EqualValues(t, n, s.Stats().Delivered)
		})
	}
}

// A success that cannot be read to its end says nothing about rejections: it is no success.
func TestHalfAnAnswer(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv)
	srv.SetFaults(cwtest.Only("PutMetricData", cwtest.Always(cwtest.CutAnswer)))
	retry, _ := undelivered(t, s.Write(t.Context(), plains(20)))
	assert.Equal(t, indexes(0, 20), retry)
	assert.EqualValues(t, 20, s.Stats().Ambiguous)
	assert.EqualValues(t, 20, srv.SampleCount())
}

func TestMissingPermission(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv)
	srv.SetFaults(cwtest.Always(cwtest.AccessDenied))
	err := s.Write(t.Context(), plains(3000))
	retry, _ := undelivered(t, err)
	assert.Len(t, retry, 3000)
	var denied *metricdata.PermissionError
	require.ErrorAs(t, err, &denied)
	assert.Equal(t, "cloudwatch:PutMetricData", denied.Action)
	assert.Equal(t, 1, strings.Count(err.Error(), "allow the action"), "said once")
	assert.Equal(t, 1, srv.Calls(""), "and asked once")
}

func TestStalls(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv, metricdata.WithTimeout(time.Second))
	require.NoError(t, s.Write(t.Context(), plains(1))) // makes the connection
	srv.SetFaults(cwtest.Always(cwtest.StallAfter))
	err := s.Write(t.Context(), plains(3))
	retry, _ := undelivered(t, err)
	assert.Equal(t, []int{0, 1, 2}, retry)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.EqualValues(t, 3, s.Stats().Ambiguous)
	assert.EqualValues(t, 4, srv.SampleCount())
}

// A document that CloudWatch refuses for a reason that nobody knows is found by halving.
func TestPoison(t *testing.T) {
	srv := cwtest.New(t, cwtest.WithPoison(func(name string) bool { return name == "bad" }))
	s := newSink(t, srv)
	docs := plains(2500)
	bad := document("N", "[]", `{"Name":"n"},{"Name":"bad"}`, `"n":1,"bad":1`)
	docs[0], docs[1234], docs[2499] = bad, bad, bad
	err := s.Write(t.Context(), docs)
	retry, reject := undelivered(t, err)
	assert.Empty(t, retry)
	assert.Equal(t, []int{0, 1234, 2499}, reject)
	require.ErrorContains(t, err, "3 documents")
	assert.EqualValues(t, 2497, srv.SampleCount())
	assert.EqualValues(t, 2497, s.Stats().Delivered)

	// In a document that takes several requests: what was not sent yet is not sent.
	srv.Reset()
	long := wide(15, `"p":1`)
	long.JSON = []byte(strings.Replace(strings.Replace(string(long.JSON), `{"Name":"m99"}`, `{"Name":"bad"}`, 1), `"m99":1`, `"bad":1`, 1))
	err = s.Write(t.Context(), []emf.Document{long, plain(1)})
	_, reject = undelivered(t, err)
	assert.Equal(t, []int{0}, reject)
	require.ErrorContains(t, err, "after 1 of 2 parts were taken")
	assert.EqualValues(t, 1001, srv.SampleCount())
}

// A document that takes several requests, of which a later one fails: what was taken is not
// sent again.
func TestDocumentOfWhichAPartWasTaken(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv)
	two := fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"A","Dimensions":[[]],"Metrics":[{"Name":"n"}]},`+
		`{"Namespace":"B","Dimensions":[[]],"Metrics":[{"Name":"n"}]}]},"n":1}`, now.UnixMilli())
	docs := []emf.Document{plain(1), wide(25, `"p":1`), wide(25, `"p":1`), {Time: now, JSON: []byte(two), Values: 2}, plain(2)}
	const data = 2500 + 2500 + 2 + 2
	throttled := []cwtest.Fault{cwtest.Throttle, cwtest.Throttle, cwtest.Throttle}
	srv.SetFaults(cwtest.Sequence(append([]cwtest.Fault{cwtest.None}, throttled...)...)) // the first document's second request
	retry, reject := undelivered(t, s.Write(t.Context(), docs))
	assert.Equal(t, []int{0, 1, 2, 3, 4}, retry)
	assert.Empty(t, reject)
	assert.EqualValues(t, 1000, srv.SampleCount())
	assert.EqualValues(t, 100, s.Stats().Ambiguous)

	srv.SetFaults(cwtest.Sequence(append([]cwtest.Fault{cwtest.None}, throttled...)...)) // its third
	retry, _ = undelivered(t, s.Write(t.Context(), docs))
	assert.Equal(t, []int{0, 1, 2, 3, 4}, retry)
	assert.EqualValues(t, 2000, srv.SampleCount())

	// The other of the two equal documents comes first: it takes the place.
	docs[1], docs[2] = docs[2], docs[1]
	srv.SetFaults(nil)
	require.NoError(t, s.Write(t.Context(), docs))
	assert.EqualValues(t, data, srv.SampleCount(), "nothing is double")
	require.NoError(t, s.Write(t.Context(), docs))
	assert.EqualValues(t, 2*data, srv.SampleCount(), "and nothing is left out for good")
}

func TestRandomFaults(t *testing.T) {
	faults := []cwtest.Fault{cwtest.Throttle, cwtest.InternalError, cwtest.Unavailable, cwtest.UnavailableHTML, cwtest.CutBefore}
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
			m := srv.Metric("N", "n", nil)
			assert.Len(t, m.Values, n, "each value is there")
			assert.EqualValues(t, n, s.Stats().Delivered)
			if name == "taken once" {
				assert.EqualValues(t, n, m.SampleCount, "and once")
			} else {
				assert.Greater(t, m.SampleCount, float64(n), "the test needs lost answers")
				assert.LessOrEqual(t, m.SampleCount-n, float64(s.Stats().Ambiguous))
			}
		})
	}
}
