package lift

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// What a known shape makes of a map is what reading the map makes of it, but for names that
// are empty, which are no dimensions.
func TestKnownShapesAgreeWithReading(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"", "a", "b", "c", "tenant_id", "TenantID"}
	name := func() string { return names[rng.IntN(len(names))] }
	for range 2000 {
		var opts []Option
		for range rng.IntN(4) {
			opts = append(opts, WithTagAlias(name(), name()))
		}
		s := newShared(nil, opts)
		shape := map[string]string{}
		for range 1 + rng.IntN(6) {
			shape[name()] = ""
		}
		for range 8 { // the shape is learnt from the first
			tags := map[string]string{}
			for tag := range shape {
				if tags[tag] = tag + "'s"; rng.IntN(3) == 0 {
					tags[tag] = ""
				}
			}
			want := s.aliases.appendTags(nil, tags)
			if len(want) > 0 && want[0].Name == "" {
				want = want[1:]
			}
			got := s.shapes.appendTags(s.aliases, nil, tags)
			if len(got) > 0 && got[0].Name == "" {
				got = got[1:]
			}
			require.Equal(t, append([]emf.Dimension{}, want...), append([]emf.Dimension{}, got...), "aliases %v, tags %v", s.aliases, tags)
		}
		known := s.shapes.bySize[len(shape)].Load()
		require.NotNil(t, known)
		require.Len(t, *known, 1, "learnt once")
	}
}
