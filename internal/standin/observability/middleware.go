package observability

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/liftemf/liftemf/internal/standin/lift"
)

// MetricsOnly makes the metrics calls of Lift's MetricsOnlyMiddleware.
func MetricsOnly(m MetricsCollector) lift.Middleware {
	return func(next lift.Handler) lift.Handler {
		return lift.HandlerFunc(func(c *lift.Context) error {
			start := time.Now()
			tags := map[string]string{"method": c.Request.Method, "path": c.Request.Path}
			m.Counter("http.requests", tags).Inc()
			err := next.Handle(c)
			if err != nil {
				m.Counter("http.errors", tags).Inc()
			}
			tags["status"] = fmt.Sprint(c.Response.StatusCode)
			m.Histogram("http.duration", tags).Observe(float64(time.Since(start).Milliseconds()))
			return err
		})
	}
}

// Metrics makes those of Lift's ObservabilityMiddleware.
func Metrics(m MetricsCollector) lift.Middleware {
	return func(next lift.Handler) lift.Handler {
		return lift.HandlerFunc(func(c *lift.Context) error {
			start := time.Now()
			tags := map[string]string{"tenant_id": c.TenantID(), "method": c.Request.Method, "path": c.Request.Path}
			m.Counter("requests.total", tags).Inc()
			operation := "operation." + c.Request.Method + "_" + c.Request.Path
			m.Counter(operation).Inc()
			err := next.Handle(c)
			took := float64(time.Since(start).Milliseconds())
			m.Histogram(operation + ".duration").Observe(took)
			if err != nil {
				tags["error"] = "true"
				m.Counter("requests.errors", tags).Inc()
				m.Histogram("requests.duration", tags).Observe(took)
				return err
			}
			tags["status"] = fmt.Sprint(c.Response.StatusCode)
			m.Histogram("requests.duration", tags).Observe(took)
			if body, err := json.Marshal(c.Response.Body); err == nil {
				m.Gauge("response.size", tags).Set(float64(len(body)))
			}
			return nil
		})
	}
}

// Enhanced makes those of Lift's EnhancedObservabilityMiddleware.
func Enhanced(m MetricsCollector, operation string) lift.Middleware {
	return func(next lift.Handler) lift.Handler {
		return lift.HandlerFunc(func(c *lift.Context) error {
			start := time.Now()
			base := map[string]string{
				"method": c.Request.Method, "path": c.Request.Path,
				"tenant_id": c.TenantID(), "operation": operation,
			}
			scoped := m.WithTags(base)
			own := m.WithTags(map[string]string{"operation": operation, "tenant_id": c.TenantID()})
			scoped.Counter("requests.total").Inc()
			active := scoped.Gauge("requests.active")
			active.Inc()
			defer active.Dec()
			own.Counter("operation." + operation + ".total").Inc()
			err := next.Handle(c)
			took := float64(time.Since(start).Milliseconds())
			own.Histogram("operation." + operation + ".duration").Observe(took)
			if err != nil {
				scoped.WithTag("error_type", fmt.Sprintf("%T", err)).Counter("requests.errors").Inc()
				own.Counter("operation." + operation + ".errors").Inc()
			}
			status := map[string]string{
				"status":       fmt.Sprint(c.Response.StatusCode),
				"status_class": fmt.Sprintf("%dxx", c.Response.StatusCode/100),
			}
			scoped.Histogram("requests.duration", status).Observe(took)
			if body, marshal := json.Marshal(c.Response.Body); err == nil && marshal == nil {
				scoped.Gauge("response.size", status).Set(float64(len(body)))
			}
			return err
		})
	}
}
