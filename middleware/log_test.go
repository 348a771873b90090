package middleware

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
)

// logged serves one request and returns the records that were logged, without time and
// duration, which must be there.
func logged(t *testing.T, level slog.Level, h http.HandlerFunc, r *http.Request, opts ...Option) (records []map[string]any, text string) {
	t.Helper()
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: level}))
	e, _ := emftest.New(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/items/{id}", h)
	handler := Observability(e, logger, opts...).HTTP(mux)
	done := make(chan bool)
	go func() { // h may end it
		defer close(done)
		defer func() { _ = recover() }()
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}()
	<-done
	text = out.String()
	for line := range strings.Lines(text) {
		var record map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		require.NotEmpty(t, record["time"])
		if record["msg"] != "request started" {
			require.Greater(t, record["duration"], 0.0)
		}
		delete(record, "time")
		delete(record, "duration")
		records = append(records, record)
	}
	return records, text
}

func TestRequestsAreLogged(t *testing.T) {
	request := func() *http.Request {
		r := httptest.NewRequest("POST", "http://user:pass@shop/items/7?token=sesame", strings.NewReader("password=swordfish"))
		for name, value := range map[string]string{
			"X-Tenant-Id": "acme", "X-Request-Id": "r-1", "Authorization": "Bearer hush", "Cookie": "session=biscuit",
			"X-Amzn-Trace-Id": "Self=1-6-2;Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
		} {
			r.Header.Set(name, value)
		}
		return r
	}
	begun := map[string]any{
		"level": "DEBUG", "msg": "request started", "request_id": "r-1", "tenant_id": "acme",
		"trace_id": "1-5759e988-bd862e3fe1be46a994272793", "method": "POST", "path": "/items/7",
	}
	ended := func(level, msg string, status int, why string) map[string]any {
		record := map[string]any{}
		for key, value := range begun {
			record[key] = value
		}
		record["level"], record["msg"], record["route"], record["status"] = level, msg, "/items/{id}", float64(status)
		if why != "" {
			record["error"] = why
		}
		return record
	}
	secret := struct{ password string }{"swordfish"}
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		want map[string]any
	}{
		"completed":        {func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }, ended("INFO", "request completed", 200, "")},
		"not found":        {answer(404, "no"), ended("INFO", "request completed", 404, "")},
		"failed":           {answer(502, "no"), ended("ERROR", "request failed", 502, "")},
		"text panicked":    {func(http.ResponseWriter, *http.Request) { panic("out of order") }, ended("ERROR", "request failed", 500, "out of order")},
		"error panicked":   {func(http.ResponseWriter, *http.Request) { panic(errors.New("mine")) }, ended("ERROR", "request failed", 500, "mine")},
		"a value panicked": {func(http.ResponseWriter, *http.Request) { panic(secret) }, ended("ERROR", "request failed", 500, "panic of type struct { password string }")},
		"Goexit":           {func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, ended("ERROR", "request failed", 500, errGoexit.Error())},
	} {
		t.Run(name, func(t *testing.T) {
			records, text := logged(t, slog.LevelDebug, c.h, request(), tenantHeader)
			require.Equal(t, []map[string]any{begun, c.want}, records)
			for _, word := range []string{"sesame", "swordfish", "hush", "biscuit", "user:", "pass@"} {
				require.NotContains(t, text, word)
			}
		})
	}
	records, _ := logged(t, slog.LevelInfo, answer(200, ""), request(), tenantHeader)
	require.Len(t, records, 1)
	records, _ = logged(t, slog.LevelError, answer(200, ""), request(), tenantHeader)
	require.Empty(t, records)
	records, _ = logged(t, slog.LevelDebug, answer(200, ""), request(), WithIgnoredRoutes("/items/{id}"))
	require.Len(t, records, 1) // its route is not known at the beginning
}

