package truststore

import (
	"os"
	"testing"
)

// thorough is set by .ci/run: slow tests then do all of their work.
var thorough = os.Getenv("THOROUGH") != ""

// slow skips a test that takes long, unless THOROUGH is set.
func slow(t testing.TB) {
	t.Helper()
	if !thorough {
		t.Skip("this takes long: set THOROUGH=1 to run it")
	}
}
