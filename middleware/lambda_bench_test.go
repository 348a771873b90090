package middleware_test

import (
	"context"
	"testing"
	"time"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/middleware"
)

// BenchmarkLambda is what an invocation costs that records nothing of its own, beside the
// handler alone.
func BenchmarkLambda(b *testing.B) {
	e := emf.Must(emf.New("Shop", emf.WithFlushInterval(0), emf.WithSink(emf.SinkFunc(func(context.Context, []emf.Document) error { return nil }))))
	defer e.Close(context.Background())
	bare := func(_ context.Context, n int) (int, error) { return n, nil }
	for name, handle := range map[string]func(context.Context, int) (int, error){
		"bare":    bare,
		"metrics": middleware.Lambda(middleware.MetricsOnly(e), bare),
		"tenants": middleware.Lambda(middleware.MetricsOnly(e, middleware.WithLambdaTenant()), bare),
	} {
		b.Run(name, func(b *testing.B) {
			ctx, cancel := context.WithTimeout(invoked("id", "acme"), time.Hour)
			defer cancel()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := handle(ctx, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
