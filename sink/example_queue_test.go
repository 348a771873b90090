package sink_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

// An emitter that never waits for the network: what cannot be delivered now is delivered later.
func ExampleRetry() {
	calls := 0
	network := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
		if calls++; calls < 3 {
			return errors.New("connection refused")
		}
		fmt.Println("delivered", len(docs))
		return nil
	})
	queue := sink.Retry(network, sink.WithBackoff(time.Millisecond, time.Second), quiet)
	metrics := emf.Must(emf.New("Shop", emf.WithSink(queue)))
	metrics.Counter("orders").Inc()
	if err := metrics.Close(context.Background()); err != nil { // delivers what is left
		fmt.Println(err)
	}
	s := queue.Stats()
	fmt.Println(s.Accepted.Values, "=", s.Delivered.Values, "+", s.Dropped.Values, "+", s.Pending.Values)
	// Output:
	// delivered 1
	// 1 = 1 + 0 + 0
}

// Documents that wait on disk are delivered by the next process.
func ExampleSpool() {
	dir, err := os.MkdirTemp("", "metrics")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	// This process ends while nothing can be delivered.
	down := emf.SinkFunc(func(context.Context, []emf.Document) error { return errors.New("no route to host") })
	queue, err := sink.Spool(dir, down, sink.WithSync(sink.SyncEvery(time.Second)), sink.WithDrainTimeout(0), quiet)
	if err != nil {
		fmt.Println(err)
		return
	}
	metrics := emf.Must(emf.New("Shop", emf.WithSink(queue)))
	metrics.Counter("orders").Inc()
	fmt.Println(metrics.Close(context.Background()), queue.Stats().Pending.Documents)

	// The next one finds it.
	up := emf.SinkFunc(func(_ context.Context, docs []emf.Document) error {
		fmt.Println("delivered", len(docs))
		return nil
	})
	queue, err = sink.Spool(dir, up)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(queue.Close(), queue.Stats().Recovered.Documents)
	// Output:
	// <nil> 1
	// delivered 1
	// <nil> 1
}
