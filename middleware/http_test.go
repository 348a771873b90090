package middleware

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/liftemf/liftemf/emf"
)

var discardLog = log.New(io.Discard, "", 0)

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestRequestsAreRecordedByMethodAndRoute(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("GET /items/{id}", answer(200, "four"))
	mux.Handle("/any/{rest...}", answer(201, ""))
	mux.Handle("/tree/{id}/", answer(200, ""))
	mux.Handle("GET /fails", answer(503, "no"))
	s := newStage(t, mux)
	s.get(t, "GET", "/items/1", 200)
	s.get(t, "GET", "/items/2", 200)
	s.get(t, "HEAD", "/items/3", 200)
	s.get(t, "POST", "/items/4", 405)
	s.get(t, "BREW", "/any/5/6", 201)
	s.get(t, "BREW2", "/any/7", 201)
	s.get(t, "GET", "/nothing/here", 404)
	s.get(t, "GET", "/fails", 503)
	s.settle(t)

	s.expect(t, "requests.total", one(2), "method=GET", "route=/items/{id}")
	s.expect(t, "response.size", []float64{4, 4}, "method=GET", "route=/items/{id}")
	s.expect(t, "requests.errors", nil, "method=GET", "route=/items/{id}")
	s.expect(t, "response.size", one(0), "method=HEAD", "route=/items/{id}")
	s.expect(t, "requests.total", one(1), "method=POST", "route=unmatched")
	s.expect(t, "requests.errors", nil, "method=POST", "route=unmatched")
	s.expect(t, "requests.total", one(2), "method=OTHER", "route=/any/{rest...}")
	s.expect(t, "requests.total", one(1), "method=GET", "route=unmatched")
	s.expect(t, "requests.total", one(1), "method=GET", "route=/fails")
	s.expect(t, "requests.errors", one(1), "method=GET", "route=/fails")
	s.expect(t, "requests.active", one(0), "method=GET")
	if got := s.values("requests.duration", "method=GET", "route=/items/{id}"); len(got) != 2 || got[0] <= 0 || got[0] == float64(int(got[0])) {
		t.Errorf("durations %v: want two, in fractions of milliseconds", got)
	}
}

func TestRequestsUnderWayAreActive(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	s := newStage(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- true
		<-leave
	}))
	done := make(chan bool)
	for range 2 {
		go func() { s.get(t, "GET", "/", 200); done <- true }()
	}
	<-entered
	<-entered
	_ = s.metrics.Flush(context.Background())
	s.expect(t, "requests.active", one(2), "method=GET")
	close(leave)
	<-done
	<-done
	s.settle(t)
	s.expect(t, "requests.active", []float64{2, 0}, "method=GET")
}

// A panic must arrive where it would without the observer, and be the same.
func TestPanicsGoOn(t *testing.T) {
	custom := &struct{ error }{errors.New("mine")}
	gone, goAway := context.WithCancel(context.Background())
	goAway()
	for name, c := range map[string]struct {
		value  any
		ctx    context.Context
		failed bool
	}{
		"custom value":                 {custom, context.Background(), true},
		"custom value, client gone":    {custom, gone, true},
		"ErrAbortHandler":              {http.ErrAbortHandler, context.Background(), true},
		"ErrAbortHandler, client gone": {http.ErrAbortHandler, gone, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newUnstarted(t, http.NotFoundHandler())
			handler := s.observer.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "cut o")
				panic(c.value)
			}))
			func() {
				defer func() {
					if got := recover(); got != c.value {
						t.Errorf("the panic became %v", got)
					}
				}()
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(c.ctx, "GET", "/", nil))
			}()
			s.settle(t)
			s.expect(t, "requests.total", one(1), "method=GET", "route=unmatched")
			var errors []float64
			if c.failed {
				errors = one(1)
			}
			s.expect(t, "requests.errors", errors, "method=GET", "route=unmatched")
			s.expect(t, "response.size", nil, "method=GET", "route=unmatched")
			s.expect(t, "requests.active", one(0), "method=GET")
			if n := len(s.values("requests.duration", "method=GET", "route=unmatched")); n != 1 {
				t.Errorf("%d durations", n)
			}
		})
	}
}

// Of a request whose tenant cannot be told, nothing must go under another.
func TestPanicOfTheTenantFunction(t *testing.T) {
	called := false
	s := newUnstarted(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }),
		WithTenant(func(*http.Request) string { panic("no credentials") }))
	func() {
		defer func() {
			if got := recover(); got != "no credentials" {
				t.Errorf("the panic became %v", got)
			}
		}()
		s.Config.Handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}()
	if called {
		t.Error("the handler was called")
	}
	s.settle(t)
	s.expect(t, "requests.total", one(1), "method=GET", "route=unmatched")
	s.expect(t, "requests.errors", one(1), "method=GET", "route=unmatched")
	s.expect(t, "response.size", nil, "method=GET", "route=unmatched")
	if n := len(s.values("requests.duration", "method=GET", "route=unmatched")); n != 1 {
		t.Errorf("%d durations", n)
	}
	s.expect(t, "requests.active", nil, "method=GET")
}

