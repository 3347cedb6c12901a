package inventory

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// A certificate in PKCS#7 can begin at the start of a line of base64: it is found as one of
// PKCS#7, and not once more.
func TestWhatGoesOnIsNotABeginning(t *testing.T) {
	cert := base64.StdEncoding.EncodeToString(pkioverheid.PrivateG1.Root().Raw)
	found := func(text string) bool {
		at, kind := newValues([]byte(text)).next(0)
		return kind == valueDER && at == strings.Index(text, cert)
	}
	for name, c := range map[string]struct {
		before string
		found  bool
	}{
		"at the start":                             {"", true},
		"after a word":                             {"data: |\n    ", true},
		"after a full line of PEM":                 {strings.Repeat("A", 64) + "\n", false},
		"after a full line of MIME with CRLF":      {"x\r\n" + strings.Repeat("B", 76) + "\r\n", false},
		"after a full line with spaces around it":  {"x\n  " + strings.Repeat("B", 64) + "\n  ", false},
		"after another value on a line of its own": {strings.Repeat("A", 1000) + "\n", true},
		"after the last line of another value":     {strings.Repeat("A", 62) + "==\n", true},
	} {
		assert.Equal(t, c.found, found(c.before+cert), name)
	}
}
