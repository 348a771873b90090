package main

import (
	"strings"
	"testing"

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
