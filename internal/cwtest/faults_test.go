package cwtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/internal/cwtest"
)

// What each fault leaves on the server, and what the client is told.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		fault    cwtest.Fault
		held     int // events, of one call
		attempts int
		status   int
		want     string // in the error
	}{
		{cwtest.None, 1, 1, 200, ""},
		{cwtest.NoToken, 1, 1, 200, ""},
		{cwtest.Throttle, 0, 3, 400, "ThrottlingException"},
		{cwtest.InternalError, 0, 3, 500, "InternalServiceFault"},
		{cwtest.Unavailable, 0, 3, 503, "ServiceUnavailableException"},
		{cwtest.UnavailableHTML, 0, 3, 503, "503"},
		{cwtest.AccessDenied, 0, 1, 400, "not authorized to perform: logs:PutLogEvents"},
		{cwtest.CutBefore, 0, 3, 0, "EOF"},
		{cwtest.CutAfter, 3, 3, 0, "EOF"},
		{cwtest.CutAnswer, 1, 1, 200, "EOF"},
		{cwtest.Stall, 0, 1, 0, "canceled"},
		{cwtest.StallAfter, 1, 1, 0, "canceled"},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			srv := newServer(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			srv.SetFaults(func(cwtest.Request) cwtest.Fault {
				if c.want == "canceled" {
					cancel()
				}
				return c.fault
			})
			out, err := srv.LogsClient().PutLogEvents(ctx, put(event("x", 0)))
			if c.want == "" {
				require.NoError(t, err)
				assert.Equal(t, c.fault == cwtest.NoToken, out.NextSequenceToken == nil)
			} else {
				require.ErrorContains(t, err, c.want)
			}
			assert.Eventually(t, func() bool { return len(srv.Events("g")) == c.held }, 10*time.Second, time.Millisecond)
			requests := srv.Requests("PutLogEvents")
			require.Len(t, requests, c.attempts)
			assert.Equal(t, c.fault, requests[0].Fault)
			assert.Equal(t, c.status, requests[0].Status)
		})
	}
}

// A fault may depend on what the server holds.
func TestFaultsThatAskTheServer(t *testing.T) {
	srv := newServer(t)
	srv.SetFaults(func(cwtest.Request) cwtest.Fault {
		if len(srv.Events("g")) > 0 {
			return cwtest.AccessDenied
		}
		return cwtest.None
	})
	_, err := srv.LogsClient().PutLogEvents(t.Context(), put(event("x", 0)))
	require.NoError(t, err)
	_, err = srv.LogsClient().PutLogEvents(t.Context(), put(event("x", 0)))
	assert.Equal(t, "AccessDeniedException", code(err))
}

func TestStallLimit(t *testing.T) {
	srv := cwtest.New(t, cwtest.WithClock(func() time.Time { return now }), cwtest.WithStallLimit(time.Millisecond))
	srv.CreateGroup("g", "", "s")
	srv.SetFaults(cwtest.Sequence(cwtest.Stall, cwtest.StallAfter))
	_, err := srv.LogsClient().PutLogEvents(t.Context(), put(event("x", 0)))
	require.NoError(t, err, "the client tries again")
	assert.Len(t, srv.Events("g"), 2)
}

func TestChoiceOfFaults(t *testing.T) {
	ask := func(f cwtest.Faults, operations ...string) (answers []cwtest.Fault) {
		for _, operation := range operations {
			answers = append(answers, f(cwtest.Request{Operation: operation}))
		}
		return answers
	}
	assert.Equal(t, []cwtest.Fault{cwtest.Throttle, cwtest.CutAfter, cwtest.None}, ask(cwtest.Sequence(cwtest.Throttle, cwtest.CutAfter), "a", "a", "a"))
	assert.Equal(t, []cwtest.Fault{cwtest.None, cwtest.Throttle, cwtest.None}, ask(cwtest.Only("b", cwtest.Sequence(cwtest.Throttle)), "a", "b", "b"))
	many := make([]string, 1000)
	first := ask(cwtest.Random(7, 0.3, cwtest.Stall, cwtest.CutAfter), many...)
	assert.Equal(t, first, ask(cwtest.Random(7, 0.3, cwtest.Stall, cwtest.CutAfter), many...), "the seed says all")
	faulty := 0
	for _, f := range first {
		if f != cwtest.None {
			faulty++
		}
	}
	assert.InDelta(t, 300, faulty, 60)
}
