package middleware

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// A handler asks by type assertion what a response writer can do, so ours must have the
// optional methods that the server's has, and no others. There is one type for each
// combination, built by adding one method to another type, so that each method is
// written once for each type that ends with it. All are one pointer: to convert them to
// an interface allocates nothing.
//
// In names: f http.Flusher, h http.Hijacker, r io.ReaderFrom, p http.Pusher.
type (
	f struct{ *response }
	h struct{ *response }
	r struct{ *response }
	p struct{ *response }

	fh struct{ f }
	fr struct{ f }
	hr struct{ h }
	fp struct{ f }
	hp struct{ h }
	rp struct{ r }

	fhr struct{ fh }
	fhp struct{ fh }
	frp struct{ fr }
	hrp struct{ hr }

	fhrp struct{ fhr }
)

func (w f) Flush()            { _ = w.flush() }
func (w f) FlushError() error { return w.flush() } // what http.ResponseController asks for first

func (w h) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return w.hijack() }
func (w fh) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }

func (w r) ReadFrom(src io.Reader) (int64, error)   { return w.readFrom(src) }
func (w fr) ReadFrom(src io.Reader) (int64, error)  { return w.readFrom(src) }
func (w hr) ReadFrom(src io.Reader) (int64, error)  { return w.readFrom(src) }
func (w fhr) ReadFrom(src io.Reader) (int64, error) { return w.readFrom(src) }

func (w p) Push(target string, opts *http.PushOptions) error    { return w.push(target, opts) }
func (w fp) Push(target string, opts *http.PushOptions) error   { return w.push(target, opts) }
func (w hp) Push(target string, opts *http.PushOptions) error   { return w.push(target, opts) }
func (w rp) Push(target string, opts *http.PushOptions) error   { return w.push(target, opts) }
func (w fhp) Push(target string, opts *http.PushOptions) error  { return w.push(target, opts) }
func (w frp) Push(target string, opts *http.PushOptions) error  { return w.push(target, opts) }
func (w hrp) Push(target string, opts *http.PushOptions) error  { return w.push(target, opts) }
func (w fhrp) Push(target string, opts *http.PushOptions) error { return w.push(target, opts) }

const (
	canFlush = 1 << iota
	canHijack
	canReadFrom
	canPush
)

// writer returns the response as a writer that can do what inner can.
func (w *response) writer() http.ResponseWriter {
	can := 0
	if _, ok := w.inner.(http.Flusher); ok {
		can |= canFlush
	}
	if _, ok := w.inner.(http.Hijacker); ok {
		can |= canHijack
	}
	if _, ok := w.inner.(io.ReaderFrom); ok {
		can |= canReadFrom
	}
	if _, ok := w.inner.(http.Pusher); ok {
		can |= canPush
	}
	return w.with(can)
}

func (w *response) with(can int) http.ResponseWriter {
	switch can {
	case canFlush:
		return f{w}
	case canHijack:
		return h{w}
	case canReadFrom:
		return r{w}
	case canPush:
		return p{w}
	case canFlush | canHijack:
		return fh{f{w}}
	case canFlush | canReadFrom:
		return fr{f{w}}
	case canHijack | canReadFrom:
		return hr{h{w}}
	case canFlush | canPush: // HTTP/2
		return fp{f{w}}
	case canHijack | canPush:
		return hp{h{w}}
	case canReadFrom | canPush:
		return rp{r{w}}
	case canFlush | canHijack | canReadFrom: // HTTP/1
		return fhr{fh{f{w}}}
	case canFlush | canHijack | canPush:
		return fhp{fh{f{w}}}
	case canFlush | canReadFrom | canPush:
		return frp{fr{f{w}}}
	case canHijack | canReadFrom | canPush:
		return hrp{hr{h{w}}}
	case canFlush | canHijack | canReadFrom | canPush:
		return fhrp{fhr{fh{f{w}}}}
	}
	return w
}
