package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

func command(t *testing.T) *exec.Cmd {
	t.Helper()
	program := filepath.Join(t.TempDir(), "worker")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "AWS_EMF_NAMESPACE=", "AWS_EMF_SERVICE_NAME=", "POWERTOOLS_SERVICE_NAME=", "POWERTOOLS_METRICS_DISABLED=")
	return cmd
}

// sums checks documents, and returns the sums of their metrics and the properties of each
// message.
func sums(t *testing.T, out []byte) (sums map[string]float64, messages map[string]map[string]any) {
	t.Helper()
	sums, messages = map[string]float64{}, map[string]map[string]any{}
	for line := range bytes.Lines(out) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		require.Empty(t, emf.Check(line), "%s", line)
		metrics, err := emf.Extract(line)
		require.NoError(t, err)
		for _, m := range metrics {
			name := m.Name
			for _, d := range m.Dimensions {
				if d.Name == "TenantID" {
					name += " " + d.Value
				}
			}
			for _, v := range m.Values {
				sums[name] += v
			}
		}
		var members map[string]any
		require.NoError(t, json.Unmarshal(line, &members))
		if id, ok := members["message_id"].(string); ok {
			require.NotContains(t, messages, id)
			messages[id] = members
		}
	}
	return sums, messages
}

func TestMessagesAreDocuments(t *testing.T) {
	cmd := command(t)
	var queue strings.Builder
	for i := range 23 {
		fmt.Fprintf(&queue, `{"id":"m-%02d","tenant":"%s","items":%d}`+"\n", i, []string{"acme", "globex"}[i%2], i+1)
	}
	queue.WriteString(`{"id":"m-none","tenant":"acme","items":0}` + "\n")
	queue.WriteString(`{"id":"m-many","tenant":"globex","items":31}` + "\n") // panics
	queue.WriteString("no message\n")
	cmd.Stdin = strings.NewReader(queue.String())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	require.Equal(t, "m-none\nm-many\n\n", stderr.String())

	got, messages := sums(t, out)
	require.Len(t, messages, 26)
	require.Equal(t, []any{10.0, 10.0, 3.0}, messages["m-22"]["boxes"])
	require.Equal(t, "0 items", messages["m-none"]["error"])
	require.Contains(t, messages["m-many"]["error"], "panic: runtime error: index out of range")
	for name, want := range map[string]float64{
		"messages acme":          13,
		"messages globex":        12,
		"messages":               1,
		"messages.failed acme":   1,
		"messages.failed globex": 1,
		"messages.failed":        1,
		"items.packed acme":      12 * 12, // 1, 3 ... 23
		"items.packed globex":    11 * 12, // 2, 4 ... 22
		"batch.size":             26,
	} {
		require.Equal(t, want, got[name], name)
	}
}

// The signal that ends a container loses nothing of what was worked off.
func TestEndsOnSIGTERM(t *testing.T) {
	cmd := command(t)
	queue, err := cmd.StdinPipe()
	require.NoError(t, err)
	var out bytes.Buffer
	var lines [10]string
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"id":"m-%d","tenant":"acme","items":1}`, i)
	}
	lines[9] = `{"id":"m-9","tenant":"acme","items":-1}` // heard of on standard error
	cmd.Stdout = &out
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = fmt.Fprintln(queue, strings.Join(lines[:], "\n"))
	require.NoError(t, err)
	heard := make([]byte, 4)
	_, err = stderr.Read(heard)
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
	got, messages := sums(t, out.Bytes())
	require.Len(t, messages, 10)
	require.Equal(t, 10.0, got["messages acme"])
	require.Equal(t, 10.0, got["batch.size"])
}
