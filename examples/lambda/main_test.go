package main_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/liftemf/liftemf/internal/lambdatest"
)

var varies = regexp.MustCompile(`("Timestamp"|"requests.duration"):[0-9.]+`)

const golden = `{"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service","function_name"]],"Metrics":[{"Name":"ColdStart","Unit":"Count"}]}]},"Service":"checkout","function_name":"shop","request_id":"r-1","function_version":"$LATEST","ColdStart":1}
{"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service"]],"Metrics":[{"Name":"orders","Unit":"Count"},{"Name":"order.items","Unit":"Count"},{"Name":"requests.total","Unit":"Count"},{"Name":"requests.duration","Unit":"Milliseconds"}]}]},"Service":"checkout","request_id":"r-1","function_version":"$LATEST","order":"17","orders":1,"order.items":3,"requests.total":1,"requests.duration":0}
{"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service"]],"Metrics":[{"Name":"requests.total","Unit":"Count"},{"Name":"requests.errors","Unit":"Count"},{"Name":"requests.duration","Unit":"Milliseconds"}]}]},"Service":"checkout","request_id":"r-2","function_version":"$LATEST","order":"18","requests.total":1,"requests.errors":1,"requests.duration":0}
`

func TestOutput(t *testing.T) {
	f := lambdatest.Deploy(t, lambdatest.Config{Program: lambdatest.Build(t, ".")})
	ok := f.Invoke(lambdatest.Invocation{RequestID: "r-1", Payload: `{"ID":"17","Items":3}`})
	assert.Equal(t, lambdatest.Responded, ok.Outcome)
	assert.JSONEq(t, `{"Order":"17"}`, ok.Payload)
	assert.Equal(t, lambdatest.Failed, f.Invoke(lambdatest.Invocation{RequestID: "r-2", Payload: `{"ID":"18"}`}).Outcome)
	assert.Equal(t, golden, varies.ReplaceAllString(f.Stdout(), "$1:0"))
}
