package emf

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDistinct(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	d := new(distinct)
	assert.Zero(t, d.count())
	var hashes []uint64
	for n := 1; n <= 2_000_000; n++ {
		h := random.Uint64()
		d.add(h)
		if n < 100 {
			hashes = append(hashes, h)
		}
		switch n {
		case 1, 2, 10:
			require.Equal(t, n, d.count())
		case 100, 1000, 10_000, 20_000, 40_000, 60_000, 100_000, 500_000, 2_000_000:
			require.InEpsilon(t, n, d.count(), 0.025)
		}
	}
	before := d.count()
	for _, h := range append(hashes, 0, 0) { // no rank beyond the last
		d.add(h)
	}
	assert.InDelta(t, before, d.count(), 200)
}

func BenchmarkDistinct(b *testing.B) {
	d := new(distinct)
	for i := uint64(0); b.Loop(); i++ {
		d.add(i % 5 * 0x9E3779B97F4A7C15)
	}
}
