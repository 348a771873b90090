package sink

import "github.com/liftemf/liftemf/emf"

// RetrySink delivers documents to another sink in the background and keeps in memory what
// that does not take. See [Retry].
type RetrySink struct{ *courier }

// Retry returns a sink that takes documents at once, copying them, and delivers them to next
// from a goroutine of its own: an emitter in front of it never waits for the network, and an
// outage costs memory up to [WithMaxBytes] and nothing else.
//
// Documents are offered to next in the order in which they were accepted, in batches of at most
// 10,000 documents and 1 MiB. What next wants to be asked again for is offered again, first and
// in the same order, after a pause that grows, see [WithBackoff]; what it refuses for good is
// dropped; an error that is no [emf.UndeliveredError], and a panic, keep the whole batch. What
// was delivered is not offered again. Beyond [WithMaxBytes], and when they have waited for
// [WithMaxAge], the oldest documents that next is not busy with are dropped. Each drop is
// counted with its reason in Stats, in documents, bytes and values, and logged.
//
// To an emitter its documents are delivered once Write has accepted them: what happens to them
// later is in the RetrySink's own Stats. Write refuses a document that is larger than the bound,
// and after Close everything, with an error that wraps [emf.ErrClosed].
//
// Close it to deliver what is left: [emf.Emitter.Close] does. In a Lambda function the goroutine
// stands still between invocations. There an emitter without it is enough, because what a sink did not take
// stays in the emitter until the next flush; or call Flush before the handler returns.
//
// There is no error to return here: an option out of range is logged, and the default used.
func Retry(next emf.Sink, opts ...RetryOption) *RetrySink {
	c := newQueueConfig(DefaultRetryBytes)
	for _, o := range opts {
		if o != nil {
			o.retryOption(&c)
		}
	}
	report := newReporter(c.logger)
	if c.err != nil {
		report.warn("option", "an option is not used", "error", c.err)
	}
	l := &ledger{report: report}
	return &RetrySink{newCourier(next, c, newMemory(c, l), l)}
}
