package pkioverheid

import (
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
)

// What a proxy sends is one line of text: certificates or a short error on one line,
// and nothing that grows beyond what came in.
func FuzzProxyHeader(f *testing.F) {
	leaf := PrivateG4TLS.Certificates()[2]
	escaped := url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})))
	b64 := base64.StdEncoding.EncodeToString(leaf.Raw)
	for _, s := range []string{
		escaped, escaped + escaped, b64, ":" + b64 + ":", "Cert=\"" + escaped + "\"", `By=a;Hash=b;Cert="` + escaped + `";Chain="` + escaped + escaped + `";Subject="CN=\"x\""`,
		"", "%", "::", `="`, `Cert="\`, `a="b",c=d`, "a=b;;", escaped[:100],
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for name, parse := range map[string]func(string) (int, error){
			"nginx":   func(s string) (int, error) { c, err := parseEscapedPEM(s); return len(c), err },
			"envoy":   func(s string) (int, error) { c, err := parseXFCC(s); return len(c), err },
			"haproxy": func(s string) (int, error) { c, err := parseBase64DER(s); return len(c), err },
			"rfc9440": func(s string) (int, error) { c, err := parseByteSequence(s); return len(c), err },
		} {
			n, err := parse(value)
			switch {
			case (err == nil) != (n > 0):
				t.Errorf("%s: %d certificates and %v", name, n, err)
			case n > maxClientChain || n > 1 && name != "envoy":
				t.Errorf("%s: %d certificates", name, n)
			case err != nil && (len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\n\r\x00\x1b")):
				t.Errorf("%s: %q", name, err)
			}
		}
	})
}
