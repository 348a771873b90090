package sink_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

func TestSpoolDamage(t *testing.T) {
	docs := numbered(0, 1000)
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string, segments []string)
		lost   []int // documents
		torn   bool
	}{
		"a flipped bit": {func(t *testing.T, _ string, s []string) {
			edit(t, s[1], func(lines [][]byte) [][]byte { lines[5][40] ^= 4; return lines })
		}, []int{-5}, false},
		"a flipped bit in a checksum": {func(t *testing.T, _ string, s []string) {
			edit(t, s[1], func(lines [][]byte) [][]byte { lines[5][0] ^= 1; return lines })
		}, []int{-5}, false},
		"a newline that is none": {func(t *testing.T, _ string, s []string) {
			edit(t, s[1], func(lines [][]byte) [][]byte { lines[5][len(lines[5])-1] = 'x'; return lines })
		}, []int{-5, -6}, false},
		"the first and the last record": {func(t *testing.T, _ string, s []string) {
			edit(t, s[0], func(lines [][]byte) [][]byte {
				clear(lines[0][:len(lines[0])-1])
				last := lines[len(lines)-1]
				clear(last[:len(last)-1])
				return lines
			})
		}, []int{0, -1}, false},
		"a record twice, and one in the wrong place": {func(t *testing.T, _ string, s []string) {
			edit(t, s[1], func(lines [][]byte) [][]byte {
				lines[3], lines[9] = lines[9], lines[3]
				return append(lines, lines[9], lines[0])
			})
		}, []int{-3, -4, -5, -6, -7, -8}, false}, // those before the one that came too early, and it is read
		"lines of something else": {func(t *testing.T, _ string, s []string) {
			edit(t, s[1], func(lines [][]byte) [][]byte {
				return slices.Insert(lines, 7, []byte("hello\n"), []byte("\n"), []byte("00000000 \n"), bytes.Repeat([]byte{0}, 3<<20))
			})
		}, []int{-7}, false}, // the zeros have no newline of their own
		"a whole segment": {func(t *testing.T, _ string, s []string) { require.NoError(t, os.Remove(s[1])) }, nil, false},
		"a cut segment": {func(t *testing.T, _ string, s []string) {
			edit(t, s[1], func(lines [][]byte) [][]byte { return lines[:len(lines)-4] })
		}, nil, false},
		"a torn tail": {func(t *testing.T, _ string, s []string) {
			f, err := os.OpenFile(s[len(s)-1], os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString("1234abcd 1000 2000 30")
			require.NoError(t, errors.Join(err, f.Close()))
		}, nil, true},
		"notes of what is settled that are none": {func(t *testing.T, dir string, _ []string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "settled"), []byte("00000000 1 2 3 4 5 6 \n\nx\n12345678 1"), 0o600))
		}, nil, false},
		"no cursor": {func(t *testing.T, dir string, _ []string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "cursor")))
		}, nil, false},
		"a cursor that is none": {func(t *testing.T, dir string, _ []string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "cursor"), bytes.Repeat([]byte("x"), 1000), 0o600))
		}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, docs, sink.WithMaxBytes(256<<10))
			segments := segmentsOf(t, dir)
			require.GreaterOrEqual(t, len(segments), 3)
			c.damage(t, dir, segments)
			target := new(queueTarget)
			s := openSpool(t, dir, target)
			require.NoError(t, s.Close())
			stats := s.Stats()
			lawful(t, stats)
			assert.Zero(t, stats.Pending)
			assert.Equal(t, amount(docs), stats.Recovered)
			assert.Equal(t, c.torn, stats.Torn > 0)

			// Nothing but whole documents, in order, each once; the others are counted.
			var lost []emf.Document
			rest := target.docs
			for _, d := range docs {
				if len(rest) > 0 && string(rest[0].JSON) == string(d.JSON) {
					assert.Equal(t, d, rest[0])
					rest = rest[1:]
				} else {
					lost = append(lost, d)
				}
			}
			assert.Empty(t, rest)
			assert.Equal(t, amount(lost), stats.Drops[sink.DropDamaged])
			assert.Equal(t, amount(lost), stats.Dropped)
			if c.lost != nil {
				assert.Len(t, lost, len(c.lost))
			}
			assert.Empty(t, segmentsOf(t, dir))
		})
	}
}

// edit changes the lines of a file.
func edit(t *testing.T, path string, change func(lines [][]byte) [][]byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := bytes.SplitAfter(text, []byte("\n"))
	require.Greater(t, len(lines), 20)
	require.NoError(t, os.WriteFile(path, slices.Concat(change(lines[:len(lines)-1])...), 0o600))
}

// Damage to the end of the last segment, at each byte: what is before it is whole.
func TestSpoolTruncatedAnywhere(t *testing.T) {
	source := t.TempDir()
	docs := numbered(0, 4)
	fill(t, source, docs)
	segments := segmentsOf(t, source)
	require.Len(t, segments, 1)
	text, err := os.ReadFile(segments[0])
	require.NoError(t, err)
	for cut := range text {
		dir := t.TempDir()
		path := filepath.Join(dir, filepath.Base(segments[0]))
		require.NoError(t, os.WriteFile(path, text[:cut], 0o600))
		whole := bytes.Count(text[:cut], []byte("\n"))
		target := new(queueTarget)
		s := openSpool(t, dir, target)
		require.NoError(t, s.Write(t.Context(), numbered(100, 101)), "a new segment begins behind it")
		require.NoError(t, s.Close())
		require.Equal(t, append(texts(docs[:whole]), `{"n":100}`), target.texts(), "cut at %d", cut)
		require.Zero(t, s.Stats().Dropped)
		require.EqualValues(t, cut-bytes.LastIndexByte(text[:cut], '\n')-1, s.Stats().Torn)
	}
}
