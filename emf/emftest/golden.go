package emftest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"
)

// Golden compares the documents with a file, which holds them one a line as they are written.
// If they differ the test fails and shows where, with the documents laid out. With
// UPDATE_GOLDEN=1 in the environment the file, and its directory, are written instead: read
// what has changed before it is committed.
//
// Line ends of the file may be CRLF.
func Golden(t testing.TB, path string, c *Capture) {
	t.Helper()
	var got bytes.Buffer
	for _, d := range c.flushed() {
		got.Write(d.json)
		got.WriteByte('\n')
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, got.Bytes(), 0o644)); err != nil {
			t.Fatalf("emftest: %v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("emftest: there is no %s: UPDATE_GOLDEN=1 go test writes it", path)
	}
	if err != nil {
		t.Fatalf("emftest: %v", err)
	}
	want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))
	if !bytes.Equal(want, got.Bytes()) {
		diff := udiff.Unified(path, "recorded", layOut(want), layOut(got.Bytes()))
		if diff == "" {
			diff = "only white space differs\n"
		}
		t.Errorf("emftest: documents differ from %s; UPDATE_GOLDEN=1 go test accepts them:\n%s", path, atMost(mostDiff, diff))
	}
}

// mostDiff is how many lines of a difference are shown.
const mostDiff = 200

// atMost returns the first n lines of a text, and says how many it leaves out.
func atMost(n int, text string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) <= n {
		return text
	}
	return strings.Join(lines[:n], "") + fmt.Sprintf("and %d more lines\n", len(lines)-n)
}

// layOut writes documents over many lines.
func layOut(lines []byte) string {
	var b strings.Builder
	for line := range bytes.Lines(lines) {
		b.WriteString(pretty(bytes.TrimSpace(line)))
		b.WriteByte('\n')
	}
	return b.String()
}
