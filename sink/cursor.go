package sink

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// cursorFile remembers how far a spool has been delivered. It has two slots that are written in
// turn, in place: a write that is torn spoils one of them, and a full disk none.
type cursorFile struct {
	f    *os.File
	slot int64 // to write next
}

const (
	cursorSlot = 128 // bytes; 75 are the most that are used
	cursorName = "cursor"
)

// openCursor opens or makes the file. It returns what it says; found is false if it says
// nothing: then everything there is is to be delivered.
func openCursor(path string) (c *cursorFile, at Amount, found bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, Amount{}, false, err
	}
	c = &cursorFile{f: f}
	slots := make([]byte, 2*cursorSlot)
	n, err := f.ReadAt(slots, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, Amount{}, false, err
	}
	for slot := range int64(2) {
		here, ok := readCursor(slots[slot*cursorSlot:][:cursorSlot])
		if ok && (!found || here.Documents >= at.Documents) {
			at, found, c.slot = here, true, 1-slot
		}
	}
	if n < len(slots) { // takes its space on the disk now
		blank := bytes.Repeat([]byte{' '}, len(slots)-n)
		if _, err := f.WriteAt(blank, int64(n)); err != nil {
			f.Close()
			return nil, Amount{}, false, err
		}
	}
	return c, at, found, nil
}

func readCursor(slot []byte) (Amount, bool) {
	line, _, _ := bytes.Cut(slot, []byte{'\n'})
	body, ok := checked(line)
	if !ok {
		return Amount{}, false
	}
	f := fields{rest: body}
	at := f.amount()
	return at, !f.bad
}

// save writes a position.
func (c *cursorFile) save(at Amount, sync bool) error {
	line := appendAmount(append(make([]byte, 0, cursorSlot), "00000000 "...), at)
	line = append(line, ' ')
	putChecksum(line, line[checksumSize+1:])
	line = append(line, '\n')
	for len(line) < cursorSlot {
		line = append(line, ' ')
	}
	if _, err := c.f.WriteAt(line, c.slot*cursorSlot); err != nil {
		return fmt.Errorf("sink: Spool: writing the cursor: %w", err)
	}
	c.slot = 1 - c.slot
	if sync {
		return c.f.Sync()
	}
	return nil
}
