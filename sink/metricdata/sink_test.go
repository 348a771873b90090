package metricdata_test

import (
	"fmt"
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

func TestBadOptions(t *testing.T) {
	_, err := metricdata.New(nil)
	require.Error(t, err)
	_, err = metricdata.New(cwtest.New(t).MetricsClient(), metricdata.WithTimeout(-1))
	require.ErrorContains(t, err, "WithTimeout")
}
