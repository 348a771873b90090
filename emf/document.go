package emf

import (
	"context"
	"fmt"
	"time"
)

// Document is one embedded metric format document on its way to a [Sink].
type Document struct {
	// Time is the document's timestamp, the time CloudWatch files its metrics under.
	Time time.Time
	// JSON is one JSON object without a newline in or after it. It is valid until
	// [Sink.Write] returns: a sink that keeps it longer copies it.
	JSON []byte
	// Values is the number of recorded values that the document carries.
	Values int
}

// Sink takes documents somewhere.
//
// An [Emitter] never calls Write from two goroutines at once, and never with no
// documents. The slice and what it holds are not to be changed. Write returns nil when it has taken all of them, an
// [UndeliveredError] when it has taken some, and any other error when it has taken
// none: those are offered again by the next flush. Write should return soon after
// ctx is done; what it has not settled by then stays pending until it does. It may
// record, but not flush the emitter or end its events: they wait for it. A sink that has
// something to close also has a method Close() error, which the emitter calls once, from
// [Emitter.Close]; with CloseContext(context.Context) error beside it, that instead, with
// the context of the Close.
type Sink interface {
	Write(ctx context.Context, docs []Document) error
}

// SinkFunc makes a function a [Sink].
type SinkFunc func(ctx context.Context, docs []Document) error

// Write calls f.
func (f SinkFunc) Write(ctx context.Context, docs []Document) error { return f(ctx, docs) }

// UndeliveredError is what a [Sink] returns when it has taken some documents and
// not others. The numbers are indexes into the documents given to Write; a number
// in neither list was delivered.
type UndeliveredError struct {
	Retry  []int // worth another try
	Reject []int // refused for good; counted as dropped
	Err    error // why
}

// Error says how many documents were not delivered, and why.
func (e UndeliveredError) Error() string {
	return fmt.Sprintf("%d documents to retry, %d refused: %v", len(e.Retry), len(e.Reject), e.Err)
}

// Unwrap returns Err.
func (e UndeliveredError) Unwrap() error { return e.Err }
