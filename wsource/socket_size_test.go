package wsource_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource"
)

// TestSocketSize keeps a socket within a size class of the allocator: one byte more, and
// each connection of a server takes 128 bytes more.
func TestSocketSize(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("it is smaller where pointers are")
	}
	assert.LessOrEqual(t, unsafe.Sizeof(wsource.Socket{}), uintptr(1024))
}
