package pkioverheid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore"
)

func TestAnIdentityIsUsedForAMinuteAndByTheTrustThatFoundIt(t *testing.T) {
	one, other, now := new(trust), new(trust), time.Now()
	k := &known{trust: one, at: now}
	assert.True(t, k.fresh(one, now))
	assert.True(t, k.fresh(one, now.Add(59*time.Second)))
	assert.False(t, k.fresh(one, now.Add(time.Minute)))
	assert.False(t, k.fresh(one, now.Add(-time.Second)), "the clock was set back")
	assert.False(t, k.fresh(other, now))
}

func TestConnectionsThatAreGoneAreForgotten(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	signed := func(cert, by *x509.Certificate) *x509.Certificate {
		cert.SerialNumber, cert.NotBefore, cert.NotAfter = big.NewInt(1), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, cert, by, key.Public(), key)
		require.NoError(t, err)
		cert, err = x509.ParseCertificate(der)
		require.NoError(t, err)
		return cert
	}
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	root := signed(ca, ca)
	leaf := signed(&x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}}, root)
	h, err := RequireIdentity(http.NotFoundHandler(), Access{
		Config: Config{Roots: truststore.New(root)}, Allow: func(Identity) error { return nil },
	})
	require.NoError(t, err)
	d := h.(*door)
	remembered := func() (n int) {
		d.connections.Range(func(any, any) bool { n++; return true })
		return n
	}
	for range 100 {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = new(tls.ConnectionState)
		r.TLS.VerifiedChains = [][]*x509.Certificate{{leaf, root}}
		_, err := d.ofConnection(r, d.trust.get())
		require.NoError(t, err)
	}
	require.NotZero(t, remembered())
	require.Eventually(t, func() bool { runtime.GC(); return remembered() <= 1 }, 20*time.Second, 10*time.Millisecond)
	d.forget(weak.Make(new(tls.ConnectionState))) // of nobody
}

func TestHeadersAreRememberedWithinBounds(t *testing.T) {
	var c recently[string, int]
	_, ok := c.get("a")
	assert.False(t, ok)
	for i := range 10 * recentlyMost {
		c.put(fmt.Sprint(i), i)
		v, ok := c.get("0") // asked for all the time
		assert.True(t, ok)
		assert.Zero(t, v)
		assert.LessOrEqual(t, len(c.new)+len(c.old), 2*recentlyMost)
	}
	_, ok = c.get("1")
	assert.False(t, ok, "and this was not")
}
