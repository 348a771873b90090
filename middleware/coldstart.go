package middleware

import (
	"os"
	"sync/atomic"

	"github.com/liftemf/liftemf/emf"
)

// invoked reports whether the process has had an invocation, whatever observer saw it: a
// process starts once.
var invoked atomic.Bool

const (
	coldStart             = "ColdStart"
	functionNameDimension = "function_name"
)

// WithColdStart names the counter that is 1 for the first invocation of a process. The default
// is "ColdStart"; under an empty name it is left out.
//
// It is recorded once a process, before the handler is called and so whatever becomes of the
// invocation. A process that was initialised before there was an invocation for it has no cold
// start: AWS_LAMBDA_INITIALIZATION_TYPE is then provisioned-concurrency, snap-start or
// lambda-managed-instances. Outside Lambda, where AWS_LAMBDA_FUNCTION_NAME is not set,
// there is none either.
func WithColdStart(name string) Option {
	return func(c *config) { c.lambda.coldStart = name }
}

// WithColdStartDimension names the dimension that [WithColdStart]'s counter has beside the
// emitter's: the name of the function, or POWERTOOLS_METRICS_FUNCTION_NAME. The counter is then
// in a document of its own, so that no other metric has the dimension. The default is
// "function_name"; Powertools for Java and .NET have "FunctionName". With an empty name
// the counter has no such dimension, and is in the first invocation's document.
func WithColdStartDimension(name string) Option {
	return func(c *config) { c.lambda.functionDimension = name }
}

// coldStarter knows whether the process is of a kind that has a cold start.
type coldStarter struct {
	name     string // of the counter, empty if there is none
	function emf.Dimension
}

func newColdStarter(c *lambdaConfig) coldStarter {
	function := os.Getenv("AWS_LAMBDA_FUNCTION_NAME")
	starts := function != ""
	if kind := os.Getenv("AWS_LAMBDA_INITIALIZATION_TYPE"); kind != "" && kind != "on-demand" {
		starts = false
	}
	if !starts {
		return coldStarter{}
	}
	if name := os.Getenv("POWERTOOLS_METRICS_FUNCTION_NAME"); name != "" {
		function = name
	}
	s := coldStarter{name: c.coldStart}
	if c.functionDimension != "" {
		s.function = emf.Dim(c.functionDimension, function)
	}
	return s
}

// due reports whether this is the first invocation of a process that has a cold start.
func (s *coldStarter) due() bool {
	return !invoked.Load() && !invoked.Swap(true) && s.name != ""
}
