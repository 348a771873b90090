package distribution

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

func sample(of func(*rand.Rand) float64, r *rand.Rand, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = of(r)
	}
	return values
}

// entriesOf returns what becomes of values.
func entriesOf(values []float64) []Entry {
	var d Distribution
	for _, v := range values {
		d.Observe(v)
	}
	var s Snapshot
	d.Take(&s)
	return slices.Clone(s.Entries())
}

// quantile returns the q-quantile of entries in ascending order, by nearest rank.
func quantile(entries []Entry, q float64) float64 {
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

func exact(sorted []float64, q float64) float64 {
	return sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
}

// check verifies what entries promise of values.
func check(t testing.TB, values []float64, entries []Entry) {
	t.Helper()
	require.LessOrEqual(t, len(entries), MaxEntries)
	require.NotEmpty(t, entries)
	var want, got, size float64
	var count uint64
	for _, v := range values {
		want += v
		size += math.Abs(v)
	}
	for i, e := range entries {
		require.Positive(t, e.Count)
		got += e.Value * float64(e.Count)
		count += e.Count
		if i > 0 {
			require.Less(t, entries[i-1].Value, e.Value)
		}
	}
	require.EqualValues(t, len(values), count)
	require.Equal(t, slices.Min(values), entries[0].Value)
	require.Equal(t, slices.Max(values), entries[len(entries)-1].Value)
	require.LessOrEqual(t, math.Abs(got-want), 1e-9*size)
}

func TestFewValuesComeBackInOrder(t *testing.T) {
	var d Distribution
	var s Snapshot
	var want []float64
	for i := range MaxEntries {
		v := float64(i * 37 % 101)
		want = append(want, v)
		d.Observe(v)
	}
	assert.EqualValues(t, 100, d.Count())
	d.Take(&s)
	assert.Equal(t, want, s.Values())
	assert.EqualValues(t, 100, s.Count())
	assert.Nil(t, s.Entries())
	d.Take(&s)
	assert.Zero(t, s.Count())
	assert.Empty(t, s.Values())
}

func TestReadQuantilesOfOneDocument(t *testing.T) {
	for _, shape := range shapes {
		for _, n := range []int{101, 1000, 20_000} {
			for seed := range uint64(5) {
				r := rand.New(rand.NewPCG(seed, uint64(n)))
				values := sample(shape.make, r, n)
				entries := entriesOf(values)
				check(t, values, entries)
				slices.Sort(values)
				for _, q := range pinned {
					want := exact(values, q)
					require.LessOrEqual(t, math.Abs(quantile(entries, q)-want), 0.01*math.Abs(want), "%s, n %d, p%v", shape.name, n, 100*q)
				}
			}
		}
	}
}

// hosts are documents that CloudWatch merges, for what becomes of the quantiles.
func hosts(n int, spread float64) (values []float64, merged []Entry) {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	for range n {
		shift := 3 + spread*r.NormFloat64()
		own := make([]float64, 2000+r.IntN(20_000))
		for i := range own {
			own[i] = math.Exp(r.NormFloat64() + shift)
		}
		values = append(values, own...)
		merged = append(merged, entriesOf(own)...)
	}
	slices.Sort(values)
	slices.SortFunc(merged, func(a, b Entry) int {
		if a.Value < b.Value {
			return -1
		}
		return 1
	})
	return values, merged
}

func TestReadQuantilesOfManyDocuments(t *testing.T) {
	for _, n := range []int{3, 5, 50} {
		for _, spread := range []float64{0.2, 1} {
			values, merged := hosts(n, spread)
			for _, q := range pinned {
				want := exact(values, q)
				require.LessOrEqual(t, math.Abs(quantile(merged, q)-want), 0.05*want, "%d hosts, p%v", n, 100*q)
			}
		}
	}
}

func TestNiceValuesStayNice(t *testing.T) {
	var values []float64
	nice := []float64{0.1, 12.345, 1, 1e-9, 123.456, 127, 99, -3.5}
	for range 5000 {
		values = append(values, nice...)
	}
	entries := entriesOf(values)
	slices.Sort(nice)
	require.Len(t, entries, len(nice))
	for i, e := range entries {
		assert.InEpsilon(t, nice[i], e.Value, 1e-12)
		assert.EqualValues(t, 5000, e.Count)
	}
}

func TestExtremeValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var values []float64
	for range 200_000 { // all exponents, both signs
		v := math.Ldexp(1+r.Float64(), r.IntN(1400)-1050)
		if r.IntN(2) == 0 {
			v = -v
		}
		values = append(values, v)
	}
	values = append(values, 0, math.Copysign(0, -1), math.SmallestNonzeroFloat64, 0x1p360, -0x1p360)
	var d Distribution
	for _, v := range values {
		d.Observe(v)
	}
	assert.LessOrEqual(t, d.bins.pages, maxPages)
	var s Snapshot
	d.Take(&s)
	check(t, values, s.Entries())
}

