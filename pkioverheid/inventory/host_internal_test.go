package inventory

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
)

// crypto/tls gives up before this does, as long as it has bounds of its own.
func TestAConnectionIsReadSoFar(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		for {
			if _, err := theirs.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
	}()
	n, err := io.Copy(io.Discard, &boundedConn{Conn: ours, left: 12345})
	assert.EqualValues(t, 12345, n)
	assert.ErrorIs(t, err, errTooMuch)
}
