package emftest

import "github.com/liftemf/liftemf/emf"

// Inject gives the capture a document of somebody else's making.
func Inject(c *Capture, doc []byte) { _ = c.write(c.t.Context(), []emf.Document{{JSON: doc}}) }
