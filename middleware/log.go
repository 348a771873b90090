package middleware

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// logStarted logs that a unit of work begins.
func (o *Observer) logStarted(ctx context.Context, req *Request) {
	if o.logger.Enabled(ctx, slog.LevelDebug) {
		var room [12]slog.Attr
		o.logger.LogAttrs(ctx, slog.LevelDebug, "request started", attributes(room[:0], req)...)
	}
}

// logEnded logs that a unit of work has ended.
func (o *Observer) logEnded(ctx context.Context, req *Request, took time.Duration, failed bool, why any) {
	level, text := slog.LevelInfo, "request completed"
	if failed {
		level, text = slog.LevelError, "request failed"
	}
	if !o.logger.Enabled(ctx, level) {
		return
	}
	var room [12]slog.Attr
	list := attributes(room[:0], req)
	if req.Status != 0 {
		list = append(list, slog.Int("status", req.Status))
	}
	list = append(list, slog.Duration("duration", took))
	if why != nil {
		list = append(list, slog.String("error", reason(why)))
	}
	o.logger.LogAttrs(ctx, level, text, list...)
}

// attributes appends what identifies a request.
func attributes(list []slog.Attr, req *Request) []slog.Attr {
	for _, a := range [...]struct{ key, value string }{
		{"request_id", req.RequestID},
		{"tenant_id", req.TenantID},
		{"trace_id", req.TraceID},
		{"user_id", req.UserID},
		{"method", req.Method},
		{"route", req.Route},
		{"path", req.Path},
	} {
		if a.value != "" {
			list = append(list, slog.String(a.key, clip(a.value)))
		}
	}
	return list
}

// reason says what a unit failed with. Of a panic with a value that is neither a text nor an
// error the type has to do: what is in it may be secret.
func reason(why any) string {
	switch why.(type) {
	case error, string, fmt.Stringer:
		return fmt.Sprint(why) // its methods may panic
	}
	return fmt.Sprintf("panic of type %T", why)
}
