package middleware

// Request is what is known of a unit of work: an HTTP request, an invocation, a job. A field
// that is empty, or zero, is one that the host does not know.
type Request struct {
	Method   string // one of a few: it is a dimension
	Route    string // the pattern that matched, not what the client asked for: it is a dimension
	Path     string // what the client asked for, without the query: logs and documents only
	TenantID string
	UserID   string // logs and documents only

	RequestID string
	TraceID   string

	Status        int // of HTTP
	ResponseBytes int // in the body; negative if there is none to speak of, as of a stream
}
