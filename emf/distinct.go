package emf

import (
	"math"
	"math/bits"
	"sync/atomic"
)

// distinct estimates how many different hashes it was given, within 2 % of nearly all numbers,
// in 16 kB. The zero value has been given none. It is safe for concurrent use, and to give it
// a hash again costs a load.
//
// Source: Flajolet, Fusy, Gandouet and Meunier, HyperLogLog (2007); the estimate is that of
// Ertl, New cardinality estimation algorithms for HyperLogLog sketches (2017).
type distinct struct {
	words [registers / 4]atomic.Uint32 // four registers of eight bits each
}

const (
	registerBits = 14
	registers    = 1 << registerBits
	maxRank      = 64 - registerBits + 1
)

// add gives it a hash. A register keeps the largest number of leading zeros of its hashes.
func (d *distinct) add(hash uint64) {
	i := hash >> (64 - registerBits)
	rank := uint32(bits.LeadingZeros64(hash<<registerBits|1<<(registerBits-1))) + 1
	word, shift := &d.words[i/4], i%4*8
	for {
		old := word.Load()
		if old>>shift&0xFF >= rank {
			return
		}
		if word.CompareAndSwap(old, old&^(0xFF<<shift)|rank<<shift) {
			return
		}
	}
}

// count returns the estimate.
func (d *distinct) count() int {
	var ranks [maxRank + 1]int // how many registers have each
	for i := range d.words {
		for word, j := d.words[i].Load(), 0; j < 4; j++ {
			ranks[word&0xFF]++
			word >>= 8
		}
	}
	if ranks[0] == registers {
		return 0
	}
	const m = registers
	z := m * tau(1-float64(ranks[maxRank])/m)
	for k := maxRank - 1; k >= 1; k-- {
		z = (z + float64(ranks[k])) / 2
	}
	z += m * sigma(float64(ranks[0])/m)
	return int(math.Round(m * m / (2 * math.Ln2 * z)))
}

// sigma and tau correct for registers with the smallest and the largest rank.
func sigma(x float64) float64 {
	z, y := x, 1.0
	for before := -1.0; z != before; y += y {
		x *= x
		before = z
		z += x * y
	}
	return z
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	z, y := 1-x, 1.0
	for before := -1.0; z != before; {
		x = math.Sqrt(x)
		before = z
		y /= 2
		z -= (1 - x) * (1 - x) * y
	}
	return z / 3
}
