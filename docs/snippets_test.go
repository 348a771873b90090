// Package docs_test runs the programs in the documentation.
package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	block     = regexp.MustCompile("(?ms)^```(go|json)\n(.*?)^```$")
	timestamp = regexp.MustCompile(`"Timestamp":\d+`)
)

// Every Go block in the documentation is a program, or a file of tests. It must build and run, or
// pass, and if a JSON block follows it, print that.
func TestSnippets(t *testing.T) {
	files, err := filepath.Glob("*.md")
	require.NoError(t, err)
	programs := 0
	for _, file := range append(files, filepath.Join("..", "README.md")) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		blocks := block.FindAllStringSubmatch(string(text), -1)
		for i, b := range blocks {
			if b[1] != "go" {
				continue
			}
			programs++
			out := run(t, file, b[2])
			if i+1 < len(blocks) && blocks[i+1][1] == "json" {
				require.Equal(t, stamped(blocks[i+1][2]), stamped(out), file)
			}
		}
	}
	require.NotZero(t, programs)
}

func stamped(line string) string { return timestamp.ReplaceAllString(line, `"Timestamp":0`) }

// run runs a program within the module, so that it imports the module as it is here.
func run(t *testing.T, file, program string) string {
	dir, err := os.MkdirTemp(".", "snippet-")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	name, verb := "main.go", "run"
	if strings.Contains(program, "\nfunc Test") {
		name, verb = "main_test.go", "test"
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(program), 0o600))
	cmd := exec.Command("go", verb, "./"+dir)
	cmd.Env = append(os.Environ(), "AWS_EMF_NAMESPACE=", "AWS_EMF_SERVICE_NAME=", "POWERTOOLS_SERVICE_NAME=", "POWERTOOLS_METRICS_DISABLED=")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s: %s\n%s%s", file, program, out, &stderr)
	return string(out)
}
