package main

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/liftemf/liftemf/internal/price"
)

// bill is what the metrics and documents of a log cost, at its rate, if it went on for a
// month.
type bill struct {
	Metrics  int     `json:"metrics"`   // billable: a namespace, name and dimensions
	LogBytes int64   `json:"log_bytes"` // of documents
	Seconds  float64 `json:"seconds"`   // from the first document's time to the last's

	// MetricMonths is less than Metrics if not all were published in each hour.
	MetricMonths float64 `json:"metric_months"`
	// LogGB and LogUSD are for a month. They are nil, and LogUSD is not in USD, if the log
	// spans no time.
	LogGB     *float64 `json:"log_gb"`
	MetricUSD float64  `json:"metric_usd"`
	LogUSD    *float64 `json:"log_usd"`
	USD       float64  `json:"usd"`

	Region     string `json:"price_region"`
	PricesFrom string `json:"price_date"`

	// Dimensions, the one whose removal would save most first.
	Dimensions []dimensionCost `json:"dimensions"`
}

// dimensionCost is what it costs to have a dimension.
type dimensionCost struct {
	Name   string  `json:"name"`
	Values int     `json:"values"`
	Saves  int     `json:"saves_metrics"` // metrics fewer without the dimension
	USD    float64 `json:"saves_usd"`     // a month
}

func newBill(c *collection, bytes int64, prices price.Table) bill {
	b := bill{
		Metrics: len(c.metrics), LogBytes: bytes,
		Region: prices.Region, PricesFrom: prices.Date, Dimensions: []dimensionCost{},
	}
	if len(c.metrics) == 0 {
		return b
	}
	hours := c.last.Unix()/3600 - c.first.Unix()/3600 + 1
	published := int64(0)
	for _, m := range c.metrics {
		published += m.hours.count()
	}
	b.MetricMonths = float64(published) / float64(hours)
	b.MetricUSD = prices.Metrics.Of(b.MetricMonths)
	b.USD = b.MetricUSD
	if span := c.last.Sub(c.first); span > 0 {
		b.Seconds = span.Seconds()
		gb := float64(bytes) / price.GB * float64(price.Month) / float64(span)
		usd := prices.Logs.Of(gb)
		b.LogGB, b.LogUSD = &gb, &usd
		b.USD += usd
	}
	b.Dimensions = dimensionCosts(c, func(without int) float64 {
		return b.MetricUSD - prices.Metrics.Of(b.MetricMonths*float64(without)/float64(b.Metrics))
	})
	return b
}

// dimensionCosts returns what each dimension costs, given what is saved by having so many
// metrics instead.
func dimensionCosts(c *collection, saved func(without int) float64) []dimensionCost {
	values := make(map[string]map[string]struct{})
	for _, m := range c.metrics {
		for _, d := range m.dimensions {
			of := values[d.Name]
			if of == nil {
				of = make(map[string]struct{})
				values[d.Name] = of
			}
			of[d.Value] = struct{}{}
		}
	}
	costs := []dimensionCost{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		left := withoutDimension(c, name)
		costs = append(costs, dimensionCost{
			Name: name, Values: len(values[name]), Saves: len(c.metrics) - left, USD: saved(left),
		})
	}
	slices.SortStableFunc(costs, func(a, b dimensionCost) int { return cmp.Compare(b.Saves, a.Saves) })
	return costs
}

// withoutDimension returns how many metrics there would be without a dimension. It compares
// hashes: that two of a million metrics share one has a probability of 1 to 10^7.
func withoutDimension(c *collection, name string) int {
	seed := maphash.MakeSeed()
	left := make(map[uint64]struct{}, len(c.metrics))
	var h maphash.Hash
	h.SetSeed(seed)
	part := func(s string) {
		h.WriteString(s)
		h.WriteByte(0)
	}
	for _, m := range c.metrics {
		h.Reset()
		part(m.namespace)
		for _, d := range m.dimensions {
			if d.Name != name {
				part(d.Name)
				part(d.Value)
			}
		}
		part("")
		part(m.name)
		left[h.Sum64()] = struct{}{}
	}
	return len(left)
}
