package metricdata_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink/metricdata"
)

var now = time.Now().Truncate(time.Second)

// document is one of a namespace, with directives' dimensions and metrics and root members as given.
func document(namespace, dimensions, metrics, members string) emf.Document {
	return emf.Document{Time: now, Values: 1, JSON: fmt.Appendf(nil,
		`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"%s","Dimensions":[%s],"Metrics":[%s]}]},%s}`,
		now.UnixMilli(), namespace, dimensions, metrics, members)}
}

// plain is a document of the metric n with the value i.
func plain(i int) emf.Document { return document("N", "[]", `{"Name":"n"}`, fmt.Sprintf(`"n":%d`, i)) }

func plains(n int) (docs []emf.Document) {
	for i := range n {
		docs = append(docs, plain(i))
	}
	return docs
}

// wide is a document of 100 metrics under sets dimension sets.
func wide(sets int, members string) emf.Document {
	var dims, metrics, root []string
	for i := range sets {
		dims = append(dims, fmt.Sprintf(`["d%d"]`, i))
		root = append(root, fmt.Sprintf(`"d%d":"v"`, i))
	}
	for i := range 100 {
		metrics = append(metrics, fmt.Sprintf(`{"Name":"m%d"}`, i))
		root = append(root, fmt.Sprintf(`"m%d":1`, i))
	}
	d := document("N", strings.Join(dims, ","), strings.Join(metrics, ","), strings.Join(append(root, members), ","))
	d.Values = 100
	return d
}

func newSink(t testing.TB, srv *cwtest.Server, opts ...metricdata.Option) *metricdata.Sink {
	s, err := metricdata.New(srv.MetricsClient(), opts...)
	require.NoError(t, err)
	return s
}

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

func TestRequestsWithinLimits(t *testing.T) {
	big := func(i int) emf.Document { // a dimension of the largest value for each metric
		return document("N", `["d"]`, `{"Name":"n"}`, fmt.Sprintf(`"n":%d,"d":"%s"`, i, strings.Repeat("x", 1024)))
	}
	var bigs, mixed []emf.Document
	for i := range 2000 {
		bigs = append(bigs, big(i))
		mixed = append(mixed, document([]string{"A", "B"}[i%2], "[]", `{"Name":"n"}`, `"n":1`))
	}
	for _, c := range []struct {
		name  string
		docs  []emf.Document
		n     int
		calls int
	}{
		{"1,000 data", plains(1000), 1000, 1},
		{"1,001 data", plains(1001), 1001, 2},
		{"1 MB", bigs, 2000, 3},
		{"two namespaces", mixed, 2000, 2},
		{"a document of 1,000 data", []emf.Document{wide(10, `"p":1`)}, 1000, 1},
		{"documents are not torn", []emf.Document{plain(1), wide(10, `"p":1`), plain(1)}, 1002, 3},
		{"a document of 2,500 data", []emf.Document{wide(25, `"p":1`)}, 2500, 3},
		{"no metrics", []emf.Document{document("N", "[]", "", `"n":1`), {JSON: []byte(`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[]}}`), Values: 1}}, 0, 0},
		{"no values", []emf.Document{document("N", "[]", `{"Name":"n"}`, `"n":{"Values":[1],"Counts":[0]}`)}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := cwtest.New(t)
			s := newSink(t, srv)
			require.NoError(t, s.Write(t.Context(), c.docs))
			assert.Equal(t, c.calls, srv.Calls(""))
			assert.EqualValues(t, c.n, srv.SampleCount())
			stats := s.Stats()
			assert.EqualValues(t, c.calls, stats.Calls)
			assert.EqualValues(t, c.n, stats.Data)
			var bytes int
			for _, r := range srv.Requests("") {
				bytes += r.Wire
				assert.LessOrEqual(t, r.Bytes, metricdata.MaxBytes)
			}
			assert.EqualValues(t, bytes, stats.Bytes)
		})
	}
}

// The bound on a request's size holds, and is not far off.
func TestSizeOfRequests(t *testing.T) {
	srv := cwtest.New(t)
	client := srv.MetricsClient(func(o *cloudwatch.Options) { o.DisableRequestCompression = true })
	random := rand.New(rand.NewPCG(6, 7))
	text := func(most int) *string { return aws.String(strings.Repeat("x", 1+random.IntN(most))) }
	number := func() *float64 {
		v := []float64{0, 1, -1, 0.5, 1e9, 1 << 40, random.NormFloat64()}[random.IntN(7)]
		return &v
	}
	for range 60 {
		namespace := text(255)
		var data []types.MetricDatum
		for range 1 + random.IntN(100) {
			d := types.MetricDatum{MetricName: text(255), Timestamp: aws.Time(now.Add(time.Duration(random.IntN(5000)) * time.Millisecond))}
			for i := range random.IntN(5) {
				d.Dimensions = append(d.Dimensions, types.Dimension{Name: aws.String(fmt.Sprint(i, *text(200))), Value: text(1024)})
			}
			if random.IntN(2) == 0 {
				d.Unit, d.StorageResolution = types.StandardUnitBytesSecond, aws.Int32([]int32{1, 60}[random.IntN(2)])
			}
			switch random.IntN(3) {
			case 0:
				d.Value = number()
			case 1:
				for range 1 + random.IntN(150) {
					d.Values, d.Counts = append(d.Values, *number()), append(d.Counts, float64(random.IntN(9)))
				}
			case 2:
				d.StatisticValues = &types.StatisticSet{SampleCount: aws.Float64(2), Sum: number(), Minimum: aws.Float64(0), Maximum: aws.Float64(1)}
			}
			data = append(data, d)
		}
		_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: namespace, MetricData: data})
		require.NoError(t, err)
		requests := srv.Requests("")
		actual, bound := requests[len(requests)-1].Bytes, metricdata.Size(*namespace, data)
		require.LessOrEqual(t, actual, bound)
		require.Less(t, bound-actual, bound/50+len(data)*2, "%d bytes, bound %d", actual, bound)
	}
}

