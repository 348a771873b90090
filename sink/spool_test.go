package sink_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

// down is a next sink that takes nothing.
var down = emf.SinkFunc(func(context.Context, []emf.Document) error { return errDown })

func openSpool(t *testing.T, dir string, next emf.Sink, opts ...sink.SpoolOption) *sink.SpoolSink {
	t.Helper()
	s, err := sink.Spool(dir, next, append([]sink.SpoolOption{quiet, sink.WithSync(sink.SyncNever), sink.WithBackoff(time.Millisecond, time.Millisecond)}, opts...)...)
	require.NoError(t, err)
	return s
}

// fill leaves documents in a directory.
func fill(t *testing.T, dir string, docs []emf.Document, opts ...sink.SpoolOption) {
	t.Helper()
	s := openSpool(t, dir, down, append(opts, sink.WithDrainTimeout(0))...)
	for chunk := range slices.Chunk(docs, 10) {
		require.NoError(t, s.Write(t.Context(), chunk))
	}
	require.NoError(t, s.Close())
}

func segmentsOf(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.spool1"))
	require.NoError(t, err)
	return files
}

func TestSpoolSurvivesARestart(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := filepath.Join(t.TempDir(), "made", "here")
	docs := numbered(0, 1000)
	docs[1].Time = time.Time{}
	docs[2].Time = time.Date(-5000, 1, 2, 3, 4, 5, 6, time.UTC)
	docs[3].Time = time.Date(2026, 11, 25, 12, 0, 0, 123456789, time.FixedZone("here", 3600))
	docs[4].JSON = []byte("{\n\"a\":\r\n1}") // no document has a newline, but should one
	docs[5].JSON = []byte(`{"text":"ü \u0000 \\ ` + "\x00" + ` 00000000 1 2 3"}`)
	docs[6].JSON = nil
	docs[7].Values = 0
	fill(t, dir, docs)

	target := new(queueTarget)
	s := openSpool(t, dir, target)
	assert.Equal(t, amount(docs), s.Stats().Recovered)
	require.NoError(t, s.Close())
	require.Len(t, target.docs, len(docs))
	for i, d := range target.docs {
		require.True(t, d.Time.Equal(docs[i].Time), "%v, want %v", d.Time, docs[i].Time)
		require.Equal(t, docs[i].Values, d.Values)
		require.Equal(t, string(bytes.ReplaceAll(docs[i].JSON, []byte("\n"), []byte(" "))), string(d.JSON))
	}
	lawful(t, s.Stats())
	assert.Equal(t, amount(docs), s.Stats().Delivered)
	assert.Empty(t, segmentsOf(t, dir), "what is delivered takes no room")

	s = openSpool(t, dir, target)
	assert.Zero(t, s.Stats().Recovered)
	require.NoError(t, s.Write(t.Context(), numbered(1000, 1001)))
	require.NoError(t, s.Close())
	assert.Len(t, target.docs, len(docs)+1)
}

// After a restart, only what was not acknowledged is offered again.
func TestSpoolRemembersWhatIsDelivered(t *testing.T) {
	dir := t.TempDir()
	target := &queueTarget{answer: func(_ context.Context, call int, docs []emf.Document) error {
		if call > 1 {
			return errDown
		}
		return &emf.UndeliveredError{Retry: []int{3, 4, 5, 7}, Reject: []int{6}, Err: errDown}
	}}
	s := openSpool(t, dir, target, sink.WithDrainTimeout(0), sink.WithBackoff(time.Hour, time.Hour))
	docs := numbered(0, 10)
	require.NoError(t, s.Write(t.Context(), docs))
	for s.Stats().Attempts == 0 {
		time.Sleep(time.Millisecond)
	}
	require.NoError(t, s.Close())
	lawful(t, s.Stats())
	assert.Equal(t, amount([]emf.Document{docs[3], docs[4], docs[5], docs[7]}), s.Stats().Pending)

	again := new(queueTarget)
	s = openSpool(t, dir, again)
	left := []emf.Document{docs[3], docs[4], docs[5], docs[7]}
	assert.Equal(t, amount(left), s.Stats().Recovered)
	require.NoError(t, s.Close())
	assert.Equal(t, texts(left), again.texts())
	lawful(t, s.Stats())
}

