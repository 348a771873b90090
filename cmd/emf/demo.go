package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

// demo is the command line of "emf demo".
type demo struct {
	Tenants       int           `default:"5" placeholder:"N" help:"Tenants that use the service (${default})."`
	Rate          *float64      `placeholder:"N" xor:"rate" help:"Requests a second (200); 0 is as many as it can."`
	Duration      time.Duration `placeholder:"TIME" help:"How long it runs (3s; with --listen until it is interrupted)."`
	Seed          *uint64       `placeholder:"N" xor:"seed" help:"What the choice of requests starts from (1)."`
	FlushInterval time.Duration `default:"1s" placeholder:"TIME" help:"How often documents are written (${default})."`
	Listen        string        `placeholder:"ADDR" xor:"rate,seed" help:"Serve on this address and send nothing, so without --rate and --seed. The tenant is the header ${tenant_header}."`
	Summary       string        `default:"text" enum:"text,json,none" help:"The summary on standard error: ${enum} (${default})."`
	To            *destination  `placeholder:"DEST" help:"Send the documents, as emf send does, instead of writing them: logs:GROUP, metrics or agent:ENDPOINT."`

	sending
}

// Help is what "emf demo --help" says beside the flags.
func (d *demo) Help() string {
	return `It starts a small HTTP service on a loopback port, behind the middleware, and sends it requests of several tenants. ` +
		`The metrics come out on standard output as EMF documents, one a line. Ctrl-C ends it early, with everything flushed.

With --listen it only serves, for a load generator, until Ctrl-C:

  emf demo --listen 127.0.0.1:8080 >documents &
  wrk -c 8 -d 10s -H '` + tenantHeader + `: tenant-001' http://127.0.0.1:8080/items/7`
}

const (
	defaultRate     = 200.0
	defaultSeed     = uint64(1)
	defaultDuration = 3 * time.Second
	forever         = 0
	// patience is how long requests and documents under way have at the end.
	patience = 10 * time.Second
)

// Validate is called by the parser.
func (d *demo) Validate() error {
	switch {
	case d.Tenants < 1 || d.Tenants > maxTenants:
		return fmt.Errorf("--tenants: %d: from 1 to %d", d.Tenants, maxTenants)
	case d.Rate != nil && !(*d.Rate >= 0 && *d.Rate <= math.MaxFloat64):
		return fmt.Errorf("--rate: %v: a number from zero", *d.Rate)
	case d.Duration < 0:
		return fmt.Errorf("--duration: %v: zero or more", d.Duration)
	case d.FlushInterval <= 0:
		return fmt.Errorf("--flush-interval: %v: more than zero", d.FlushInterval)
	}
	if d.To != nil {
		if err := d.check(*d.To); err != nil {
			return err
		}
	}
	// The parser's own defaults would look given beside --listen.
	if d.Rate == nil {
		d.Rate = new(defaultRate)
	}
	if d.Seed == nil {
		d.Seed = new(defaultSeed)
	}
	if d.Duration == 0 && d.Listen == "" {
		d.Duration = defaultDuration
	}
	return nil
}

// Run is the command.
func (d *demo) Run(ctx context.Context, c *console) error {
	out := sink.Writer(c.documents)
	if d.To != nil {
		var err error
		if out, err = d.open(ctx, *d.To, nil); err != nil {
			return err
		}
	}
	metrics, err := emf.New("liftemf/demo",
		emf.WithSink(out),
		emf.WithDimensions(emf.Dim("Service", "demo")),
		emf.WithFlushInterval(d.FlushInterval),
	)
	if err != nil {
		return err
	}
	address := d.Listen
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return errors.Join(err, metrics.Close(ctx))
	}
	counts := newTally(d.Tenants)
	handler := newService(counts.names).handler(metrics)
	if d.Listen != "" {
		handler = counts.served(handler)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: patience}
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()

	begin := time.Now()
	url := "http://" + listener.Addr().String()
	if d.Listen != "" {
		fmt.Fprintln(c.messages, "listening on", url)
		err = wait(ctx, d.Duration, serving)
	} else {
		done := showProgress(c, d.Duration)
		newTraffic(url, counts, *d.Seed, *d.Rate).send(ctx, d.Duration)
		done()
	}
	took := time.Since(begin)

	// Not under ctx: what is under way is to be finished, signal or not.
	ending, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stopping := server.Shutdown(ending)
	if stopping != nil {
		_ = server.Close() // and with it the connections that did not end
	}
	err = errors.Join(err, stopping, undelivered(metrics.Close(ending)))
	writeSummary(c.messages, d.Summary, newSummary(took, counts, metrics.Stats()))
	return err
}

// wait returns when ctx is done, the time is over or the server has failed.
func wait(ctx context.Context, limit time.Duration, serving <-chan error) error {
	if limit != forever {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-serving:
		return err
	}
}

// undelivered says what an emitter's Close could not deliver. The summary has the numbers,
// and of the sink's error no more than why it failed is of use: there is no next flush.
func undelivered(err error) error {
	var refused *emf.UndeliveredError
	if errors.As(err, &refused) && refused.Err != nil {
		return fmt.Errorf("documents were not delivered: %w", refused.Err)
	}
	return err
}
