//go:build !race

package e2e_test

const values = 1_000_000
