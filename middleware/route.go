package middleware

import (
	"net/http"
	"path"
	"strings"
)

// What stands for values that clients choose: a dimension must not follow them.
const (
	unmatched   = "unmatched"
	otherMethod = other
)

// methodOf returns the request's method if HTTP defines it. Servers accept any word.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return r.Method
	}
	return otherMethod
}

// routeOf returns the route of a request that has been handled, whose path was at first the
// given one.
func (o *Observer) routeOf(r *http.Request, at string) string {
	if o.route == nil {
		return patternOf(r, at)
	}
	if route := o.route(r); route != "" {
		return route
	}
	return unmatched
}

// patternOf returns the path of the pattern that a router has found for the request, whose
// path was at first the given one. The pattern's method is left out because it has a
// dimension of its own, and the host because a service under several names is still one.
func patternOf(r *http.Request, at string) string {
	pattern := r.Pattern
	slash := strings.IndexByte(pattern, '/')
	if slash < 0 {
		return unmatched
	}
	pattern = pattern[slash:]
	if r.Method == http.MethodConnect && isRedirect(at, pattern) {
		return unmatched
	}
	return pattern
}

// isRedirect reports whether pattern is no pattern but the target of ServeMux's redirect
// from /tree to /tree/ for CONNECT, which is the client's path. A pattern that ends in a
// slash matches no path without one.
func isRedirect(at, pattern string) bool {
	target, tree := strings.CutSuffix(pattern, "/")
	return tree && !strings.HasSuffix(at, "/") && path.Clean("/"+at) == target
}

// pathOf returns the request's path, as long as no handler has changed it.
func pathOf(r *http.Request) string {
	if r.URL == nil {
		return ""
	}
	return r.URL.Path
}
