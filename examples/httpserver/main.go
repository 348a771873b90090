// Command httpserver serves a small shop, with the metrics of its requests on standard output:
// by method and route, and by tenant. SIGTERM and SIGINT end it without losing any.
//
//	go run ./examples/httpserver -listen 127.0.0.1:8080
//	curl -H 'X-Tenant-Id: acme' http://127.0.0.1:8080/items/17
//
// With -per-request each request has a document of its own, which Logs Insights can search.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/middleware"
)

// patience is how long requests under way, and then the last documents, have at the end.
const patience = 10 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "`address` to serve on")
	perRequest := flag.Bool("per-request", false, "write a document for each request")
	bare := flag.Bool("bare", false, "serve without metrics, to compare")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *perRequest, *bare); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen string, perRequest, bare bool) error {
	metrics, err := emf.New("Shop", emf.WithDimensions(emf.Dim("Service", "httpserver")))
	if err != nil {
		return err
	}
	// Documents go to standard output, so logs go to standard error.
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	options := []middleware.Option{
		middleware.WithTenant(tenant),
		middleware.WithIgnoredRoutes("/healthz"),
	}
	if perRequest {
		options = append(options, middleware.PerRequest())
	}
	handler := routes()
	if !bare {
		handler = middleware.Observability(metrics, logger, options...).HTTP(handler)
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return errors.Join(err, metrics.Close(context.Background()))
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: patience}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Fprintf(os.Stderr, "listening on http://%s\n", listener.Addr())

	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	// First the requests, then their metrics. Not under ctx, which is over.
	ending, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return errors.Join(err, server.Shutdown(ending), metrics.Close(ending))
}

// tenants are those that the shop knows. A real one would take them from credentials.
var tenants = map[string]bool{"acme": true, "globex": true, "initech": true}

// tenant returns whose request it is. What clients invent must not become a dimension.
func tenant(r *http.Request) string {
	if name := r.Header.Get("X-Tenant-Id"); tenants[name] {
		return name
	}
	return ""
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "item", r.PathValue("id"))
	})
	mux.HandleFunc("POST /orders", order)
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "counting")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(300 * time.Millisecond):
			fmt.Fprintln(w, "nothing to report")
		case <-r.Context().Done():
		}
	})
	return mux
}

// order records values of its own, under the tenant that the middleware has found.
func order(w http.ResponseWriter, r *http.Request) {
	var items int
	if _, err := fmt.Sscan(r.FormValue("items"), &items); err != nil || items < 1 {
		http.Error(w, "items: at least 1", http.StatusBadRequest)
		return
	}
	emf.FromContext(r.Context()).Counter("orders.items").Add(float64(items))
	w.WriteHeader(http.StatusCreated)
}
