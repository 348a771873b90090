package sink

// fate is what became of a document that was offered to a sink.
type fate uint8

const (
	delivered fate = iota
	refused        // for good
	kept           // to be offered again
)

// fates says what became of each of n documents; nil stands for all delivered.
func (a *outcome) fates(n int) []fate {
	if len(a.retry) == 0 && len(a.reject) == 0 {
		return nil
	}
	fates := make([]fate, n)
	for _, i := range a.retry {
		fates[i] = kept
	}
	for _, i := range a.reject {
		fates[i] = refused
	}
	return fates
}
