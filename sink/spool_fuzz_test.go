package sink

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// goodRecords counts the lines of a segment whose checksums are right.
func goodRecords(text []byte) map[string]int {
	good := map[string]int{}
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if _, d, ok := readRecord(line); ok {
			good[string(d.JSON)]++
		}
	}
	return good
}

// Whatever is in the files, a spool opens or says why not, sends nothing but documents whose
// checksums are right, counts the others, and goes on with new ones.
func FuzzSpoolSegments(f *testing.F) {
	doc := func(n int, text string) emf.Document {
		return emf.Document{Time: time.UnixMilli(int64(n)), JSON: []byte(text), Values: n}
	}
	var three []byte
	at := Amount{}
	for i, text := range []string{`{"a":1}`, `{"b":[1,2]}`, `{"c":"x"}`} {
		d := doc(i+1, text)
		three = appendRecord(three, at, &d)
		at = at.plus(amountOf(&d))
	}
	last := doc(9, `{"d":4}`)
	next := appendRecord(nil, at, &last)
	f.Add(three, next, uint16(0), uint16(0), byte(0))
	f.Add(three, next, uint16(9), uint16(0), byte(0))
	f.Add(three[:len(three)-5], next, uint16(0), uint16(30), byte(1))
	f.Add([]byte("\n\n\x00"), three, uint16(0), uint16(0), byte(0xff))
	f.Add(bytes.Repeat(three, 3), []byte{}, uint16(1), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, first, second []byte, hit, cursor uint16, flip byte) {
		dir := t.TempDir()
		first = bytes.Clone(first)
		if int(hit) < len(first) {
			first[hit] ^= flip
		}
		write := func(name string, text []byte) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
		}
		write(segmentName(Amount{}), first)
		if len(second) > 0 {
			write(segmentName(at), second)
		}
		if cursor > 0 {
			write(cursorName, first[:min(int(cursor), len(first))])
		}
		good := goodRecords(append(append(first, '\n'), second...))
		sent := map[string]int{}
		collect := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
			for _, d := range docs {
				sent[string(d.JSON)]++
			}
			return nil
		})
		s, err := Spool(dir, collect, WithSync(SyncNever), WithQueueLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			return
		}
		fresh := doc(1, "fresh")
		require.NoError(t, s.Write(t.Context(), []emf.Document{fresh}))
		require.NoError(t, s.Close())
		require.Equal(t, 1, sent["fresh"]-min(good["fresh"], sent["fresh"]-1))
		delete(sent, "fresh")
		for text, times := range sent {
			require.LessOrEqual(t, times, good[text], "%q", text)
		}
		stats := s.Stats()
		require.Zero(t, stats.Pending)
	})
}

// The files of one version are read by the next.
func TestSpoolFormat(t *testing.T) {
	d := emf.Document{Time: time.Unix(1795521600, 123_000_000), JSON: []byte(`{"a":1}`), Values: 12}
	at := Amount{3, 1000, 40}
	const line = "efbfac9f 3 1000 40 12 1795521600 123000000 {\"a\":1}\n"
	require.Equal(t, line, string(appendRecord(nil, at, &d)))
	var check [checksumSize]byte
	putChecksum(check[:], []byte("123456789"))
	require.Equal(t, "e3069283", string(check[:]), "the check value of CRC-32C")
	require.Equal(t, "0000000000000003-00000000000003e8-0000000000000028.spool1", segmentName(at))
	start, ok := segmentStart(segmentName(at))
	require.True(t, ok)
	require.Equal(t, at, start)
}

func FuzzSpoolRecord(f *testing.F) {
	d := emf.Document{Time: time.Unix(1795521600, 5), JSON: []byte(`{"a":1}`), Values: 3}
	f.Add(appendRecord(nil, Amount{1, 2, 3}, &d), uint64(4), uint64(5), uint64(6), int64(-7), int64(8), 9, []byte("x"))
	f.Fuzz(func(t *testing.T, line []byte, documents, size, values uint64, sec, nsec int64, own int, json []byte) {
		check := func(at Amount, d emf.Document) {
			b := appendRecord(nil, at, &d)
			require.Equal(t, 1, bytes.Count(b, []byte("\n")))
			gotAt, got, ok := readRecord(b[:len(b)-1])
			end := at.plus(amountOf(&d))
			if !follows(end, at) { // more than can be counted
				require.False(t, ok)
				return
			}
			require.True(t, ok)
			require.Equal(t, at, gotAt)
			require.True(t, d.Time.Equal(got.Time))
			require.Equal(t, max(d.Values, 0), got.Values)
			require.Equal(t, string(bytes.ReplaceAll(d.JSON, []byte("\n"), []byte(" "))), string(got.JSON))
		}
		if at, d, ok := readRecord(bytes.TrimSuffix(line, []byte("\n"))); ok {
			check(at, d)
		}
		check(Amount{documents, size, values}, emf.Document{Time: time.Unix(sec, nsec), JSON: append([]byte{}, json...), Values: own})
	})
}

// Spans against a list of documents that are settled or not.
func FuzzSpoolProgress(f *testing.F) {
	f.Add([]byte{3, 5, 0, 2, 2, 3, 9, 1, 4, 4, 0, 20})
	f.Fuzz(func(t *testing.T, steps []byte) {
		const n = 32
		var settled [n]bool
		var p progress
		position := func(i int) Amount { return Amount{uint64(i), uint64(i * i), uint64(3 * i)} }
		for len(steps) >= 2 {
			from, to := int(steps[0])%n, int(steps[1])%n
			steps = steps[2:]
			var want Amount
			for i := from; i < to; i++ {
				if !settled[i] {
					want = want.plus(position(i + 1).minus(position(i)))
				}
				settled[i] = true
			}
			require.Equal(t, want, p.settle(position(from), position(to)))
			cursor := 0
			for cursor < n && settled[cursor] {
				cursor++
			}
			require.Equal(t, position(cursor), p.cursor)
			for i := range n {
				after := i
				for after < n && settled[after] {
					after++
				}
				require.Equal(t, position(after), p.skip(position(i)))
			}
		}
	})
}
