package metricdata

// Stats are counts since [New]. The first four are values, as in [emf.Document].
type Stats struct {
	Delivered uint64 // in documents that CloudWatch has taken whole
	Rejected  uint64 // in documents that are given up
	Retried   uint64 // in documents handed back to be tried again, each time
	// Ambiguous is how many values were sent without an answer that says whether they were taken,
	// each time: a time-out, or a connection that was cut after the request; and those of documents
	// handed back of which a part was taken. Sent again, as the client and who calls Write do,
	// they may arrive twice. So at most so many are double.
	Ambiguous uint64

	Calls     uint64 // requests, the client's own repeats among them
	Bytes     uint64 // of the bodies of all requests, as sent: compressed where the client does
	Data      uint64 // metrics under a dimension set that CloudWatch has taken
	LastError error
}

// Stats returns what was counted so far.
func (s *Sink) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}
