package middleware

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/hook"
)

// RequestsTimeouts is a counter, Count: invocations of a Lambda function that were still
// running shortly before their deadline, see [WithEarlyFlush].
const RequestsTimeouts Metric = "requests.timeouts"

// lambdaHost is an observer in front of a Lambda handler.
type lambdaHost struct {
	*Observer
	cold    coldStarter
	version string
}

func newLambdaHost(o *Observer) *lambdaHost {
	return &lambdaHost{o, newColdStarter(&o.lambda), lambdacontext.FunctionVersion}
}

// invocation is one under observation.
type invocation struct {
	unit
	host     *lambdaHost
	parent   context.Context // as the runtime made it
	deadline time.Time       // zero if there is none
	req      Request

	handled bool // the handler has returned, with err
	err     error
	stream  bool // its result is still to be read
	ignored bool // its route is, see [WithIgnoredRoutes]

	timer *time.Timer // of the early flush

	turn    chan struct{}   // has a token while something is recorded and written
	views   []*emf.Recorder // of each of the observer's groups, once one is needed
	counted bool            // in requests.total
	flushed bool            // early
	over    bool
}

// seenKey is where a context has what an observer has seen it with: an *invocation or an
// *exchange.
type seenKey struct{ o *Observer }

// invocation returns a new invocation, or nil if ctx belongs to what the observer sees already.
// It calls nothing of the user's.
func (h *lambdaHost) invocation(ctx context.Context) *invocation {
	if ctx == nil {
		ctx = context.Background()
	}
	if ctx.Value(seenKey{h.Observer}) != nil {
		return nil
	}
	x := &invocation{unit: newUnit(h.Observer), host: h, parent: ctx, turn: make(chan struct{}, 1)}
	x.deadline, _ = ctx.Deadline()
	if lc, ok := lambdacontext.FromContext(ctx); ok && lc != nil {
		x.req.RequestID = lc.AwsRequestID
	}
	// From the context: the variable _X_AMZN_TRACE_ID is not set where invocations run side by
	// side, and would be another's.
	if header, _ := ctx.Value("x-amzn-trace-id").(string); strings.Contains(header, "Sampled=1") {
		x.req.TraceID = traceID(header)
	}
	x.req.ResponseBytes = -1
	if h.root != nil {
		x.event = h.emitter.Begin()
		x.recorder = x.event.Recorder
	}
	return x
}

// No sync.Mutex: what waits for one stops the clock of testing/synctest, and so users' tests.
func (x *invocation) lock()   { x.turn <- struct{}{} }
func (x *invocation) unlock() { <-x.turn }

// begin makes ready for the handler, and returns its context. The user's function for
// tenants may panic.
func (x *invocation) begin() context.Context {
	h := x.host
	if h.cold.due() && x.event != nil {
		x.coldStart()
	}
	x.admit()
	ctx := x.context(context.WithValue(x.parent, seenKey{h.Observer}, x))
	if h.logger != nil {
		x.safely(func() { h.logStarted(ctx, &x.req) })
	}
	x.start = time.Now()
	if wait := x.untilEarlyFlush(); wait > 0 && x.event != nil {
		x.timer = time.AfterFunc(wait, x.flushEarly)
	}
	return ctx
}

// admit finds the invocation's tenant, and says in its documents what is known of it.
func (x *invocation) admit() {
	if x.event != nil {
		defer x.describe(x.event) // also if the function panics
	}
	if of := x.host.contextTenant; of != nil {
		x.req.TenantID = of(x.parent)
		x.recorder = x.recorder.WithTenant(x.req.TenantID)
	}
}

// coldStart records that this invocation is the first of a process.
func (x *invocation) coldStart() {
	c := &x.host.cold
	if c.function == (emf.Dimension{}) {
		x.event.Counter(c.name).Inc()
		return
	}
	ev := x.host.emitter.Begin(c.function)
	ev.Counter(c.name).Inc()
	x.describe(ev)
	ctx, cancel := x.flushContext()
	defer cancel()
	x.report(ev.End(ctx))
}

