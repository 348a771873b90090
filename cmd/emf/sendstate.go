package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// sendState is how far logs were sent, in a small file.
type sendState struct {
	path string

	To    string               `json:"to"`
	Files map[string]sentSoFar `json:"files"` // by absolute path
}

// sentSoFar is how much of a log was sent, and how its start is told from another's.
type sentSoFar struct {
	Offset int64  `json:"offset"` // uncompressed
	Head   int64  `json:"head"`   // bytes that were looked at
	Sum    uint32 `json:"sum"`    // of them
}

const headSize = 1024

// readSendState reads a state file, if there is one. Without a path nothing is kept.
func readSendState(path string, to destination) (*sendState, error) {
	s := &sendState{path: path, To: to.String(), Files: map[string]sentSoFar{}}
	if path == "" {
		return s, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("--state: %s is no state of emf send: %w", path, err)
	}
	if s.To != to.String() {
		return nil, fmt.Errorf("--state: %s says what was sent to %s, not %s", path, s.To, to)
	}
	if s.Files == nil {
		s.Files = map[string]sentSoFar{}
	}
	return s, nil
}

// from returns where to go on with a file.
func (s *sendState) from(f *os.File) (int64, error) {
	at, known := s.Files[absolute(f.Name())]
	if !known {
		return 0, nil
	}
	head, sum, err := headOf(f, at.Head)
	if err != nil {
		return 0, err
	}
	if head != at.Head || sum != at.Sum {
		return 0, fmt.Errorf("%s is not the file of which %d bytes were sent: use another --state", f.Name(), at.Offset)
	}
	return at.Offset, nil
}

// save writes down how much of a file was sent.
func (s *sendState) save(f *os.File, offset int64) error {
	if s.path == "" {
		return nil
	}
	head, sum, err := headOf(f, headSize)
	if err != nil {
		return err
	}
	s.Files[absolute(f.Name())] = sentSoFar{offset, head, sum}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(s.path, append(text, '\n'))
}

func headOf(f *os.File, n int64) (int64, uint32, error) {
	head := make([]byte, n)
	got, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return 0, 0, err
	}
	return int64(got), crc32.ChecksumIEEE(head[:got]), nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
