package cwtest

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"

	"github.com/fxamacker/cbor/v2"
)

// protocol is a way to speak to the server.
type protocol interface {
	name() string
	metricData(body []byte) (*metricDataInput, *failure)
	success(operation string, result any) answer
	failure(f *failure) answer
}

// jsonLogs is JSON 1.1, as all clients speak it to CloudWatch Logs.
type jsonLogs struct{}

func (jsonLogs) name() string { return "json-1.1" }

func (jsonLogs) metricData([]byte) (*metricDataInput, *failure) {
	return nil, &failure{code: "UnknownOperationException", message: "not an operation of Logs", status: http.StatusBadRequest}
}

func (jsonLogs) success(_ string, result any) answer {
	if result == nil {
		result = struct{}{}
	}
	body, err := json.Marshal(result)
	if err != nil {
		panic(err)
	}
	return answer{status: http.StatusOK, header: contentType("application/x-amz-json-1.1"), body: body}
}

func (jsonLogs) failure(f *failure) answer { return jsonFailure(f, "application/x-amz-json-1.1") }

func jsonFailure(f *failure, kind string) answer {
	body, _ := json.Marshal(map[string]string{"__type": f.code, "message": f.message})
	return answer{status: f.status, header: contentType(kind), body: body}
}

func contentType(kind string) map[string]string { return map[string]string{"Content-Type": kind} }

// queryError adds the header by which services that once spoke the query protocol tell its
// error codes.
func (f *failure) queryError(a answer) answer {
	party := "Sender"
	if f.status >= http.StatusInternalServerError {
		party = "Receiver"
	}
	a.header["X-Amzn-Query-Error"] = f.queryCode() + ";" + party
	return a
}

// jsonMetrics is JSON 1.0, as AWS's clients for JavaScript and Python speak it to CloudWatch.
type jsonMetrics struct{}

func (jsonMetrics) name() string { return "json-1.0" }

func (jsonMetrics) metricData(body []byte) (*metricDataInput, *failure) {
	var in metricDataInput
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, malformed(err)
	}
	return &in, nil
}

func (jsonMetrics) success(string, any) answer {
	return answer{status: http.StatusOK, header: contentType("application/x-amz-json-1.0"), body: []byte("{}")}
}

func (jsonMetrics) failure(f *failure) answer {
	return f.queryError(jsonFailure(f, "application/x-amz-json-1.0"))
}

// cborMetrics is Smithy RPC v2 CBOR, as the AWS SDK for Go speaks it to CloudWatch.
type cborMetrics struct{}

func (cborMetrics) name() string { return "cbor" }

func (cborMetrics) metricData(body []byte) (*metricDataInput, *failure) {
	var in metricDataInput
	if err := cbor.Unmarshal(body, &in); err != nil {
		return nil, malformed(err)
	}
	return &in, nil
}

func (cborMetrics) success(string, any) answer {
	return cborAnswer(http.StatusOK, map[string]string{})
}

func (cborMetrics) failure(f *failure) answer {
	return f.queryError(cborAnswer(f.status, map[string]string{"__type": f.code, "message": f.message}))
}

func cborAnswer(status int, content map[string]string) answer {
	body, err := cbor.Marshal(content)
	if err != nil {
		panic(err)
	}
	header := contentType("application/cbor")
	header["Smithy-Protocol"] = "rpc-v2-cbor"
	return answer{status: status, header: header, body: body}
}

// queryMetrics is the query protocol, as older clients speak it to CloudWatch: a form, and
// XML for an answer.
type queryMetrics struct{}

func (queryMetrics) name() string { return "query" }

func (queryMetrics) success(operation string, _ any) answer {
	return answer{status: http.StatusOK, header: contentType("text/xml"), body: fmt.Appendf(nil,
		`<%[1]sResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></%[1]sResponse>`, operation)}
}

func (queryMetrics) failure(f *failure) answer {
	type detail struct{ Type, Code, Message string }
	response := struct {
		XMLName   xml.Name `xml:"http://monitoring.amazonaws.com/doc/2010-08-01/ ErrorResponse"`
		Error     detail
		RequestID string `xml:"RequestId"`
	}{Error: detail{"Sender", f.queryCode(), f.message}, RequestID: "0"}
	if f.status >= http.StatusInternalServerError {
		response.Error.Type = "Receiver"
	}
	body, err := xml.Marshal(response)
	if err != nil {
		panic(err)
	}
	return answer{status: f.status, header: contentType("text/xml"), body: body}
}

func malformed(err error) *failure {
	return &failure{code: "SerializationException", query: "MalformedInput", message: err.Error(), status: http.StatusBadRequest}
}
