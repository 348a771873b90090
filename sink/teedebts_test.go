package sink

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// Documents that are owed and never come again, because somebody gave up on them, are
// forgotten in the end.
func TestTeeForgets(t *testing.T) {
	down := emf.SinkFunc(func(context.Context, []emf.Document) error { return errors.New("down") })
	up := emf.SinkFunc(func(context.Context, []emf.Document) error { return nil })
	s := Tee(up, down).(*tee)
	for n := 0; n < 3*maxDebts; n += 1000 {
		var docs []emf.Document
		for i := range 1000 {
			docs = append(docs, emf.Document{JSON: fmt.Append(nil, n+i)})
		}
		require.Error(t, s.Write(t.Context(), docs))
		require.LessOrEqual(t, len(s.recent)+len(s.older), 2*maxDebts)
	}
	assert.NotEmpty(t, s.older)
}
