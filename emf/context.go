package emf

import (
	"context"
	"log/slog"
	"sync"
)

type scopeKey struct{}

// scope is what a context carries.
type scope struct {
	event    *Event
	recorder *Recorder
}

func scopeOf(ctx context.Context) scope {
	if ctx == nil {
		return scope{}
	}
	s, _ := ctx.Value(scopeKey{}).(scope)
	return s
}

// NewContext returns a context that carries an event: [FromContext] returns the event's
// recorder and [SetProperty] sets the event's properties.
func NewContext(ctx context.Context, ev *Event) context.Context {
	s := scope{event: ev}
	if ev != nil {
		s.recorder = ev.Recorder
	}
	return context.WithValue(ctx, scopeKey{}, s)
}

// ContextWithRecorder returns a context from which [FromContext] returns r. The event of
// ctx, if it has one, stays.
func ContextWithRecorder(ctx context.Context, r *Recorder) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope{scopeOf(ctx).event, r})
}

// FromContext returns the recorder that ctx carries. It is never nil: where ctx carries
// none it discards what it is given, which is logged once.
func FromContext(ctx context.Context) *Recorder {
	if r := scopeOf(ctx).recorder; r != nil {
		return r
	}
	warnNoRecorder()
	return &discarding
}

// SetProperty sets a property of the event that ctx carries, see [Event.SetProperty].
// Where ctx carries none it does nothing, which is logged once.
func SetProperty(ctx context.Context, key string, value any) {
	if ev := scopeOf(ctx).event; ev != nil {
		ev.SetProperty(key, value)
		return
	}
	warnNoEvent()
}

var discarding Recorder

var (
	warnNoRecorder = sync.OnceFunc(func() {
		slog.New(standardError).Warn("emf: FromContext: the context carries no recorder: what is recorded is discarded; NewContext or ContextWithRecorder puts one there")
	})
	warnNoEvent = sync.OnceFunc(func() {
		slog.New(standardError).Warn("emf: SetProperty: the context carries no event: properties are discarded; NewContext puts one there")
	})
)
