package inventory_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

func selfSigned(t *testing.T, name string, key crypto.Signer) tls.Certificate {
	t.Helper()
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A server that has an RSA and an ECDSA certificate shows each client one: both are found.
func TestBothCertificatesOfAServerAreFound(t *testing.T) {
	small, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ec, rs := selfSigned(t, "ecdsa", small), selfSigned(t, "rsa", large)
	for name, want := range map[string]struct {
		certs []tls.Certificate
		found []string
	}{
		"both":       {[]tls.Certificate{ec, rs}, []string{"ecdsa chain position 1", "rsa RSA chain position 1"}},
		"RSA first":  {[]tls.Certificate{rs, ec}, []string{"ecdsa ECDSA chain position 1", "rsa chain position 1"}},
		"RSA alone":  {[]tls.Certificate{rs}, []string{"rsa chain position 1"}},
		"ECDSA only": {[]tls.Certificate{ec}, []string{"ecdsa chain position 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: want.certs})
			require.NoError(t, err)
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c.Close()
						_ = c.(*tls.Conn).Handshake()
					}()
				}
			}()
			_, port, err := net.SplitHostPort(l.Addr().String())
			require.NoError(t, err)
			var found []string
			for r := range inventory.Scan(t.Context(), inventory.Config{}, "localhost:"+port) {
				require.NoError(t, r.Err)
				assert.Equal(t, inventory.TLSServer, r.Use)
				found = append(found, r.Certificate.Subject.CommonName+" "+r.Place)
			}
			assert.ElementsMatch(t, want.found, found)
		})
	}
}

func TestExcludedIsNotLookedInto(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "node_modules", "a"), 0o700))
	for _, name := range []string{"a.pem", "node_modules/b.pem", "node_modules/a/c.pem", "d.bak"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pkioverheid.EV.Root().Raw, 0o600))
	}
	exclude := func(path string) bool {
		return filepath.Base(path) == "node_modules" || strings.HasSuffix(path, ".bak")
	}
	var found []string
	for r := range inventory.Scan(t.Context(), inventory.Config{Exclude: exclude}, dir) {
		found = append(found, filepath.Base(r.Path))
	}
	assert.Equal(t, []string{"a.pem"}, found)
}
