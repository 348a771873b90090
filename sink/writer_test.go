package sink_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

func ExampleWriter() {
	metrics := emf.Must(emf.New("Shop",
		emf.WithSink(sink.Writer(os.Stdout)),
		emf.WithClock(func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) })))
	metrics.Counter("orders").Inc()
	if err := metrics.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"orders","Unit":"Count"}]}]},"orders":1}
}

// documents are one JSON object for each text.
func documents(texts ...string) []emf.Document {
	var docs []emf.Document
	for _, text := range texts {
		docs = append(docs, emf.Document{JSON: []byte(text), Values: 1})
	}
	return docs
}

// limited writes so many bytes, then fails or, without an error, writes short.
type limited struct {
	bytes.Buffer
	room  int
	err   error
	calls int
}

func (l *limited) Write(p []byte) (int, error) {
	l.calls++
	n := min(len(p), l.room)
	l.Buffer.Write(p[:n])
	if n < len(p) {
		return n, l.err
	}
	return n, nil
}

func TestOneWriteABatch(t *testing.T) {
	w := &limited{room: 1000}
	require.NoError(t, sink.Writer(w).Write(t.Context(), documents(`{"a":1}`, `{"b":2}`)))
	assert.Equal(t, "{\"a\":1}\n{\"b\":2}\n", w.String())
	assert.Equal(t, 1, w.calls)
}

func TestShortWrites(t *testing.T) {
	errFull := errors.New("full")
	for room, want := range map[int]struct {
		retry []int
		out   string
	}{
		0:  {[]int{0, 1, 2}, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n"},
		3:  {[]int{0, 1, 2}, "{\"a\n{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n"},
		7:  {[]int{1, 2}, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n"}, // only its newline is missing
		8:  {[]int{1, 2}, "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n"},
		12: {[]int{1, 2}, "{\"a\":1}\n{\"b\"\n{\"b\":2}\n{\"c\":3}\n"},
		22: {[]int{2}, "{\"a\":1}\n{\"b\":2}\n{\"c\":3\n{\"c\":3}\n"},
	} {
		for _, err := range []error{errFull, nil} {
			w := &limited{room: room, err: err}
			s := sink.Writer(w)
			docs := documents(`{"a":1}`, `{"b":2}`, `{"c":3}`)
			var undelivered *emf.UndeliveredError
			got := s.Write(t.Context(), docs)
			require.ErrorAs(t, got, &undelivered)
			assert.Equal(t, want.retry, undelivered.Retry, "room for %d", room)
			assert.Empty(t, undelivered.Reject)
			if err == nil {
				err = io.ErrShortWrite
			}
			require.ErrorIs(t, got, err)

			// The torn line is ended, and what is written again is whole.
			w.room = 1000
			require.NoError(t, s.Write(t.Context(), docs[undelivered.Retry[0]:]))
			assert.Equal(t, want.out, w.String(), "room for %d", room)
		}
	}
}

// A disk that is full: the documents wait, and arrive when it is not.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/full, which Linux has: ", err)
	}
	defer full.Close()
	var out bytes.Buffer
	to := io.Writer(full)
	e := emf.Must(emf.New("test", emf.WithFlushInterval(0), emf.WithLogger(slog.New(slog.DiscardHandler)),
		emf.WithSink(sink.Writer(writerFunc(func(p []byte) (int, error) { return to.Write(p) })))))
	e.Counter("n").Inc()
	require.ErrorIs(t, e.Flush(t.Context()), syscall.ENOSPC)
	to = &out
	require.NoError(t, e.Flush(t.Context()))
	assert.Equal(t, 1, strings.Count(out.String(), "\n"))
	assert.EqualValues(t, 1, e.Stats().Delivered)
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Several emitters on one pipe, as several clients on one standard output: lines stay whole.
func TestLinesOfManyWritersStayWhole(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	var lines []string
	read := make(chan struct{})
	go func() {
		defer close(read)
		all, _ := io.ReadAll(r)
		lines = strings.Split(strings.TrimSuffix(string(all), "\n"), "\n")
	}()
	const writers, each = 4, 500
	shared := sink.Writer(w)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for range each {
				_ = shared.Write(context.Background(), documents(strings.Repeat(fmt.Sprint(i), 5000), strings.Repeat(fmt.Sprint(i), 100)))
			}
		})
	}
	all.Wait()
	w.Close()
	<-read
	require.Len(t, lines, 2*writers*each)
	for _, line := range lines {
		require.Equal(t, strings.Repeat(line[:1], len(line)), line)
	}
}
