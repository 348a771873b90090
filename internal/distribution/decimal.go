package distribution

import (
	"math"
	"strconv"
)

// exactPower is the largest power of ten that a float64 holds exactly: dividing an integer by
// it gives the float64 nearest to the decimal, which prints as that decimal.
const exactPower = 22

// rounded returns v rounded to so many significant digits.
func rounded(v float64, digits int) float64 {
	if v == 0 {
		return 0
	}
	places := digits - 1 - int(math.Floor(math.Log10(math.Abs(v))))
	switch {
	case 0 <= places && places <= exactPower:
		power := math.Pow10(places)
		return math.Round(v*power) / power
	case -exactPower <= places && places < 0:
		power := math.Pow10(-places)
		return math.Round(v/power) * power
	}
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', digits-1, 64), 64)
	return r
}
