package emf

import (
	"hash/maphash"
	"math/bits"
	"strings"
)

// Dimension is a name and a value that identify a metric.
//
// CloudWatch takes at most 30 in a set, names of 1 to 250 and values of 1 to 1,024
// printable ASCII characters, not all blank; a name must not start with a colon.
// What a recorder makes of others is described at [Recorder.With].
//
// Source: the embedded metric format specification (DimensionSet) and the Dimension
// type of the PutMetricData API reference.
type Dimension struct{ Name, Value string }

// Dim returns a Dimension.
func Dim(name, value string) Dimension { return Dimension{Name: name, Value: value} }

// CloudWatch's limits; the tighter one where its pages differ.
const (
	maxNamespaceLength      = 255
	maxNameLength           = 255
	maxDimensionNameLength  = 250
	maxDimensionValueLength = 1024
	maxDimensions           = 30
)

var hashSeed = maphash.MakeSeed()

// hash returns a hash of the dimension. Those of a set are added up, so that the order
// does not matter and a dimension can be added to a set whose hash is known.
func (d Dimension) hash() uint64 {
	return pairHash(maphash.String(hashSeed, d.Name), d.Value)
}

// pairHash returns the hash of a dimension whose name's hash is known.
func pairHash(name uint64, value string) uint64 {
	hi, lo := bits.Mul64(name|1, maphash.String(hashSeed, value))
	return hi ^ lo
}

func hashOf(dims []Dimension) (h uint64) {
	for _, d := range dims {
		h += d.hash()
	}
	return h
}

// mend returns the dimension as CloudWatch takes it, and what had to be changed; it is
// not ok if the dimension has to go.
func (d Dimension) mend() (mended Dimension, problem string, ok bool) {
	if blank(d.Value) {
		return d, "", false
	}
	mended = Dimension{clean(d.Name), clean(d.Value)}
	if strings.HasPrefix(mended.Name, ":") {
		mended.Name = "_" + mended.Name[1:]
	}
	mended.Name = mended.Name[:min(len(mended.Name), maxDimensionNameLength)]
	mended.Value = mended.Value[:min(len(mended.Value), maxDimensionValueLength)]
	if blank(mended.Name) || blank(mended.Value) || mended.Name == "_aws" {
		return d, "a dimension's name is blank or _aws, or all that fits of its value is blank: the dimension is left out", false
	}
	if mended != d {
		problem = "a dimension has characters other than printable ASCII, or too many: they are replaced by underscores or cut off"
	}
	return mended, problem, true
}

// appendDimension appends d as a JSON member with its comma. Printable ASCII needs no
// escapes but for quotes and backslashes.
func appendDimension(dst []byte, d Dimension) []byte {
	dst = append(appendString(dst, d.Name), ':')
	return append(appendString(dst, d.Value), ',')
}

// spells reports whether members, written without escapes, are exactly dims, in their order,
// provided that they are as many.
func spells(members string, dims []Dimension) bool {
	for i := range dims {
		d := &dims[i]
		name, value := len(d.Name), len(d.Value)
		if value == 0 {
			continue
		}
		// `"name":"value",`: a quote in name or value would be one quote more than as many
		// members have.
		if len(members) < name+value+6 ||
			members[4+name:4+name+value] != d.Value || members[1:1+name] != d.Name || members[1+name:4+name] != `":"` {
			return false
		}
		members = members[name+value+6:]
	}
	return members == ""
}

// cutDimension returns the first dimension of members written by appendDimension, and
// the others.
func cutDimension(members string) (d Dimension, rest string) {
	d.Name, rest = cutString(members)
	d.Value, rest = cutString(rest[1:])
	return d, rest[1:]
}

// cutString returns the string that text starts with, and what follows it.
func cutString(text string) (s, rest string) {
	text = text[1:]
	end := strings.IndexByte(text, '"')
	if s = text[:end]; strings.IndexByte(s, '\\') < 0 {
		return s, text[end+1:]
	}
	var b strings.Builder
	for i := 0; ; i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:]
		case '\\':
			i++
		}
		b.WriteByte(text[i])
	}
}

func indexName(dims []Dimension, name string) int {
	for i := range dims {
		if dims[i].Name == name {
			return i
		}
	}
	return -1
}
