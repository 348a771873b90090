package sink

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/liftemf/liftemf/emf"
)

const segmentSuffix = ".spool1" // 1: the format, see record.go

// segment is a file of records. Its name is the position of the first.
type segment struct {
	path       string
	start, end Amount
	size       int64 // bytes of records in it; what is behind them was never accepted
	delivered  int64 // bytes at its start that are not needed any more
}

func segmentName(start Amount) string {
	return fmt.Sprintf("%016x-%016x-%016x%s", start.Documents, start.Bytes, start.Values, segmentSuffix)
}

func segmentStart(name string) (start Amount, ok bool) {
	if _, err := fmt.Sscanf(name, "%016x-%016x-%016x"+segmentSuffix, &start.Documents, &start.Bytes, &start.Values); err != nil {
		return Amount{}, false
	}
	return start, segmentName(start) == name
}

// readSegments lists the segments of a directory, oldest first. Only the last one is read, to
// find its end; torn is what follows that.
func readSegments(dir string) (segments []*segment, torn int64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), segmentSuffix) {
			continue
		}
		start, ok := segmentStart(e.Name())
		if !ok {
			return nil, 0, fmt.Errorf("%s is no segment's name", e.Name())
		}
		info, err := e.Info()
		if err != nil {
			return nil, 0, err
		}
		segments = append(segments, &segment{path: filepath.Join(dir, e.Name()), start: start, size: info.Size()})
	}
	slices.SortFunc(segments, func(a, b *segment) int {
		return cmp.Compare(a.start.Documents, b.start.Documents)
	})
	for i, s := range segments {
		if i+1 < len(segments) {
			s.end = segments[i+1].start
			if s.end.Documents <= s.start.Documents || s.end.Bytes < s.start.Bytes || s.end.Values < s.start.Values {
				return nil, 0, fmt.Errorf("the segments %s and %s do not follow each other", filepath.Base(s.path), filepath.Base(segments[i+1].path))
			}
			continue
		}
		text, err := os.ReadFile(s.path)
		if err != nil {
			return nil, 0, err
		}
		var good int
		s.end, good = lastRecord(text, s.start)
		torn = int64(len(text) - good)
		s.size = int64(good)
	}
	return segments, torn, nil
}

// lastRecord returns where the last good record of a segment ends, as a position and in bytes.
func lastRecord(text []byte, start Amount) (end Amount, good int) {
	end = start
	for from := 0; ; {
		n := bytes.IndexByte(text[from:], '\n')
		if n < 0 {
			return end, good
		}
		at, d, ok := readRecord(text[from : from+n])
		from += n + 1
		if ok && follows(at, end) {
			end, good = at.plus(amountOf(&d)), from
		}
	}
}

// follows reports whether a record at a position can come after another that ends at end.
func follows(at, end Amount) bool {
	return at.Documents >= end.Documents && at.Bytes >= end.Bytes && at.Values >= end.Values
}

// parcel is a document in a segment.
type parcel struct {
	doc     emf.Document
	at      Amount
	end     int64    // of its record, in bytes from the start of the segment
	segment *segment // set by disk
}

// readParcels reads good records, a batch at most, from those that are still needed. They are
// parts of buf, which is returned, perhaps larger. More says that the segment goes on behind
// them. A file that is gone, or shorter than it was, has no records where they are missing.
func (s *segment) readParcels(buf []byte) (parcels []parcel, _ []byte, more bool, err error) {
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, buf, false, nil
	}
	if err != nil {
		return nil, buf, false, err
	}
	defer f.Close()
	for limit := int64(batchBytes); ; limit *= 2 {
		want := min(s.size-s.delivered, limit)
		buf = slices.Grow(buf[:0], int(want))[:want]
		n, err := f.ReadAt(buf, s.delivered)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, buf, false, err
		}
		last := int64(n) < want || want == s.size-s.delivered
		if parcels = s.parse(buf[:n]); len(parcels) > 0 || last {
			return parcels, buf, !last || len(parcels) == batchDocuments, nil
		}
	}
}

// parse returns the good records of text, which starts where those begin that are needed.
func (s *segment) parse(text []byte) (parcels []parcel) {
	end := s.start
	for from := 0; len(parcels) < batchDocuments; {
		n := bytes.IndexByte(text[from:], '\n')
		if n < 0 {
			break
		}
		at, d, ok := readRecord(text[from : from+n : from+n])
		from += n + 1
		if !ok || !follows(at, end) || !follows(s.end, at.plus(amountOf(&d))) {
			continue
		}
		end = at.plus(amountOf(&d))
		parcels = append(parcels, parcel{doc: d, at: at, end: s.delivered + int64(from)})
	}
	return parcels
}
