package logevents_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink/logevents"
)

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