// Without an id of the client's the records of a request belong together all the same.
func TestRequestIDs(t *testing.T) {
	id := func(r *http.Request, opts ...Option) string {
		records, _ := logged(t, slog.LevelDebug, answer(200, ""), r, opts...)
		require.Len(t, records, 2)
		require.Equal(t, records[0]["request_id"], records[1]["request_id"])
		return records[0]["request_id"].(string)
	}
	bare := func() *http.Request { return httptest.NewRequest("GET", "/items/1", nil) }
	with := func(name, value string) *http.Request {
		r := bare()
		r.Header.Set(name, value)
		return r
	}
	require.Len(t, id(bare()), 32)
	require.NotEqual(t, id(bare()), id(bare()))
	require.Equal(t, "a", id(with("X-Request-ID", "a")))
	require.Equal(t, "b", id(with("X-Amzn-RequestId", "b")))
	require.Equal(t, "c", id(with("Cf-Ray", "c"), WithRequestIDHeader("CF-Ray")))
	require.Len(t, id(with("X-Request-Id", "d"), WithRequestIDHeader()), 32)
	require.Len(t, id(with("X-Request-Id", strings.Repeat("x", 5000))), maxText)
}

// A logger is enough, and so is an emitter.
func TestLogsWithoutMetrics(t *testing.T) {
	var out bytes.Buffer
	h := Observability(nil, slog.New(slog.NewTextHandler(&out, nil)), PerRequest(), tenantHeader).HTTP(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) {
			emf.FromContext(r.Context()).Counter("discarded").Inc()
			emf.SetProperty(r.Context(), "discarded", 1)
		}))
	send(h, "GET", "/x", "acme")
	require.Contains(t, out.String(), `msg="request completed"`)
	require.Contains(t, out.String(), "tenant_id=acme method=GET route=unmatched path=/x status=200")
	next := http.NewServeMux()
	require.Equal(t, http.Handler(next), Observability(nil, nil).HTTP(next))
}

// panicking is a logger that panics at a level.
type panicking struct {
	slog.Handler
	at slog.Level
}

func (p panicking) Handle(_ context.Context, r slog.Record) error {
	if r.Level == p.at {
		panic("the logger")
	}
	return nil
}

// A function of the user's that panics leaves the request recorded as far as it goes, and
// never takes the place of the handler's own panic.
func TestFunctionsThatPanic(t *testing.T) {
	boom := func(*http.Request) string { panic("the function") }
	for name, c := range map[string]struct {
		opt   Option
		at    slog.Level
		value string
	}{
		"tenant":          {WithTenant(boom), 99, "the function"},
		"route":           {WithRoute(boom), 99, "the function"},
		"dimension":       {WithDimension("own", func(Request) string { panic("the function") }), 99, "the function"},
		"logger at start": {nil, slog.LevelDebug, "the logger"},
		"logger at end":   {nil, slog.LevelError, "the logger"},
	} {
		for how, mode := range map[string]Option{"": nil, ", per request": PerRequest()} {
			t.Run(name+how, func(t *testing.T) {
				e, metrics := emftest.New(t)
				logger := slog.New(panicking{slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug}), c.at})
				opts := []Option{mode, c.opt}
				if name == "dimension" {
					opts = append(opts, WithMetricViews(RequestsDuration, View{"own"}))
				}
				called := false
				h := Observability(e, logger, opts...).HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					called = true
					panic("the handler")
				}))
				want := c.value
				if name != "tenant" && name != "logger at start" {
					want = "the handler"
				}
				require.PanicsWithValue(t, want, func() { send(h, "GET", "/", "") })
				require.Equal(t, want == "the handler", called)
				sums := published(metrics)
				require.Equal(t, 1.0, sums["requests.total{method=GET,route=unmatched}"], fmt.Sprint(sums))
				require.Equal(t, 1.0, sums["requests.errors{method=GET,route=unmatched}"])
				s := e.Stats()
				require.Equal(t, s.Recorded, s.Delivered+s.Dropped)
				for _, m := range metrics.Metrics() {
					if m.Name == "requests.active" {
						require.Zero(t, m.Values[0])
					}
				}
			})
		}
	}
}
