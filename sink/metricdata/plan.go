package metricdata

import (
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/liftemf/liftemf/emf"
)

// part is what one request may hold of a document: data of one namespace.
type part struct {
	namespace string
	data      []types.MetricDatum
	bytes     int // of the data
}

func (p *part) fits(d *types.MetricDatum) bool {
	return len(p.data) < maxData && sizeRequest(p.namespace)+p.bytes+sizeDatum(d) <= maxBytes
}

func (p *part) add(d types.MetricDatum) {
	p.data = append(p.data, d)
	p.bytes += sizeDatum(&d)
}

// parts returns what has to be sent of a document: nothing, if it has no metrics; most often
// one part. The same document always has the same parts.
func parts(doc []byte, now time.Time) ([]part, error) {
	metrics, err := emf.Extract(doc)
	if err != nil {
		return nil, reason(err)
	}
	if len(metrics) == 0 {
		return nil, nil
	}
	var list []part
	open := make(map[string]int, 1) // the part of each namespace that has room
	data := make([]types.MetricDatum, 0, len(metrics))
	for i := range metrics {
		m := &metrics[i]
		from := len(data)
		if data, err = appendData(data, m, now); err != nil {
			return nil, err
		}
		for _, d := range data[from:] {
			at, there := open[m.Namespace]
			if !there || !list[at].fits(&d) {
				at = len(list)
				open[m.Namespace] = at
				list = append(list, part{namespace: m.Namespace, data: make([]types.MetricDatum, 0, min(len(metrics)-i, maxData))})
			}
			list[at].add(d)
		}
	}
	return list, nil
}

// reason shortens what is wrong with a document to its first problem, so that many documents
// with the same have the same reason.
func reason(err error) error {
	var invalid emf.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	for _, p := range invalid.Problems {
		if p.Severity == emf.SeverityError {
			return &DocumentError{p}
		}
	}
	return err
}

// DocumentError is why a document is rejected of which CloudWatch would not have made all metrics
// either: the first rule that it breaks, see docs/rules.md.
type DocumentError struct{ Problem emf.Problem }

// Error quotes the rule.
func (e *DocumentError) Error() string {
	return "not a document to make metrics of: " + e.Problem.String()
}
