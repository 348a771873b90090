package emf

import "github.com/liftemf/liftemf/internal/hook"

func init() {
	hook.Report = func(e *Emitter, message string, err error) { e.diagnostics.report(message, message, "error", err) }
}
