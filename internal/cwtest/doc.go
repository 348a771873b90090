// Package cwtest is CloudWatch for tests: a local HTTP server that speaks the wire protocols
// of CloudWatch Logs and of CloudWatch metrics, enforces the limits that AWS documents with
// AWS's own error types, makes metrics of log events by rules of its own, and can be asked
// what it holds.
//
//	srv := cwtest.New(t)                       // closed with the test
//	s, err := logevents.New(srv.LogsClient(), "/shop/metrics")
//	…
//	m := srv.Metric("Shop", "orders", nil)     // SampleCount, Sum, Min, Max, by minute too
//	srv.Reset()
//
// LogsClient and MetricsClient return the real clients of the AWS SDK, with dummy credentials,
// connections that the server closes, three attempts and next to no backoff. Do not use
// config.LoadDefaultConfig with an HTTP client of your own where AWS_CA_BUNDLE is set: it
// fails. Config returns an aws.Config to build clients from; its RequestMinCompressSizeBytes is
// that of LoadDefaultConfig. Other clients are pointed at URL. Any credentials will do.
//
// # Faults
//
// SetFaults takes a function that is asked once for each request, the client's own repeats
// included, before the request is looked at:
//
//	srv.SetFaults(cwtest.Sequence(cwtest.Throttle, cwtest.CutAfter))      // the next two requests, then none
//	srv.SetFaults(cwtest.Only("PutLogEvents", cwtest.Always(cwtest.Unavailable)))
//	srv.SetFaults(cwtest.Random(seed, 0.3, cwtest.Throttle, cwtest.InternalError, cwtest.CutBefore))
//
// CutAfter, CutAnswer and StallAfter take what was sent and lose the answer: a client that sends again
// makes duplicates, which the server holds as CloudWatch would. After all other faults it holds
// nothing of the request. SetFaults(nil) ends them. Stalled requests end with the client's
// patience, with WithStallLimit or with Close.
//
// # What it holds
//
// Counts are exact up to 2^53. Values are kept with how often they occurred, and Sum is added
// up in ascending order with compensation, so that it does not depend on the order of arrival.
//
// # What it is sure of
//
// Limits and error types are those of the API references of PutLogEvents and PutMetricData.
// Where AWS says nothing, the stricter reading is taken: a repeated dimension name, a blank
// name, and a statistic set whose minimum is above its maximum are refused. 1 MB is 1,048,576
// bytes before compression. Of extraction AWS says little: a document that breaks a rule
// yields no metric at all, but a metric without target only goes missing itself, and so
// does a dimension set without target, as an AWS library states. Metrics are extracted in
// log groups of the class STANDARD only.
//
// The server is safe for concurrent use.
package cwtest
