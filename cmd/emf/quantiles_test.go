package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestQuantiles(t *testing.T) {
	shares := []float64{0, 0.01, 0.5, 0.9, 0.99, 1}
	for name, make := range map[string]func(r *rand.Rand) float64{
		"lognormal": func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64() + 3) },
		"wide":      func(r *rand.Rand) float64 { return math.Exp(8 * r.NormFloat64()) },
		"signs":     func(r *rand.Rand) float64 { return 100 * r.NormFloat64() },
		"counts":    func(r *rand.Rand) float64 { return float64(r.IntN(4)) },
		"uniform":   func(r *rand.Rand) float64 { return r.Float64() },
		"all":       func(r *rand.Rand) float64 { return math.Ldexp(r.Float64()-0.5, r.IntN(700)-340) },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var q quantiles
			var values []float64
			for range 50_000 {
				v := make(r)
				n := 1 + r.IntN(3)
				q.add(v, float64(n))
				for range n {
					values = append(values, v)
				}
			}
			slices.Sort(values)
			assert.LessOrEqual(t, len(q.pages), maxPages)
			for i, got := range q.at(shares...) {
				want := values[max(int(math.Ceil(shares[i]*float64(len(values))))-1, 0)]
				assert.LessOrEqual(t, math.Abs(got-want), q.errorBound()*math.Abs(want)*(1+1e-9), "p%v: %v, want %v", 100*shares[i], got, want)
			}
			if name == "lognormal" {
				assert.Zero(t, q.width)
			}
		})
	}
}

// Values that are few and far apart come back as they are.
func TestQuantilesOfNiceValues(t *testing.T) {
	var q quantiles
	assert.True(t, math.IsNaN(q.at(0.5)[0]))
	for _, v := range []float64{0, -3, 0.1, 1e6, 1e-300, 0x1p360} {
		q.add(v, 2)
	}
	assert.Equal(t, []float64{-3, 0, 1e-300, 0.1, 1e6, 0x1p360}, q.at(1./6, 2./6, 3./6, 4./6, 5./6, 1))
}
