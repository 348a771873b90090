package logevents

// Stats are counts since [New]. The first four are values, as in [emf.Document].
type Stats struct {
	Delivered uint64 // in documents that CloudWatch has taken
	Rejected  uint64 // in documents that are given up
	Retried   uint64 // in documents handed back to be tried again, each time
	// Ambiguous is how many values were sent without an answer that says whether they were taken,
	// each time: a time-out, or a connection that was cut after the request. Sent again,
	// as the client and who calls Write do, they may arrive twice. So at most so many are double.
	Ambiguous uint64

	Calls            uint64 // requests, the client's own repeats and those that create among them
	Bytes            uint64 // of the bodies of all requests
	EntitiesRejected uint64 // calls whose documents were taken without their entity
	LastError        error
}

// Stats returns what was counted so far.
func (s *Sink) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

func (s *Sink) note(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}