func TestPanicOnServerEndsConnection(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/{x}", func(http.ResponseWriter, *http.Request) { panic("no") })
	s := newStage(t, mux)
	if _, err := s.Client().Get(s.URL + "/1"); err == nil {
		t.Error("an answer")
	}
	s.settle(t)
	s.expect(t, "requests.errors", one(1), "method=GET", "route=/{x}")
}

func TestGoexitIsRecordedAndGoesOn(t *testing.T) {
	s := newUnstarted(t, http.NotFoundHandler())
	handler := s.observer.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runtime.Goexit() }))
	var wg sync.WaitGroup
	returned := false
	wg.Go(func() {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		returned = true
	})
	wg.Wait()
	s.settle(t)
	if returned {
		t.Error("the goroutine went on")
	}
	s.expect(t, "requests.errors", one(1), "method=GET", "route=unmatched")
}

func TestTenant(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(_ http.ResponseWriter, r *http.Request) {
		emf.FromContext(r.Context()).Counter("items.seen").Inc()
	})
	s := newStage(t, mux, nil, WithTenant(func(r *http.Request) string { return r.URL.Query().Get("t") }))
	s.get(t, "GET", "/items/1?t=a", 200)
	s.get(t, "GET", "/items/1?t=b", 200)
	s.get(t, "GET", "/items/1", 200)
	s.settle(t)
	for _, tenant := range []string{"TenantID=a", "TenantID=b"} {
		s.expect(t, "requests.total", one(1), tenant)
		s.expect(t, "requests.active", one(0), tenant)
		s.expect(t, "items.seen", one(1), tenant)
	}
	s.expect(t, "requests.total", one(3), "method=GET", "route=/items/{id}")
	s.expect(t, "requests.active", one(0), "method=GET")
	s.expect(t, "requests.total", nil) // not those without a tenant
	s.expect(t, "items.seen", one(1))
}

type ctxKey struct{}

func TestContext(t *testing.T) {
	s := newUnstarted(t, http.NotFoundHandler())
	ev := s.metrics.Begin()
	parent, cancel := context.WithCancel(emf.NewContext(context.WithValue(context.Background(), ctxKey{}, "kept"), ev))
	handler := s.observer.HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if ctx.Value(ctxKey{}) != "kept" {
			t.Error("a value of the request's context is gone")
		}
		if emf.FromContext(ctx) != s.metrics.Recorder {
			t.Error("the context has another recorder")
		}
		emf.SetProperty(ctx, "still", "here")
		if text := fmt.Sprint(ctx); strings.Contains(text, "secret") {
			t.Errorf("a logged context shows %s", text)
		}
		child, stop := context.WithCancel(ctx)
		defer stop()
		cancel()
		<-child.Done()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Error("the context does not follow the request's")
		}
	}))
	r := httptest.NewRequestWithContext(parent, "GET", "/", nil)
	w := httptest.NewRecorder()
	w.Header().Set("Set-Cookie", "secret")
	handler.ServeHTTP(w, r)
	ev.Counter("c").Inc()
	if err := ev.End(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(s.docs) != 1 || s.docs[0]["still"] != "here" {
		t.Errorf("the event of the request's context lost its property: %v", s.docs)
	}
}

