package sink_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

const spoolChild = "LIFTEMF_TEST_SPOOL_CHILD"

// child runs a test of this program again, in a process of its own.
func child(test string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), append(env, "GORACE=atexit_sleep_ms=0")...)
	return cmd
}

// document n is the same text wherever it is made, and has a size of its own.
func killDocument(n int) emf.Document {
	return emf.Document{
		Time: time.UnixMilli(int64(n)).UTC(), Values: n%10 + 1,
		JSON: fmt.Appendf(nil, `{"n":%d,"text":"%s"}`, n, strings.Repeat(strconv.Itoa(n%10), n*7919%900)),
	}
}

// TestSpoolChild is no test: it is what TestSpoolKilled kills. It says what was accepted, and
// what delivered.
func TestSpoolChild(t *testing.T) {
	dir := os.Getenv(spoolChild)
	if dir == "" {
		t.Skip("the part of TestSpoolKilled that runs in another process")
	}
	from, _ := strconv.Atoi(os.Getenv(spoolChild + "_FROM"))
	next := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
		switch rand.IntN(3) {
		case 0:
			return errDown
		case 1:
			time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
		}
		for _, d := range docs {
			fmt.Printf("\nD %d %d %s\n", d.Time.UnixMilli(), d.Values, d.JSON)
		}
		return nil
	})
	s, err := sink.Spool(dir, next, quiet, sink.WithMaxBytes(64<<20), sink.WithBackoff(time.Millisecond, 5*time.Millisecond))
	if err != nil {
		fmt.Println("\nE", err)
		return
	}
	fmt.Println("\nO", s.Stats().Recovered.Documents)
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		var docs []emf.Document
		for range 1 + rand.IntN(20) {
			docs = append(docs, killDocument(from))
			from++
		}
		if err := s.Write(context.Background(), docs); err != nil {
			fmt.Println("\nE", err)
			return
		}
		fmt.Println("\nA", from)
	}
}

// A process that writes and delivers is killed at 50 random moments and started again. What Write had
// accepted is delivered in the end, whole; nothing is delivered that was never written.
func TestSpoolKilled(t *testing.T) {
	const kills = 50
	dir := t.TempDir()
	accepted, arrived := map[int]bool{}, map[int]int{}
	recoveries := 0
	receive := func(when, values, json string) {
		n, err := strconv.Atoi(when)
		require.NoError(t, err)
		want := killDocument(n)
		require.Equal(t, string(want.JSON), json)
		require.Equal(t, strconv.Itoa(want.Values), values)
		arrived[n]++
	}
	from := 0
	for range kills {
		cmd := child("TestSpoolChild", spoolChild+"="+dir, spoolChild+"_FROM="+strconv.Itoa(from))
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		moment := time.Duration(rand.Int64N(int64(30 * time.Millisecond)))
		var killer *time.Timer
		next, lines := from, bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			if err != nil { // the last line may be torn: the pipe's, not the spool's
				break
			}
			what, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			switch what {
			case "O":
				if rest != "0" {
					recoveries++
				}
				killer = time.AfterFunc(moment, func() { _ = cmd.Process.Kill() })
			case "A":
				end, err := strconv.Atoi(rest)
				require.NoError(t, err)
				for ; next < end; next++ {
					accepted[next] = true
				}
			case "D":
				f := strings.SplitN(rest, " ", 3)
				require.Len(t, f, 3)
				receive(f[0], f[1], f[2])
			case "E":
				t.Error(rest)
			}
		}
		require.NotNil(t, killer, "the process has not started")
		_ = cmd.Wait()
		killer.Stop()
		require.Equal(t, syscall.SIGKILL, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
		from = next + 1000 // what was written but not accepted may have these numbers
	}

	target := new(queueTarget)
	s := openSpool(t, dir, target, sink.WithDrainTimeout(time.Minute))
	require.NoError(t, s.Close())
	stats := s.Stats()
	lawful(t, stats)
	assert.Zero(t, stats.Pending)
	assert.Zero(t, stats.Dropped, "damaged by a kill: %v", stats.Drops)
	for _, d := range target.docs {
		receive(strconv.FormatInt(d.Time.UnixMilli(), 10), strconv.Itoa(d.Values), string(d.JSON))
	}
	missing, twice, unasked := 0, 0, 0
	for n := range accepted {
		if arrived[n] == 0 {
			missing++
		}
	}
	for n, times := range arrived {
		if times > 1 {
			twice++
		}
		if !accepted[n] {
			unasked++
		}
	}
	assert.Zero(t, missing)
	t.Logf("%d documents accepted, %d of %d starts found some; %d arrived twice, %d although Write had not returned",
		len(accepted), recoveries, kills, twice, unasked)
}

