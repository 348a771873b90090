package cwtest

import (
	"math/rand/v2"
	"net/http"
	"sync"
)

// Fault is what becomes of a request.
type Fault string

// The faults. Throttling is HTTP 400 with ThrottlingException for Logs and Throttling for
// metrics, as AWS answers.
const (
	None            Fault = ""
	Throttle        Fault = "throttle"
	InternalError   Fault = "500"
	Unavailable     Fault = "503"
	UnavailableHTML Fault = "503, HTML body" // as a load balancer answers
	AccessDenied    Fault = "access denied"
	Stall           Fault = "stall"              // nothing taken, no answer
	StallAfter      Fault = "stall after taking" // taken, no answer
	CutBefore       Fault = "cut before taking"  // nothing taken, connection closed
	CutAfter        Fault = "cut after taking"   // taken, connection closed
	CutAnswer       Fault = "cut in the answer"  // taken, connection closed in the middle of the answer
	NoToken         Fault = "no sequence token"  // taken, answered without the optional nextSequenceToken
	// RejectSome takes PutLogEvents but for the first quarter of the events, too old, and
	// the last quarter, too new, whatever their times. Other operations are as ever.
	RejectSome Fault = "reject some events"
)

// Faults says what becomes of a request. It is called for one at a time, and may ask the
// server what it holds.
type Faults func(Request) Fault

// SetFaults replaces the faults; nil ends them.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Always makes the same of each request.
func Always(f Fault) Faults { return func(Request) Fault { return f } }

// Sequence makes one of the faults of each request, in order, and then none.
func Sequence(faults ...Fault) Faults {
	return func(Request) Fault {
		if len(faults) == 0 {
			return None
		}
		f := faults[0]
		faults = faults[1:]
		return f
	}
}

// Only asks f about requests for one operation. Others are as ever.
func Only(operation string, f Faults) Faults {
	return func(r Request) Fault {
		if r.Operation != operation {
			return None
		}
		return f(r)
	}
}

// Random makes one of the faults of that share of the requests, each as often as the
// others. The same seed gives the same faults.
func Random(seed uint64, share float64, faults ...Fault) Faults {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, seed))
	return func(Request) Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.Float64() >= share {
			return None
		}
		return faults[random.IntN(len(faults))]
	}
}

// failure is an error answer.
type failure struct {
	code    string // as AWS's model names the error's shape
	query   string // code of the query protocol, where it is another
	message string
	status  int
}

func (f Fault) failure(wire protocol, operation string) *failure {
	switch f {
	case Throttle:
		if wire == (jsonLogs{}) {
			return &failure{code: "ThrottlingException", message: "Rate exceeded", status: http.StatusBadRequest}
		}
		return &failure{code: "Throttling", query: "Throttling", message: "Rate exceeded", status: http.StatusBadRequest}
	case AccessDenied:
		action := "cloudwatch:" + operation
		if wire == (jsonLogs{}) {
			action = "logs:" + operation
		}
		return &failure{
			code: "AccessDeniedException", query: "AccessDenied", status: http.StatusBadRequest,
			message: "User: arn:aws:iam::123456789012:user/test is not authorized to perform: " + action,
		}
	case InternalError:
		return &failure{code: "InternalServiceFault", query: "InternalFailure", message: "internal failure", status: http.StatusInternalServerError}
	}
	return &failure{code: "ServiceUnavailableException", query: "ServiceUnavailable", message: "service unavailable", status: http.StatusServiceUnavailable}
}

func (f *failure) queryCode() string {
	if f.query == "" {
		return f.code
	}
	return f.query
}
