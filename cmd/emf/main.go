// Command emf is a companion to the library: "emf demo" shows what it does, "emf check" and
// "emf stat" read the documents of any program, "emf send" delivers them.
//
//	emf demo                       a service with tenants, requests, and their documents
//	emf demo --listen :8080        the service alone, for a load generator of your own
//	emf check app.log              the rules that documents break, by line
//	emf stat app.log               the metrics that CloudWatch makes of them, and what they cost
//	emf send --to metrics app.log  documents to CloudWatch Logs, PutMetricData or an agent
//
// What a command makes goes to standard output, documents one a line, and everything else to
// standard error. The exit code is 0 if all went well, 1 if not, and 2 if the command line is
// wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/liftemf/liftemf/internal/price"
)

// The exit codes.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// commands is the command line: one field a command, each in a file of its own.
type commands struct {
	Demo  demo  `cmd:"" help:"Serve requests of several tenants and write the EMF documents they make."`
	Check check `cmd:"" help:"Report the rules that the documents of logs break."`
	Stat  stat  `cmd:"" help:"Show the metrics that CloudWatch makes of logs, and what they cost."`
	Send  send  `cmd:"" help:"Send the documents of logs to CloudWatch or its agent."`
}

// console is what a command talks to.
type console struct {
	documents io.Writer // standard output: documents, or what else a command makes
	messages  *os.File  // standard error
}

func main() {
	// The first signal asks to finish; a second one ends the program at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], &console{os.Stdout, os.Stderr}))
}

func run(ctx context.Context, args []string, c *console) int {
	var cli commands
	parser := kong.Must(&cli,
		kong.Name("emf"),
		kong.Description("Metrics as CloudWatch Embedded Metric Format documents."),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(c),
		kong.Vars{"tenant_header": tenantHeader, "price_region": price.Default.Region, "price_date": price.Default.Date},
	)
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(c.messages, "emf:", err)
		fmt.Fprintln(c.messages, `Try "emf --help".`)
		return exitUsage
	}
	switch err := command.Run(); {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFailure
	default:
		fmt.Fprintln(c.messages, "emf:", strings.TrimPrefix(err.Error(), "emf: "))
		return exitFailure
	}
}