// describe sets the properties of the invocation's documents.
func (x *invocation) describe(ev *emf.Event) {
	s := sample{failed: x.req.Status >= http.StatusInternalServerError, bytes: x.req.ResponseBytes}
	x.host.describe(ev, &x.req, s.occasion())
	if x.host.version != "" {
		ev.SetProperty("function_version", x.host.version)
	}
}

// identify adds to what is known of the invocation. What is empty in req changes nothing, and
// neither does a negative size.
func (x *invocation) identify(req Request) {
	x.lock()
	defer x.unlock()
	for _, field := range [...]struct{ to, from *string }{
		{&x.req.Method, &req.Method},
		{&x.req.Route, &req.Route},
		{&x.req.Path, &req.Path},
		{&x.req.TenantID, &req.TenantID},
		{&x.req.UserID, &req.UserID},
		{&x.req.RequestID, &req.RequestID},
		{&x.req.TraceID, &req.TraceID},
	} {
		if *field.from != "" {
			*field.to = *field.from
		}
	}
	if req.Status != 0 {
		x.req.Status = req.Status
	}
	if req.ResponseBytes >= 0 {
		x.req.ResponseBytes = req.ResponseBytes
	}
	if x.event != nil {
		x.describe(x.event)
	}
}

// untilEarlyFlush returns how long to wait for it, 0 if there is none.
func (x *invocation) untilEarlyFlush() time.Duration {
	before := x.host.lambda.earlyFlush
	if before == 0 || x.deadline.IsZero() {
		return 0
	}
	left := time.Until(x.deadline)
	return max(left-before, left/2)
}

// flushEarly writes what there is before Lambda ends the process.
func (x *invocation) flushEarly() {
	x.lock()
	defer x.unlock()
	if x.over {
		return
	}
	if !x.handled {
		x.safely(func() {
			x.count()
			x.each(func(g *group, r *emf.Recorder) { increase(r, g.timeouts) })
		})
	}
	x.flushed = true
	x.flush(x.event.Flush)
	if x.host.logger != nil && !x.handled {
		x.safely(func() { x.host.logLate(x.parent, &x.req, time.Since(x.start)) })
	}
}

// logLate logs that an invocation may not end in time.
func (o *Observer) logLate(ctx context.Context, req *Request, took time.Duration) {
	var room [12]slog.Attr
	list := append(attributes(room[:0], req), slog.Duration("duration", took))
	o.logger.LogAttrs(ctx, slog.LevelError, "request is about to time out", list...)
}

// returned notes that the handler has returned.
func (x *invocation) returned(err error, stream bool) {
	x.lock()
	defer x.unlock()
	x.handled, x.err, x.stream = true, err, stream && err == nil
}

// end records the invocation and writes what is left of it, when the handler has returned,
// panicked or ended its goroutine. A panic is left alone: it goes on with its value, and with
// its stack.
func (x *invocation) end() {
	took := time.Since(x.start)
	x.lock() // waits for an early flush: the process may be frozen when this returns
	defer x.unlock()
	failed, why := x.outcome()
	x.ignored = x.host.ignored[x.req.Route] && !x.counted // by an early flush
	if x.event != nil {
		if !x.ignored {
			x.safely(func() { x.record(failed, took) })
		}
		x.write()
	}
	if x.host.logger != nil && !x.ignored {
		x.safely(func() { x.host.logEnded(x.parent, &x.req, took, failed, why) })
	}
}

var errNoReturn = errors.New("the handler panicked, or ended its goroutine")

func (x *invocation) outcome() (failed bool, why any) {
	switch {
	case !x.handled:
		return true, errNoReturn
	case x.err != nil:
		return true, x.err
	}
	return x.req.Status >= http.StatusInternalServerError, nil
}

