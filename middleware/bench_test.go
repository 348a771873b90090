package middleware

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/liftemf/liftemf/emf"
)

// blank is a response writer like the server's, but with nobody behind it.
type blank struct{ header http.Header }

func (w *blank) Header() http.Header                   { return w.header }
func (w *blank) WriteHeader(int)                       {}
func (w *blank) Write(p []byte) (int, error)           { return len(p), nil }
func (w *blank) WriteString(s string) (int, error)     { return len(s), nil }
func (w *blank) Flush()                                {}
func (w *blank) ReadFrom(src io.Reader) (int64, error) { return io.Copy(io.Discard, src) }

func discard(context.Context, []emf.Document) error { return nil }

// handlers are a bare handler and the same behind an observer.
func handlers(tb testing.TB) (handlers map[string]http.Handler, metrics *emf.Emitter) {
	metrics = emf.Must(emf.New("Bench", emf.WithSink(emf.SinkFunc(discard)), emf.WithFlushInterval(0)))
	tb.Cleanup(func() { _ = metrics.Close(context.Background()) })
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "item") })
	tenant := WithTenant(func(*http.Request) string { return "acme" })
	return map[string]http.Handler{
		"bare":               mux,
		"observed":           MetricsOnly(metrics).HTTP(mux),
		"observed/tenant":    MetricsOnly(metrics, tenant).HTTP(mux),
		"observed/logged":    Observability(metrics, slog.New(slog.DiscardHandler), tenant).HTTP(mux),
		"observed/document":  MetricsOnly(metrics, tenant, PerRequest()).HTTP(mux),
		"observed/unsampled": MetricsOnly(metrics, tenant, PerRequest(), WithSampling(0)).HTTP(mux),
	}, metrics
}

func BenchmarkHTTP(b *testing.B) {
	all, metrics := handlers(b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Run(name, func(b *testing.B) {
			w, r := &blank{http.Header{}}, httptest.NewRequest("GET", "/items", nil)
			b.ReportAllocs()
			handler := all[name]
			for i := 0; b.Loop(); i++ {
				r.Pattern = ""
				handler.ServeHTTP(w, r)
				if i%100_000 == 0 {
					_ = metrics.Flush(context.Background())
				}
			}
		})
	}
}

// TestAllocations holds the observer to two allocations a request: the copy of the
// request that has the context, and the context, which is the response writer too.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	all, metrics := handlers(t)
	w, r := &blank{http.Header{}}, httptest.NewRequest("GET", "/items", nil)
	allocs := func(name string) float64 {
		for range 5000 { // series and room for values
			all[name].ServeHTTP(w, r)
		}
		_ = metrics.Flush(context.Background())
		return testing.AllocsPerRun(1000, func() { all[name].ServeHTTP(w, r) })
	}
	bare := allocs("bare")
	for _, name := range []string{"observed", "observed/tenant"} {
		if n := allocs(name) - bare; n != 2 {
			t.Errorf("%s: %v allocations more than bare", name, n)
		}
	}
}
