package inventory_test

import (
	"crypto/fips140"
	"strings"
	"testing"
)

// refused reports whether err is truststore's refusal of an algorithm where FIPS 140-3 is
// enforced, which ends a test that needs it. It logs what was refused: .ci/run lists it.
func refused(t testing.TB, err error) bool {
	t.Helper()
	if err == nil || !fips140.Enforced() || !strings.Contains(err.Error(), ", which GODEBUG=fips140=only does not allow") {
		return false
	}
	_, algorithm, _ := strings.Cut(err.Error(), "it needs ")
	algorithm, _, _ = strings.Cut(algorithm, ",")
	t.Logf("fips140=only: %s (%s)", t.Name(), algorithm)
	return true
}