func (x *invocation) record(failed bool, took time.Duration) {
	x.count()
	x.each(func(g *group, r *emf.Recorder) {
		if failed {
			increase(r, g.errors)
		}
		if g.duration != "" {
			r.Histogram(g.duration, emf.Milliseconds).Observe(float64(took) / float64(time.Millisecond))
		}
		if g.size != "" && x.req.ResponseBytes >= 0 {
			r.Histogram(g.size, emf.Bytes).Observe(float64(x.req.ResponseBytes))
		}
	})
}

// count counts the invocation, once.
func (x *invocation) count() {
	if !x.counted {
		x.counted = true
		x.each(func(g *group, r *emf.Recorder) { increase(r, g.total) })
	}
}

// each calls f for each of the observer's groups, with what records in all its views.
func (x *invocation) each(f func(g *group, r *emf.Recorder)) {
	groups := x.host.groups
	if x.views == nil {
		views := make([]*emf.Recorder, len(groups))
		for i, g := range groups {
			var w walk
			for g.next(&w, x.host.root, &x.req) != nil {
			}
			views[i] = across(x.event, w.seen[:w.n])
		}
		x.views = views
	}
	for i, g := range groups {
		f(g, x.views[i])
	}
}

// increase adds one to a counter, if it has a name.
func increase(r *emf.Recorder, name string) {
	if name != "" {
		r.Counter(name).Inc()
	}
}

// write writes what is left, and ends the event unless there is a stream to come: that is
// over when the runtime is done with the context.
func (x *invocation) write() {
	if x.stream && x.parent.Done() != nil {
		if !x.ignored {
			x.flush(x.event.Flush)
		}
		context.AfterFunc(x.parent, x.streamed)
		return
	}
	x.close()
}

func (x *invocation) streamed() {
	x.lock()
	defer x.unlock()
	x.close()
}

func (x *invocation) close() {
	x.over = true
	if x.timer != nil {
		x.timer.Stop()
	}
	if x.ignored || x.sampledOut() {
		dissolve(x.event)
	}
	x.flush(x.event.End)
}

// sampledOut reports whether the invocation is one of those that get no document of their own,
// see [WithSampling].
func (x *invocation) sampledOut() bool {
	o := x.host.Observer
	return o.share < 1 && x.handled && x.err == nil && !x.flushed && rand.Float64() >= o.share
}

// flush writes documents of the event, and whatever else the emitter has.
func (x *invocation) flush(event func(context.Context) error) {
	o := x.host.Observer
	o.writing.Add(1)
	defer o.writing.Add(-1)
	ctx, cancel := x.flushContext()
	defer cancel()
	x.report(event(ctx))
	x.report(x.host.emitter.Flush(ctx))
}

// How long a sink is waited for.
const (
	longestFlush  = 2 * time.Second
	shortestFlush = 10 * time.Millisecond
)

// flushContext returns a context for writing documents. It outlives the invocation's own, which
// may be over, and leaves the handler time to answer.
func (x *invocation) flushContext() (context.Context, context.CancelFunc) {
	wait := longestFlush
	if !x.deadline.IsZero() {
		wait = min(max(time.Until(x.deadline)/2, shortestFlush), longestFlush)
	}
	return context.WithTimeout(context.WithoutCancel(x.parent), wait)
}

func (x *invocation) report(err error) {
	if err != nil && !errors.Is(err, emf.ErrClosed) { // after Drain there is nothing left to write
		report(x.host.emitter, "a flush failed", err)
	}
}

// report logs to where the emitter logs.
func report(e *emf.Emitter, message string, err error) {
	hook.Report.(func(*emf.Emitter, string, error))(e, message, err)
}

// safely calls f, which calls functions of the user's. What they panic with is reported: it is
// not to become the invocation's result.
func (x *invocation) safely(f func()) {
	defer func() {
		if p := recover(); p != nil && x.event != nil {
			report(x.host.emitter, "an observer's function panicked", errors.New(reason(p)))
		}
	}()
	f()
}
