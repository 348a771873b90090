package logevents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/awssend"
)

// API are the methods of *cloudwatchlogs.Client that the sink calls.
type API interface {
	PutLogEvents(context.Context, *cloudwatchlogs.PutLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutLogEventsOutput, error)
	CreateLogGroup(context.Context, *cloudwatchlogs.CreateLogGroupInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.CreateLogGroupOutput, error)
	CreateLogStream(context.Context, *cloudwatchlogs.CreateLogStreamInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.CreateLogStreamOutput, error)
	PutRetentionPolicy(context.Context, *cloudwatchlogs.PutRetentionPolicyInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutRetentionPolicyOutput, error)
	DescribeLogGroups(context.Context, *cloudwatchlogs.DescribeLogGroupsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.DescribeLogGroupsOutput, error)
}

// MaxDocument is the size of the largest document that a log event can hold, in bytes: 1 MiB less
// the 26 bytes that PutLogEvents counts for each event.
const MaxDocument = maxBatchBytes - eventBytes

// PermissionError is why documents are to be retried for lack of a permission. It names the
// action to allow.
type PermissionError = awssend.PermissionError

// ClassError says that a log group is of a class that is not known to make metrics of
// documents. CloudWatch would store them and say nothing.
type ClassError struct {
	LogGroup string
	Class    types.LogGroupClass
}

// Error says what to do.
func (e *ClassError) Error() string {
	return fmt.Sprintf("log group %s has class %s, in which CloudWatch is not known to make metrics of documents: "+
		"create one of class STANDARD (a class cannot be changed)", e.LogGroup, e.Class)
}

// Sink sends documents to a log stream. It is an [emf.Sink], safe for concurrent use.
type Sink struct {
	api           API
	group, stream string
	create        bool
	named         bool // the stream, by its user
	retention     int32
	entity        *types.Entity
	timeout       time.Duration

	mu           sync.Mutex
	classKnown   bool // or asked for in vain
	classAsked   int
	retentionDue bool // the sink created the group, and has not set its retention
	proven       bool // CloudWatch has taken a request
	stats        Stats
}

// New returns a sink that sends documents to a log group through api, a
// *cloudwatchlogs.Client. It makes no call. The name of a log group has 1 to 512 characters of
// letters, digits and .-_/# and does not start with aws/.
func New(api API, logGroup string, opts ...Option) (*Sink, error) {
	if api == nil {
		return nil, errors.New("logevents: the API is nil: give a *cloudwatchlogs.Client")
	}
	if !groupName.MatchString(logGroup) || strings.HasPrefix(logGroup, "aws/") {
		return nil, fmt.Errorf("logevents: %q is no name of a log group: 1 to 512 letters, digits and .-_/#, not aws/ at the start", logGroup)
	}
	s := &Sink{api: api, group: logGroup, stream: defaultStream(), create: true, timeout: 30 * time.Second}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(s); err != nil {
			return nil, fmt.Errorf("logevents: %w", err)
		}
	}
	if !s.create && !s.named {
		return nil, errors.New("logevents: WithoutCreation: name a stream that exists by WithStream: that of the default is there for nobody")
	}
	return s, nil
}

// defaultStream names a stream of host and process.
func defaultStream() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	program := "go"
	if len(os.Args) > 0 {
		program = filepath.Base(os.Args[0])
	}
	name := strings.NewReplacer(":", "_", "*", "_").Replace(strings.ToValidUTF8(host+"/"+program, "_"))
	process := fmt.Sprintf("/%d", os.Getpid())
	return name[:min(len(name), 400)] + process
}

var _ emf.Sink = (*Sink)(nil)

// Stream returns the name of the log stream.
func (s *Sink) Stream() string { return s.stream }

