package main

import (
	"os"
	"testing"
)

func TestSizes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds three programs")
	}
	if err := printSizes(os.Stdout); err != nil {
		t.Fatal(err)
	}
}
