// Package examples holds runnable programs, and tests of what all of them share.
package examples

import (
	"os/exec"
	"strings"
	"testing"
)

// A program that writes documents to standard output must not pay for AWS clients. Types of
// Lambda's, github.com/aws/aws-lambda-go, are none.
func TestNoAWSClientIsLinked(t *testing.T) {
	const module = "github.com/liftemf/liftemf"
	for _, pkg := range []string{"/emf", "/sink", "/lift", "/middleware", "/cmd/emf", "/examples/quickstart", "/examples/lambda", "/examples/lambda-tenants", "/examples/httpserver", "/examples/worker"} {
		out, err := exec.Command("go", "list", "-deps", module+pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		deps := strings.Fields(string(out))
		if deps[len(deps)-1] != module+pkg {
			t.Fatalf("go list ended with %q", deps[len(deps)-1])
		}
		for _, dep := range deps {
			if strings.HasPrefix(dep, "github.com/aws/aws-sdk-go") || strings.HasPrefix(dep, "github.com/aws/smithy-go") {
				t.Errorf("%s links %s", pkg, dep)
			}
		}
	}
}
