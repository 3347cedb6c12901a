package pkioverheid

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Whatever a file holds, each of its entries names one thing with a reason, and an error
// is one short line.
func FuzzDistrusted(f *testing.F) {
	ca := PrivateG4TLS.Certificates()[2]
	key := chain.KeyHash(ca)
	name := `"` + safetext.Name(ca.Subject, 1000) + `"`
	for _, line := range []string{
		"certificate " + strings.Repeat("0a:", 31) + "0B  why", "key " + base64.StdEncoding.EncodeToString(key[:]) + "\twhy",
		"issuer " + name + " serial 01:FF why", "issuer " + base64.StdEncoding.EncodeToString(ca.RawIssuer) + " serial f why",
		"subject " + name + " why", "", "# nothing", "\ufeff# nothing\r\n\r\n", "certificate", `subject "CN=a\`, `subject "CN=\2c\,\"+2.5.4.97=#0c0161" x`,
		`subject "1.2=#3003" x`, `subject "CN=a…" x`, `issuer "CN=a" serial -1 x`, "key " + strings.Repeat("0", 64) + " x", `subject "C=,O=b" x`,
	} {
		f.Add([]byte(line))
		f.Add([]byte("# two\n" + line + "\n" + line))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseDistrusted(data)
		if err != nil {
			if len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\n\r\x00\x1b") || len(entries) > 0 {
				t.Errorf("%d entries and %q", len(entries), err)
			}
			return
		}
		if _, err := newDistrustedSet(entries); err != nil {
			t.Errorf("what was read cannot be set: %v", err)
		}
		for _, e := range entries {
			if e.Reason == "" {
				t.Error("an entry without a reason")
			}
		}
	})
}
