// Package price holds what CloudWatch charges for metrics and logs, and adds it up.
package price

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Month is the month that prices are quoted for: 730 hours.
const Month = 730 * time.Hour

// GB is the unit of logs, in bytes.
const GB = 1e9

// Table is a list of prices in US dollars. The zero value is free.
type Table struct {
	Region string `json:"region"`
	Date   string `json:"date"` // from which the prices hold, as 2025-09-01

	Metrics  Tiers   `json:"metrics"`  // a metric and month
	Logs     Tiers   `json:"logs"`     // a GB ingested
	Requests float64 `json:"requests"` // a call of PutMetricData
}

// Tiers are prices for the first, the next and so on of a month.
type Tiers []Tier

// Tier is the price of each up to a total, 0 standing for no end.
type Tier struct {
	UpTo float64 `json:"up_to,omitempty"`
	USD  float64 `json:"usd"`
}

// Default is for us-east-1: the AWS Price List API as of 2025-10-28, in force since
// 2025-09-01. The free tier is left out. Logs are those of the Standard class, not vended:
// Lambda's are cheaper from 10 TB on.
var Default = Table{
	Region:   "us-east-1",
	Date:     "2025-09-01",
	Metrics:  Tiers{{10_000, 0.30}, {250_000, 0.10}, {1_000_000, 0.05}, {0, 0.02}},
	Logs:     Tiers{{0, 0.50}},
	Requests: 0.01 / 1000,
}

// Read reads a table in JSON, with the members of [Table]. What it leaves out is as in
// [Default].
func Read(r io.Reader) (Table, error) {
	t := Default
	t.Metrics, t.Logs = nil, nil
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return Table{}, fmt.Errorf("prices: %w", err)
	}
	if t.Metrics == nil {
		t.Metrics = Default.Metrics
	}
	if t.Logs == nil {
		t.Logs = Default.Logs
	}
	if err := errors.Join(t.Metrics.check("metrics"), t.Logs.check("logs")); err != nil {
		return Table{}, err
	}
	if t.Requests < 0 {
		return Table{}, errors.New("prices: requests: negative")
	}
	return t, nil
}

func (ts Tiers) check(name string) error {
	before := 0.0
	for i, t := range ts {
		last := i == len(ts)-1
		switch {
		case t.USD < 0:
			return fmt.Errorf("prices: %s: negative", name)
		case last && t.UpTo != 0, !last && t.UpTo <= before:
			return fmt.Errorf("prices: %s: up_to must grow, and be left out of the last tier", name)
		}
		before = t.UpTo
	}
	return nil
}

// Of is the price of n.
func (ts Tiers) Of(n float64) (usd float64) {
	before := 0.0
	for _, t := range ts {
		end := t.UpTo
		if end == 0 {
			end = math.Inf(1)
		}
		if n <= before {
			break
		}
		usd += (min(n, end) - before) * t.USD
		before = end
	}
	return usd
}
