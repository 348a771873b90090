// Command quickstart is the program of the README: one document on standard output.
package main

import (
	"context"

	"github.com/liftemf/liftemf/emf"
)

func main() {
	metrics := emf.Must(emf.New("Shop", emf.WithDimensions(emf.Dim("Service", "checkout"))))
	defer metrics.Close(context.Background())

	tenant := metrics.WithTenant("acme")
	tenant.Counter("orders").Inc()
	tenant.Histogram("payment.duration", emf.Milliseconds).Observe(12.5)
}
