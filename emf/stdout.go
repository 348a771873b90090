package emf

import (
	"context"
	"os"

	"github.com/liftemf/liftemf/internal/lines"
)

// lineSink is the default sink; package sink has the same for any writer.
type lineSink struct{ lines.Writer }

func newStdout() *lineSink { return &lineSink{lines.Writer{W: os.Stdout}} }

func (s *lineSink) Write(_ context.Context, docs []Document) error {
	retry, err := s.Writer.Write(len(docs), func(i int) []byte { return docs[i].JSON })
	if err != nil {
		return &UndeliveredError{Retry: retry, Err: err}
	}
	return nil
}
