package sink_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

// flushOf is what one flush of an emitter hands to its sink: 256 kB in documents of 470 bytes.
func flushOf() (docs []emf.Document, size int64) {
	for i := range 557 {
		d := emf.Document{Time: time.UnixMilli(1795521600000), JSON: fmt.Appendf(nil, `{"n":%d,"text":"%0450d"}`, i, i), Values: 5}
		docs = append(docs, d)
		size += int64(len(d.JSON))
	}
	return docs, size
}

var swallow = emf.SinkFunc(func(context.Context, []emf.Document) error { return nil })

// benchmarkQueue measures documents accepted and delivered.
func benchmarkQueue(b *testing.B, q queueSink) {
	docs, size := flushOf()
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		if err := q.Write(b.Context(), docs); err != nil {
			b.Fatal(err)
		}
	}
	if err := q.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if s := q.Stats(); s.Dropped.Documents > 0 {
		b.Logf("%d of %d documents dropped", s.Dropped.Documents, s.Accepted.Documents)
	}
	_ = q.Close()
}

func BenchmarkRetry(b *testing.B) { benchmarkQueue(b, sink.Retry(swallow)) }

func BenchmarkSpool(b *testing.B) {
	for name, policy := range map[string]sink.Sync{"always": sink.SyncAlways, "every second": sink.SyncEvery(time.Second), "never": sink.SyncNever} {
		b.Run(name, func(b *testing.B) {
			s, err := sink.Spool(b.TempDir(), swallow, sink.WithSync(policy))
			if err != nil {
				b.Fatal(err)
			}
			benchmarkQueue(b, s)
		})
	}
}

// BenchmarkSpoolRecover is opening a directory of 64 MB and delivering it.
func BenchmarkSpoolRecover(b *testing.B) {
	docs, size := flushOf()
	b.SetBytes(250 * size)
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		s, err := sink.Spool(dir, down, sink.WithSync(sink.SyncNever), sink.WithDrainTimeout(0), quiet)
		if err != nil {
			b.Fatal(err)
		}
		for range 250 {
			_ = s.Write(b.Context(), docs)
		}
		_ = s.Close()
		b.StartTimer()
		s, err = sink.Spool(dir, swallow, sink.WithSync(sink.SyncNever))
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
