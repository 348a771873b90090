package lift

import (
	"context"
	"errors"
	"strings"
)

// Request is an HTTP request as an event.
type Request struct {
	Method, Path string
	Headers      map[string]string
}

// Response is what a request is answered with.
type Response struct {
	StatusCode int `json:"statusCode"`
	Body       any `json:"body"`
}

// Context is a request on its way.
type Context struct {
	context.Context
	Request  *Request
	Response *Response
	Metrics  MetricsCollector // nil without App.WithMetrics

	params map[string]string
}

// Param returns a parameter of the route.
func (c *Context) Param(name string) string { return c.params[name] }

// TenantID returns the tenant of the request, which may be "".
func (c *Context) TenantID() string { return c.Request.Headers["X-Tenant-Id"] }

// UserID returns the user of the request, which may be "".
func (c *Context) UserID() string { return c.Request.Headers["X-User-Id"] }

// RequestID returns the ID of the request.
func (c *Context) RequestID() string { return c.Request.Headers["X-Request-Id"] }

// JSON sets the body of the answer.
func (c *Context) JSON(body any) error {
	c.Response.Body = body
	return nil
}

// Handler handles a request.
type Handler interface {
	Handle(ctx *Context) error
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(ctx *Context) error

// Handle calls f.
func (f HandlerFunc) Handle(ctx *Context) error { return f(ctx) }

// Middleware wraps handlers.
type Middleware func(Handler) Handler

// Error is an error with a status.
type Error struct {
	StatusCode int
	Message    string
}

func (e *Error) Error() string { return e.Message }

// NotFound is the error for what is not there.
func NotFound(message string) *Error { return &Error{404, message} }

// App routes events to handlers.
type App struct {
	metrics     MetricsCollector
	middlewares []Middleware
	routes      []route
	events      func(ctx context.Context, event any) error
}

type route struct {
	method  string
	parts   []string
	handler Handler
}

// New returns an App.
func New() *App { return &App{} }

// WithMetrics gives handlers a collector.
func (a *App) WithMetrics(m MetricsCollector) *App {
	a.metrics = m
	return a
}

// Use adds a middleware inside of those before it.
func (a *App) Use(m Middleware) *App {
	a.middlewares = append(a.middlewares, m)
	return a
}

// Handle routes a method and a path such as /orders/:id to a handler.
func (a *App) Handle(method, path string, h HandlerFunc) *App {
	a.routes = append(a.routes, route{method, strings.Split(path, "/"), h})
	return a
}

// HandleEvents handles all events that are no requests. No middleware sees them.
func (a *App) HandleEvents(h func(ctx context.Context, event any) error) *App {
	a.events = h
	return a
}

// HandleRequest handles an event. As in Lift, middlewares see requests of known routes only,
// are wrapped anew for each, and an error of the handler becomes a response after them all.
func (a *App) HandleRequest(ctx context.Context, event any) (any, error) {
	r, ok := event.(*Request)
	if !ok {
		if a.events == nil {
			return nil, errors.New("no handler for this event")
		}
		return nil, a.events(ctx, event)
	}
	c := &Context{Context: ctx, Request: r, Response: &Response{StatusCode: 200}, Metrics: a.metrics}
	h := a.find(c)
	if h == nil {
		return &Response{500, "no such route"}, nil
	}
	for i := len(a.middlewares) - 1; i >= 0; i-- {
		h = a.middlewares[i](h)
	}
	if err := h.Handle(c); err != nil {
		var known *Error
		if errors.As(err, &known) {
			return &Response{known.StatusCode, known.Message}, nil
		}
		return &Response{500, "internal error"}, nil
	}
	return c.Response, nil
}

func (a *App) find(c *Context) Handler {
	parts := strings.Split(c.Request.Path, "/")
	for _, r := range a.routes {
		if r.method == c.Request.Method && r.matches(c, parts) {
			return r.handler
		}
	}
	return nil
}

func (r *route) matches(c *Context, parts []string) bool {
	if len(parts) != len(r.parts) {
		return false
	}
	for i, part := range r.parts {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			if c.params == nil {
				c.params = make(map[string]string)
			}
			c.params[name] = parts[i]
		} else if part != parts[i] {
			return false
		}
	}
	return true
}
