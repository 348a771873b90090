package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/liftemf/liftemf/emf"
)

func record(e *emf.Emitter, s *sample) error {
	ev := e.Begin(emf.Dim("TenantID", s.tenant))
	ev.SetProperty("RequestID", s.request)
	ev.SetProperty("Route", s.route)
	ev.Counter("Requests").Add(s.requests)
	ev.Counter("BytesSent", emf.Bytes).Add(s.bytes)
	ev.Histogram("Latency", emf.Milliseconds).Observe(s.latency)
	ev.Histogram("LookupTime", emf.Milliseconds).Observe(s.lookup)
	queries := ev.Histogram("QueryTime", emf.Milliseconds)
	for _, v := range s.queries {
		queries.Observe(v)
	}
	return ev.End(context.Background())
}

func withFixed() emf.Option {
	return emf.WithDimensions(emf.Dim("Service", service), emf.Dim("Region", region))
}

// BenchmarkEvent makes documents of five metrics from their values, for one tenant and
// for many.
func BenchmarkEvent(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			samples := samplesOf(n)
			each := func(b *testing.B, body func(s *sample)) {
				b.SetBytes(int64(len(appendEvent(nil, time.Now(), &samples[0]))))
				parallel(b, func(pb *testing.PB) {
					for i := rand.IntN(len(samples)); pb.Next(); i++ {
						body(&samples[i%len(samples)])
					}
				})
			}
			encode := func(name string, encode func([]byte, time.Time, *sample) []byte) contestant {
				return contestant{name, func(b *testing.B) {
					w := writer{write: func([]byte) {}}
					each(b, func(s *sample) {
						buf := buffers.Get().(*[]byte)
						*buf = encode((*buf)[:0], time.Now(), s)
						_, _ = w.Write(*buf)
						buffers.Put(buf)
					})
				}}
			}
			e := newEmitter(b, withFixed())
			known := 0
			warm := func(samples []sample) { // tenants are new once
				for ; known < len(samples); known++ {
					if err := record(e, &samples[known]); err != nil {
						b.Fatal(err)
					}
				}
			}
			compete(b,
				contestant{"liftemf", func(b *testing.B) {
					warm(samples)
					each(b, func(s *sample) {
						if err := record(e, s); err != nil {
							panic(err)
						}
					})
				}},
				contestant{"zerolog", func(b *testing.B) {
					w := writer{write: func([]byte) {}}
					logger := zerolog.New(&w)
					each(b, func(s *sample) { logEvent(&logger, time.Now(), s) })
				}},
				encode("append", appendEvent),
				encode("floor:append-cached", appendEventCached),
			)
		})
	}
}

func TestEventsAreEqual(t *testing.T) {
	at := time.UnixMilli(1_767_225_600_123)
	var got []byte
	e := newEmitter(t, withFixed(), emf.WithClock(func() time.Time { return at }),
		emf.WithSink(emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
			for _, d := range docs {
				got = append(got, d.JSON...)
			}
			return nil
		})))
	samples := samplesOf(3)
	for i := range samples {
		s := &samples[i]
		got = got[:0]
		if err := record(e, s); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string][]byte{
			"append":        appendEvent(nil, at, s),
			"append-cached": appendEventCached(nil, at, s),
			"zerolog":       zerologLine(at, s),
		} {
			sameJSON(t, name, got, want)
		}
	}
	t.Logf("%d bytes", len(got))
}

func zerologLine(at time.Time, s *sample) []byte {
	var line bytes.Buffer
	logger := zerolog.New(&line)
	logEvent(&logger, at, s)
	return bytes.TrimSuffix(line.Bytes(), []byte("\n"))
}

// sameJSON compares documents, one a line, as data.
func sameJSON(t *testing.T, name string, got, want []byte) {
	t.Helper()
	for g, w := range zip(bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))) {
		var a, b any
		if err := json.Unmarshal(g, &a); err != nil {
			t.Fatalf("liftemf: %v in %s", err, g)
		}
		if err := json.Unmarshal(w, &b); err != nil {
			t.Fatalf("%s: %v in %s", name, err, w)
		}
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%s differs:\n%s\n%s", name, g, w)
		}
	}
}

// zip pairs two lists; what one has not is nil.
func zip(a, b [][]byte) func(yield func(a, b []byte) bool) {
	at := func(list [][]byte, i int) []byte {
		if i < len(list) {
			return list[i]
		}
		return nil
	}
	return func(yield func(a, b []byte) bool) {
		for i := range max(len(a), len(b)) {
			if !yield(at(a, i), at(b, i)) {
				return
			}
		}
	}
}
