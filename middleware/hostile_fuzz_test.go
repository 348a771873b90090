package middleware

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
)

// FuzzHostileRequests has options, clients and handlers use names that are taken, values that
// are too long, blank or no text, and limits that split. CloudWatch takes every document, which
// emftest checks, every request is counted once, and no client gets another answer for it.
func FuzzHostileRequests(f *testing.F) {
	f.Add([]byte("abcdefghijklmnopqrstuvwxyz"), "t\xff", true, uint16(1024))
	f.Add([]byte{1, 2, 3, 4, 250, 251, 252, 253, 254, 255, 17, 33, 65, 129}, "other", false, uint16(0))
	f.Add([]byte("\x00\x01\x05\x07\x11\x22\x33\x44\x55\x66\x77\x88"), " ", true, uint16(2000))
	f.Fuzz(func(t *testing.T, program []byte, tenant string, wide bool, size uint16) {
		next := func() (b int) {
			if len(program) > 0 {
				b, program = int(program[0]), program[1:]
			}
			return b
		}
		names := []string{
			"method", "route", "status", "TenantID", "path", "request_id", "level", "timestamp", "requests.duration",
			"own", "_aws", "", "é", "user_agent", "status_class", `q"\`, strings.Repeat("n", 300),
		}
		values := []string{"1", "other", "", "é\xff", strings.Repeat("v", 2000), `"\`, tenant}
		name := func() string { return names[next()%len(names)] }
		value := func() string { return values[next()%len(values)] }
		e, metrics := emftest.New(t, emf.WithMaxRecorders(2+next()%20), emf.WithLogger(slog.New(slog.DiscardHandler)),
			emf.WithMaxDocumentSize(max(1024, int(size))), emf.WithLogLevel([]string{"", "ERROR"}[next()%2]),
			emf.WithProperties(map[string]any{"path": "emitter's", "level": 1, "own": true}))
		opts := []Option{
			WithTenantHeader("X-Tenant"), WithRoute(func(*http.Request) string { return "/" + value() }),
			WithDimensionName(MethodDimension, name()), WithMetricName(ResponseSize, name()),
			WithDimension(name(), func(r Request) string { return r.Path }), WithDimensions(emf.Dim(name(), value())),
		}
		var view View
		for range next() % 4 {
			view = append(view, name())
		}
		switch next() % 4 {
		case 0:
			opts = append(opts, WithViews(view, View{}))
		case 1:
			opts = append(opts, WithMetricViews(RequestsErrors, view, View{TenantDimension}))
		case 2:
			opts = append(opts, DashboardPreset("production"))
		}
		if wide {
			opts = append(opts, PerRequest(), WithSampling(float64(next()%3)/2))
		}
		logger := slog.New(slog.NewJSONHandler(io.Discard, nil))
		o := Observability(e, logger, opts...)
		status := 200
		h := o.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			for range next() % 8 {
				switch own := emf.FromContext(ctx); next() % 5 {
				case 0:
					emf.SetProperty(ctx, name(), value())
				case 1:
					own.Counter(name()).Inc()
				case 2:
					own.With(emf.Dim(name(), value())).Gauge(name()).Set(1)
				case 3:
					own.WithTenant(value()).Histogram(name()).Observe(2)
				default:
					ctx = emf.ContextWithRecorder(ctx, own.With(emf.Dim(name(), value()), emf.Dim(name(), value())))
				}
			}
			w.WriteHeader(status)
		}))
		requests := 0
		for ; len(program) > 0 && requests < 100; requests++ {
			status = []int{200, 404, 500, 999}[next()%4]
			r := httptest.NewRequest("GET", "/x", nil)
			r.Method = []string{"GET", "POST", "ÄH", ""}[next()%4]
			r.Header = http.Header{"X-Tenant": {value()}, "User-Agent": {value()}, "X-Request-Id": {value()}}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, status, w.Code)
		}
		views := o.groups[slices.IndexFunc(o.groups, func(g *group) bool { return g.total != "" })].views
		total := 0.0
		for _, m := range metrics.Metrics() {
			if m.Name == "requests.total" {
				total += m.Values[0]
			}
		}
		s := e.Stats()
		require.Equal(t, s.Recorded, s.Delivered+s.Dropped)
		require.Zero(t, s.Late+s.Pending)
		require.GreaterOrEqual(t, total, float64(requests))
		require.LessOrEqual(t, total, float64(requests*len(views)))
	})
}
