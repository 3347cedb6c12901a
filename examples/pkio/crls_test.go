package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

// With --crl what its CA has revoked is refused, and what it has not is not; without, no
// list is asked.
func TestTheListsAreAskedIfWanted(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	now := time.Now()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Own CA"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}}
	issue := func(template, parent *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		require.NoError(t, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return cert
	}
	ca = issue(ca, ca)
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(2), RevocationTime: now.Add(-30 * time.Minute)}}}, ca, key)
	require.NoError(t, err)
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write(list)
	}))
	defer server.Close()
	before := crlConfig
	defer func() { crlConfig = before }()
	crlConfig = func() crl.Config {
		return crl.Config{Hosts: []string{strings.TrimPrefix(server.URL, "http://")}, AllowPrivate: true}
	}
	dir := t.TempDir()
	write := func(name string, cert *x509.Certificate) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(pemOf(cert)), 0o600))
		return path
	}
	roots := write("ca.pem", ca)
	for serial, status := range map[int64]int{2: statusFinding, 3: statusFine} {
		leaf := write("leaf.pem", issue(&x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "leaf"},
			NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), CRLDistributionPoints: []string{server.URL + "/ca.crl"}}, ca))
		asked = 0
		assert.Equal(t, statusFine, run(t.Context(), []string{"verify", leaf, "--trust", roots, "--quiet"}))
		assert.Zero(t, asked)
		assert.Equal(t, status, run(t.Context(), []string{"verify", leaf, "--trust", roots, "--quiet", "--crl"}), serial)
		assert.NotZero(t, asked)
	}
}