// Words, wide words and what they do not hold are one.
func TestManyEqualValues(t *testing.T) {
	var d Distribution
	const many, other = wideMaxCount + 1000, 3
	for range many {
		d.Observe(12.345)
	}
	for range other {
		d.Observe(-12.5)
		d.Observe(12.35) // in the same bin
	}
	require.NotEmpty(t, d.bins.full)
	var s Snapshot
	d.Take(&s)
	entries := s.Entries()
	require.Len(t, entries, 3)
	assert.Equal(t, Entry{-12.5, other}, entries[0])
	assert.EqualValues(t, many+other-1, entries[1].Count)
	assert.InEpsilon(t, 12.345, entries[1].Value, 1e-9)
	assert.Equal(t, Entry{12.35, 1}, entries[2])
	var sum float64
	for _, e := range entries {
		sum += e.Value * float64(e.Count)
	}
	assert.InEpsilon(t, many*12.345+other*(12.35-12.5), sum, 1e-11)
}

// A precision holds for every quantile, of one document and of many together.
func TestWithin(t *testing.T) {
	for _, shape := range shapes {
		for _, relative := range []float64{0.01, 0.02, 0.05} {
			var all []float64
			var merged []Entry
			for seed := range uint64(3) {
				r := rand.New(rand.NewPCG(seed, 5))
				values := sample(shape.make, r, 5000)
				var d Distribution
				for _, v := range values {
					d.Observe(v * float64(1+seed))
					all = append(all, v*float64(1+seed))
				}
				var s Snapshot
				d.Take(&s)
				merged = append(merged, s.Within(relative)...)
			}
			slices.Sort(all)
			slices.SortFunc(merged, func(a, b Entry) int { return cmp.Compare(a.Value, b.Value) })
			for q := 0.001; q < 1; q += 0.001 {
				want := exact(all, q)
				require.LessOrEqual(t, math.Abs(quantile(merged, q)-want), (relative+1e-4)*math.Abs(want), "%s, p%v", shape.name, 100*q)
			}
		}
	}
}

// What is merged is as if it had been observed.
func TestMerge(t *testing.T) {
	for _, n := range []int{3, 99, 150, 5000} {
		for _, shape := range shapes {
			r := rand.New(rand.NewPCG(9, uint64(n)))
			var whole, part, sum Distribution
			var s Snapshot
			var values []float64
			for range 3 {
				for _, v := range sample(shape.make, r, n) {
					whole.Observe(v)
					part.Observe(v)
					values = append(values, v)
				}
				part.Take(&s)
				sum.Merge(&s)
			}
			assert.EqualValues(t, len(values), sum.Count())
			whole.Take(&s)
			want := slices.Clone(s.Entries())
			sum.Take(&s)
			got := s.Entries()
			if len(values) <= MaxEntries {
				assert.Equal(t, values, s.Values())
				continue
			}
			check(t, values, got)
			require.Len(t, got, len(want))
			for i := range got {
				require.InDelta(t, want[i].Value, got[i].Value, 1e-4*math.Abs(want[i].Value))
				require.Equal(t, want[i].Count, got[i].Count)
			}
		}
	}
}

// So is what does not fit: octaves beyond the pages there may be, and full words.
func TestMergeExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	var d, sum Distribution
	var s Snapshot
	var values []float64
	for range 2 {
		for range 100_000 {
			v := math.Ldexp(1+r.Float64(), r.IntN(1400)-1050)
			values = append(values, v, -v)
			d.Observe(v)
			d.Observe(-v)
		}
		d.Take(&s)
		sum.Merge(&s)
	}
	sum.Take(&s)
	check(t, values, s.Entries())

	for range wideMaxCount + 1 {
		d.Observe(5)
	}
	d.Take(&s)
	sum.Merge(&s)
	d.Observe(7)
	d.Take(&s)
	sum.Merge(&s)
	sum.Take(&s)
	assert.Equal(t, []Entry{{5, wideMaxCount + 1}, {7, 1}}, s.Entries())
}

func TestHold(t *testing.T) {
	var d Distribution
	d.Hold(1000)
	var s Snapshot
	var want []float64
	for i := range 1000 {
		d.Observe(float64(i % 7))
		want = append(want, float64(i%7))
	}
	d.Take(&s)
	assert.Equal(t, want, s.Values())
	for i := range 1001 {
		d.Observe(float64(i % 7))
	}
	d.Take(&s)
	assert.Nil(t, s.Values())
	assert.Len(t, s.Entries(), 7)
}

