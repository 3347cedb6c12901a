package inventory_test

import (
	"bytes"
	"testing"
)

// The mark of PEM in base64, divided by the end of a line, over and over, before one that is
// not divided.
func TestMarksThatAreDividedTakeLinearTime(t *testing.T) {
	line := append(append(bytes.Repeat([]byte("A"), 60), "LS0t\n"...), "LS1CRUdJTi!\n"...)
	text := func(n int) []byte { return append(bytes.Repeat(line, n/len(line)), " LS0tLS1CRUdJTiBD\n"...) }
	const n = 128 << 10
	takesLinearTime(t, "divided marks", text(n), text(4*n))
}