func TestWhatHandlersLeaveOnTheRequest(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /up", func(_ http.ResponseWriter, r *http.Request) { _ = r.ParseMultipartForm(1) })
	s := newUnstarted(t, http.NotFoundHandler())

	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	_ = form.WriteField("a", "b")
	_ = form.Close()
	r := httptest.NewRequest("POST", "/up", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	s.observer.HTTP(mux).ServeHTTP(httptest.NewRecorder(), r)
	if r.Pattern != "POST /up" {
		t.Errorf("outer handlers see the pattern %q", r.Pattern)
	}
	if r.MultipartForm == nil {
		t.Error("the server cannot remove the upload's files")
	}
}

func TestNothingToRecordWith(t *testing.T) {
	next := &http.ServeMux{}
	for name, o := range map[string]*Observer{"nil observer": nil, "nil emitter": MetricsOnly(nil), "zero": {}} {
		if o.HTTP(next) != http.Handler(next) {
			t.Errorf("%s: the handler is wrapped", name)
		}
	}
	// A zero emitter discards.
	rec := httptest.NewRecorder()
	MetricsOnly(&emf.Emitter{}).HTTP(answer(200, "ok")).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	if rec.Body.String() != "ok" {
		t.Errorf("body %q", rec.Body)
	}
}

func TestConcurrentRequestsSumUpExactly(t *testing.T) {
	const clients, each = 8, 500
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		emf.FromContext(r.Context()).Counter("items.seen").Inc()
		if r.PathValue("id") == "7" {
			w.WriteHeader(500)
		}
	})
	s := newStage(t, mux, WithTenant(func(r *http.Request) string { return r.URL.Query().Get("t") }))
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			tenant := string(rune('a' + c%4))
			for i := range each {
				path, status := "/items/1", 200
				if i%10 == 0 {
					path, status = "/items/7", 500
				}
				s.get(t, "GET", path+"?t="+tenant, status)
			}
		})
	}
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = s.metrics.Flush(context.Background())
			}
		}
	}()
	wg.Wait()
	close(stop)
	<-stopped
	s.settle(t)
	for _, tenant := range []string{"TenantID=a", "TenantID=b", "TenantID=c", "TenantID=d"} {
		for name, want := range map[string]float64{"requests.total": 2 * each, "requests.errors": 2 * each / 10} {
			if got := sum(s.values(name, tenant)); got != want {
				t.Errorf("%s of %s: %v, want %v", name, tenant, got, want)
			}
		}
		if got := sum(s.values("items.seen", tenant)); got != 2*each {
			t.Errorf("items.seen of %s: %v", tenant, got)
		}
		active := s.values("requests.active", tenant)
		if active[len(active)-1] != 0 {
			t.Errorf("requests.active of %s ends at %v", tenant, active)
		}
	}
	at := []string{"method=GET", "route=/items/{id}"}
	for name, want := range map[string]float64{"requests.total": clients * each, "requests.errors": clients * each / 10} {
		if got := sum(s.values(name, at...)); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// A client that goes away before there is a status leaves 499, no failure; one that goes while
// it reads leaves the status that it got.
func TestClientsThatGoAway(t *testing.T) {
	entered := make(chan bool)
	mux := http.NewServeMux()
	mux.HandleFunc("/silent", func(_ http.ResponseWriter, r *http.Request) { entered <- true; <-r.Context().Done() })
	mux.HandleFunc("/gives-up", func(_ http.ResponseWriter, r *http.Request) {
		entered <- true
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		entered <- true
		<-r.Context().Done()
	})
	mux.HandleFunc("/fails", func(w http.ResponseWriter, r *http.Request) {
		entered <- true
		<-r.Context().Done()
		w.WriteHeader(503)
	})
	s := newStage(t, mux, WithViews(View{"route", "status"}), PerRequest())
	for _, path := range []string{"/silent", "/gives-up", "/events", "/fails"} {
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, "GET", s.URL+path, nil)
		go func() { <-entered; cancel() }()
		if resp, err := s.Client().Do(req); err == nil {
			_, _ = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		cancel()
	}
	s.settle(t)
	s.expect(t, "requests.total", one(1), "route=/silent", "status=499")
	s.expect(t, "requests.total", one(1), "route=/gives-up", "status=499")
	s.expect(t, "requests.total", one(1), "route=/events", "status=200")
	s.expect(t, "requests.total", one(1), "route=/fails", "status=503")
	s.expect(t, "requests.errors", one(1), "route=/fails", "status=503")
	for _, doc := range s.docs {
		if doc["route"] != "/fails" && doc["requests.errors"] != nil {
			t.Errorf("a failure: %v", doc)
		}
	}
}

// Routers of other makes say the route where they have it.
func TestWithRoute(t *testing.T) {
	type routeKey struct{}
	router := func(next http.Handler) http.Handler { // as chi does: a pointer in the context, filled later
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), routeKey{}, new(string))))
		})
	}
	s := newUnstarted(t, http.NotFoundHandler(), WithRoute(func(r *http.Request) string {
		pattern, _ := r.Context().Value(routeKey{}).(*string)
		return *pattern
	}))
	handler := router(s.observer.HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/users/7" {
			*r.Context().Value(routeKey{}).(*string) = "/users/{id}"
		}
	})))
	for _, path := range []string{"/users/7", "/nothing"} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	s.settle(t)
	s.expect(t, "requests.total", one(1), "method=GET", "route=/users/{id}")
	s.expect(t, "requests.total", one(1), "method=GET", "route=unmatched")
}

// The tenant is the request's, or else the context's.
func TestTenantFromContext(t *testing.T) {
	type tenantKey struct{}
	s := newUnstarted(t, http.NotFoundHandler(), WithTenantHeader("X-Tenant-Id"), WithTenantFromContext(func(ctx context.Context) string {
		tenant, _ := ctx.Value(tenantKey{}).(string)
		return tenant
	}))
	handler := s.observer.HTTP(answer(200, ""))
	for _, c := range [][2]string{{"header", "context"}, {"", "context"}, {"", ""}} {
		r := httptest.NewRequestWithContext(context.WithValue(t.Context(), tenantKey{}, c[1]), "GET", "/", nil)
		if c[0] != "" {
			r.Header.Set("X-Tenant-Id", c[0])
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	s.settle(t)
	s.expect(t, "requests.total", one(1), "TenantID=header")
	s.expect(t, "requests.total", one(1), "TenantID=context")
	s.expect(t, "requests.total", one(3), "method=GET", "route=unmatched")
}
