package profile_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
)

var updateTestKit = flag.Bool("update-testkit", false, "write rfc5280-*.txt of the test kit anew")

const testKit = "../../pkioverheid/testdata/testkit"

// makeKit has the two certificates of each rule of RFC5280 as files of the test kit, whose
// README has the format: where crypto/x509 accepts both, so that the rule decides.
func makeKit(t *testing.T) map[string]string {
	files := map[string]string{}
	for _, test := range rfc5280RuleTests {
		kept, broken := test.chains()
		verdict := "refuse malformed"
		if strings.HasPrefix(test.rule, "permitted names ") {
			verdict = "refuse name"
		}
		slug := strings.Trim(strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return '-'
		}, strings.ToLower(test.name)), "-")
		for _, c := range []struct {
			suffix, verdict string
			chain           chain.Chain
		}{{"kept", "accept", kept}, {"broken", verdict, broken}} {
			root := c.chain.Root()
			_, err := c.chain[0].Verify(x509.VerifyOptions{Roots: poolOf(root), Intermediates: poolOf(c.chain[1]), CurrentTime: now})
			if err != nil || !root.IsCA || !bytes.Equal(root.RawSubject, root.RawIssuer) {
				continue
			}
			var b bytes.Buffer
			end := strings.LastIndexByte(test.rule, ' ')
			fmt.Fprintf(&b, "comment: %s\nrule: %s, RFC 5280 section %s\ntime: %s\npurpose: server\nprofile: rfc5280\nverdict: %s\n\n[chain]\n",
				test.name, test.rule[:end], test.rule[end+1:], now.Format(time.RFC3339), c.verdict)
			for _, cert := range c.chain[:2] {
				_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
			}
			b.WriteString("\n[root]\n")
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})
			name := "rfc5280-" + slug + "-" + c.suffix
			require.Empty(t, files[name])
			files[name] = b.String()
		}
	}
	return files
}

func TestTheTestKitHasTheCertificatesOfEachRule(t *testing.T) {
	files := makeKit(t)
	assert.Equal(t, files, makeKit(t), "the same bytes twice")
	old, err := filepath.Glob(testKit + "/rfc5280-*.txt")
	require.NoError(t, err)
	if *updateTestKit {
		for _, path := range old {
			require.NoError(t, os.Remove(path))
		}
		for name, text := range files {
			require.NoError(t, os.WriteFile(filepath.Join(testKit, name+".txt"), []byte(text), 0o644))
		}
		return
	}
	assert.Len(t, old, len(files))
	for name, text := range files {
		data, err := os.ReadFile(filepath.Join(testKit, name+".txt"))
		require.NoError(t, err)
		assert.Equal(t, text, string(data), name)
	}
}
