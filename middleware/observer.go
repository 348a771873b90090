package middleware

import "github.com/liftemf/liftemf/emf"

// Observer records metrics of requests. It is safe for concurrent use; one observer may
// stand before any number of handlers. A nil Observer, and one of a nil emitter, lets
// requests pass untouched.
type Observer struct {
	root   *emf.Recorder
	tenant tenantFunc
}

// MetricsOnly returns an observer that records metrics with e, see the package's
// documentation for their names.
func MetricsOnly(e *emf.Emitter, opts ...Option) *Observer {
	o := &Observer{}
	if e != nil {
		o.root = e.Recorder
	}
	for _, opt := range opts {
		if opt != nil {
			opt(o)
		}
	}
	return o
}

func (o *Observer) idle() bool { return o == nil || o.root == nil }
