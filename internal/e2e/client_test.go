package e2e_test

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/liftemf/liftemf/internal/cwtest"
)

// impatient is an HTTP client that gives up a request soon after the server has stalled it, and no other
// request ever: how busy the machine is makes no difference.
type impatient struct {
	server *cwtest.Server

	mu     sync.Mutex
	giveUp context.CancelCauseFunc // of the request under way: there is one at a time
}

// errPatience is how an HTTP client says that its time-out is over.
type errPatience struct{}

func (errPatience) Error() string   { return "awaiting headers: the time is over" }
func (errPatience) Timeout() bool   { return true }
func (errPatience) Temporary() bool { return true }

func (c *impatient) Do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	c.mu.Lock()
	c.giveUp = cancel
	c.mu.Unlock()
	answer, err := c.server.Config().HTTPClient.Do(r.WithContext(ctx))
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(nil)
		return nil, err
	}
	return answer, nil // the server answers whole: the context of an answer is not needed any more
}

// stall makes each request that stalls a lesson for the client.
func (c *impatient) watch(faults cwtest.Faults) cwtest.Faults {
	return func(r cwtest.Request) cwtest.Fault {
		f := faults(r)
		if f == cwtest.Stall || f == cwtest.StallAfter {
			c.mu.Lock()
			giveUp := c.giveUp
			c.mu.Unlock()
			time.AfterFunc(50*time.Millisecond, func() { giveUp(errPatience{}) })
		}
		return f
	}
}

func (c *impatient) logs(o *cloudwatchlogs.Options) { o.HTTPClient = c }
func (c *impatient) metrics(o *cloudwatch.Options)  { o.HTTPClient = c }
