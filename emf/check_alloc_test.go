//go:build !race

package emf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A log is read a million lines at a time. The race detector empties pools, so the counts
// hold without it only.
func TestCheckAllocations(t *testing.T) {
	line := []byte(lineOf(directiveOf(`"App"`, `["a","b"],["a"]`, `{"Name":"m","Unit":"Count"},{"Name":"n","Unit":"Bytes"}`),
		`"a":"1","b":"2","m":1,"n":[1,2.5,3]`))
	now := time.UnixMilli(conformanceTime)
	assert.Zero(t, testing.AllocsPerRun(100, func() { checkAt(line, now) }))

	// The metrics, their numbers, their dimensions, and one string of all words.
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = Extract(line) }), 4.0)
}
