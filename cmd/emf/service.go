package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/middleware"
)

// tenantHeader says whose request it is. A real service would take that from the
// credentials.
const tenantHeader = "X-Tenant-Id"

// service is a small shop that several tenants use.
type service struct {
	tenants map[string]bool
}

func newService(tenants []string) *service {
	s := &service{tenants: make(map[string]bool, len(tenants))}
	for _, name := range tenants {
		s.tenants[name] = true
	}
	return s
}

// handler returns the service behind the middleware.
func (s *service) handler(metrics *emf.Emitter) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", s.item)
	mux.HandleFunc("GET /report", s.report)
	mux.HandleFunc("POST /orders", s.order)
	mux.HandleFunc("GET /broken", s.broken)
	return middleware.MetricsOnly(metrics, middleware.WithTenant(s.tenant)).HTTP(mux)
}

// tenant returns the request's tenant if the service knows it: clients must not be able
// to make metrics by inventing tenants.
func (s *service) tenant(r *http.Request) string {
	if name := r.Header.Get(tenantHeader); s.tenants[name] {
		return name
	}
	return ""
}

func (s *service) item(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"id": r.PathValue("id"), "name": "A thing"})
}

// report has a large body.
func (s *service) report(w http.ResponseWriter, r *http.Request) {
	rows, _ := strconv.Atoi(r.URL.Query().Get("rows"))
	_, _ = w.Write([]byte(strings.Repeat("2026-01-31;A thing;19.90\n", min(max(rows, 1), 1000))))
}

// order records values of its own, under the tenant that the middleware has found.
func (s *service) order(w http.ResponseWriter, r *http.Request) {
	amount, err := strconv.ParseFloat(r.FormValue("amount"), 64)
	if err != nil {
		http.Error(w, "amount is not a number", http.StatusBadRequest)
		return
	}
	metrics := emf.FromContext(r.Context())
	metrics.Counter("orders.placed").Inc()
	metrics.Histogram("orders.amount").Observe(amount)
	w.WriteHeader(http.StatusCreated)
}

func (s *service) broken(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "out of order", http.StatusServiceUnavailable)
}
