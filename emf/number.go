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
	const scale, places = 1e6, 6
	if scaled := math.Round(v * scale); scaled > -exactDigits && scaled < exactDigits && scaled/scale == v {
		return appendDecimal(dst, int64(scaled), places)
	}
	if abs := math.Abs(v); abs < 1e-6 || abs >= 1e21 {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}

// appendDecimal appends n / 10^places without the zeros at its end.
func appendDecimal(dst []byte, n int64, places int) []byte {
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	for n%10 == 0 {
		n /= 10
		places--
	}
	start := len(dst)
	dst = strconv.AppendInt(dst, n, 10)
	for len(dst)-start <= places {
		dst = append(dst, '0')
		copy(dst[start+1:], dst[start:])
		dst[start] = '0'
	}
	point := len(dst) - places
	dst = append(dst, 0)
	copy(dst[point+1:], dst[point:])
	dst[point] = '.'
	return dst
}
