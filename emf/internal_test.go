package emf

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAppendNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1", -1: "-1", 12.345: "12.345", -0.001: "-0.001", 0.30000000000000004: "0.30000000000000004",
		1e-6: "0.000001", 1.5e-6: "0.0000015", 1e-7: "1e-07", 999999999999999: "999999999999999", 1e15: "1000000000000000",
		1 << 53: "9007199254740992", 123456.789: "123456.789", 1e21: "1e+21", 5e-324: "5e-324", maxValue: "2.3485425827738332e+108",
		math.Copysign(0, -1): "0", 100.5: "100.5", 1234567.123456: "1234567.123456",
	} {
		assert.Equal(t, want, string(appendNumber([]byte{}, v)))
	}
}

func FuzzAppendNumber(f *testing.F) {
	for _, v := range []float64{0, 1, 12.345, 1e15, 1e300, 5e-324, 0.30000000000000004, -7.000001} {
		f.Add(math.Float64bits(v))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		checkNumber(t, math.Float64frombits(bits))
		checkNumber(t, float64(int64(bits))/1e6)
		checkNumber(t, float64(int32(bits))/1e3)
	})
}

func checkNumber(t *testing.T, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	text := appendNumber([]byte("x"), v)[1:]
	require.True(t, json.Valid(text), "%s", text)
	back, err := strconv.ParseFloat(string(text), 64)
	require.NoError(t, err)
	require.Equal(t, v, back, "%s", text)
	if standard, _ := json.Marshal(v); v != 0 && !bytes.ContainsRune(standard, 'e') {
		require.Equal(t, string(standard), string(text))
	}
}

func TestNumbersOfThousandthsAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		checkNumber(t, float64(random.Int64N(2e12)-1e12)/1e3)
		checkNumber(t, float64(random.Int64N(2e15)-1e15)/1e6)
		checkNumber(t, random.NormFloat64()*1e3)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a", "\"\\\n\x00\x7f", "a\xffb\xc0", "é\u2028😀", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := appendString(nil, s)
		require.True(t, utf8.Valid(text))
		var got, want string
		require.NoError(t, json.Unmarshal(text, &got))
		standard, err := json.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(standard, &want))
		require.Equal(t, want, got)

		// Dimensions survive the way into a recorder and out again.
		d, _, ok := Dimension{s, s}.mend()
		if !ok {
			return
		}
		back, rest := cutDimension(string(appendDimension(nil, d)) + `"x":"y",`)
		require.Equal(t, d, back)
		require.Equal(t, `"x":"y",`, rest)
	})
}

// A gauge function that is about to be registered when a document is written is not asked, and
// is none that panicked.
func TestGaugeFuncThatIsNotThereYet(t *testing.T) {
	var logged strings.Builder
	e := Must(New("test", WithFlushInterval(0), WithLogger(slog.New(slog.NewTextHandler(&logged, nil))),
		WithSink(SinkFunc(func(_ context.Context, docs []Document) error {
			assert.Empty(t, docs)
			return nil
		}))))
	ev := e.Begin()
	for _, r := range []*Recorder{ev.Recorder, e.Recorder} {
		r.series(gaugeFunc, "g", declaration{}) // what GaugeFunc does first
	}
	require.NoError(t, ev.End(t.Context()))
	require.NoError(t, e.Close(t.Context()))
	assert.Empty(t, logged.String())
}
