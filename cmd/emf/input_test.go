package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Lines come out whole, in order and with their numbers, however they are read.
func TestSplitLines(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var lines []string
	for i := range 2000 {
		length := random.IntN(100)
		if i%500 == 7 {
			length = 3*chunkSize + random.IntN(100)
		}
		lines = append(lines, strings.Repeat("x", length)+"\n")
	}
	lines = append(lines, "no line break")
	text := strings.Join(lines, "")
	for name, reader := range map[string]io.Reader{
		"at once":         strings.NewReader(text),
		"halves":          iotest.HalfReader(strings.NewReader(text)),
		"end with data":   iotest.DataErrReader(strings.NewReader(text)),
		"byte by byte":    iotest.OneByteReader(strings.NewReader(text)),
		"with line break": strings.NewReader(text + "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			more, err := splitLines(reader, func(c chunk) bool {
				require.Equal(t, n+1, c.line)
				require.False(t, c.cut)
				for line := range bytes.Lines(c.text) {
					require.Equal(t, strings.TrimSuffix(lines[n], "\n"), strings.TrimSuffix(string(line), "\n"))
					n++
				}
				return true
			})
			require.NoError(t, err)
			assert.True(t, more)
			assert.Equal(t, len(lines), n)
		})
	}
	for _, empty := range []io.Reader{strings.NewReader(""), iotest.DataErrReader(strings.NewReader(""))} {
		_, err := splitLines(empty, func(chunk) bool { t.Error("a chunk of nothing"); return true })
		require.NoError(t, err)
	}
	_, err := splitLines(iotest.ErrReader(errors.New("torn")), func(chunk) bool { return true })
	require.EqualError(t, err, "torn")
	var before string
	_, err = splitLines(io.MultiReader(strings.NewReader("a\nb\nc"), iotest.ErrReader(errors.New("torn"))), func(c chunk) bool { before += string(c.text); return true })
	require.EqualError(t, err, "torn")
	assert.Equal(t, "a\nb\n", before, "whole lines before the fault are read")
	more, err := splitLines(strings.NewReader("a\n"), func(chunk) bool { return false })
	require.NoError(t, err)
	assert.False(t, more)
}

// endless is a line without an end, and then one more.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(e.left, len(p))
	for i := range n {
		p[i] = 'x'
	}
	e.left -= n
	return n, nil
}

func TestLineBeyondMemoryIsCut(t *testing.T) {
	text := io.MultiReader(strings.NewReader("first\n"), &endless{2 * maxLine}, strings.NewReader("\nlast\nend"))
	var got []string
	_, err := splitLines(text, func(c chunk) bool {
		got = append(got, fmt.Sprintf("%d %.5s cut %v", c.line, c.text, c.cut))
		assert.LessOrEqual(t, len(c.text), 2*maxLine)
		return true
	})
	require.NoError(t, err)
	// How many lines a chunk holds depends on the reader.
	assert.Equal(t, []string{"1 first cut false", "2 xxxxx cut true", "3 last\n cut false", "4 end cut false"}, got)
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestInputFilesAndSize(t *testing.T) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err := zip.Write([]byte("b1\nb2"))
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	a, b, torn := write(t, "a.log", "a1\n"), write(t, "b.gz", packed.String()), write(t, "torn.gz", packed.String()[:15])

	in := newInput([]string{a, b})
	assert.EqualValues(t, 3+packed.Len(), in.size())
	var got []string
	require.NoError(t, inOrder(t.Context(), in, func(c chunk) string { return fmt.Sprintf("%s:%d:%s", filepath.Base(c.file), c.line, c.text) },
		func(s string) error { got = append(got, s); return nil }))
	assert.Equal(t, []string{"a.log:1:a1\n", "b.gz:1:b1\nb2"}, got)
	assert.EqualValues(t, in.size(), in.read.Load())

	nothing := func(chunk) int { return 0 }
	err = inOrder(t.Context(), newInput([]string{torn}), nothing, func(int) error { return nil })
	require.ErrorContains(t, err, "torn.gz")
	err = inOrder(t.Context(), newInput([]string{a}), nothing, func(int) error { return errors.New("full") })
	require.EqualError(t, err, "full")
	err = inOrder(t.Context(), newInput([]string{a + "x"}), nothing, func(int) error { return nil })
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.Zero(t, newInput([]string{a + "x"}).size())
	require.Error(t, allExist([]string{a, filepath.Dir(a)}))
	require.NoError(t, allExist([]string{a, "-"}))
}

// Results come in the order of the input, whoever is done first.
func TestInOrder(t *testing.T) {
	var text strings.Builder
	for i := range 200_000 {
		fmt.Fprintln(&text, i)
	}
	next := 0
	require.NoError(t, inOrder(t.Context(), newInput([]string{write(t, "log", text.String())}), func(c chunk) []string {
		return strings.Fields(string(c.text))
	}, func(numbers []string) error {
		for _, n := range numbers {
			require.Equal(t, fmt.Sprint(next), n)
			next++
		}
		return nil
	}))
	assert.Equal(t, 200_000, next)
}

// A command whose input does not end is interrupted all the same.
func TestInterrupted(t *testing.T) {
	read, hold, err := os.Pipe()
	require.NoError(t, err)
	defer hold.Close()
	stdin := os.Stdin
	os.Stdin = read
	defer func() { os.Stdin = stdin }()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = hold.WriteString("one\n")
	require.NoError(t, err)
	require.NoError(t, inOrder(ctx, newInput(nil), func(c chunk) string { return string(c.text) }, func(text string) error {
		assert.Equal(t, "one\n", text)
		cancel()
		return nil
	}))
}

// Half a log has no verdict.
func TestCheckInterrupted(t *testing.T) {
	cmd := command("check")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	p := startCommand(t, cmd)
	_, err = in.Write([]byte(`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[]}}` + "\n"))
	require.NoError(t, err)
	_, err = p.stdout.ReadString('\n')
	require.NoError(t, err)
	p.signal(t, syscall.SIGINT)
	messages, err := io.ReadAll(p.stderr)
	require.NoError(t, err)
	require.Error(t, p.Wait())
	assert.Equal(t, exitFailure, p.ProcessState.ExitCode())
	assert.Contains(t, string(messages), "interrupted: only the lines read so far were checked")
}
