//go:build !race

package lift_test

const raceEnabled = false
