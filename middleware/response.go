package middleware

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

// response passes everything on to inner and notes what it is. It has the methods that
// every writer may have; see capabilities.go for the others.
type response struct {
	inner    http.ResponseWriter
	status   int // 0: no header written yet
	written  int64
	bodiless bool // a HEAD request: the server drops what the handler writes
	hijacked bool
}

// Unwrap is how [http.ResponseController] finds the writer inside. Between the two it finds
// what notes a flush or a hijack, because inner may again be one that can do neither but
// has others inside.
func (w *response) Unwrap() http.ResponseWriter { return controlled{w} }

// controlled is a response as [http.ResponseController] sees it. Handlers that ask for
// http.Flusher do not find it: inner may not want to be flushed past it.
type controlled struct{ *response }

func (w controlled) FlushError() error                            { return w.flush() }
func (w controlled) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }
func (w controlled) Unwrap() http.ResponseWriter                  { return w.inner }

func (w *response) Header() http.Header { return w.inner.Header() }

// WriteHeader notes the first status that is final: 1xx ones announce another, but for
// 101, after which HTTP ends.
func (w *response) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.inner.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	w.begin()
	n, err := w.inner.Write(p)
	w.written += int64(n)
	return n, err
}

// WriteString spares handlers that use io.WriteString a copy, as the server's writer does.
func (w *response) WriteString(s string) (int, error) {
	w.begin()
	n, err := io.WriteString(w.inner, s)
	w.written += int64(n)
	return n, err
}

// begin notes the status that writing without one implies.
func (w *response) begin() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}

// size is the number of bytes in the body, -1 if the response was none of HTTP's.
func (w *response) size() int64 {
	switch {
	case w.hijacked || w.status == http.StatusSwitchingProtocols:
		return -1
	case w.bodiless:
		return 0
	}
	return w.written
}

func (w *response) flush() error {
	err := http.NewResponseController(w.inner).Flush()
	if !errors.Is(err, http.ErrNotSupported) {
		w.begin()
	}
	return err
}

func (w *response) hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.inner).Hijack()
	w.hijacked = w.hijacked || err == nil
	return conn, buffered, err
}

func (w *response) readFrom(src io.Reader) (int64, error) {
	w.begin()
	n, err := w.inner.(io.ReaderFrom).ReadFrom(src)
	w.written += n
	return n, err
}

func (w *response) push(target string, opts *http.PushOptions) error {
	return w.inner.(http.Pusher).Push(target, opts)
}
