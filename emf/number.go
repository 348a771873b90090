package emf

import (
	"math"
	"strconv"
)

// maxValue is the largest magnitude that CloudWatch takes, 2^360.
//
// Source: MetricDatum in the PutMetricData API reference.
const maxValue = 0x1p360

// inRange reports whether CloudWatch takes v. It is false for NaN.
func inRange(v float64) bool { return v >= -maxValue && v <= maxValue }

// whyOut tells why a value that is not in range is dropped.
func whyOut(v float64) reason {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return notFinite
	}
	return outOfRange
}

// exactDigits is a magnitude below which every integer has at most 15 digits, which
// a float64 tells apart: the shortest form is then the integer itself.
const exactDigits = 1e15

// appendNumber appends the shortest JSON number that reads back as exactly v. Most
// recorded values are whole or have few decimals, and integers are ten times
// cheaper to write than floats.
func appendNumber(dst []byte, v float64) []byte {
	if i := int64(v); float64(i) == v && i > -exactDigits && i < exactDigits {
		return strconv.AppendInt(dst, i, 10)
	}
	if scaled := math.Round(v * millionths); scaled > -exactDigits && scaled < exactDigits && scaled/millionths == v {
		return appendDecimal(dst, int64(scaled))
	}
	if abs := math.Abs(v); abs < 1e-6 || abs >= 1e21 {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}

const millionths = 1e6

// appendDecimal appends n millionths, of which some are no whole number, without the zeros at
// the end.
func appendDecimal(dst []byte, n int64) []byte {
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	dst = strconv.AppendInt(dst, n/millionths, 10)
	// The point, and three or six digits.
	f, places := uint32(n%millionths), 6
	if f%1000 == 0 {
		f, places = f/1000, 3
	}
	var fraction [7]byte
	fraction[0] = '.'
	for i := places; i > 0; i-- {
		fraction[i] = '0' + byte(f%10)
		f /= 10
	}
	for fraction[places] == '0' {
		places--
	}
	return append(dst, fraction[:places+1]...)
}
