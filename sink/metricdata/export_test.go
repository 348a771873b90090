package metricdata

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// SetClock sets the clock by which timestamps are judged.
func (s *Sink) SetClock(now func() time.Time) { s.now = now }

// Size is the upper bound of a request's size.
func Size(namespace string, data []types.MetricDatum) int {
	p := part{namespace: namespace}
	for _, d := range data {
		p.add(d)
	}
	return sizeRequest(namespace) + p.bytes
}

// MaxBytes is what a request may have.
const MaxBytes = maxBytes
