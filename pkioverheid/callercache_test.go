package pkioverheid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore"
)

func TestAnIdentityIsUsedForAMinuteAndByTheTrustThatFoundIt(t *testing.T) {
	one, other, now := new(trustState), new(trustState), time.Now()
	k := &known{trust: one, at: now}
	assert.True(t, k.fresh(one, now))
	assert.True(t, k.fresh(one, now.Add(59*time.Second)))
	assert.False(t, k.fresh(one, now.Add(time.Minute)))
	assert.False(t, k.fresh(one, now.Add(-time.Second)), "the clock was set back")
	assert.False(t, k.fresh(other, now))
}

func TestARefusedHeaderIsNotReadAgainForSomeSeconds(t *testing.T) {
	s, err := NewServer(ServerConfig{
		Trust: Trust{Logger: slog.New(slog.DiscardHandler)},
		Proxy: &Proxy{Format: HAProxyDER, Header: "X-Client-Cert", From: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}},
	}, AllowAnySystem())
	require.NoError(t, err)
	d := &s.callers
	h := s.Handler(http.NotFoundHandler())
	read, parse := 0, d.proxy.parse
	d.proxy.parse = func(value string) ([]*x509.Certificate, error) {
		read++
		return parse(value)
	}
	ask := func(value string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "192.0.2.1:1234"
		r.Header.Set("X-Client-Cert", value)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	first, again := ask("a"), ask("a")
	assert.Equal(t, 1, read)
	assert.Equal(t, 400, again.Code)
	assert.Equal(t, first.Body.String(), again.Body.String())

	kept, ok := d.refusals.Get(sha256.Sum256([]byte("a")))
	require.True(t, ok)
	kept.at = kept.at.Add(-refuseFor)
	ask("a")
	assert.Equal(t, 2, read, "five seconds later")
	for i := range 3 * 256 {
		ask(fmt.Sprint(i))
	}
	assert.LessOrEqual(t, d.refusals.Len(), 512)
	assert.Zero(t, d.headers.Len(), "they would push out those who are let in")
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
	own, err := NewKeyPair(tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key})
	require.NoError(t, err)
	s, err := NewServer(ServerConfig{
		Trust:    Trust{Roots: truststore.NewSource(truststore.New(root))},
		KeyPairs: []*KeyPair{own},
	}, func(Identity) error { return nil })
	require.NoError(t, err)
	d := &s.callers
	remembered := func() (n int) {
		d.connections.Range(func(any, any) bool { n++; return true })
		return n
	}
	for range 100 {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = new(tls.ConnectionState)
		r.TLS.VerifiedChains = [][]*x509.Certificate{{leaf, root}}
		_, refused := d.ofConnection(r, s.current.get().trustState)
		require.Nil(t, refused)
	}
	require.NotZero(t, remembered())
	require.Eventually(t, func() bool { runtime.GC(); return remembered() <= 1 }, 20*time.Second, 10*time.Millisecond)
	d.forget(weak.Make(new(tls.ConnectionState))) // of nobody
}
