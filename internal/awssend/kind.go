// Package awssend is what the sinks for AWS have in common: it judges errors of AWS clients,
// watches their attempts, and settles what becomes of each document.
package awssend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"

	"github.com/aws/smithy-go"
)

// Kind is what an error of an AWS client means to who sends documents.
type Kind int

// The kinds of errors.
const (
	Again   Kind = iota // throttled, 5xx, no connection, no answer, and what nobody knows
	Refused             // for what is in the request: it will be refused again
	Denied              // for lack of a permission
	Missing             // a resource is missing
	Exists              // a resource is there already
)

// kinds are the codes of errors that are not worth another try as they are. Throttling is an
// HTTP 400, so the status says little.
var kinds = map[string]Kind{
	"InvalidParameterException":            Refused,
	"InvalidParameterValueException":       Refused,
	"InvalidParameterValue":                Refused,
	"InvalidParameterCombinationException": Refused,
	"InvalidParameterCombination":          Refused,
	"MissingRequiredParameterException":    Refused,
	"MissingParameter":                     Refused,
	"ValidationException":                  Refused,
	"ValidationError":                      Refused,
	"SerializationException":               Refused,
	"RequestEntityTooLargeException":       Refused,
	"RequestEntityTooLarge":                Refused,
	"AccessDeniedException":                Denied,
	"AccessDenied":                         Denied,
	"ResourceNotFoundException":            Missing,
	"ResourceAlreadyExistsException":       Exists,
}

// KindOf judges an error that is not nil.
func KindOf(err error) Kind {
	var other *aside
	if errors.As(err, &other) {
		return Again
	}
	if status(err) == http.StatusRequestEntityTooLarge {
		return Refused
	}
	var invalid smithy.InvalidParamsError
	if errors.As(err, &invalid) { // by the client, without a request
		return Refused
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return kinds[api.ErrorCode()]
	}
	return Again
}

// aside is an error of another request than the one that carries documents.
type aside struct{ error }

func (a *aside) Unwrap() error { return a.error }

// Aside marks an error of a request that carries no documents, so that what it refuses is not
// held against them. It is worth another try, whatever it is.
func Aside(err error) error {
	if err == nil {
		return nil
	}
	return &aside{err}
}

// status is the HTTP status of the answer, 0 if there was none.
func status(err error) int {
	var answered interface{ HTTPStatusCode() int }
	if errors.As(err, &answered) {
		return answered.HTTPStatusCode()
	}
	return 0
}

// unanswered reports whether an attempt failed without an answer that says whether the
// request was taken. A success that cannot be read is none, and neither is a proxy's word that
// the service did not answer it.
func unanswered(err error) bool {
	switch code := status(err); {
	case code == http.StatusBadGateway, code == http.StatusGatewayTimeout, code >= 200 && code < 300:
		return true
	case code != 0:
		return false
	}
	var api smithy.APIError
	return !errors.As(err, &api)
}

// lost reports whether a call that nobody could watch may have been taken all the same.
func lost(err error) bool {
	if !unanswered(err) {
		return false
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return false
	}
	var timeout net.Error
	return status(err) != 0 || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.As(err, &timeout) && timeout.Timeout()
}

// PermissionError says which action the caller's identity may not perform.
type PermissionError struct {
	Action string // as in a policy, such as logs:PutLogEvents
	Err    error  // AWS's answer
}

// Error names the action and quotes the answer.
func (e *PermissionError) Error() string {
	return fmt.Sprintf("allow the action %s: %v", e.Action, e.Err)
}

// Unwrap returns Err.
func (e *PermissionError) Unwrap() error { return e.Err }

// Explain returns err, as a PermissionError that names the action if it was denied.
func Explain(action string, err error) error {
	var explained *PermissionError
	if err != nil && KindOf(err) == Denied && !errors.As(err, &explained) {
		return &PermissionError{Action: action, Err: err}
	}
	return err
}
