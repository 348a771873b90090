package emf

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// There is a recorder for each tenant, and a series for each of its metrics.
func TestSizes(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("of machines with 64 bits")
	}
	assert.EqualValues(t, 64, unsafe.Sizeof(Recorder{}), "a cache line")
	assert.EqualValues(t, 48, unsafe.Sizeof(series{}), "what the allocator gives")
}
