package pkioverheid

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The words are those of the Go that runs the test, each of them.
func TestEachAlertIsReadInCryptoTLSsWords(t *testing.T) {
	for a, words := range map[alert]string{
		handshakeFailure:    "tls: handshake failure",
		badCertificate:      "tls: bad certificate",
		unsupportedCert:     "tls: unsupported certificate",
		revokedCertificate:  "tls: revoked certificate",
		expiredCertificate:  "tls: expired certificate",
		unknownCertificate:  "tls: unknown certificate",
		unknownCA:           "tls: unknown certificate authority",
		accessDenied:        "tls: access denied",
		decryptError:        "tls: error decrypting message",
		internalError:       "tls: internal error",
		noRenegotiation:     "tls: no renegotiation",
		certificateRequired: "tls: certificate required",
	} {
		assert.Equal(t, words, tls.AlertError(a).Error())
		for op, local := range map[string]bool{"remote error": false, "local error": true} {
			got, ours := alertOf(&net.OpError{Op: op, Err: errors.New(words)})
			assert.Equal(t, a, got, words)
			assert.Equal(t, local, ours)
		}
	}
	got, _ := alertOf(&net.OpError{Op: "remote error", Err: errors.New("tls: record overflow")})
	assert.Equal(t, otherAlert, got)
	got, _ = alertOf(&net.OpError{Op: "read", Err: errors.New("tls: bad certificate")})
	assert.Equal(t, noAlert, got)
}

func TestEachLossOfHTTP2IsReadInNetHTTPsWords(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	root := strings.TrimSpace(string(goroot))
	source, err := os.ReadFile(filepath.Join(root, "src", "net", "http", "h2_bundle.go"))
	if errors.Is(err, os.ErrNotExist) {
		files, globErr := filepath.Glob(filepath.Join(root, "src", "net", "http", "internal", "http2", "*.go"))
		require.NoError(t, globErr)
		for _, f := range files {
			data, readErr := os.ReadFile(f)
			require.NoError(t, readErr)
			source = append(source, data...)
		}
	}
	if len(source) == 0 {
		t.Skip("the source of net/http is not installed")
	}
	for _, words := range http2Lost {
		assert.True(t, bytes.Contains(source, []byte(`"`+words+`"`)), words)
		assert.Error(t, lostBy(errors.New(words)))
	}
	assert.NoError(t, lostBy(errors.New("http2: something else")))
}

func TestTheHintOfCryptoX509IsRead(t *testing.T) {
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, otherEd, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	otherRSA, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, keys := range map[string]struct {
		public        any
		right, forger crypto.Signer
	}{
		"ECDSA":   {ecKey.Public(), ecKey, other},
		"RSA":     {rsaKey.Public(), rsaKey, otherRSA},
		"Ed25519": {edPublic, edKey, otherEd},
	} {
		ca := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, SubjectKeyId: []byte{1}, IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
		root := created(t, ca, ca, keys.public, keys.right)
		good := created(t, &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: ca.NotBefore, NotAfter: ca.NotAfter}, root, keys.public, keys.right)
		// Signed for another CA of that name and key identifier.
		namesake := *root
		namesake.PublicKey = keys.forger.Public()
		forged := created(t, &x509.Certificate{SerialNumber: big.NewInt(3), NotBefore: ca.NotBefore, NotAfter: ca.NotAfter}, &namesake, keys.public, keys.forger)

		pool, strict := x509.NewCertPool(), x509.NewCertPool()
		_, err := good.Verify(x509.VerifyOptions{Roots: pool})
		assert.Empty(t, hintOf(err), "an empty pool")
		pool.AddCert(root)
		_, err = forged.Verify(x509.VerifyOptions{Roots: pool})
		assert.ErrorContains(t, err, "possibly because of", name)
		assert.Empty(t, hintOf(err), name)
		strict.AddCertWithConstraint(root, func([]*x509.Certificate) error { return errors.New(`we are "done" with it`) })
		_, err = good.Verify(x509.VerifyOptions{Roots: strict})
		assert.Equal(t, `we are "done" with it`, hintOf(err), "%v", err)
	}
	assert.Empty(t, hintOf(errors.New(" (possibly because of 12")))
}

func created(t *testing.T, template, parent *x509.Certificate, public any, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}
