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
	key := g4.Issue().PrivateKey.(crypto.Signer)
	const oin = pkioverheid.OIN("00000099000000001000")
	der, _, err := pkioverheid.NewRequest(pkioverheid.Request{
		Organization: "Testgemeente", KVK: "00000000", OIN: oin, DNSNames: []string{"a.example", "b.example"}, Key: key,
	})
	require.NoError(t, err)
	request, err := x509.ParseCertificateRequest(der)
	require.NoError(t, err)
	v, err := pkioverheid.NewVerifier(pkiotest.Trust(g4))
	require.NoError(t, err)
	names, number, same := pkiotest.DNSNames("a.example", "b.example"), pkiotest.OIN(oin), pkiotest.Key(key)
	for _, c := range []struct {
		name  string
		cert  []pkiotest.LeafOption
		wrong []string
	}{
		{"as requested", []pkiotest.LeafOption{names, number, same}, nil},
		{"another OIN", []pkiotest.LeafOption{names, pkiotest.OIN("00000099000000002000"), same}, []string{`the OIN (subject:serialNumber) is "00000099000000002000", and "00000099000000001000" was requested`}},
		{"no OIN", []pkiotest.LeafOption{names, same}, []string{`the OIN (subject:serialNumber) is "", and`}},
		{"another organisation", []pkiotest.LeafOption{names, number, same, pkiotest.Organization("Other")}, []string{"the organisation is"}},
		{"a name too few", []pkiotest.LeafOption{pkiotest.DNSNames("a.example"), number, same}, []string{`it lacks the DNS names "b.example"`}},
		{"a client's only", []pkiotest.LeafOption{names, number, same, pkiotest.ClientOnly()}, []string{"it is not for serverAuth"}},
		{"ended", []pkiotest.LeafOption{names, number, same, pkiotest.Validity(time.Now().AddDate(-1, 0, 0), time.Now().AddDate(0, 0, -1))}, []string{"it is valid from", "its chain does not pass"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := delivery{request: request, cert: g4.Issue(c.cert...).Leaf, verifier: v.Chains(), at: time.Now()}
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
	key := pkiotest.New(pkioverheid.PrivateG4TLS).Issue().PrivateKey.(crypto.Signer)
	require.NoError(t, writeKey(path, key))
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		assert.Equal(t, fs.FileMode(0o600), info.Mode())
	}
	assert.ErrorIs(t, writeKey(path, key), fs.ErrExist)
}
