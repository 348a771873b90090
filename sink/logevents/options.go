package logevents

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Option is a setting of [New]. An option with a bad argument makes New fail.
type Option func(*Sink) error

var (
	groupName  = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	streamName = regexp.MustCompile(`^[^:*]{1,512}$`)
)

// retentions are the days that PutRetentionPolicy takes.
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// WithStream names the log stream: 1 to 512 characters, neither colon nor asterisk. The
// default is made of the host's name, the program's and the number of the process, as
// web-1/shopd/4711. Processes may share a stream.
func WithStream(name string) Option {
	return func(s *Sink) error {
		if !streamName.MatchString(name) {
			return fmt.Errorf("WithStream: %q is no name of a log stream: 1 to 512 characters, neither colon nor asterisk", name)
		}
		s.stream, s.named = name, true
		return nil
	}
}

// WithoutCreation leaves a missing log group or stream missing: documents are then kept for
// another try, and the error says what to create. It asks for [WithStream].
func WithoutCreation() Option {
	return func(s *Sink) error {
		s.create = false
		return nil
	}
}

// WithRetention sets how long a log group that the sink creates keeps events, in days: 1, 3,
// 5, 7, 14, 30, 60, 90 and so on as the reference of PutRetentionPolicy lists them. The
// default is for ever. Metrics are kept for 15 months all the same. The sink does not touch
// a log group that exists.
func WithRetention(days int) Option {
	return func(s *Sink) error {
		if !slices.Contains(retentions, int32(days)) {
			return fmt.Errorf("WithRetention: %d days: CloudWatch Logs takes one of %v", days, retentions)
		}
		s.retention = int32(days)
		return nil
	}
}

// WithClass sets the class of a log group that the sink creates. Only
// [types.LogGroupClassStandard], the default, is known to make metrics of documents: any other
// is refused with a [ClassError].
func WithClass(class types.LogGroupClass) Option {
	return func(s *Sink) error {
		if class != types.LogGroupClassStandard {
			return fmt.Errorf("WithClass: %w", &ClassError{LogGroup: s.group, Class: class})
		}
		return nil
	}
}

// WithoutClassCheck saves the call of DescribeLogGroups before the first documents, by
// which the sink finds out that the log group makes no metrics.
func WithoutClassCheck() Option {
	return func(s *Sink) error {
		s.classKnown = true
		return nil
	}
}

// WithEntity says what the documents are about, for the related items in CloudWatch's console:
// 2 to 4 key attributes out of Type, ResourceType, Identifier, Name and Environment, Type among them,
// and up to 10 attributes, names up to 256 and values up to 512 characters. CloudWatch
// takes the documents even where it rejects the entity, see [Stats].
//
// Source: the Entity type of the PutLogEvents API reference.
func WithEntity(entity types.Entity) Option {
	return func(s *Sink) error {
		if n := len(entity.KeyAttributes); n < 2 || n > 4 {
			return fmt.Errorf("WithEntity: %d key attributes: give 2 to 4", n)
		}
		if entity.KeyAttributes["Type"] == "" {
			return errors.New("WithEntity: the key attribute Type is missing")
		}
		if n := len(entity.Attributes); n > 10 {
			return fmt.Errorf("WithEntity: %d attributes: give at most 10", n)
		}
		for _, attributes := range []map[string]string{entity.KeyAttributes, entity.Attributes} {
			for name, value := range attributes {
				if name == "" || value == "" || utf8.RuneCountInString(name) > 256 || utf8.RuneCountInString(value) > 512 {
					return fmt.Errorf("WithEntity: attribute %q: names have 1 to 256 characters, values 1 to 512", name)
				}
			}
		}
		for name := range entity.KeyAttributes {
			if !slices.Contains([]string{"Type", "ResourceType", "Identifier", "Name", "Environment"}, name) {
				return fmt.Errorf("WithEntity: there is no key attribute %q", name)
			}
		}
		s.entity = &types.Entity{KeyAttributes: maps.Clone(entity.KeyAttributes), Attributes: maps.Clone(entity.Attributes)}
		return nil
	}
}

// WithTimeout bounds each call, the client's own repeats included. The default is 30
// seconds. A call that runs out of it is counted as ambiguous, and its documents are to be retried.
func WithTimeout(d time.Duration) Option {
	return func(s *Sink) error {
		if d <= 0 {
			return fmt.Errorf("WithTimeout: %v is not above 0", d)
		}
		s.timeout = d
		return nil
	}
}
