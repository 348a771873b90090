package main

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// refresh is how often the bar moves.
const refresh = 100 * time.Millisecond

// showProgress shows a bar on standard error that is full after the time given, until done
// is called.
func showProgress(c *console, total time.Duration) (done func()) {
	return showBar(c, true, "sending requests ", int64(total), func(passed time.Duration) int64 { return int64(passed) })
}

// largeInput is what takes long enough to be worth a bar, in bytes.
const largeInput = 64 << 20

// showReading shows how much of large files has been read, until done is called. A command
// that scrolls writes while it reads.
func showReading(c *console, in *input, scrolls bool) (done func()) {
	size := in.size()
	if size < largeInput {
		return func() {}
	}
	return showBar(c, scrolls, "reading ", size, func(time.Duration) int64 { return in.read.Load() })
}

// showBar shows a bar: if there is a terminal to show it on, and what the command writes does
// not scroll through the same one.
func showBar(c *console, scrolls bool, name string, total int64, at func(passed time.Duration) int64) (done func()) {
	if !isTerminal(c.messages) || scrolls && isTerminal(c.documents) {
		return func() {}
	}
	bars := mpb.New(mpb.WithOutput(c.messages), mpb.WithWidth(48))
	bar := bars.AddBar(total,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name)),
		mpb.AppendDecorators(decor.Percentage()),
	)
	stop := tick(refresh, func(passed time.Duration) { bar.SetCurrent(at(passed)) })
	return func() {
		stop()
		bar.Abort(true) // takes it away
		bars.Wait()
	}
}

// tick calls f with the time that has passed, again and again until stop has returned.
// That is no business of what is waited for: it may have nothing to do for long.
func tick(interval time.Duration, f func(passed time.Duration)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	begin := time.Now()
	var ticking sync.WaitGroup
	ticking.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				f(time.Since(begin))
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		ticking.Wait()
	}
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
