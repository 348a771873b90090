package sink_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

// listen returns the endpoint of a receiver that throws away what it gets.
func listen(b *testing.B, network string) (endpoint string) {
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(b.TempDir(), "emf.sock")
	}
	listener, err := net.Listen(network, address)
	require.NoError(b, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, make([]byte, 256<<10))
				conn.Close()
			})
		}
	})
	b.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return network + "://" + listener.Addr().String()
}

// What it costs to hand documents to the system: a batch of a flush (256 KiB, documents of
// about 350 bytes), and one document, as an event ends. The receiver shares the cores.
func BenchmarkSinks(b *testing.B) {
	ungrouped := emf.Document{Values: 5, JSON: []byte(`{"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Service","TenantID"]],"Metrics":[{"Name":"orders","Unit":"Count"},{"Name":"errors","Unit":"Count"},{"Name":"latency","Unit":"Milliseconds"}]}]},"Service":"checkout","TenantID":"tenant-1234","orders":12,"errors":0,"latency":{"Values":[12,13.5,250],"Counts":[3,8,1]}}`)}
	grouped := emfDocuments(0, 1)[0]
	grouped.JSON = append([]byte(`{"_aws":{"Timestamp":1795521600000,"LogGroupName":"shop",`), ungrouped.JSON[len(`{"_aws":{"Timestamp":1795521600000,`):]...)
	file, err := os.OpenFile(filepath.Join(b.TempDir(), "log"), os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(b, err)
	defer file.Close()
	agent := func(b *testing.B, network string) emf.Sink {
		s, err := sink.Agent(listen(b, network), sink.WithAgentLogGroup("shop"))
		require.NoError(b, err)
		b.Cleanup(func() { s.Close() })
		return s
	}
	discard := emf.SinkFunc(func(context.Context, []emf.Document) error { return nil })
	for _, c := range []struct {
		name string
		doc  emf.Document
		make func(b *testing.B) emf.Sink
	}{
		{"writer to a file", grouped, func(b *testing.B) emf.Sink {
			return sink.Writer(writerFunc(func(p []byte) (int, error) { return file.WriteAt(p, 0) }))
		}},
		{"agent tcp", grouped, func(b *testing.B) emf.Sink { return agent(b, "tcp") }},
		{"agent tcp, group put in", ungrouped, func(b *testing.B) emf.Sink { return agent(b, "tcp") }},
		{"agent unix", grouped, func(b *testing.B) emf.Sink { return agent(b, "unix") }},
		{"tee of two", grouped, func(b *testing.B) emf.Sink { return sink.Tee(discard, discard) }},
		{"fallback", grouped, func(b *testing.B) emf.Sink { return sink.Fallback(discard, discard) }},
	} {
		for _, n := range []int{1, 256 << 10 / len(c.doc.JSON)} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				docs := make([]emf.Document, n)
				for i := range docs {
					docs[i] = c.doc
				}
				s := c.make(b)
				b.SetBytes(int64(n * len(c.doc.JSON)))
				b.ReportAllocs()
				for b.Loop() {
					if err := s.Write(b.Context(), docs); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
