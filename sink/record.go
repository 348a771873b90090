package sink

import (
	"bytes"
	"hash/crc32"
	"math"
	"strconv"
	"time"

	"github.com/liftemf/liftemf/emf"
)

// A spool's segment is a text file of records, one a line:
//
//	checksum documents bytes values own seconds nanoseconds JSON
//
// The checksum is the CRC-32C, in hexadecimal, of what follows it and its space. Documents,
// bytes and values are what the spool had accepted before this document since it was made:
// after a damaged line, the next good one says exactly how much was lost. Own is the number
// of values of this document. A line is found again after any damage at the next newline,
// which a document never has inside.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const checksumSize = 8

// appendRecord adds the record of a document that is at a position.
func appendRecord(b []byte, at Amount, d *emf.Document) []byte {
	start := len(b)
	b = append(b, "00000000 "...)
	body := len(b)
	b = appendAmount(b, at)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(max(d.Values, 0)), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, d.Time.Unix(), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(d.Time.Nanosecond()), 10)
	b = append(b, ' ')
	json := len(b)
	b = append(b, d.JSON...)
	for i := json; ; i++ { // a newline between two tokens is as good as a space
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			break
		}
		i += n
		b[i] = ' '
	}
	putChecksum(b[start:], b[body:])
	return append(b, '\n')
}

func appendAmount(b []byte, a Amount) []byte {
	b = strconv.AppendUint(b, a.Documents, 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, a.Bytes, 10)
	b = append(b, ' ')
	return strconv.AppendUint(b, a.Values, 10)
}

func putChecksum(to, of []byte) {
	const digits = "0123456789abcdef"
	sum := crc32.Checksum(of, castagnoli)
	for i := checksumSize - 1; i >= 0; i-- {
		to[i] = digits[sum&15]
		sum >>= 4
	}
}

// checked returns what follows the checksum of a line, if that is right.
func checked(line []byte) ([]byte, bool) {
	if len(line) < checksumSize+1 || line[checksumSize] != ' ' {
		return nil, false
	}
	var want [checksumSize]byte
	body := line[checksumSize+1:]
	putChecksum(want[:], body)
	return body, bytes.Equal(want[:], line[:checksumSize])
}

// readRecord reads a line without its newline. The document's JSON is part of it.
func readRecord(line []byte) (at Amount, d emf.Document, ok bool) {
	f := fields{rest: line}
	if f.rest, ok = checked(line); !ok {
		return Amount{}, emf.Document{}, false
	}
	at = f.amount()
	values := f.uint(' ', 63)
	seconds := f.int(' ')
	nanoseconds := f.uint(' ', 30)
	d = emf.Document{Time: time.Unix(seconds, int64(nanoseconds)).UTC(), JSON: f.rest, Values: int(values)}
	next := at.plus(amountOf(&d))
	if next.Documents < at.Documents || next.Bytes < at.Bytes || next.Values < at.Values {
		f.bad = true
	}
	return at, d, !f.bad
}

// fields reads numbers.
type fields struct {
	rest []byte
	bad  bool
}

// uint reads a decimal number of at most so many bits, and the byte after it.
func (f *fields) uint(end byte, bits int) (n uint64) {
	for i, c := range f.rest {
		if c == end && i > 0 {
			f.rest = f.rest[i+1:]
			return n
		}
		digit := uint64(c - '0')
		if digit > 9 || n > (math.MaxUint64-digit)/10 {
			break
		}
		if n = n*10 + digit; n>>(bits-1)>>1 != 0 {
			break
		}
	}
	f.bad = true
	return 0
}

func (f *fields) int(end byte) int64 {
	negative := len(f.rest) > 0 && f.rest[0] == '-'
	if !negative {
		return int64(f.uint(end, 63))
	}
	f.rest = f.rest[1:]
	return int64(-f.uint(end, 64))
}

func (f *fields) amount() Amount {
	return Amount{Documents: f.uint(' ', 64), Bytes: f.uint(' ', 64), Values: f.uint(' ', 64)}
}
