package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"

	"github.com/liftemf/liftemf/emf"
)

// Observer records metrics of requests, and with a logger logs them. It is safe for concurrent
// use; one observer may stand before any number of handlers. A nil Observer, and one of a nil
// emitter and no logger, lets requests pass untouched.
type Observer struct {
	config
	emitter *emf.Emitter
	root    *emf.Recorder
	logger  *slog.Logger // nil: nothing is logged
	writing atomic.Int32 // invocations whose documents are being written

	groups []*group
	active *group // of requests.active; nil: left out
	// members are the names of dimensions in documents, which no property can have there, and
	// in which documents they are.
	members map[string]occasion

	patience patience
}

// MetricsOnly returns an observer that records metrics with e, see the package's
// documentation for their names.
func MetricsOnly(e *emf.Emitter, opts ...Option) *Observer { return Observability(e, nil, opts...) }

// Observability returns an observer that records metrics with e, as [MetricsOnly] does, and
// logs requests with logger: their beginning at level debug, their end at info, and at error
// if they failed. Records carry request_id, tenant_id, trace_id, user_id, method, route, path,
// status and duration as far as they are known, and never bodies, queries, cookies or
// credentials. A nil logger logs nothing. Do not log to standard output in a text format if
// documents go there too.
func Observability(e *emf.Emitter, logger *slog.Logger, opts ...Option) *Observer {
	o := &Observer{logger: logger, config: config{
		names:      make(map[Metric]string),
		dimensions: make(map[string]string),
		viewsOf:    make(map[Metric][]View),
		ignored:    make(map[string]bool),
		requestID:  []string{"X-Request-Id", "X-Amzn-Requestid"},
		share:      1,
		lambda:     lambdaDefaults,
	}}
	if e != nil && e.Recorder != nil {
		o.emitter, o.root = e, e.Recorder
	}
	for _, opt := range opts {
		if opt != nil {
			opt(&o.config)
		}
	}
	o.compile()
	if err := o.Err(); err != nil {
		slog.New(slog.NewTextHandler(os.Stderr, nil)).Warn("emf middleware: options that are left out", "error", err)
	}
	return o
}

// Err returns what is wrong with the observer's options, nil if nothing is.
func (o *Observer) Err() error {
	if o == nil {
		return nil
	}
	return errors.Join(o.problems...)
}

func (o *Observer) idle() bool { return o == nil || o.root == nil && o.logger == nil }

// tells reports whether ids of requests are of use: there is a log or a document to have them.
func (o *Observer) tells() bool { return o.logger != nil || o.perRequest }

func (c *config) complain(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf(format, args...))
}

func (c *config) add(d dimension) {
	_, known := builtin[d.name]
	if known || d.name == "" || slices.ContainsFunc(c.own, func(other dimension) bool { return other.name == d.name }) {
		c.complain("a dimension of your own cannot be named %q: the name is empty or taken", d.name)
		return
	}
	c.own = append(c.own, d)
}

var metrics = []Metric{RequestsTotal, RequestsErrors, RequestsDuration, ResponseSize, RequestsActive, RequestsTimeouts}

func (m Metric) known() bool { return slices.Contains(metrics, m) }
