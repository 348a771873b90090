package main_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/liftemf/liftemf/internal/lambdatest"
)

var varies = regexp.MustCompile(`("Timestamp"|"requests.duration"):[0-9.]+`)

const golden = `{"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service","TenantID"]],"Metrics":[{"Name":"mails.sent","Unit":"Count"},{"Name":"mail.size","Unit":"Bytes"},{"Name":"mails.refused","Unit":"Count"}]},{"Namespace":"Shop","Dimensions":[["Service"],["Service","TenantID"]],"Metrics":[{"Name":"requests.total","Unit":"Count"},{"Name":"requests.duration","Unit":"Milliseconds"}]}]},"Service":"mail","TenantID":"acme","request_id":"r-1","function_version":"$LATEST","mails.sent":2,"mail.size":[5,3],"mails.refused":1,"requests.total":1,"requests.duration":0}
{"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service","TenantID"]],"Metrics":[{"Name":"mails.sent","Unit":"Count"},{"Name":"mail.size","Unit":"Bytes"}]},{"Namespace":"Shop","Dimensions":[["Service"],["Service","TenantID"]],"Metrics":[{"Name":"requests.total","Unit":"Count"},{"Name":"requests.duration","Unit":"Milliseconds"}]}]},"Service":"mail","TenantID":"globex","request_id":"r-2","function_version":"$LATEST","mails.sent":1,"mail.size":2,"requests.total":1,"requests.duration":0}
`

func TestOutput(t *testing.T) {
	f := lambdatest.Deploy(t, lambdatest.Config{
		Program: lambdatest.Build(t, "."),
		Env:     []string{"AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency"}, // no cold start
	})
	result := f.Invoke(lambdatest.Invocation{RequestID: "r-1", TenantID: "acme", Payload: `{"Records":[{"messageId":"1","body":"Hello"},{"messageId":"2"},{"messageId":"3","body":"Hi!"}]}`})
	assert.JSONEq(t, `{"batchItemFailures":[{"itemIdentifier":"2"}]}`, result.Payload)
	f.Invoke(lambdatest.Invocation{RequestID: "r-2", TenantID: "globex", Payload: `{"Records":[{"messageId":"4","body":"Hi"}]}`})
	assert.Equal(t, golden, varies.ReplaceAllString(f.Stdout(), "$1:0"))

	logged := lambdatest.Lines(f.Stderr())
	assert.Len(t, logged, 2)
	for i, tenant := range []string{"acme", "globex"} {
		assert.True(t, strings.Contains(logged[i], `"message":"request completed"`) && strings.Contains(logged[i], `"tenant_id":"`+tenant+`"`), logged[i])
	}
}
