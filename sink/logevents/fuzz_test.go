package logevents_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/cwtest"
	"github.com/liftemf/liftemf/sink/logevents"
)

// FuzzWrite gives the sink three documents of any bytes, times and sizes. None is given up but
// for its time or size, and no request is refused.
func FuzzWrite(f *testing.F) {
	f.Add([]byte("{}"), int64(0), int64(-86_400_001), uint16(3))
	f.Add([]byte("\xff"), int64(-1_300_000_000), int64(8_000_000), uint16(40_000))
	f.Add([]byte(""), int64(1), int64(0), uint16(0))
	srv := cwtest.New(f)
	s, err := logevents.New(srv.LogsClient(), "g")
	require.NoError(f, err)
	require.NoError(f, s.Write(f.Context(), documents(1)))
	f.Fuzz(func(t *testing.T, text []byte, second, third int64, repeat uint16) {
		now := time.Now()
		bound := int64(400 * 24 * time.Hour / time.Millisecond)
		at := func(ms int64) time.Time { return now.Add(time.Duration(ms%bound) * time.Millisecond) }
		var long []byte
		for len(long) < len(text)*int(repeat) && len(long) <= logevents.MaxDocument {
			long = append(long, text...)
		}
		srv.Reset()
		srv.CreateGroup("g", "", s.Stream())
		docs := []emf.Document{{JSON: text, Time: now}, {JSON: long, Time: at(second)}, {JSON: text, Time: at(third)}}
		retry, reject := undelivered(t, s.Write(t.Context(), docs))
		require.Empty(t, retry)
		for _, r := range srv.Requests("") {
			require.Equal(t, 200, r.Status)
		}
		for _, i := range reject {
			d := docs[i]
			age := now.Sub(d.Time)
			require.True(t, len(d.JSON) == 0 || 3*len(d.JSON) > logevents.MaxDocument || age > 13*24*time.Hour || age < -time.Hour, "document %d", i)
		}
	})
}
