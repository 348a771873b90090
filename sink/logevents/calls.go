package logevents

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/liftemf/liftemf/internal/awssend"
)

// call makes one call and counts it: its attempts, and as ambiguous the values that it carries for
// each attempt whose answer was lost.
func (s *Sink) call(ctx context.Context, values int, f func(ctx context.Context, watch func(*cloudwatchlogs.Options)) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var w awssend.Watch
	err := f(ctx, func(o *cloudwatchlogs.Options) { o.APIOptions = append(o.APIOptions, w.Install) })
	w.Settle(err)
	s.note(func(stats *Stats) {
		stats.Calls += uint64(w.Attempts)
		stats.Bytes += uint64(w.Bytes)
		stats.Ambiguous += uint64(w.Lost * max(values, 0))
	})
	return err
}

func (s *Sink) putEvents(ctx context.Context, in *cloudwatchlogs.PutLogEventsInput, values int) (out *cloudwatchlogs.PutLogEventsOutput, err error) {
	err = s.call(ctx, values, func(ctx context.Context, watch func(*cloudwatchlogs.Options)) (err error) {
		out, err = s.api.PutLogEvents(ctx, in, watch)
		return err
	})
	return out, err
}

// prepare does what is due before documents are sent. Only a class that makes no metrics is
// an error.
func (s *Sink) prepare(ctx context.Context) error {
	s.mu.Lock()
	classKnown, retentionDue := s.classKnown, s.retentionDue
	s.mu.Unlock()
	if retentionDue {
		s.setRetention(ctx)
	}
	if classKnown {
		return nil
	}
	return s.checkClass(ctx)
}

// The class is asked for with so much patience, until so many Writes have succeeded without an
// answer.
const (
	classPatience  = 5 * time.Second
	classQuestions = 3
)

// checkClass finds out the log group's class. It lets documents pass where it gets no answer: neither
// the permission nor the answer is one that sending needs.
func (s *Sink) checkClass(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, classPatience)
	defer cancel()
	var out *cloudwatchlogs.DescribeLogGroupsOutput
	err := s.call(ctx, 0, func(ctx context.Context, watch func(*cloudwatchlogs.Options)) (err error) {
		out, err = s.api.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &s.group, Limit: aws.Int32(1)},
			watch, func(o *cloudwatchlogs.Options) { o.RetryMaxAttempts = 1 })
		return err
	})
	if err == nil {
		for _, group := range out.LogGroups {
			// An answer without a class comes from something older than classes.
			if aws.ToString(group.LogGroupName) == s.group && group.LogGroupClass != "" && group.LogGroupClass != types.LogGroupClassStandard {
				return &ClassError{LogGroup: s.group, Class: group.LogGroupClass}
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.classKnown = err == nil || awssend.KindOf(err) == awssend.Denied
	return nil
}

// createStream creates the stream, and the group if that is missing too.
func (s *Sink) createStream(ctx context.Context) error {
	err := s.createOnlyStream(ctx)
	if err == nil || awssend.KindOf(err) != awssend.Missing {
		return s.explain("logs:CreateLogStream", err)
	}
	err = s.call(ctx, 0, func(ctx context.Context, watch func(*cloudwatchlogs.Options)) error {
		_, err := s.api.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &s.group, LogGroupClass: types.LogGroupClassStandard}, watch)
		return err
	})
	switch {
	case err == nil && s.retention > 0:
		s.setRetention(ctx)
	case err != nil && awssend.KindOf(err) != awssend.Exists:
		return s.explain("logs:CreateLogGroup", err)
	}
	return s.explain("logs:CreateLogStream", s.createOnlyStream(ctx))
}

func (s *Sink) createOnlyStream(ctx context.Context) error {
	err := s.call(ctx, 0, func(ctx context.Context, watch func(*cloudwatchlogs.Options)) error {
		_, err := s.api.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &s.group, LogStreamName: &s.stream}, watch)
		return err
	})
	if err != nil && awssend.KindOf(err) == awssend.Exists {
		return nil
	}
	return err
}

// setRetention is tried again by the next Write if it fails: it is no reason to hold documents
// back.
func (s *Sink) setRetention(ctx context.Context) {
	err := s.call(ctx, 0, func(ctx context.Context, watch func(*cloudwatchlogs.Options)) error {
		_, err := s.api.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &s.group, RetentionInDays: &s.retention}, watch)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.retentionDue = err != nil; err != nil {
		s.stats.LastError = fmt.Errorf("logevents: the retention of log group %s is not set: %w", s.group, awssend.Explain("logs:PutRetentionPolicy", err))
	}
}

// explain says what to do about an error.
func (s *Sink) explain(action string, err error) error {
	if err != nil && awssend.KindOf(err) == awssend.Missing && !s.create {
		return fmt.Errorf("create the log group and its stream %s, or leave out WithoutCreation: %w", s.stream, err)
	}
	return awssend.Explain(action, err)
}

var _ API = (*cloudwatchlogs.Client)(nil)
