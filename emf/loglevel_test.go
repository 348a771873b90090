package emf_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

func TestLogLevel(t *testing.T) {
	e, c := newEmitter(t, emf.WithLogLevel("ERROR"), emf.WithProperties(map[string]any{"v": 1}))
	e.Counter("n").Inc()
	flush(t, e)
	ev := e.Begin()
	ev.Counter("n").Inc()
	ev.SetProperty("level", "mine")
	require.NoError(t, ev.End(t.Context()))
	e.With(emf.Dim("timestamp", "noon")).Counter("level").Inc()
	flush(t, e)
	const stamp = `"timestamp":"2026-11-24T12:00:30.000Z",`
	var got []string
	for _, d := range c.take() {
		_, members, _ := strings.Cut(d.json, "]}]},")
		got = append(got, members)
	}
	assert.Equal(t, []string{
		`"v":1,"level":"ERROR",` + stamp + `"n":1}`,
		`"v":1,"level":"mine",` + stamp + `"n":1}`,
		`"timestamp":"noon","v":1,"level":1}`,
	}, got)

	_, err := emf.New("test", emf.WithLogLevel("error"))
	assert.ErrorContains(t, err, `WithLogLevel: "error": one of`)
}

// The members count towards the size of documents.
func TestLogLevelKeepsDocumentsSmall(t *testing.T) {
	e, c := newEmitter(t, emf.WithLogLevel("FATAL"), emf.WithMaxDocumentSize(1024))
	for i := range 200 {
		e.Counter("metric" + strconv.Itoa(i)).Inc()
	}
	flush(t, e)
	docs := c.take()
	assert.Greater(t, len(docs), 5)
	for _, d := range docs {
		assert.LessOrEqual(t, len(d.json), 1024)
	}
}

// Lambda drops lines without a level where the function's level is above INFO.
func TestLogLevelOfTheFunction(t *testing.T) {
	for _, c := range []struct {
		format, level string
		opts          []emf.Option
		want          any
	}{
		{"JSON", "WARN", nil, "WARN"},
		{"JSON", "FATAL", nil, "FATAL"},
		{"JSON", "INFO", nil, nil},
		{"JSON", "", nil, nil},
		{"JSON", "LOUD", nil, nil},
		{"Text", "WARN", nil, nil},
		{"JSON", "WARN", []emf.Option{emf.WithLogLevel("ERROR")}, "ERROR"},
		{"JSON", "WARN", []emf.Option{emf.WithLogLevel("")}, nil},
	} {
		t.Setenv("AWS_LAMBDA_LOG_FORMAT", c.format)
		t.Setenv("AWS_LAMBDA_LOG_LEVEL", c.level)
		e, docs := newEmitter(t, c.opts...)
		e.Counter("n").Inc()
		flush(t, e)
		assert.Equal(t, c.want, docs.take()[0].root["level"], "%+v", c)
	}
}

func TestPowertoolsDev(t *testing.T) {
	for _, c := range []struct {
		dev, off string
		want     int
	}{{"true", "", 0}, {"true", "false", 1}, {"false", "", 1}, {"", "true", 0}} {
		t.Setenv("POWERTOOLS_DEV", c.dev)
		t.Setenv("POWERTOOLS_METRICS_DISABLED", c.off)
		e, docs := newEmitter(t)
		e.Counter("n").Inc()
		flush(t, e)
		assert.Len(t, docs.take(), c.want, "%+v", c)
	}
}
