package cwtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/internal/cwtest"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func newServer(t *testing.T) *cwtest.Server {
	srv := cwtest.New(t, cwtest.WithClock(func() time.Time { return now }))
	srv.CreateGroup("g", "", "s")
	return srv
}

func event(message string, after time.Duration) types.InputLogEvent {
	return types.InputLogEvent{Message: &message, Timestamp: aws.Int64(now.Add(after).UnixMilli())}
}

func events(n int, message string) (events []types.InputLogEvent) {
	for range n {
		events = append(events, event(message, 0))
	}
	return events
}

func put(events ...types.InputLogEvent) *cloudwatchlogs.PutLogEventsInput {
	return &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: events}
}

func code(err error) string {
	var e smithy.APIError
	if err == nil {
		return ""
	}
	if !asError(err, &e) {
		return "not an API error: " + err.Error()
	}
	return e.ErrorCode()
}

// The limits of PutLogEvents: what is at each passes, what is one over does not.
func TestPutLogEventsLimits(t *testing.T) {
	const invalid = "InvalidParameterException"
	largest := strings.Repeat("x", 1<<20-26)
	half := strings.Repeat("x", 1<<19-26)
	group, stream := func(name string) *cloudwatchlogs.PutLogEventsInput {
		in := put(event("x", 0))
		in.LogGroupName = &name
		return in
	}, func(name string) *cloudwatchlogs.PutLogEventsInput {
		in := put(event("x", 0))
		in.LogStreamName = &name
		return in
	}
	for _, c := range []struct {
		name string
		in   *cloudwatchlogs.PutLogEventsInput
		want string
	}{
		{"10,000 events", put(events(10_000, "x")...), ""},
		{"10,001 events", put(events(10_001, "x")...), invalid},
		{"an event of 1 MB", put(event(largest, 0)), ""},
		{"an event of 1 MB and a byte", put(event(largest+"x", 0)), invalid},
		{"a batch of 1 MB", put(event(half, 0), event(half, 0)), ""},
		{"a batch of 1 MB and a byte", put(event(half, 0), event(half+"x", 0)), invalid},
		{"an empty message", put(event("", 0)), invalid},
		{"in order", put(event("a", -time.Millisecond), event("b", 0), event("c", 0)), ""},
		{"not in order", put(event("a", 0), event("b", -time.Millisecond)), invalid},
		{"24 hours", put(event("a", -24*time.Hour), event("b", 0)), ""},
		{"24 hours and a millisecond", put(event("a", -24*time.Hour-time.Millisecond), event("b", 0)), invalid},
		{"more than 24 hours with one that is too old", put(event("a", -15*24*time.Hour), event("b", 0)), ""},
		{"a time before 1970", put(types.InputLogEvent{Message: aws.String("x"), Timestamp: aws.Int64(-1)}), invalid},
		{"no such group", group("other"), "ResourceNotFoundException"},
		{"no such stream", stream("other"), "ResourceNotFoundException"},
		{"a group's name", group("a b"), invalid},
		{"a long group's name", group(strings.Repeat("x", 513)), invalid},
		{"a stream's name", stream("a:b"), invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := newServer(t)
			_, err := srv.LogsClient().PutLogEvents(t.Context(), c.in)
			assert.Equal(t, c.want, code(err), "%v", err)
			if c.want != "" {
				assert.Empty(t, srv.Events("g"))
			}
		})
	}
}

