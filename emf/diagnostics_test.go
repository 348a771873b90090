package emf_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// A name that clashes in one way does not hide for a minute one that clashes in another.
func TestEachKindOfConflictIsLogged(t *testing.T) {
	var log bytes.Buffer // read after Close, which waits for the logger
	e, _ := newEmitter(t, emf.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	r := e.WithTenant("acme")
	r.Counter("TenantID").Inc()
	r.Counter("latency").Inc()
	r.Histogram("latency").Observe(1)
	require.NoError(t, e.Close(t.Context()))
	assert.Contains(t, log.String(), "metric=TenantID")
	assert.Contains(t, log.String(), "metric=latency")
}
