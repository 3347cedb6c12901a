package main

import (
	"crypto"
	"crypto/x509"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func TestADeliveredCertificateIsHeldAgainstTheRequest(t *testing.T) {
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	key := g4.Issue(pkiotest.Leaf{}).PrivateKey.(crypto.Signer)
	const oin = pkioverheid.OIN("00000099000000001000")
	der, _, err := pkioverheid.NewRequest(pkioverheid.Request{
		Organization: "Testgemeente", KVK: "00000000", OIN: oin, DNSNames: []string{"a.example", "b.example"}, Key: key,
	})
	require.NoError(t, err)
	request, err := x509.ParseCertificateRequest(der)
	require.NoError(t, err)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(g4))
	require.NoError(t, err)
	names := []string{"a.example", "b.example"}
	for _, c := range []struct {
		name  string
		leaf  pkiotest.Leaf
		wrong []string
	}{
		{"as requested", pkiotest.Leaf{OIN: oin, DNSNames: names, Key: key}, nil},
		{"another OIN", pkiotest.Leaf{OIN: "00000099000000002000", DNSNames: names, Key: key}, []string{`the OIN (subject:serialNumber) is "00000099000000002000", and "00000099000000001000" was requested`}},
		{"no OIN", pkiotest.Leaf{DNSNames: names, Key: key}, []string{`the OIN (subject:serialNumber) is "", and`}},
		{"another organisation", pkiotest.Leaf{OIN: oin, DNSNames: names, Key: key, Organization: "Other"}, []string{"the organisation is"}},
		{"a name too few", pkiotest.Leaf{OIN: oin, DNSNames: names[:1], Key: key}, []string{`it lacks the DNS names "b.example"`}},
		{"a client's only", pkiotest.Leaf{OIN: oin, DNSNames: names, Key: key, ClientOnly: true}, []string{"it is not for serverAuth"}},
		{"ended", pkiotest.Leaf{OIN: oin, DNSNames: names, Key: key, NotAfter: time.Now().AddDate(0, 0, -1)}, []string{"it is valid from", "its chain does not pass"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := delivery{request: request, cert: g4.Issue(c.leaf).Leaf, verifier: v.Chains(), at: time.Now()}
			var wrong []string
			for _, f := range d.findings() {
				if f.wrong {
					wrong = append(wrong, f.text)
				}
			}
			require.Len(t, wrong, len(c.wrong), wrong)
			for i, text := range c.wrong {
				assert.Contains(t, wrong[i], text)
			}
		})
	}
}

func TestOnlyItsOwnerReadsAKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.key")
	key := pkiotest.New(pkioverheid.PrivateG4TLS).Issue(pkiotest.Leaf{}).PrivateKey.(crypto.Signer)
	require.NoError(t, writeKey(path, key))
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		assert.Equal(t, fs.FileMode(0o600), info.Mode())
	}
	assert.ErrorIs(t, writeKey(path, key), fs.ErrExist)
}
