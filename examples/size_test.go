package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A function pays less than 1.5 MB for its metrics.
func TestSizeOfAFunction(t *testing.T) {
	growth := size(t, "./lambda") - size(t, "./testdata/lambda-plain")
	t.Logf("metrics add %d bytes", growth)
	require.Less(t, growth, int64(1_500_000))
}

// size returns the size of a program, built as Lambda functions are.
func size(t *testing.T, pkg string) int64 {
	program := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", program, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	info, err := os.Stat(program)
	require.NoError(t, err)
	t.Logf("%s: %d bytes", pkg, info.Size())
	return info.Size()
}
