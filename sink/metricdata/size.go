package metricdata

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// maxBytes bounds a request before compression. AWS says 1 MB, not whether it means 10^6 or
// 2^20 bytes, nor whether it counts before compression: this is the strictest reading.
const maxBytes = 1_000_000

// The sizes below are those of Smithy RPC v2 CBOR, the protocol that the AWS SDK for Go
// speaks to CloudWatch: a key is its length in a byte and its text, maps and lists have a byte at
// each end, a number is a byte and a float64, a time has a tag beside. A test holds them
// against what the client sends. They are upper bounds: the client may write numbers shorter.
const (
	sizeEnds   = 2
	sizeNumber = 9
	sizeTime   = 1 + sizeNumber
)

func sizeKey(key string) int { return 1 + len(key) }

func sizeText(s string) int {
	switch n := len(s); {
	case n < 24:
		return 1 + n
	case n < 1<<8:
		return 2 + n
	case n < 1<<16:
		return 3 + n
	default:
		return 5 + n
	}
}

// sizeRequest is the size of a request without data.
func sizeRequest(namespace string) int {
	return sizeEnds + sizeKey("Namespace") + sizeText(namespace) + sizeKey("MetricData") + sizeEnds
}

func sizeDatum(d *types.MetricDatum) int {
	n := sizeEnds + sizeKey("MetricName") + sizeText(aws.ToString(d.MetricName)) + sizeKey("Timestamp") + sizeTime
	if d.Dimensions != nil {
		n += sizeKey("Dimensions") + sizeEnds
	}
	for _, dim := range d.Dimensions {
		n += sizeEnds + sizeKey("Name") + sizeText(*dim.Name) + sizeKey("Value") + sizeText(*dim.Value)
	}
	if d.Unit != "" {
		n += sizeKey("Unit") + sizeText(string(d.Unit))
	}
	if d.StorageResolution != nil {
		n += sizeKey("StorageResolution") + 2
	}
	if d.Value != nil {
		n += sizeKey("Value") + sizeNumber
	}
	if d.Values != nil {
		n += sizeKey("Values") + sizeKey("Counts") + 2*sizeEnds + (len(d.Values)+len(d.Counts))*sizeNumber
	}
	if d.StatisticValues != nil {
		n += sizeKey("StatisticValues") + sizeEnds + sizeKey("SampleCount") + sizeKey("Sum") + sizeKey("Minimum") + sizeKey("Maximum") + 4*sizeNumber
	}
	return n
}