func TestRejectedRanges(t *testing.T) {
	srv := newServer(t)
	logs := srv.LogsClient()
	days := func(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
	in := put(event("1", -days(15)), event("2", -days(14)-time.Millisecond), event("3", -days(14)))
	out, err := logs.PutLogEvents(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, &types.RejectedLogEventsInfo{TooOldLogEventEndIndex: aws.Int32(2)}, out.RejectedLogEventsInfo)
	require.NotNil(t, out.NextSequenceToken)

	out, err = logs.PutLogEvents(t.Context(), put(event("4", 0), event("5", 2*time.Hour), event("6", 2*time.Hour+time.Millisecond), event("7", days(3))))
	require.NoError(t, err)
	assert.Equal(t, &types.RejectedLogEventsInfo{TooNewLogEventStartIndex: aws.Int32(2)}, out.RejectedLogEventsInfo)

	_, err = logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(2)})
	assert.Equal(t, "InvalidParameterException", code(err))
	_, err = logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(3)})
	require.NoError(t, err)
	out, err = logs.PutLogEvents(t.Context(), put(event("8", -days(16)), event("9", -days(4)), event("10", -days(3))))
	require.NoError(t, err)
	assert.Equal(t, &types.RejectedLogEventsInfo{TooOldLogEventEndIndex: aws.Int32(1), ExpiredLogEventEndIndex: aws.Int32(2)}, out.RejectedLogEventsInfo)

	var stored []string
	for _, e := range srv.Events("g") {
		stored = append(stored, e.Message)
	}
	assert.Equal(t, []string{"3", "4", "5", "10"}, stored)
}

func TestGroups(t *testing.T) {
	srv := newServer(t)
	logs := srv.LogsClient()
	create := func(name string, class types.LogGroupClass) error {
		_, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name, LogGroupClass: class})
		return err
	}
	require.NoError(t, create("new", types.LogGroupClassInfrequentAccess))
	assert.Equal(t, "ResourceAlreadyExistsException", code(create("new", "")))
	assert.Equal(t, "InvalidParameterException", code(create("aws/x", "")))
	assert.Equal(t, "InvalidParameterException", code(create("x", "NONE")))
	stream := &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String("new"), LogStreamName: aws.String("s")}
	_, err := logs.CreateLogStream(t.Context(), stream)
	require.NoError(t, err)
	_, err = logs.CreateLogStream(t.Context(), stream)
	assert.Equal(t, "ResourceAlreadyExistsException", code(err))
	stream.LogGroupName = aws.String("none")
	_, err = logs.CreateLogStream(t.Context(), stream)
	assert.Equal(t, "ResourceNotFoundException", code(err))

	out, err := logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("n"), Limit: aws.Int32(1)})
	require.NoError(t, err)
	require.Len(t, out.LogGroups, 1)
	assert.Equal(t, types.LogGroupClassInfrequentAccess, out.LogGroups[0].LogGroupClass)

	// A class that does not extract stores the event and makes no metric of it.
	in := put(event(document(`"n":1`, `{"Name":"n"}`), 0))
	in.LogGroupName = aws.String("new")
	_, err = logs.PutLogEvents(t.Context(), in)
	require.NoError(t, err)
	assert.Len(t, srv.Events("new"), 1)
	assert.Zero(t, srv.SampleCount())
}

func TestEntities(t *testing.T) {
	srv := newServer(t)
	logs := srv.LogsClient()
	in := put(event("x", 0))
	in.Entity = &types.Entity{KeyAttributes: map[string]string{"Type": "Service"}}
	_, err := logs.PutLogEvents(t.Context(), in)
	assert.Equal(t, "InvalidParameterException", code(err))
	in.Entity.KeyAttributes["Name"] = "shop"
	out, err := logs.PutLogEvents(t.Context(), in)
	require.NoError(t, err)
	assert.Nil(t, out.RejectedEntityInfo)
	in.Entity.KeyAttributes["Type"] = "Nonsense"
	out, err = logs.PutLogEvents(t.Context(), in)
	require.NoError(t, err)
	require.NotNil(t, out.RejectedEntityInfo)
	assert.Equal(t, types.EntityRejectionErrorTypeInvalidTypeValue, out.RejectedEntityInfo.ErrorType)
	assert.Len(t, srv.Events("g"), 2)
}

// document is one in the embedded metric format, with root members and definitions of metrics.
func document(members, metrics string) string {
	return fmt.Sprintf(`{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[[]],"Metrics":[%s]}]},%s}`,
		now.UnixMilli(), metrics, members)
}
