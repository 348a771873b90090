package sink

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// settledName is the file of the spans that are settled ahead of the cursor: of a batch that was
// taken in part. It has a line for each, with a checksum; what cannot be read of it is
// delivered again.
const settledName = "settled"

// readSettled returns the spans of the file.
func readSettled(path string) (spans []span, err error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		body, ok := checked(bytes.TrimSuffix(line, []byte("\n")))
		if !ok {
			continue
		}
		f := fields{rest: body}
		s := span{from: f.amount(), to: f.amount()}
		if !f.bad && follows(s.to, s.from) {
			spans = append(spans, s)
		}
	}
	return spans, nil
}

// writeSettled replaces the spans of the file.
func writeSettled(path string, spans []span, sync bool) (err error) {
	var text []byte
	for _, s := range spans {
		start := len(text)
		text = append(text, "00000000 "...)
		body := len(text)
		text = append(appendAmount(text, s.from), ' ')
		text = append(appendAmount(text, s.to), ' ')
		putChecksum(text[start:], text[body:])
		text = append(text, '\n')
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("sink: Spool: %w", err)
	}
	_, err = f.Write(text)
	if err == nil && sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sink: Spool: %w", err)
	}
	return nil
}
