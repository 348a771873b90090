package middleware

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// able is a writer that can do everything and says what it was asked to do.
type able struct {
	*httptest.ResponseRecorder
	asked []string
}

func (w *able) Flush() { w.asked = append(w.asked, "flush") }
func (w *able) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.asked = append(w.asked, "hijack")
	return nil, nil, nil
}

func (w *able) ReadFrom(src io.Reader) (int64, error) {
	w.asked = append(w.asked, "read")
	return io.Copy(w.ResponseRecorder, src)
}

func (w *able) Push(string, *http.PushOptions) error {
	w.asked = append(w.asked, "push")
	return nil
}

func TestWritersCanDoWhatTheirInnerOnesCan(t *testing.T) {
	for can := range 1 << 4 {
		t.Run(fmt.Sprintf("%04b", can), func(t *testing.T) {
			all := &able{ResponseRecorder: httptest.NewRecorder()}
			noted := &response{inner: (&response{inner: all}).with(can)}
			w := noted.writer()
			var want []string
			check := func(bit int, what string, ok bool, ask func()) {
				if ok != (can&bit != 0) {
					t.Errorf("%s: %v", what, ok)
				} else if ok {
					ask()
					want = append(want, what)
				}
			}
			flusher, ok := w.(http.Flusher)
			check(canFlush, "flush", ok, func() { flusher.Flush() })
			reader, ok := w.(io.ReaderFrom)
			check(canReadFrom, "read", ok, func() { _, _ = reader.ReadFrom(strings.NewReader("seven b")) })
			pusher, ok := w.(http.Pusher)
			check(canPush, "push", ok, func() { _ = pusher.Push("/", nil) })
			if can&canReadFrom != 0 && noted.size() != 7 {
				t.Errorf("size %d", noted.size())
			}
			hijacker, ok := w.(http.Hijacker)
			check(canHijack, "hijack", ok, func() { _, _, _ = hijacker.Hijack() })
			if noted.hijacked != (can&canHijack != 0) {
				t.Errorf("hijacked: %v", noted.hijacked)
			}
			if !slices.Equal(all.asked, want) {
				t.Errorf("asked %v, want %v", all.asked, want)
			}
		})
	}
}

func TestStatusIsTheFirstFinalOne(t *testing.T) {
	for name, c := range map[string]struct {
		write func(w http.ResponseWriter)
		want  int
	}{
		"nothing":         {func(http.ResponseWriter) {}, 0},
		"body only":       {func(w http.ResponseWriter) { _, _ = w.Write(nil) }, 200},
		"string only":     {func(w http.ResponseWriter) { _, _ = io.WriteString(w, "") }, 200},
		"flush only":      {func(w http.ResponseWriter) { w.(http.Flusher).Flush() }, 200},
		"flush, then 500": {func(w http.ResponseWriter) { w.(http.Flusher).Flush(); w.WriteHeader(500) }, 200},
		"early hints":     {func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(100); w.WriteHeader(404) }, 404},
		"upgrade":         {func(w http.ResponseWriter) { w.WriteHeader(101) }, 101},
		"twice":           {func(w http.ResponseWriter) { w.WriteHeader(201); w.WriteHeader(500) }, 201},
	} {
		noted := &response{inner: httptest.NewRecorder()}
		c.write(noted.writer())
		if noted.status != c.want {
			t.Errorf("%s: %d, want %d", name, noted.status, c.want)
		}
	}
}

func TestServerHTTP1(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file.txt")
	if err := os.WriteFile(file, make([]byte, 300_000), 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		if _, ok := w.(io.ReaderFrom); !ok {
			t.Error("no io.ReaderFrom: files are not sent by the system")
		}
		if _, ok := w.(http.Pusher); ok {
			t.Error("an http.Pusher")
		}
		http.ServeFile(w, r, file)
	})
	mux.HandleFunc("/stream", func(w http.ResponseWriter, _ *http.Request) {
		control := http.NewResponseController(w)
		if err := control.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		for range 3 {
			_, _ = io.WriteString(w, "data\n")
			if err := control.Flush(); err != nil {
				t.Error(err)
			}
		}
	})
	s := newStage(t, mux)
	for path, want := range map[string]int{"/file": 300_000, "/stream": 15} {
		resp, err := s.Client().Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || len(body) != want {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
	}
	s.settle(t)
	s.expect(t, "response.size", one(300_000), "method=GET", "route=/file")
	s.expect(t, "response.size", one(15), "method=GET", "route=/stream")
}

