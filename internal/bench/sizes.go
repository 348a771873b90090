package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// printSizes builds the Lambda functions under sizes, and writes how large they are.
func printSizes(w io.Writer) error {
	dir, err := os.MkdirTemp("", "sizes")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var plain int64
	fmt.Fprint(w, "\n| a Lambda function, stripped | size | growth |\n|---|--:|--:|\n")
	for _, program := range []struct{ name, text string }{
		{"plain", "without metrics"},
		{"stdout", "with an event of liftemf to standard output"},
		{"client", "with the CloudWatch client of aws-sdk-go-v2 instead"},
	} {
		binary := filepath.Join(dir, program.name)
		build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "./sizes/"+program.name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-tags=lambda.norpc")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", build.Args, err, out)
		}
		info, err := os.Stat(binary)
		if err != nil {
			return err
		}
		if plain == 0 {
			plain = info.Size()
		}
		fmt.Fprintf(w, "| %s | %.2f MB | %.2f MB |\n", program.text, float64(info.Size())/1e6, float64(info.Size()-plain)/1e6)
	}
	return nil
}
