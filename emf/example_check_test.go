package emf_test

import (
	"errors"
	"fmt"

	"github.com/liftemf/liftemf/emf"
)

func ExampleCheck() {
	line := []byte(`{
		"_aws": {
			"Timestamp": 1700000000000,
			"CloudWatchMetrics": [{
				"Namespace": "Shop",
				"Dimensions": [["Service", "Region"]],
				"Metrics": [{"Name": "Latency", "Unit": "ms"}]
			}]
		},
		"Service": "cart",
		"Latency": "12"
	}`)
	for _, p := range emf.Check(line) {
		if p.Severity == emf.SeverityError {
			fmt.Println(p)
		}
	}
	// Output:
	// error: unit-unknown: /_aws/CloudWatchMetrics/0/Metrics/0/Unit: CloudWatch has no unit "ms": use one of its 27, such as Count or Milliseconds, or leave it out.
	// error: dimension-missing: /_aws/CloudWatchMetrics/0/Dimensions/0/1: The root has no member "Region" to take the value from: add it, or leave the dimension out.
	// error: target-type: /Latency: Make this a number, an array of numbers, {"Values","Counts"} or {"Min","Max","Sum","Count"}: it is the value of a metric.
}

func ExampleExtract() {
	line := []byte(`{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"Shop",` +
		`"Dimensions":[["Service"],["Service","Region"]],"Metrics":[{"Name":"Latency","Unit":"Milliseconds"}]}]},` +
		`"Service":"cart","Region":"eu-west-1","Latency":[12,7.5]}`)
	metrics, err := emf.Extract(line)
	if err != nil {
		var invalid emf.InvalidError
		if errors.As(err, &invalid) {
			fmt.Println(len(invalid.Problems), "problems")
		}
		return
	}
	for _, m := range metrics {
		fmt.Println(m.Namespace, m.Name, m.Dimensions, m.Values, m.Unit)
	}
	// Output:
	// Shop Latency [{Service cart}] [12 7.5] Milliseconds
	// Shop Latency [{Service cart} {Region eu-west-1}] [12 7.5] Milliseconds
}
