package pbe

import (
	"crypto/fips140"
	"errors"
	"fmt"
)

// ErrFIPS is in the errors of Approved.
var ErrFIPS = errors.New("which GODEBUG=fips140=only does not allow")

// Approved is an error where FIPS 140-3 is enforced: Go's cryptography panics or fails
// there when it is asked for an algorithm that the standard does not approve. Ask before
// each use of one.
func Approved(algorithm string) error {
	if !fips140.Enforced() {
		return nil
	}
	return fmt.Errorf("it needs %s, %w", algorithm, ErrFIPS)
}