// A hundred restarts while the next sink takes what it likes: each document arrives once, or is refused.
func TestSpoolRestarts(t *testing.T) {
	answers := rand.New(rand.NewPCG(1, 2))
	target := &queueTarget{answer: func(_ context.Context, _ int, docs []emf.Document) error {
		e := &emf.UndeliveredError{Err: errDown}
		for i := range docs {
			switch answers.IntN(10) {
			case 0, 1, 2:
				e.Retry = append(e.Retry, i)
			case 3:
				e.Reject = append(e.Reject, i)
			}
		}
		return e
	}}
	random := rand.New(rand.NewPCG(3, 4))
	dir, next := t.TempDir(), 0
	var recovered, delivered, dropped, accepted uint64
	for range 100 {
		s := openSpool(t, dir, target, sink.WithMaxBytes(512<<10), sink.WithBackoff(time.Nanosecond, time.Nanosecond), sink.WithDrainTimeout(0))
		for range random.IntN(5) {
			n := random.IntN(30)
			require.NoError(t, s.Write(t.Context(), numbered(next, next+n)))
			next += n
		}
		require.NoError(t, s.Close())
		stats := s.Stats()
		lawful(t, stats)
		require.Equal(t, recovered, stats.Recovered.Documents, "what the last one has left")
		recovered = stats.Pending.Documents
		delivered += stats.Delivered.Documents
		dropped += stats.Drops[sink.DropRejected].Documents
		accepted += stats.Accepted.Documents
		require.Equal(t, stats.Dropped, stats.Drops[sink.DropRejected], "%v", stats.Drops)
	}
	target.answer = nil
	s := openSpool(t, dir, target)
	require.NoError(t, s.Close())
	assert.EqualValues(t, next, accepted)
	assert.EqualValues(t, next, delivered+dropped+s.Stats().Delivered.Documents)
	seen := map[string]bool{}
	for _, text := range target.texts() {
		require.False(t, seen[text], "%s arrived twice", text)
		seen[text] = true
	}
	assert.EqualValues(t, delivered+s.Stats().Delivered.Documents, len(seen))
}

// A machine that stops can lose documents of which some were delivered. Others get their places, and are
// not taken for delivered.
func TestSpoolForgetsPlacesThatAreLost(t *testing.T) {
	dir := t.TempDir()
	target := &queueTarget{answer: func(_ context.Context, call int, docs []emf.Document) error {
		if call > 1 {
			return errDown
		}
		return &emf.UndeliveredError{Retry: []int{0, 1, 2, 3, 4, 5, 7}, Err: errDown}
	}}
	s := openSpool(t, dir, target, sink.WithDrainTimeout(0), sink.WithBackoff(time.Hour, time.Hour))
	docs := numbered(0, 10)
	require.NoError(t, s.Write(t.Context(), docs))
	for s.Stats().Attempts == 0 {
		time.Sleep(time.Millisecond)
	}
	require.NoError(t, s.Close())
	require.Len(t, target.docs, 3) // 6, 8 and 9
	segment := segmentsOf(t, dir)[0]
	text, err := os.ReadFile(segment)
	require.NoError(t, err)
	lines := bytes.SplitAfter(text, []byte("\n"))
	require.NoError(t, os.WriteFile(segment, slices.Concat(lines[:4]...), 0o600))

	again := new(queueTarget)
	for range 2 {
		s = openSpool(t, dir, again)
		require.NoError(t, s.Write(t.Context(), numbered(20, 30)))
		require.NoError(t, s.Close())
		assert.Zero(t, s.Stats().Dropped)
	}
	assert.Equal(t, append(texts(docs[:4]), append(texts(numbered(20, 30)), texts(numbered(20, 30))...)...), again.texts())
}

func TestSpoolDropsTheOldestSegments(t *testing.T) {
	const bound = 64 << 10
	dir := t.TempDir()
	target := &queueTarget{answer: func(context.Context, int, []emf.Document) error { return errDown }}
	s := openSpool(t, dir, target, sink.WithMaxBytes(bound), sink.WithDrainTimeout(0))
	docs := numbered(0, 5000)
	for chunk := range slices.Chunk(docs, 25) {
		require.NoError(t, s.Write(t.Context(), chunk))
		var size int64
		for _, f := range segmentsOf(t, dir) {
			if info, err := os.Stat(f); err == nil {
				size += info.Size()
			}
		}
		require.LessOrEqual(t, size, int64(bound))
	}
	require.NoError(t, s.Close())
	stats := s.Stats()
	lawful(t, stats)
	assert.Equal(t, stats.Dropped, stats.Drops[sink.DropOverflow])
	pending := int(stats.Pending.Documents)
	assert.Greater(t, pending, 700)

	target.answer = nil
	s = openSpool(t, dir, target)
	require.NoError(t, s.Close())
	assert.Equal(t, texts(docs[len(docs)-pending:]), target.texts())
	assert.Zero(t, s.Stats().Dropped, "what was dropped is not counted again")
}