// What PutMetricData would refuse is rejected with a reason and takes nothing else with it.
func TestDocumentsThatPutMetricDataRefuses(t *testing.T) {
	metric, n := `{"Name":"n"}`, `"n":1`
	long := strings.Repeat("x", 256)
	at := func(after time.Duration) emf.Document {
		d := plain(1)
		d.JSON = []byte(strings.Replace(string(d.JSON), fmt.Sprint(now.UnixMilli()), fmt.Sprint(time.Now().Add(after).UnixMilli()), 1))
		return d
	}
	for reason, doc := range map[string]emf.Document{
		"14 days old":               at(-14*24*time.Hour - time.Second),
		"hours in the future":       at(2*time.Hour + time.Minute),
		"namespace":                 document("é", "[]", metric, n),
		"takes 1 to 255 printable":  document(long, "[]", metric, n),
		"metric name":               document("N", "[]", `{"Name":"`+long+`"}`, `"`+long+`":1`),
		"dimension d has value":     document("N", `["d"]`, metric, n+`,"d":"é"`),
		"dimension name":            document("N", `["é"]`, metric, n+`,"é":"v"`),
		"minimum is above":          document("N", "[]", metric, `"n":{"Min":2,"Max":1,"Sum":3,"Count":2}`),
		"not-json":                  {JSON: []byte("hello"), Values: 1},
		"not-emf":                   {JSON: []byte("{}"), Values: 1},
		"unit-unknown":              document("N", "[]", `{"Name":"n","Unit":"Parsecs"}`, n),
		"target-missing":            document("N", "[]", metric, `"m":1`),
		"resolution-conflict":       document("N", "[]", metric+`,{"Name":"n","StorageResolution":1}`, n),
		"statistics-value":          document("N", "[]", metric, `"n":{"Min":1,"Max":1,"Sum":1,"Count":-1}`),
		"not a document to make me": document("N", "[]", metric, `"n":"1"`),
	} {
		t.Run(reason, func(t *testing.T) {
			srv := cwtest.New(t)
			s := newSink(t, srv)
			err := s.Write(t.Context(), []emf.Document{plain(1), doc, plain(2), doc})
			retry, reject := undelivered(t, err)
			assert.Empty(t, retry)
			assert.Equal(t, []int{1, 3}, reject)
			require.ErrorContains(t, err, reason)
			require.ErrorContains(t, err, "2 documents: ")
			assert.Equal(t, 1, srv.Calls(""))
			assert.EqualValues(t, 2, srv.SampleCount())
			assert.EqualValues(t, 2, s.Stats().Rejected)
		})
	}
	// At the limits.
	srv := cwtest.New(t)
	for _, doc := range []emf.Document{
		at(-14*24*time.Hour + time.Minute), at(2*time.Hour - time.Minute), document(long[1:], "[]", `{"Name":"`+long[1:]+`"}`, `"`+long[1:]+`":1`),
		document("N", `["d","d"]`, metric, n+`,"d":":`+strings.Repeat("x", 1023)+`"`),
	} {
		require.NoError(t, newSink(t, srv).Write(t.Context(), []emf.Document{doc}))
	}
	assert.EqualValues(t, 4, srv.SampleCount())
}

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

func TestConcurrentWrites(t *testing.T) {
	srv := cwtest.New(t)
	s := newSink(t, srv)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 10 {
				docs := plains(50)
				for k := range docs {
					docs[k] = plain((i*10+j)*50 + k)
				}
				assert.NoError(t, s.Write(t.Context(), docs))
			}
		})
	}
	all.Wait()
	m := srv.Metric("N", "n", nil)
	assert.EqualValues(t, 4000, m.SampleCount)
	assert.Len(t, m.Values, 4000)
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

func TestBadOptions(t *testing.T) {
	_, err := metricdata.New(nil)
	require.Error(t, err)
	_, err = metricdata.New(cwtest.New(t).MetricsClient(), metricdata.WithTimeout(-1))
	require.ErrorContains(t, err, "WithTimeout")
}
