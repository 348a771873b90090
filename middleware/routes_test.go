package middleware

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRoutes(t *testing.T) {
	route := Routes("/", "/orders", "/orders/:id", "/orders/new", "/orders/{id}/items/:item", "/static/*", "/a/:b/c", "/a/x/:d", "/orders/:id")
	for path, want := range map[string]string{
		"/":                     "/",
		"":                      "/",
		"/orders":               "/orders",
		"/orders/":              unmatched,
		"/orders/7":             "/orders/:id",
		"/orders/new":           "/orders/new",
		"/orders/new/items/2":   "/orders/{id}/items/:item",
		"/orders/7/items":       unmatched,
		"/orders/7/items/2":     "/orders/{id}/items/:item",
		"/orders/7/items/2/3":   unmatched,
		"/static/css/site.css":  "/static/*",
		"/static/":              "/static/*",
		"/static":               unmatched,
		"/a/x/c":                "/a/x/:d",
		"/a/y/c":                "/a/:b/c",
		"/a/y/d":                unmatched,
		"/nowhere":              unmatched,
		"//":                    unmatched,
		"/orders/7?secret=true": "/orders/:id",
	} {
		assert.Equal(t, want, route(path), path)
	}
	assert.Equal(t, unmatched, Routes()("/orders"))
	assert.Equal(t, "/*", Routes("/*", "/orders/:id")("/orders/7/items"))
	assert.Zero(t, testing.AllocsPerRun(10, func() { route("/orders/7/items/2") }))
}

func FuzzRoutes(f *testing.F) {
	for _, pattern := range []string{"/", "/orders/:id", "/static/*", "/{a}/:b/c", "//", "*", ":"} {
		f.Add(pattern, "/orders/7")
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		found := Routes("/orders/:id", pattern)(path)
		assert.Contains(t, []string{"/orders/:id", pattern, unmatched}, found)
	})
}
