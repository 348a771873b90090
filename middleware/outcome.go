package middleware

import (
	"context"
	"net/http"
)

// statusGone is what proxies log for a client that did not wait for the status.
const statusGone = 499

// outcome completes the request, whose context is ctx, with what became of it, and returns
// whether it failed and with what.
func (w *response) outcome(ctx context.Context, req *Request, returned bool, panicked any) (failed bool, why any) {
	gone := ctx.Err() == context.Canceled && (returned || panicked == http.ErrAbortHandler)
	req.Status, req.ResponseBytes = w.status, int(w.size())
	switch {
	case req.Status != 0:
	case w.hijacked:
		req.Status = http.StatusSwitchingProtocols
	case gone:
		req.Status = statusGone
	case returned:
		req.Status = http.StatusOK
	default:
		req.Status = http.StatusInternalServerError
	}
	if returned {
		return req.Status >= 500, nil
	}
	if !w.hijacked {
		req.ResponseBytes = -1 // cut off
	}
	if why = panicked; why == nil {
		why = errGoexit
	}
	// A handler that gives up because its client has gone, as httputil.ReverseProxy does,
	// is no failure of the server's.
	return req.Status >= 500 || !gone, why
}
