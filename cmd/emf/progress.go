package main

import (
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// progress is a bar on standard error, or nothing.
type progress struct {
	bars *mpb.Progress
	bar  *mpb.Bar
}

// newProgress shows a bar if there is a terminal to show it on, and documents do not
// scroll through the same one.
func newProgress(c *console, total time.Duration) *progress {
	if !isTerminal(c.messages) || isTerminal(c.documents) {
		return &progress{}
	}
	p := &progress{bars: mpb.New(mpb.WithOutput(c.messages), mpb.WithWidth(48))}
	p.bar = p.bars.AddBar(int64(total),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("sending requests ")),
		mpb.AppendDecorators(decor.Percentage()),
	)
	return p
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (p *progress) show(passed time.Duration) {
	if p.bar != nil {
		p.bar.SetCurrent(int64(passed))
	}
}

// done takes the bar away.
func (p *progress) done() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}
