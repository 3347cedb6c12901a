package inventory

import (
	"strings"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

const (
	maxName = 64   // of what stands in a certificate or a document
	maxPath = 4096 // of a file
	maxText = 300  // of what other packages say
)

// quoted is a name in quotes.
func quoted(s string) string {
	return `"` + strings.ReplaceAll(safetext.Printable(s, maxName), `"`, `\"`) + `"`
}
