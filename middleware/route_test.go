package middleware

import (
	"net/http"
	"testing"
)

func TestPatternOf(t *testing.T) {
	for _, c := range []struct{ pattern, path, want string }{
		{"", "/x", "unmatched"},
		{"/items/{id}", "/items/1", "/items/{id}"},
		{"GET /items/{id}", "/items/1", "/items/{id}"},
		{"GET \t /items/{id}", "/items/1", "/items/{id}"},
		{"api.example.com/items/{id}", "/items/1", "/items/{id}"},
		{"POST api.example.com/", "/items/1", "/"},
		{"/{$}", "/", "/{$}"},
		{"/tree/", "/tree/leaf", "/tree/"},
		{"/tree/", "/tree/", "/tree/"},
		{"/{id}/", "/{id}/", "/{id}/"},
		{"nonsense", "/x", "unmatched"},
	} {
		if got := patternOf(&http.Request{Method: "GET", Pattern: c.pattern}, c.path); got != c.want {
			t.Errorf("pattern %q, path %q: %q, want %q", c.pattern, c.path, got, c.want)
		}
	}

	// What ServeMux says when it redirects CONNECT to the tree.
	for _, c := range []struct{ pattern, path, want string }{
		{"/tree/17/", "/tree/17", "unmatched"},
		{"/tree/{17}/", "/tree/{17}", "unmatched"},
		{"/tree/17/", "//x/..//tree/17", "unmatched"},
		{"/tree/17/", "/tree/17/.", "unmatched"},
		{"/tree/", "/tree/17", "/tree/"},
		{"/tree/", "/tree/", "/tree/"},
	} {
		if got := patternOf(&http.Request{Method: "CONNECT", Pattern: c.pattern}, c.path); got != c.want {
			t.Errorf("CONNECT, pattern %q, path %q: %q, want %q", c.pattern, c.path, got, c.want)
		}
	}
	if got := patternOf(&http.Request{Method: "CONNECT", Pattern: "/a/"}, pathOf(&http.Request{})); got != "/a/" {
		t.Errorf("without a URL: %q", got)
	}
}

// Handlers rewrite the path, as http.StripPrefix does on a copy and others in place.
func TestRouteOfAHandlerThatRewritesThePath(t *testing.T) {
	for _, method := range []string{"GET", "CONNECT"} {
		mux := http.NewServeMux()
		mux.HandleFunc("/tree/", func(_ http.ResponseWriter, r *http.Request) { r.URL.Path = "/tree" })
		s := newStage(t, mux)
		s.get(t, method, "/tree/leaf", 200)
		s.settle(t)
		s.expect(t, "requests.total", one(1), "method="+method, "route=/tree/")
	}
}

// No request that a client can think of may become a route of its own.
func TestRedirectsAreNoRoutes(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/tree/{id}/", answer(200, ""))
	s := newStage(t, mux)
	s.get(t, "GET", "/tree/1", 307)
	s.get(t, "CONNECT", "/tree/2", 307)
	s.get(t, "GET", "/tree/%7B3%7D", 307)
	s.get(t, "GET", "//tree/4/", 307)
	s.settle(t)
	known := map[any]bool{nil: true, "unmatched": true, "/tree/{id}/": true}
	for _, doc := range s.docs {
		if !known[doc["route"]] {
			t.Errorf("route %v", doc["route"])
		}
	}
}
