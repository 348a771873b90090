// Package sink has sinks that take documents somewhere without an AWS client.
package sink

import (
	"context"
	"io"
	"os"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/lines"
)

// Writer returns a sink that writes documents to w, one a line: a batch of documents is
// one call to w.Write, so that lines of several writers to the same file or pipe are not
// interleaved where the system writes whole buffers.
//
// When w fails or writes short, the documents that were not written whole are offered
// again; what there is of a torn line is ended first, so that it spoils no other. The sink
// is safe for concurrent use, does not close w, and cannot interrupt a Write that hangs.
func Writer(w io.Writer) emf.Sink {
	out := &lines.Writer{W: w}
	return emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
		retry, err := out.Write(len(docs), func(i int) []byte { return docs[i].JSON })
		if err != nil {
			return &emf.UndeliveredError{Retry: retry, Err: err}
		}
		return nil
	})
}

// Stdout returns a sink that writes documents to standard output, see [Writer]. It is
// what an emitter does without a sink.
func Stdout() emf.Sink { return Writer(os.Stdout) }
