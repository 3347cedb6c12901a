package crl_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

func program(t testing.TB, name string) string {
	t.Helper()
	if found, err := exec.LookPath(name); err == nil {
		return found
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and in CI no test may skip", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// opensslCA is a CA as openssl ca keeps it: a folder with its key, its certificate
// and the index of what it issued.
type opensslCA struct {
	testing.TB
	dir  string
	cert *x509.Certificate
}

const opensslConfig = `
[ca]
default_ca = this
[this]
database = index.txt
crlnumber = crlnumber
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_crl_days = 2
unique_subject = no
[dn]
[plain]
authorityKeyIdentifier = keyid:always
[issuer]
authorityKeyIdentifier = keyid:always,issuer:always
[users]
authorityKeyIdentifier = keyid:always
issuingDistributionPoint = critical,@usersPoint
[usersPoint]
fullname = URI:http://crl.example/a.crl
onlyuser = TRUE
[some]
issuingDistributionPoint = critical,@somePoint
[somePoint]
onlysomereasons = keyCompromise,CACompromise
[indirect]
issuingDistributionPoint = critical,@indirectPoint
[indirectPoint]
indirectCRL = TRUE
[delta]
2.5.29.27 = critical,ASN1:INTEGER:3
`

// The entries are revoked by hand: openssl's own clock cannot be set.
const opensslIndex = "R\t361123000000Z\t261101120000Z,keyCompromise\t01A3\tunknown\t/CN=a\n" +
	"R\t361123000000Z\t261102130000Z,superseded\t7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\tunknown\t/CN=b\n" +
	"R\t361123000000Z\t261103140000Z\tFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\tunknown\t/CN=c\n" +
	"V\t361123000000Z\t\t02\tunknown\t/CN=d\n" +
	"R\t361123000000Z\t261104150000Z,keyTime,20261031000000Z\t03\tunknown\t/CN=e\n" +
	"R\t361123000000Z\t261105160000Z,holdInstruction,holdInstructionReject\t04\tunknown\t/CN=f\n" +
	"R\t361123000000Z\t261106170000Z,removeFromCRL\t05\tunknown\t/CN=g\n"

func newOpensslCA(t testing.TB, newKey ...string) opensslCA {
	ca := opensslCA{TB: t, dir: t.TempDir()}
	for name, text := range map[string]string{"openssl.cnf": "[req]\ndistinguished_name = dn\n" + opensslConfig, "index.txt": opensslIndex, "crlnumber": "1000\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(ca.dir, name), []byte(text), 0o600))
	}
	ca.run(append([]string{"req", "-config", "openssl.cnf", "-x509", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/C=NL/O=Test/CN=Issuing CA",
		"-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "subjectKeyIdentifier=hash"}, newKey...)...)
	block, _ := pem.Decode(ca.read("ca.pem"))
	require.NotNil(t, block)
	ca.cert = must(x509.ParseCertificate(block.Bytes))
	return ca
}

func (ca opensslCA) run(args ...string) {
	ca.Helper()
	cmd := exec.Command(program(ca, "openssl"), args...)
	cmd.Dir = ca.dir
	out, err := cmd.CombinedOutput()
	require.NoError(ca, err, "openssl %s\n%s", args, out)
}

func (ca opensslCA) read(name string) []byte {
	return must(os.ReadFile(filepath.Join(ca.dir, name)))
}

// list has openssl make a list.
func (ca opensslCA) list(args ...string) []byte {
	ca.Helper()
	ca.run(append([]string{"ca", "-config", "openssl.cnf", "-gencrl", "-out", "list.pem"}, args...)...)
	return ca.read("list.pem")
}

func TestListsMadeByOpenssl(t *testing.T) {
	ec := []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"}
	rsa := []string{"-newkey", "rsa:2048"}
	pss := []string{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"}
	for _, c := range []struct {
		name string
		key  []string
		args []string
		want x509.SignatureAlgorithm
	}{
		{"RSA", rsa, []string{"-md", "sha256"}, x509.SHA256WithRSA},
		{"RSA PSS with SHA-512", rsa, append(pss, "-md", "sha512"), x509.SHA512WithRSAPSS},
		{"RSA PSS with SHA-384", rsa, append(pss, "-md", "sha384"), x509.SHA384WithRSAPSS},
		{"ECDSA", ec, []string{"-md", "sha384"}, x509.ECDSAWithSHA384},
		{"Ed25519", []string{"-newkey", "ed25519"}, []string{"-md", "null"}, x509.PureEd25519},
		{"with the issuer's issuer in the authority key identifier", ec, []string{"-crlexts", "issuer"}, x509.ECDSAWithSHA256},
	} {
		t.Run(c.name, func(t *testing.T) {
			ca := newOpensslCA(t, c.key...)
			text := ca.list(append([]string{"-crlexts", "plain"}, c.args...)...)
			ca.run("crl", "-in", "list.pem", "-outform", "DER", "-out", "list.der")
			ca.run("crl", "-in", "list.pem", "-text", "-out", "list.txt")
			for _, data := range [][]byte{text, ca.read("list.der"), ca.read("list.txt")} {
				l, err := crl.Parse(data)
				require.NoError(t, err)
				require.NoError(t, l.CheckSignatureFrom(ca.cert))
				assert.Equal(t, c.want, l.SignatureAlgorithm)
				assert.Equal(t, big.NewInt(0x1000), l.Number)
				assert.Equal(t, ca.cert.SubjectKeyId, l.AuthorityKeyID)
				assert.Equal(t, 48*time.Hour, l.NextUpdate.Sub(l.ThisUpdate))

				at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
				want := map[string]crl.Entry{
					"1a3": {RevokedAt: at(1, 12), Reason: crl.KeyCompromise},
					"7fffffffffffffffffffffffffffffffffffffff": {RevokedAt: at(2, 13), Reason: crl.Superseded},
					"ffffffffffffffffffffffffffffffffffffffff": {RevokedAt: at(3, 14)},
					"3": {RevokedAt: at(4, 15), Reason: crl.KeyCompromise, InvalidityDate: time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)},
					"4": {RevokedAt: at(5, 16), Reason: crl.CertificateHold},
					"5": {RevokedAt: at(6, 17), Reason: crl.RemoveFromCRL},
				}
				got := map[string]crl.Entry{}
				for serial, e := range l.All() {
					got[serial.Text(16)] = e
				}
				assert.Equal(t, want, got)
			}
			compare(t, ca.read("list.der"))
		})
	}

	t.Run("with an issuing distribution point", func(t *testing.T) {
		ca := newOpensslCA(t, ec...)
		l, err := crl.Parse(ca.list("-crlexts", "users"))
		require.NoError(t, err)
		require.NoError(t, l.CheckSignatureFrom(ca.cert))
		leaf := &x509.Certificate{RawIssuer: ca.cert.RawSubject}
		assert.ErrorContains(t, l.Covers(leaf), "another distribution point")
		assert.ErrorContains(t, l.Covers(ca.cert), "not for CA certificates")

		ca.run("req", "-config", "openssl.cnf", "-newkey", "ed25519", "-nodes", "-keyout", "leaf.key", "-out", "leaf.pem", "-subj", "/CN=host.example",
			"-CA", "ca.pem", "-CAkey", "ca.key", "-x509", "-addext", "crlDistributionPoints=URI:http://crl.example/b.crl,URI:http://crl.example/a.crl", "-addext", "basicConstraints=CA:FALSE")
		block, _ := pem.Decode(ca.read("leaf.pem"))
		assert.NoError(t, l.Covers(must(x509.ParseCertificate(block.Bytes))))
	})
	t.Run("for some reasons only", func(t *testing.T) {
		ca := newOpensslCA(t, ec...)
		l, err := crl.Parse(ca.list("-crlexts", "some"))
		require.NoError(t, err)
		assert.ErrorContains(t, l.Covers(&x509.Certificate{RawIssuer: ca.cert.RawSubject}), "some reasons")
	})
	for section, want := range map[string]string{"indirect": "indirect CRL", "delta": "delta CRL"} {
		t.Run("refused: "+section, func(t *testing.T) {
			_, err := crl.Parse(newOpensslCA(t, ec...).list("-crlexts", section))
			assert.ErrorContains(t, err, want)
		})
	}
	t.Run("of version 1", func(t *testing.T) {
		ca := newOpensslCA(t, ec...)
		require.NoError(t, os.Remove(filepath.Join(ca.dir, "crlnumber")))
		config := bytes.ReplaceAll(ca.read("openssl.cnf"), []byte("crlnumber = crlnumber\n"), nil)
		require.NoError(t, os.WriteFile(filepath.Join(ca.dir, "openssl.cnf"), config, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(ca.dir, "index.txt"), nil, 0o600))
		_, err := crl.Parse(ca.list())
		assert.ErrorContains(t, err, "version 1")
	})
}
