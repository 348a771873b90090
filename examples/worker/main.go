// Command worker works off messages in batches, as a consumer of SQS does, and writes one
// document for each message: its metrics under the tenant, and what Logs Insights should find
// as properties. Messages come as JSON, one a line, on standard input; the ids of those that
// are to be delivered again go to standard error.
//
//	echo '{"id":"m-1","tenant":"acme","items":3}' | go run ./examples/worker
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/liftemf/liftemf/emf"
)

// message is what the queue delivers.
type message struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	Items  int    `json:"items"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdin, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, queue io.Reader, again io.Writer) error {
	metrics, err := emf.New("Shop", emf.WithDimensions(emf.Dim("Service", "worker")))
	if err != nil {
		return err
	}
	w := &worker{metrics: metrics}
	batches := make(chan []message)
	go receive(queue, batches)
	for more := true; more && ctx.Err() == nil; {
		var batch []message
		select {
		case <-ctx.Done(): // what has not been received stays in the queue
		case batch, more = <-batches:
			for _, id := range w.batch(ctx, batch) {
				fmt.Fprintln(again, id)
			}
		}
	}
	return metrics.Close(context.Background())
}

// batchSize is as much as SQS delivers at once.
const batchSize = 10

// receive reads messages in batches. A line that is none has no id, and fails.
func receive(queue io.Reader, batches chan<- []message) {
	defer close(batches)
	var batch []message
	lines := bufio.NewScanner(queue)
	for lines.Scan() {
		var m message
		_ = json.Unmarshal(lines.Bytes(), &m)
		if batch = append(batch, m); len(batch) == batchSize {
			batches <- batch
			batch = nil
		}
	}
	if len(batch) > 0 {
		batches <- batch
	}
}

type worker struct{ metrics *emf.Emitter }

// batch works off a batch and returns the ids of the messages that failed, as Lambda's and
// SQS's partial batch responses want them.
func (w *worker) batch(ctx context.Context, batch []message) (failed []string) {
	if len(batch) == 0 {
		return nil
	}
	// Values that belong to no message are added up, and written once a minute.
	w.metrics.Histogram("batch.size", emf.Count).Observe(float64(len(batch)))
	for _, m := range batch {
		if err := w.message(ctx, m); err != nil {
			failed = append(failed, m.ID)
		}
	}
	return failed
}

// message works off one message. Its event ends however that goes, a panic included.
func (w *worker) message(ctx context.Context, m message) (err error) {
	ev := w.metrics.Begin()
	ev.SetProperty("message_id", m.ID)
	tenant := ev.WithTenant(m.Tenant)
	took := tenant.Histogram("message.duration", emf.Milliseconds).Start()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		took()
		tenant.Counter("messages").Inc()
		if err != nil {
			tenant.Counter("messages.failed").Inc()
			ev.SetProperty("error", err.Error())
		}
		_ = ev.End(context.WithoutCancel(ctx)) // writes the document, also while the program ends
	}()
	ctx = emf.ContextWithRecorder(emf.NewContext(ctx, ev), tenant)
	return pack(ctx, m)
}

// pack is the work itself. It knows of metrics only what the context carries.
func pack(ctx context.Context, m message) error {
	switch {
	case m.ID == "":
		return errors.New("not a message")
	case m.Items <= 0:
		return fmt.Errorf("%d items", m.Items)
	}
	var boxes [3]int
	for i := range m.Items {
		boxes[i/10]++ // ten to a box; nobody thought of more than thirty, which panics
	}
	emf.FromContext(ctx).Counter("items.packed").Add(float64(m.Items))
	emf.SetProperty(ctx, "boxes", boxes)
	return nil
}