func TestServerHijack(t *testing.T) {
	for name, hijack := range map[string]func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error){
		"assertion": func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) { return w.(http.Hijacker).Hijack() },
		"controller": func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
			return http.NewResponseController(w).Hijack()
		},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/ws", func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := hijack(w)
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello")
			})
			s := newStage(t, mux, WithMetricViews(RequestsTotal, View{"route", "status"}))
			resp, err := s.Client().Get(s.URL + "/ws")
			if err != nil {
				t.Fatal(err)
			}
			hello, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 101 || string(hello) != "hello" {
				t.Errorf("%d %q", resp.StatusCode, hello)
			}
			s.settle(t)
			s.expect(t, "requests.total", one(1), "route=/ws", "status=101")
			s.expect(t, "requests.errors", nil, "method=GET", "route=/ws")
			s.expect(t, "response.size", nil, "method=GET", "route=/ws")
		})
	}
}

// wrapping hides all that a writer can do but through Unwrap, as middlewares do that were
// written for http.ResponseController.
type wrapping struct{ http.ResponseWriter }

func (w wrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestControllerReachesThroughOuterWriters(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", func(w http.ResponseWriter, _ *http.Request) {
		if _, ok := w.(http.Hijacker); ok {
			t.Error("an http.Hijacker")
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
	})
	mux.HandleFunc("/late", func(w http.ResponseWriter, _ *http.Request) {
		if _, ok := w.(http.Flusher); ok {
			t.Error("an http.Flusher")
		}
		control := http.NewResponseController(w)
		if err := errors.Join(control.SetWriteDeadline(time.Now().Add(time.Minute)), control.Flush()); err != nil {
			t.Error(err)
		}
		w.WriteHeader(500) // the client has 200 already
	})
	s := newUnstarted(t, mux)
	outer := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { outer.ServeHTTP(wrapping{w}, r) })
	s.Start()
	s.get(t, "GET", "/ws", 101)
	s.get(t, "GET", "/late", 200)
	s.settle(t)
	s.expect(t, "requests.total", one(1), "method=GET", "route=/ws")
	s.expect(t, "response.size", nil, "method=GET", "route=/ws")
	s.expect(t, "response.size", one(0), "method=GET", "route=/late")
	s.expect(t, "requests.errors", nil, "method=GET", "route=/late")
}

// Where nobody inside can do it, handlers are told so and go on.
func TestControllerOfAWriterThatCanDoNothing(t *testing.T) {
	noted := &response{inner: struct{ http.ResponseWriter }{httptest.NewRecorder()}}
	control := http.NewResponseController(noted.writer())
	if err := control.Flush(); !errors.Is(err, http.ErrNotSupported) {
		t.Error(err)
	}
	if _, _, err := control.Hijack(); !errors.Is(err, http.ErrNotSupported) {
		t.Error(err)
	}
	noted.WriteHeader(500)
	if noted.hijacked || noted.status != 500 {
		t.Errorf("hijacked %v, status %d", noted.hijacked, noted.status)
	}
}

func TestServerHTTP2(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/two", func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("protocol %s", r.Proto)
		}
		_, pushes := w.(http.Pusher)
		_, hijacks := w.(http.Hijacker)
		_, reads := w.(io.ReaderFrom)
		if !pushes || hijacks || reads {
			t.Errorf("Pusher %v, Hijacker %v, ReaderFrom %v", pushes, hijacks, reads)
		}
		_, _ = io.WriteString(w, "ok")
		w.(http.Flusher).Flush()
	})
	s := newUnstarted(t, mux)
	s.EnableHTTP2 = true
	s.StartTLS()
	s.get(t, "GET", "/two", 200)
	s.settle(t)
	s.expect(t, "response.size", one(2), "method=GET", "route=/two")
}
