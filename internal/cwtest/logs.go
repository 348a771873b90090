package cwtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of PutLogEvents.
const (
	maxEvents     = 10_000
	maxBatchBytes = 1 << 20
	eventBytes    = 26 // counted for each beside its message
	maxEventSpan  = 24 * time.Hour
	eventsBack    = 14 * 24 * time.Hour
	eventsAhead   = 2 * time.Hour
)

var (
	groupName  = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	streamName = regexp.MustCompile(`^[^:*]{1,512}$`)
	classes    = []string{"STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"}
	retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)

// Event is a log event.
type Event struct {
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970
	Message   string `json:"message"`
}

// Group is what the server knows of a log group.
type Group struct {
	Name          string
	Class         string
	RetentionDays int // 0: for ever
	Streams       []string
}

type group struct {
	name, class string
	retention   int
	streams     map[string][]Event
	order       []string // of streams
}

// CreateGroup makes a log group as its owner would, with streams. A class of "" is STANDARD.
func (s *Server) CreateGroup(name, class string, streams ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if class == "" {
		class = "STANDARD"
	}
	g := &group{name: name, class: class, streams: make(map[string][]Event)}
	for _, stream := range streams {
		g.streams[stream] = []Event{}
		g.order = append(g.order, stream)
	}
	s.groups[name] = g
}

// DeleteGroup deletes a log group, and its events. The metrics made of them stay.
func (s *Server) DeleteGroup(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.groups, name)
}

// Group returns a log group, and whether there is one.
func (s *Server) Group(name string) (Group, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[name]
	if g == nil {
		return Group{}, false
	}
	return Group{g.name, g.class, g.retention, slices.Clone(g.order)}, true
}

// Events returns what is in a log group, stream by stream, in order of arrival.
func (s *Server) Events(groupName string) (events []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.groups[groupName]; g != nil {
		for _, stream := range g.order {
			events = append(events, g.streams[stream]...)
		}
	}
	return events
}

// logsInput has the members of all operations of Logs that there are.
type logsInput struct {
	LogGroupName       *string `json:"logGroupName"`
	LogStreamName      *string `json:"logStreamName"`
	LogGroupClass      string  `json:"logGroupClass"`
	LogGroupNamePrefix string  `json:"logGroupNamePrefix"`
	RetentionInDays    int     `json:"retentionInDays"`
	Limit              int     `json:"limit"`
	LogEvents          []struct {
		Timestamp *int64  `json:"timestamp"`
		Message   *string `json:"message"`
	} `json:"logEvents"`
	Entity *entity `json:"entity"`
}

type entity struct {
	KeyAttributes map[string]string `json:"keyAttributes"`
	Attributes    map[string]string `json:"attributes"`
}

