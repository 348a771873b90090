//go:build race

package e2e_test

const values = 250_000 // the detector makes each several times as expensive