// Each value is in exactly one Take.
func TestConcurrentTakes(t *testing.T) {
	var d Distribution
	const goroutines, each = 8, 50_000
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for i := range each {
				d.Observe(float64(1 + (i+g)%1000))
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	var s Snapshot
	var sum float64
	var count uint64
	take := func() {
		d.Take(&s)
		count += s.Count()
		for _, v := range s.Values() {
			sum += v
		}
		for _, e := range s.Entries() {
			sum += e.Value * float64(e.Count)
		}
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		take()
	}
	take()
	assert.EqualValues(t, goroutines*each, count)
	assert.InEpsilon(t, float64(goroutines)*each*500.5, sum, 1e-9)
}

func TestMemoryIsLetGo(t *testing.T) {
	var d Distribution
	var s Snapshot
	for i := range 1000 {
		d.Observe(float64(i))
	}
	d.Take(&s)
	require.NotNil(t, d.bins)
	d.Observe(1)
	d.Take(&s)
	require.Nil(t, d.bins)

	for i := range 2 * restTakes { // the data has moved away from where it was
		for j := range 1000 {
			d.Observe(float64(j + 1 + 1_000_000*min(i, 1)))
		}
		d.Take(&s)
	}
	assert.Less(t, d.bins.pages, 4)
}

func TestWarmTakesAllocateNothing(t *testing.T) {
	var d Distribution
	var s Snapshot
	use := func() {
		for i := range 500 {
			d.Observe(float64(i) * 1.25)
		}
		d.Take(&s)
		s.Entries()
	}
	for range 10 {
		use()
	}
	assert.Zero(t, testing.AllocsPerRun(100, use))
}

func FuzzDistribution(f *testing.F) {
	f.Add(uint64(1), uint16(300), uint8(3))
	f.Add(uint64(2), uint16(101), uint8(60))
	f.Add(uint64(3), uint16(5000), uint8(200))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, octaves uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		var d Distribution
		var s Snapshot
		for range 3 {
			values := make([]float64, int(n)+1)
			for i := range values {
				v := math.Ldexp(1+r.Float64(), r.IntN(int(octaves)+1)-int(octaves)/2)
				switch r.IntN(8) {
				case 0:
					v = -v
				case 1:
					v = math.Round(v)
				}
				values[i] = v
				d.Observe(v)
			}
			d.Take(&s)
			if s.Values() != nil {
				require.Equal(t, values, s.Values())
				continue
			}
			check(t, values, s.Entries())
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	for _, shape := range []int{1, 8} {
		values := make([]float64, 4096)
		r := rand.New(rand.NewPCG(1, 1))
		for i := range values {
			values[i] = shapes[shape].make(r)
		}
		b.Run(shapes[shape].name, func(b *testing.B) {
			var d Distribution
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					d.Observe(values[i%len(values)])
				}
			})
		})
	}
	b.Run("few", func(b *testing.B) {
		var d Distribution
		var s Snapshot
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if i%100 == 99 {
				d.Take(&s)
			}
			d.Observe(1.5)
		}
	})
}

func BenchmarkEntries(b *testing.B) {
	for _, shape := range shapes {
		b.Run(shape.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			var d Distribution
			var s Snapshot
			for range 50_000 {
				d.Observe(shape.make(r))
			}
			d.Take(&s)
			kept := slices.Clone(s.bins)
			b.ReportAllocs()
			for b.Loop() {
				s.bins = append(s.bins[:0], kept...)
				s.Entries()
			}
		})
	}
}

// Values that agree in all the digits that a mean prints with keep their sum.
func TestNarrowRangeKeepsItsSum(t *testing.T) {
	for _, from := range []float64{-287.9995714285714, 287.9995714285714, 1.000001, 0.99999999, 123456.5} {
		for _, step := range []float64{1e-12, 1.1243386243386243e-4 / 287, 1e-6, 1e-5} {
			var d Distribution
			var want float64
			for i := range 206 {
				v := from * (1 + step*float64(i*i%37))
				d.Observe(v)
				want += v
			}
			var snap Snapshot
			d.Take(&snap)
			var sum float64
			var count uint64
			for _, e := range snap.Entries() {
				sum += e.Value * float64(e.Count)
				count += e.Count
			}
			require.EqualValues(t, 206, count)
			require.InEpsilon(t, want, sum, 1e-9, "%v %v", from, step)
		}
	}
}
