package middleware

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

// tenantOf returns the tenant of an HTTP request.
func (o *Observer) tenantOf(r *http.Request) (tenant string) {
	if o.tenant != nil {
		tenant = o.tenant(r)
	}
	if tenant == "" && o.contextTenant != nil {
		tenant = o.contextTenant(r.Context())
	}
	return tenant
}

// identify completes a request with what tells it from others, if that is written anywhere.
func (o *Observer) identify(req *Request, r *http.Request) {
	if !o.tells() {
		return
	}
	req.Path = clip(pathOf(r))
	req.TraceID = traceID(first(r.Header["X-Amzn-Trace-Id"]))
	if req.TraceID == "" {
		req.TraceID = w3cTraceID(first(r.Header["Traceparent"]))
	}
	for _, name := range o.requestID {
		if req.RequestID = clip(first(r.Header[name])); req.RequestID != "" {
			return
		}
	}
	req.RequestID = newRequestID()
}

// maxText bounds what is copied from a client into logs and documents.
const maxText = 1024

func clip(text string) string { return text[:min(len(text), maxText)] }

func newRequestID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// traceID returns the trace that a header or variable of AWS X-Ray names, the Root of
// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`; empty if there
// is none.
//
// Source: the page "AWS X-Ray concepts", section "Tracing header".
func traceID(header string) string {
	for field := range strings.SplitSeq(header, ";") {
		if root, ok := strings.CutPrefix(strings.TrimSpace(field), "Root="); ok {
			return clip(root)
		}
	}
	return ""
}

// w3cTraceID returns the trace-id of a traceparent header,
// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`; empty if it is none.
//
// Source: the W3C recommendation "Trace Context", section 3.2.
func w3cTraceID(header string) string {
	const version, id = len("00-"), 32
	if len(header) < len("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01") || header[2] != '-' || header[version+id] != '-' {
		return ""
	}
	trace := header[version : version+id]
	if strings.Trim(trace, "0123456789abcdef") != "" || strings.Trim(trace, "0") == "" {
		return ""
	}
	return trace
}
