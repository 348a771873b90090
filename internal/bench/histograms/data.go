package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/liftemf/liftemf/internal/distribution"
)

// shapes are data that histograms meet.
var shapes = []struct {
	name string
	make func(r *rand.Rand) float64
}{
	{"lognormal 0.5", func(r *rand.Rand) float64 { return math.Exp(0.5*r.NormFloat64() + 3) }},
	{"lognormal 1", func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64() + 3) }},
	{"lognormal 2", func(r *rand.Rand) float64 { return math.Exp(2*r.NormFloat64() + 3) }},
	{"Pareto", func(r *rand.Rand) float64 { return math.Pow(1-r.Float64(), -1/1.5) }},
	{"bimodal", func(r *rand.Rand) float64 {
		if r.IntN(5) == 0 {
			return 200 + 20*r.NormFloat64()
		}
		return 5 + r.Float64()
	}},
	{"uniform", func(r *rand.Rand) float64 { return r.Float64() * 1000 }},
	{"integers", func(r *rand.Rand) float64 { return float64(r.IntN(5000)) }},
	{"both signs", func(r *rand.Rand) float64 { return 100 * r.NormFloat64() }},
	{"constant", func(*rand.Rand) float64 { return 123456.789012345 }},
}

func sample(of func(*rand.Rand) float64, seed uint64, n int) []float64 {
	r := rand.New(rand.NewPCG(1, seed))
	values := make([]float64, n)
	for i := range values {
		values[i] = of(r)
	}
	return values
}

// taken returns what a histogram has of values.
func taken(values []float64) *distribution.Snapshot {
	var d distribution.Distribution
	for _, v := range values {
		d.Observe(v)
	}
	s := new(distribution.Snapshot)
	d.Take(s)
	return s
}

// entriesOf returns what a document says of values, ascending.
func entriesOf(s *distribution.Snapshot) []distribution.Entry {
	if few := s.Values(); few != nil {
		var entries []distribution.Entry
		for _, v := range slices.Sorted(slices.Values(few)) {
			entries = append(entries, distribution.Entry{Value: v, Count: 1})
		}
		return entries
	}
	return slices.Clone(s.Entries())
}

// hosts are documents that CloudWatch merges, and the values in them. Hosts differ by a factor
// whose logarithm has that deviation.
func hosts(n int, spread float64) (values []float64, merged []distribution.Entry) {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	for range n {
		shift := 3 + spread*r.NormFloat64()
		own := make([]float64, 2000+r.IntN(20_000))
		for i := range own {
			own[i] = math.Exp(r.NormFloat64() + shift)
		}
		values = append(values, own...)
		merged = append(merged, entriesOf(taken(own))...)
	}
	slices.Sort(values)
	slices.SortFunc(merged, func(a, b distribution.Entry) int { return cmp.Compare(a.Value, b.Value) })
	return values, merged
}

// quantile returns the q-quantile of entries by nearest rank.
func quantile(entries []distribution.Entry, q float64) float64 {
	var n uint64
	for _, e := range entries {
		n += e.Count
	}
	rank := uint64(math.Ceil(q * float64(n)))
	for _, e := range entries {
		if e.Count >= rank {
			return e.Value
		}
		rank -= e.Count
	}
	return entries[len(entries)-1].Value
}

// off is the relative error of a quantile in per cent.
func off(sorted []float64, entries []distribution.Entry, q float64) float64 {
	want := sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
	if want == 0 {
		return 100 * math.Abs(quantile(entries, q))
	}
	return 100 * math.Abs((quantile(entries, q)-want)/want)
}

// worst is the largest error of the percentiles from p10 to p99.9, in per cent.
func worst(sorted []float64, entries []distribution.Entry) (most float64) {
	for q := 0.1; q < 0.9995; q += 0.001 {
		most = max(most, off(sorted, entries, q))
	}
	return most
}
