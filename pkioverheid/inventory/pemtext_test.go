package inventory

import (
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
)

// PEM in other text is found as it is there. Decode refuses it or skips it: who
// trusts has files that are whole.
func TestPEMInOtherText(t *testing.T) {
	block := func(kind string, der []byte) string {
		return strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	}
	root := pkioverheid.PrivateG1.Root()
	ca := block("CERTIFICATE", root.Raw)
	for name, c := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"a raw string in a Go file":       {"package x\n\nconst ca = `" + ca + "`\n\nvar y int\n", []string{"1 certificate line 3"}, ""},
		"an element of XML":               {"a: <cert>" + ca + "</cert>", []string{"1 certificate line 1"}, ""},
		"files without a last line break": {ca + ca, []string{"1 certificate line 1", "2 certificate line"}, ""},
		"a comment":                       {"x\n# " + strings.ReplaceAll(ca, "\n", "\n# "), []string{"1 certificate line 2"}, ""},
		"strings of a program":            {"x = \"" + strings.ReplaceAll(ca, "\n", "\\n\" +\n\t\"") + "\";", []string{"1 certificate line 1"}, ""},
		"one line":                        {"x " + strings.ReplaceAll(ca, "\n", " ") + " " + strings.ReplaceAll(ca, "\n", `\n`), []string{"1 certificate line 1", "2 certificate line 1"}, ""},
		"a string that is damaged":        {`x "` + strings.ReplaceAll(strings.Replace(ca, "MII", "MII!", 1), "\n", `\n`) + `"`, []string{"1 error"}, "damaged base64"},
		"an example in a sentence":        {"write -----BEGIN CERTIFICATE-----...-----END CERTIFICATE----- and\n" + ca, []string{"1 certificate line 2"}, ""},
		"a program that speaks of PEM":    {"if strings.Contains(s, \"-----BEGIN CERTIFICATE-----\") {\n" + ca, []string{"1 certificate line 2"}, ""},
		"a key between two certificates":  {ca + "\n" + block("PRIVATE KEY", []byte{0x30, 0}) + ca, []string{"1 certificate line 1", "2 key line", "3 certificate line"}, ""},
		"a bag with something else":       {"x\n" + block("PKCS7", []byte{0x30, 0}), []string{"1 error line 2"}, "block 1 (PKCS7, line 2, byte 2): damaged PKCS#7"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for e := range pemEntries([]byte(c.text), nil) {
				what := map[truststore.EntryKind]string{truststore.PlainCertificate: "certificate", truststore.PrivateKey: "key"}[e.Kind]
				if e.Err != nil {
					assert.ErrorContains(t, e.Err, c.err)
					assert.NotEmpty(t, c.err)
					what = "error"
				} else if what == "certificate" {
					assert.Equal(t, root.Raw, e.DER)
				}
				got = append(got, fmt.Sprintf("%d %s line %d", e.Number, what, e.Line))
			}
			require.Len(t, got, len(c.want), "%v", got)
			for i, want := range c.want {
				assert.True(t, strings.HasPrefix(got[i], want), "%s, want %s", got[i], want)
			}
			if !strings.HasPrefix(c.text, ca+"\n") && !strings.HasSuffix(c.text, "\n"+ca) {
				_, err := truststore.Decode([]byte(c.text))
				assert.Error(t, err)
			}
		})
	}
}

func TestAnErrorInATextSaysWhatWasToBeThere(t *testing.T) {
	const damaged = "-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n"
	for text, want := range map[string]truststore.EntryKind{
		damaged:                              truststore.PlainCertificate,
		"-----BEGIN CERTIFICATE----\nMIIC\n": truststore.PlainCertificate,
		"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n": truststore.PlainCertificate,
		"-----BEGIN PKCS7-----\nMIIC\n-----END PKCS7-----\n":          truststore.PlainCertificate,
		"# ours\n" + damaged: truststore.PlainCertificate,
		`{"ca": "` + strings.ReplaceAll(damaged, "\n", `\n`) + `"}`:                     truststore.PlainCertificate,
		"# ours\n-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n":           0, // an example
		"-----BEGIN PRIVATE KEY-----\nMIIC\n":                                           truststore.PrivateKey,
		"-----BEGIN PRIVATE KEY-----\nMIIC\n-----BEGIN X-----\nMIIC\n-----END X-----\n": truststore.PrivateKey,
		"-----BEGIN X-----\nMIIC\n":                                                     0,
	} {
		var errs []truststore.Entry
		for e := range pemEntries([]byte(text), nil) {
			if e.Err != nil {
				errs = append(errs, e.Entry)
			}
		}
		require.Len(t, errs, 1, text)
		require.Equal(t, want, errs[0].Kind, text)
	}
}
