package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What no log event can hold is told, and not passed over as if it were no document.
func TestSendOfALineThatIsTooLong(t *testing.T) {
	text := strings.Replace(numberedLines(0, 1), `,"n"`, `,"text":"`+strings.Repeat("x", 2*longestLine)+`","n"`, 1)
	log, err := newSendLog(strings.NewReader(text + strings.Repeat("y", 2*longestLine) + "\nz"))
	require.NoError(t, err)
	var kinds []sendKind
	var last sendLine
	for line := log.next(); line.err == nil; line = log.next() {
		_, kind := line.document()
		kinds = append(kinds, kind)
		last = line
	}
	assert.Equal(t, []sendKind{faulty, noMetrics, noMetrics}, kinds)
	assert.Equal(t, "z", string(last.text))
	assert.EqualValues(t, len(text)+2*longestLine+2, last.end)
}

func TestDocumentOfTooManyValues(t *testing.T) {
	line := sendLine{text: []byte(`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[[]],"Metrics":[{"Name":"m"}]}]},"m":{"Values":[1],"Counts":[1e30]}}`)}
	doc, kind := line.document()
	require.Equal(t, sendable, kind)
	assert.Equal(t, maxCount, doc.Values)
}

// An input that says nothing, not even whether it is compressed, does not keep an interrupt waiting.
func TestSendInterruptedBeforeTheFirstByte(t *testing.T) {
	read, hold, err := os.Pipe()
	require.NoError(t, err)
	stdin := os.Stdin
	os.Stdin = read
	defer func() { os.Stdin = stdin }()
	defer hold.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := make(chan error, 1)
	go func() {
		r := &replay{state: new(sendState), limit: maxBatch, tab: newTab(), in: newInput(nil)}
		ended <- r.file(ctx, standardInput)
	}()
	select {
	case err := <-ended:
		assert.ErrorIs(t, err, errInterrupted)
	case <-time.After(30 * time.Second):
		t.Error("it waits for input")
	}
}