// Write sends documents, in as few calls as the limits of PutLogEvents allow: 10,000 events and
// 1 MiB with 26 bytes an event, and 24 hours from the first to the last. An event has the
// time of its document, or that of the call where the document has none. Documents go in the
// order of their times, those of the same millisecond in the order given.
//
// It returns nil when CloudWatch has taken all, or an [emf.UndeliveredError]:
//
//   - Reject: a document above [MaxDocument] or without text; an event that CloudWatch finds
//     more than 14 days old, older than the group's retention or more than 2 hours ahead; and
//     what it refuses. A batch that is refused is halved until the document at fault is found;
//     the others are delivered. A sink that has never delivered anything
//     rejects nothing for that: it may be its own settings that are refused.
//   - Retry: throttling, 5xx, time-outs and connections that fail, after the client's own
//     retries; a permission that is missing ([PermissionError]); a log group that is missing
//     or of the wrong class ([ClassError]). Nothing more is sent in this call then, so what
//     follows is to be retried too, and documents stay in order.
//
// Where an answer was lost, the documents are to be retried although CloudWatch may have taken
// them, and Stats counts their values as ambiguous. Write returns soon after ctx is done.
func (s *Sink) Write(ctx context.Context, docs []emf.Document) error {
	s.mu.Lock()
	d := awssend.NewDelivery(ctx, docs, s.proven)
	s.mu.Unlock()
	if ctx.Err() == nil && len(docs) > 0 {
		if err := s.prepare(ctx); err != nil {
			d.Stop(err)
		}
	}
	b := newBatches(docs, time.Now())
	for doc, err := range b.rejected {
		d.Reject(doc, err)
	}
	for batch := range b.all() {
		d.Send(batch, func(docs []int) error { return s.put(ctx, d, b, docs) })
	}
	values, err := d.Result()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proven = s.proven || d.Proven()
	if values.Delivered > 0 && !s.classKnown {
		s.classAsked++
		s.classKnown = s.classAsked == classQuestions
	}
	s.stats.Delivered += values.Delivered
	s.stats.Rejected += values.Rejected
	s.stats.Retried += values.Retried
	if err != nil {
		s.stats.LastError = err
		return fmt.Errorf("logevents: log group %s: %w", s.group, err)
	}
	return nil
}

// put sends one batch. What CloudWatch takes the batch without, it rejects.
func (s *Sink) put(ctx context.Context, d *awssend.Delivery, b *batches, docs []int) error {
	in := &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: &s.group, LogStreamName: &s.stream, Entity: s.entity, LogEvents: make([]types.InputLogEvent, len(docs)),
	}
	values := 0
	for i, doc := range docs {
		in.LogEvents[i] = b.event(doc)
		values += b.docs[doc].Values
	}
	out, err := s.putEvents(ctx, in, values)
	if err != nil && awssend.KindOf(err) == awssend.Missing && s.create {
		if err := s.createStream(ctx); err != nil {
			return awssend.Aside(err)
		}
		out, err = s.putEvents(ctx, in, values)
	}
	if err != nil {
		return s.explain("logs:PutLogEvents", err)
	}
	if out == nil {
		return nil
	}
	s.rejectEvents(d, docs, out.RejectedLogEventsInfo)
	if out.RejectedEntityInfo != nil {
		s.note(func(stats *Stats) {
			stats.EntitiesRejected++
			stats.LastError = fmt.Errorf("logevents: CloudWatch took the documents without the entity: %s", out.RejectedEntityInfo.ErrorType)
		})
	}
	return nil
}

// rejectEvents rejects what is outside of the time that CloudWatch takes: the ends of the old
// are exclusive, the start of the new is inclusive.
func (s *Sink) rejectEvents(d *awssend.Delivery, docs []int, info *types.RejectedLogEventsInfo) {
	if info == nil {
		return
	}
	from := 0
	end := func(index *int32, err error) {
		if index == nil {
			return
		}
		for ; from < min(int(*index), len(docs)); from++ {
			d.Reject(docs[from], err)
		}
	}
	end(info.TooOldLogEventEndIndex, errTooOld)
	end(info.ExpiredLogEventEndIndex, errExpired)
	if info.TooNewLogEventStartIndex != nil {
		for i := max(from, int(*info.TooNewLogEventStartIndex)); i < len(docs); i++ {
			d.Reject(docs[i], errTooNew)
		}
	}
}

var (
	errTooOld  = errors.New("CloudWatch Logs rejected it as more than 14 days old")
	errExpired = errors.New("CloudWatch Logs rejected it as older than the log group's retention")
	errTooNew  = errors.New("CloudWatch Logs rejected it as more than 2 hours in the future: is this host's clock right?")
)
