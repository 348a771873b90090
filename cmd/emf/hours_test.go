package main

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHoursInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var got hours
		want := map[int64]bool{}
		for range 60 {
			hour := random.Int64N(50) - 10
			got.add(hour)
			want[hour] = true
			require.EqualValues(t, len(want), got.count())
			for i := 1; i < len(got); i++ {
				require.Less(t, got[i-1].last+1, got[i].first, "spans that touch are one")
			}
		}
	}
}
