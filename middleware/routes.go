package middleware

import "strings"

// Routes returns a function that finds the pattern that a path matches, for routers that do
// not tell which one they chose. A part of a pattern that begins with a colon, or stands in
// braces, matches any part of a path, and a last part * all that is left: /orders/:id,
// /orders/{id}, /static/*. Parts that are spelled out go before those that match any. A path
// that no pattern matches is "unmatched".
//
// The function is safe for concurrent use and does not allocate.
func Routes(patterns ...string) func(path string) string {
	root := new(routeNode)
	for _, p := range patterns {
		root.add(p, strings.TrimPrefix(p, "/"))
	}
	return func(path string) string {
		if pattern := root.find(strings.TrimPrefix(path, "/")); pattern != "" {
			return pattern
		}
		return unmatched
	}
}

// routeNode is where a part of a pattern may follow.
type routeNode struct {
	literal map[string]*routeNode
	any     *routeNode
	rest    string // the pattern that goes on with *
	pattern string // the one that ends here
}

func (n *routeNode) add(pattern, left string) {
	part, left, more := strings.Cut(left, "/")
	if part == "*" && !more {
		n.rest = pattern
		return
	}
	var next *routeNode
	if strings.HasPrefix(part, ":") || strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
		if n.any == nil {
			n.any = new(routeNode)
		}
		next = n.any
	} else {
		if n.literal == nil {
			n.literal = make(map[string]*routeNode)
		}
		if next = n.literal[part]; next == nil {
			next = new(routeNode)
			n.literal[part] = next
		}
	}
	if more {
		next.add(pattern, left)
	} else if next.pattern == "" {
		next.pattern = pattern
	}
}

// find returns the pattern that matches what is left of a path, empty if there is none.
func (n *routeNode) find(left string) string {
	part, left, more := strings.Cut(left, "/")
	for _, next := range [...]*routeNode{n.literal[part], n.any} {
		switch {
		case next == nil || next == n.any && part == "":
		case !more:
			if next.pattern != "" {
				return next.pattern
			}
		default:
			if found := next.find(left); found != "" {
				return found
			}
		}
	}
	return n.rest
}
