package emf

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The benchmarks read what other producers wrote: a few metrics a document in one
// file, up to a hundred in another. Only documents that Extract takes are counted.
// BenchmarkValid is the yardstick: what encoding/json takes to say that they are JSON.
func benchmarkDocuments(b *testing.B, file string) (docs [][]byte, size int64) {
	text, err := os.ReadFile(filepath.Join("..", "testdata", "samples", file))
	if err != nil {
		b.Fatal(err)
	}
	for doc := range bytes.Lines(text) {
		if _, err := Extract(doc); err == nil {
			docs = append(docs, doc)
			size += int64(len(doc))
		}
	}
	return docs, size
}

var benchmarkFiles = []string{
	"middy-cloudwatch-metrics-5.4.7.jsonl",
	"powertools-typescript-2.36.0.jsonl",
	"aws-embedded-metrics-node-4.2.1.jsonl",
}

func BenchmarkValid(b *testing.B) {
	for _, file := range benchmarkFiles {
		b.Run(file, func(b *testing.B) {
			docs, size := benchmarkDocuments(b, file)
			b.SetBytes(size / int64(len(docs)))
			for i := 0; b.Loop(); i++ {
				json.Valid(docs[i%len(docs)])
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, file := range benchmarkFiles {
		b.Run(file, func(b *testing.B) {
			docs, size := benchmarkDocuments(b, file)
			b.SetBytes(size / int64(len(docs)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				Check(docs[i%len(docs)])
			}
		})
	}
}

func BenchmarkExtract(b *testing.B) {
	for _, file := range benchmarkFiles {
		b.Run(file, func(b *testing.B) {
			docs, size := benchmarkDocuments(b, file)
			b.SetBytes(size / int64(len(docs)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := Extract(docs[i%len(docs)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