func TestSpoolSecondProcess(t *testing.T) {
	dir := t.TempDir()
	s := openSpool(t, dir, down, sink.WithDrainTimeout(0))
	_, err := sink.Spool(dir, down)
	require.ErrorIs(t, err, sink.ErrLocked)
	out, err := child("TestSpoolChild", spoolChild+"="+dir).CombinedOutput()
	require.NoError(t, err)
	assert.Contains(t, string(out), sink.ErrLocked.Error())
	require.NoError(t, s.Close())
	s = openSpool(t, dir, down, sink.WithDrainTimeout(0))
	require.NoError(t, s.Close())
}

// smallDisk is a file system of its own, of so many bytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("cannot mount a tmpfs, which root can: ", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// The disk is full: an emitter keeps what the spool does not take, the spool delivers what it has,
// and takes the rest when there is room.
func TestSpoolFullDisk(t *testing.T) {
	for name, policy := range map[string]sink.Sync{"always": sink.SyncAlways, "never": sink.SyncNever} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			dir := smallDisk(t, "256k")
			var broken error = errDown
			target := &queueTarget{}
			gate := make(chan struct{}, 1)
			gate <- struct{}{}
			target.answer = func(context.Context, int, []emf.Document) error {
				<-gate
				defer func() { gate <- struct{}{} }()
				return broken
			}
			s := openSpool(t, dir, target, sink.WithMaxBytes(1<<20), sink.WithSync(policy))
			taken := 0
			var err error
			docs := numbered(0, 10_000)
			for taken < len(docs) && err == nil {
				n := min(taken+25, len(docs))
				if err = s.Write(t.Context(), docs[taken:n]); err == nil {
					taken = n
				}
			}
			require.ErrorIs(t, err, syscall.ENOSPC)
			var undelivered *emf.UndeliveredError
			require.ErrorAs(t, err, &undelivered)
			require.Empty(t, undelivered.Reject)
			taken += 25 - len(undelivered.Retry) // the first ones may have fitted a segment
			require.Greater(t, taken, 1000)
			lawful(t, s.Stats())
			assert.Equal(t, amount(docs[:taken]), s.Stats().Accepted)

			<-gate
			broken = nil
			gate <- struct{}{}
			require.NoError(t, s.Flush(t.Context()))
			require.NoError(t, s.Write(t.Context(), docs[taken:taken+1000]))
			require.NoError(t, s.Close())
			assert.Equal(t, texts(docs[:taken+1000]), target.texts())
			lawful(t, s.Stats())
			assert.Zero(t, s.Stats().Dropped)
		})
	}
}

func TestSpoolReadOnlyDirectory(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := smallDisk(t, "256k")
	fill(t, filepath.Join(dir, "spool"), numbered(0, 10))
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	for _, name := range []string{"spool", "another"} {
		_, err := sink.Spool(filepath.Join(dir, name), down)
		require.ErrorIs(t, err, syscall.EROFS)
	}
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, ""))
	target := new(queueTarget)
	s := openSpool(t, filepath.Join(dir, "spool"), target)
	require.NoError(t, s.Close())
	assert.Len(t, target.docs, 10)
}

// TestSpoolSyncChild is no test, see TestSpoolFailingSync.
func TestSpoolSyncChild(t *testing.T) {
	dir := os.Getenv(spoolChild)
	if dir == "" {
		t.Skip("the part of TestSpoolFailingSync that runs in another process")
	}
	target := new(queueTarget)
	s := openSpool(t, dir, target, sink.WithSync(sink.SyncAlways))
	docs, failed := numbered(0, 5), 0
	err := s.Write(t.Context(), docs)
	for ; errors.Is(err, syscall.EIO) && failed < 100; err = s.Write(t.Context(), docs) {
		failed++
		assert.Zero(t, s.Stats().Accepted)
	}
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.Equal(t, texts(docs), target.texts(), "what was not synced is not sent")
	fmt.Println("failed", failed)
}

// A disk that cannot sync what was written has not accepted it.
func TestSpoolFailingSync(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace, which Debian's package strace has: ", err)
	}
	dir := t.TempDir()
	first := filepath.Join(dir, fmt.Sprintf("%016x-%016x-%016x.spool1", 0, 0, 0))
	cmd := child("TestSpoolSyncChild", spoolChild+"="+dir)
	cmd.Args = append([]string{strace, "-f", "-qq", "-o", "/dev/null", "-P", first, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=1"}, cmd.Args...)
	cmd.Path = strace
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "ptrace") {
		t.Skipf("strace may not trace here: %s", out)
	}
	require.NoError(t, err, string(out))
	assert.Regexp(t, `failed [1-9]`, string(out))
}