func invalidLogs(format string, args ...any) *failure {
	return &failure{code: "InvalidParameterException", message: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}

func logsFailure(code, message string) *failure {
	return &failure{code: code, message: message, status: http.StatusBadRequest}
}

func (s *Server) performLogs(operation string, body []byte, f Fault) (any, *failure) {
	var in logsInput
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, malformed(err)
	}
	if operation == "DescribeLogGroups" {
		return s.describeLogGroups(&in)
	}
	if in.LogGroupName == nil || !groupName.MatchString(*in.LogGroupName) {
		return nil, invalidLogs("1 validation error detected: value at 'logGroupName' must have 1 to 512 characters of [.-_/#A-Za-z0-9]")
	}
	if operation == "PutLogEvents" || operation == "CreateLogStream" {
		if in.LogStreamName == nil || !streamName.MatchString(*in.LogStreamName) {
			return nil, invalidLogs("1 validation error detected: value at 'logStreamName' must have 1 to 512 characters, none of them : or *")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[*in.LogGroupName]
	if operation != "CreateLogGroup" && g == nil {
		return nil, logsFailure("ResourceNotFoundException", "The specified log group does not exist.")
	}
	switch operation {
	case "CreateLogGroup":
		return nil, s.createLogGroup(&in)
	case "CreateLogStream":
		return nil, g.createStream(*in.LogStreamName)
	case "PutRetentionPolicy":
		if !slices.Contains(retentions, in.RetentionInDays) {
			return nil, invalidLogs("1 validation error detected: value at 'retentionInDays' must be one of %v", retentions)
		}
		g.retention = in.RetentionInDays
		return nil, nil
	case "PutLogEvents":
		return s.putLogEvents(g, &in, f)
	}
	return nil, logsFailure("UnknownOperationException", "unknown operation "+operation)
}

func (s *Server) createLogGroup(in *logsInput) *failure {
	name, class := *in.LogGroupName, in.LogGroupClass
	if class == "" {
		class = "STANDARD"
	}
	switch {
	case strings.HasPrefix(name, "aws/"):
		return invalidLogs("log group names must not start with aws/")
	case !slices.Contains(classes, class):
		return invalidLogs("1 validation error detected: value at 'logGroupClass' must be one of %v", classes)
	case s.groups[name] != nil:
		return logsFailure("ResourceAlreadyExistsException", "The specified log group already exists")
	}
	s.groups[name] = &group{name: name, class: class, streams: make(map[string][]Event)}
	return nil
}

func (g *group) createStream(name string) *failure {
	if _, there := g.streams[name]; there {
		return logsFailure("ResourceAlreadyExistsException", "The specified log stream already exists")
	}
	g.streams[name] = []Event{}
	g.order = append(g.order, name)
	return nil
}

func (s *Server) describeLogGroups(in *logsInput) (any, *failure) {
	type description struct {
		Name      string `json:"logGroupName"`
		Class     string `json:"logGroupClass"`
		Retention int    `json:"retentionInDays,omitempty"`
	}
	limit := in.Limit
	if limit == 0 {
		limit = 50
	}
	if limit < 1 || limit > 50 {
		return nil, invalidLogs("1 validation error detected: value at 'limit' must be 1 to 50")
	}
	found := []description{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, g := range s.groups {
		if strings.HasPrefix(name, in.LogGroupNamePrefix) {
			found = append(found, description{name, g.class, g.retention})
		}
	}
	slices.SortFunc(found, func(a, b description) int { return strings.Compare(a.Name, b.Name) })
	return map[string]any{"logGroups": found[:min(len(found), limit)]}, nil
}

// putLogEvents stores a batch and makes metrics of it, or refuses it whole, or some of its
// events. The caller has the lock.
func (s *Server) putLogEvents(g *group, in *logsInput, f Fault) (any, *failure) {
	stored, there := g.streams[*in.LogStreamName]
	if !there {
		return nil, logsFailure("ResourceNotFoundException", "The specified log stream does not exist.")
	}
	events, failure := in.events()
	if failure != nil {
		return nil, failure
	}
	if failure := in.Entity.check(); failure != nil {
		return nil, failure
	}
	for _, event := range events {
		if s.poison(event.Message) {
			return nil, invalidLogs("a log event is invalid")
		}
	}
	accept := s.window(g, events, f)
	valid := events[accept.from:accept.to]
	if n := len(valid); n > 0 && time.Duration(valid[n-1].Timestamp-valid[0].Timestamp)*time.Millisecond > maxEventSpan {
		return nil, invalidLogs("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	g.streams[*in.LogStreamName] = append(stored, valid...)
	if g.class == "STANDARD" {
		for _, event := range valid {
			s.extract(event.Message)
		}
	}
	out := make(map[string]any)
	if f != NoToken {
		out["nextSequenceToken"] = "49590302775583274182"
	}
	if accept.rejected != nil {
		out["rejectedLogEventsInfo"] = accept.rejected
	}
	if reason := in.Entity.problem(); reason != "" {
		out["rejectedEntityInfo"] = map[string]string{"errorType": reason}
	}
	return out, nil
}

// events returns the events of a batch that is within all limits but those of the clock.
func (in *logsInput) events() ([]Event, *failure) {
	switch n := len(in.LogEvents); {
	case n == 0:
		return nil, invalidLogs("1 validation error detected: value at 'logEvents' must have a length of at least 1")
	case n > maxEvents:
		return nil, invalidLogs("1 validation error detected: value at 'logEvents' must have a length of at most %d", maxEvents)
	}
	events := make([]Event, len(in.LogEvents))
	size := 0
	for i, e := range in.LogEvents {
		switch {
		case e.Timestamp == nil || *e.Timestamp < 0:
			return nil, invalidLogs("1 validation error detected: value at 'logEvents.%d.member.timestamp' must be at least 0", i+1)
		case e.Message == nil || *e.Message == "":
			return nil, invalidLogs("1 validation error detected: value at 'logEvents.%d.member.message' must have a length of at least 1", i+1)
		case len(*e.Message)+eventBytes > maxBatchBytes:
			return nil, invalidLogs("Log event too large: %d bytes exceeds limit of %d", len(*e.Message)+eventBytes, maxBatchBytes)
		case !utf8.ValidString(*e.Message):
			return nil, invalidLogs("a message is not UTF-8")
		case i > 0 && *e.Timestamp < events[i-1].Timestamp:
			return nil, invalidLogs("Log events in a single PutLogEvents request must be in chronological order.")
		}
		events[i] = Event{*e.Timestamp, *e.Message}
		size += len(*e.Message) + eventBytes
	}
	if size > maxBatchBytes {
		return nil, invalidLogs("Upload too large: %d bytes exceeds limit of %d", size, maxBatchBytes)
	}
	return events, nil
}

// rejectedInfo is AWS's rejectedLogEventsInfo: the two ends are exclusive, the start is
// inclusive.
type rejectedInfo struct {
	TooNewStart *int `json:"tooNewLogEventStartIndex,omitempty"`
	TooOldEnd   *int `json:"tooOldLogEventEndIndex,omitempty"`
	ExpiredEnd  *int `json:"expiredLogEventEndIndex,omitempty"`
}

// accepted is the part of a batch that is neither too old nor too new.
type accepted struct {
	from, to int
	rejected *rejectedInfo
}

func (s *Server) window(g *group, events []Event, f Fault) accepted {
	now := s.now()
	before := func(d time.Duration) int {
		limit := now.Add(-d).UnixMilli()
		n := 0
		for n < len(events) && events[n].Timestamp < limit {
			n++
		}
		return n
	}
	tooOld, expired, tooNew := before(eventsBack), 0, before(-eventsAhead)
	for tooNew < len(events) && events[tooNew].Timestamp == now.Add(eventsAhead).UnixMilli() {
		tooNew++
	}
	if g.retention > 0 {
		expired = before(time.Duration(g.retention) * 24 * time.Hour)
	}
	if f == RejectSome {
		tooOld, tooNew = max(tooOld, len(events)/4), min(tooNew, len(events)-len(events)/4)
	}
	a := accepted{from: max(tooOld, expired), to: tooNew}
	a.from = min(a.from, a.to)
	var info rejectedInfo
	if tooOld > 0 {
		info.TooOldEnd = &tooOld
	}
	if expired > 0 {
		info.ExpiredEnd = &expired
	}
	if tooNew < len(events) {
		info.TooNewStart = &tooNew
	}
	if info != (rejectedInfo{}) {
		a.rejected = &info
	}
	return a
}

// check finds what makes the whole request fail.
func (e *entity) check() *failure {
	if e == nil {
		return nil
	}
	if n := len(e.KeyAttributes); n != 0 && (n < 2 || n > 4) {
		return invalidLogs("1 validation error detected: value at 'entity.keyAttributes' must have 2 to 4 members")
	}
	if len(e.Attributes) > 10 {
		return invalidLogs("1 validation error detected: value at 'entity.attributes' must have at most 10 members")
	}
	return nil
}

// problem says why an entity is rejected while the events are accepted.
func (e *entity) problem() string {
	if e == nil {
		return ""
	}
	kind, typed := e.KeyAttributes["Type"]
	if !typed {
		return "MissingRequiredFields"
	}
	if !slices.Contains([]string{"Service", "RemoteService", "Resource", "AWS::Service", "AWS::Resource", "AWS::RemoteService"}, kind) {
		return "InvalidTypeValue"
	}
	for name := range e.KeyAttributes {
		if !slices.Contains([]string{"Type", "ResourceType", "Identifier", "Name", "Environment"}, name) {
			return "InvalidKeyAttributes"
		}
	}
	return ""
}
