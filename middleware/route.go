package middleware

import (
	"net/http"
	"path"
	"strings"
)

// What stands for values that clients choose: a dimension must not follow them.
const (
	unmatched   = "unmatched"
	otherMethod = "OTHER"
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

// routeOf returns the path of the pattern that a router has found for the request. The
// pattern's method is left out because it has a dimension of its own, and the host because
// a service under several names is still one.
func routeOf(r *http.Request) string {
	pattern := r.Pattern
	slash := strings.IndexByte(pattern, '/')
	if slash < 0 {
		return unmatched
	}
	pattern = pattern[slash:]
	if isRedirect(r, pattern) {
		return unmatched
	}
	return pattern
}

// isRedirect reports whether pattern is no pattern but the target of ServeMux's redirect
// from /tree to /tree/, which is the client's path: so it is for CONNECT, and in older
// releases of Go for every method. A pattern that ends in a slash matches no path without
// one.
func isRedirect(r *http.Request, pattern string) bool {
	target, tree := strings.CutSuffix(pattern, "/")
	if !tree || r.URL == nil || strings.HasSuffix(r.URL.Path, "/") {
		return false
	}
	return path.Clean("/"+strings.TrimPrefix(r.URL.Path, "/")) == target
}