// A segment that is dropped while its documents are with the next sink: the answer still counts.
func TestSpoolOverflowWhileNextIsBusy(t *testing.T) {
	for name, answer := range map[string]error{"delivers": nil, "fails": errDown} {
		t.Run(name, func(t *testing.T) {
			busy, release := make(chan struct{}), make(chan struct{})
			target := &queueTarget{answer: func(_ context.Context, call int, _ []emf.Document) error {
				if call > 1 {
					return nil
				}
				close(busy)
				<-release
				return answer
			}}
			s := openSpool(t, t.TempDir(), target, sink.WithMaxBytes(64<<10))
			docs := numbered(0, 5000)
			require.NoError(t, s.Write(t.Context(), docs[:10]))
			<-busy
			require.NoError(t, s.Write(t.Context(), docs[10:]))
			lawful(t, s.Stats())
			before := s.Stats().Dropped
			close(release)
			require.NoError(t, s.Close())
			stats := s.Stats()
			lawful(t, stats)
			assert.Zero(t, stats.Pending)
			kept := texts(docs[5000-len(target.docs):])
			if answer == nil {
				assert.Equal(t, before, stats.Dropped)
				kept = append(texts(docs[:10]), texts(docs[5010-len(target.docs):])...)
			} else {
				assert.Equal(t, before.Documents+10, stats.Dropped.Documents)
			}
			assert.Equal(t, kept, target.texts())
		})
	}
}

// A directory that is removed under its spool.
func TestSpoolDirectoryRemoved(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	target := &queueTarget{answer: func(context.Context, int, []emf.Document) error { return errDown }}
	s := openSpool(t, dir, target, sink.WithMaxBytes(64<<10), sink.WithBackoff(time.Hour, time.Hour), sink.WithDrainTimeout(0))
	docs := numbered(0, 50)
	require.NoError(t, s.Write(t.Context(), docs))
	require.NoError(t, os.RemoveAll(dir))
	var undelivered *emf.UndeliveredError
	require.ErrorAs(t, s.Write(t.Context(), numbered(50, 200)), &undelivered)
	require.ErrorIs(t, undelivered, os.ErrNotExist)
	lawful(t, s.Stats())
	require.NoError(t, s.Close())
	lawful(t, s.Stats())
}

func TestSpoolWithBadOptions(t *testing.T) {
	for want, o := range map[string]sink.SpoolOption{
		"WithMaxBytes": sink.WithMaxBytes(64<<10 - 1), "WithBackoff": sink.WithBackoff(2, 1),
		"WithAttemptTimeout": sink.WithAttemptTimeout(0), "WithDrainTimeout": sink.WithDrainTimeout(-1),
	} {
		_, err := sink.Spool(t.TempDir(), down, o)
		require.ErrorContains(t, err, want)
	}
	_, err := sink.Spool(t.TempDir(), nil)
	require.ErrorContains(t, err, "the sink is nil")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = sink.Spool(file, down)
	require.ErrorContains(t, err, "not a directory")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.spool1"), nil, 0o600))
	_, err = sink.Spool(dir, down)
	require.ErrorContains(t, err, "notes.spool1 is no segment's name")
}

func TestSpoolSyncPolicies(t *testing.T) {
	for _, policy := range []sink.Sync{sink.SyncAlways, sink.SyncEvery(time.Millisecond), sink.SyncEvery(0), sink.SyncNever} {
		target := new(queueTarget)
		s := openSpool(t, t.TempDir(), target, sink.WithSync(policy))
		for chunk := range slices.Chunk(numbered(0, 100), 10) {
			require.NoError(t, s.Write(t.Context(), chunk))
		}
		require.NoError(t, s.Close())
		assert.Len(t, target.docs, 100)
	}
}
