package awssend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// answered is an error as the client makes it of an answer of that status.
func answered(status int, err error) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err,
	}}
}

func TestKindOf(t *testing.T) {
	api := func(code string) error { return &smithy.GenericAPIError{Code: code} }
	for _, c := range []struct {
		err  error
		want Kind
		lost bool
	}{
		{answered(400, api("ThrottlingException")), Again, false},
		{answered(400, api("Throttling")), Again, false},
		{answered(400, api("OperationAbortedException")), Again, false},
		{answered(400, api("ExpiredTokenException")), Again, false},
		{answered(500, api("InternalFailure")), Again, false},
		{answered(503, errors.New("html")), Again, false},
		{answered(200, io.ErrUnexpectedEOF), Again, true},
		{answered(502, errors.New("html")), Again, true},
		{answered(504, errors.New("html")), Again, true},
		{answered(400, api("InvalidParameterException")), Refused, false},
		{answered(400, api("InvalidParameterValue")), Refused, false},
		{answered(413, errors.New("html")), Refused, false},
		{answered(400, api("AccessDeniedException")), Denied, false},
		{answered(400, api("ResourceNotFoundException")), Missing, false},
		{answered(400, api("ResourceAlreadyExistsException")), Exists, false},
		{smithy.InvalidParamsError{}, Refused, false},
		{fmt.Errorf("create: %w", Aside(answered(400, api("InvalidParameterException")))), Again, false},
		{context.DeadlineExceeded, Again, true},
		{fmt.Errorf("send: %w", io.EOF), Again, true},
		{&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, Again, false},
		{errors.New("no credentials"), Again, false},
	} {
		assert.Equal(t, c.want, KindOf(c.err), "%v", c.err)
		// As a call that nobody could watch: what may have been taken is counted.
		var w Watch
		w.Settle(c.err)
		assert.Equal(t, c.lost, w.Lost == 1, "%v", c.err)
		assert.Equal(t, 1, w.Attempts)
	}
}

func TestExplainSaysItOnce(t *testing.T) {
	err := Explain("a:B", Explain("c:D", &smithy.GenericAPIError{Code: "AccessDenied"}))
	var denied *PermissionError
	require.ErrorAs(t, err, &denied)
	assert.Equal(t, "c:D", denied.Action)
	assert.NoError(t, Explain("a:B", nil))
}

// Many documents with many reasons make one error that can be read.
func TestReasonsAreBounded(t *testing.T) {
	docs := make([]emf.Document, 100)
	d := NewDelivery(context.Background(), docs, true)
	for i := range docs {
		d.Reject(i, fmt.Errorf("reason %d", i/5))
	}
	_, err := d.Result()
	var u *emf.UndeliveredError
	require.ErrorAs(t, err, &u)
	assert.Len(t, u.Reject, 100)
	require.ErrorContains(t, err, "5 documents: reason 0")
	require.ErrorContains(t, err, "and 12 reasons more")
	assert.NotContains(t, err.Error(), "reason 15")
}
