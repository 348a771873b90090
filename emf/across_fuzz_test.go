package emf_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// Whatever is recorded across whichever sets of dimensions, CloudWatch takes the documents and
// finds each value under each of its sets, whether it was written or added up.
func FuzzAcross(f *testing.F) {
	f.Add([]byte{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}, uint16(1024), false)
	f.Add([]byte("what is recorded, where, and what is said of it"), uint16(2000), true)
	f.Add(bytes.Repeat([]byte{7, 1, 0x91, 0xfe}, 60), uint16(1100), false)
	f.Fuzz(func(t *testing.T, program []byte, size uint16, drop bool) {
		names := []string{"a", "b", "c", "d", `q"\`, "TenantID"}
		values := []string{"1", "2", `"x\`, "other"}
		var docs [][]byte
		e, err := emf.New("Fuzz", emf.WithFlushInterval(0), emf.WithMaxDocumentSize(max(1024, int(size))),
			emf.WithProperties(map[string]any{"a": "emitter's", "z": 1}), emf.WithLogger(slog.New(slog.DiscardHandler)),
			emf.WithSink(emf.SinkFunc(func(_ context.Context, batch []emf.Document) error {
				for _, d := range batch {
					docs = append(docs, bytes.Clone(d.JSON))
				}
				return nil
			})))
		require.NoError(t, err)
		next := func() (b int) {
			if len(program) > 0 {
				b, program = int(program[0]), program[1:]
			}
			return b
		}
		ev := e.Begin()
		recorded := 0.0 // by counters that are not dropped, once for each set
		for len(program) > 0 {
			switch op := next(); op % 4 {
			case 0:
				ev.SetProperty(names[next()%len(names)], values[next()%len(values)])
			case 1:
				ev.With(emf.Dim(names[next()%len(names)], values[next()%len(values)])).Counter("own").Inc()
				recorded++
			default:
				var views []*emf.Recorder
				for range 1 + op/4%3 {
					view := e.With(emf.Dim(names[next()%len(names)], values[op/16%len(values)]), emf.Dim(names[next()%len(names)], values[op/16%len(values)]))
					if !slices.Contains(views, view) {
						views = append(views, view)
					}
				}
				across(ev, views).Counter("sum").Inc()
				recorded += float64(len(views))
				across(ev, views).Counter(names[next()%len(names)]).Inc() // may be named like a dimension
			}
		}
		if drop {
			dissolve(ev)
		}
		require.NoError(t, ev.End(context.Background()))
		require.NoError(t, e.Close(context.Background()))
		found := 0.0
		for _, doc := range docs {
			require.Empty(t, emf.Check(doc), "%s", doc)
			metrics, err := emf.Extract(doc)
			require.NoError(t, err)
			for _, m := range metrics {
				if m.Name == "sum" || m.Name == "own" {
					found += m.Values[0]
				}
			}
		}
		require.Equal(t, recorded, found)
		s := e.Stats()
		require.Equal(t, s.Recorded, s.Delivered+s.Dropped)
		require.Zero(t, s.Late+s.Pending)
	})
}
