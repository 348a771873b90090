package emf

import (
	"fmt"
	"os"
	"slices"
)

// logLevels are those that Lambda filters lines by.
//
// Source: LoggingConfig in the Lambda API reference.
var logLevels = []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}

// WithLogLevel gives every document the members "level", one of TRACE, DEBUG, INFO, WARN,
// ERROR and FATAL, and "timestamp". A Lambda function that logs in the JSON format at level
// WARN or above needs them: Lambda takes a line without a level and an RFC 3339 timestamp for
// INFO, and drops it, metrics and all. They cost 60 bytes a document. A dimension, metric or
// property of the same name goes before them.
//
// In a function that is configured so they are there by default, with its own level; an empty
// level leaves them out.
//
// Source: "Log-level filtering" in the AWS Lambda developer guide.
func WithLogLevel(level string) Option {
	return func(c *config) error {
		if level != "" && !slices.Contains(logLevels, level) {
			return fmt.Errorf("WithLogLevel: %q: one of %q, or empty", level, logLevels)
		}
		c.logLevel = &level
		return nil
	}
}

// lambdaLogLevel returns the level that Lambda wants of lines, empty if it takes any.
func lambdaLogLevel() string {
	level := os.Getenv("AWS_LAMBDA_LOG_LEVEL")
	if os.Getenv("AWS_LAMBDA_LOG_FORMAT") != "JSON" || slices.Index(logLevels, level) <= slices.Index(logLevels, "INFO") {
		return ""
	}
	return level
}

const (
	logTime      = "2006-01-02T15:04:05.000Z07:00"
	logLevelSize = len(`"level":"ERROR","timestamp":"`+logTime+`",`) + len(`"`)
)

// appendLogLevel appends level and timestamp to the properties of the partition's documents,
// unless documents go without.
func (p *partition) appendLogLevel(dst []byte) []byte {
	e := p.r.e
	if !e.leveled {
		return dst
	}
	free := func(name string) bool {
		return !e.properties.has(name) && (p.ev == nil || !p.ev.properties.has(name)) && !p.has(name)
	}
	if free("level") {
		dst = append(append(append(dst, `"level":"`...), *e.config.logLevel...), `",`...)
	}
	if free("timestamp") {
		dst = append(p.at.UTC().AppendFormat(append(dst, `"timestamp":"`...), logTime), `",`...)
	}
	return dst
}
