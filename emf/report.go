package emf

import "github.com/liftemf/liftemf/internal/hook"

func init() { hook.Report = (*Emitter).reportFlush }

// reportFlush logs that a flush failed for which nobody waits.
func (e *Emitter) reportFlush(err error) {
	e.diagnostics.report("flush", "a flush failed", "error", err)
}
