package cwtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Drain returns a configuration for clients of a server that reads whatever it gets and says that
// it was taken, so that benchmarks measure who sends. It is closed with the test.
func Drain(t testing.TB) aws.Config {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Header.Get("Smithy-Protocol") == "" {
			_, _ = io.WriteString(w, "{}")
		}
	}))
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		srv.Close()
	})
	cfg := (&Server{URL: srv.URL}).Config()
	cfg.HTTPClient = &http.Client{Transport: transport}
	return cfg
}
