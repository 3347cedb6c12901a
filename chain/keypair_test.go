package chain_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// keyPair is a certificate of its CA with its key, and others behind it.
func (a authority) keyPair(host string, others ...*x509.Certificate) tls.Certificate {
	key := newKey()
	leaf := sign(leafTemplate(host), a.Certificate, key, a.key, nil)
	pair := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}
	for _, other := range others {
		pair.Certificate = append(pair.Certificate, other.Raw)
	}
	return pair
}

func TestCompleteKeyPair(t *testing.T) {
	l := newLayers()
	second := l.issuing.issue("second.example")
	for _, test := range []struct {
		name   string
		held   *truststore.Store
		others []*x509.Certificate
	}{
		{"the certificate alone", l.intermediates(), nil},
		{"with its chain", truststore.New(), []*x509.Certificate{l.issuing.Certificate, l.domain.Certificate}},
		{"with the root", truststore.New(), l.full()[1:]},
		{"in the wrong order", truststore.New(), []*x509.Certificate{l.root.Certificate, l.domain.Certificate, l.issuing.Certificate}},
		{"with certificates of others, repeated", l.intermediates(), []*x509.Certificate{second, newRoot("Stranger").Certificate, second}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := mustVerifier(l.roots(), test.held)
			pair := l.issuing.keyPair("host.example", test.others...)
			pair.OCSPStaple = []byte("staple")
			pair.SignedCertificateTimestamps = [][]byte{{1}}
			pair.SupportedSignatureAlgorithms = []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}
			before := pair.Certificate

			complete, err := v.CompleteKeyPair(context.Background(), pair, now)
			require.NoError(t, err)
			want := [][]byte{pair.Certificate[0], l.issuing.Raw, l.domain.Raw}
			assert.Equal(t, want, complete.Certificate)
			require.NotNil(t, complete.Leaf)
			assert.Equal(t, pair.Certificate[0], complete.Leaf.Raw)
			assert.Same(t, pair.PrivateKey, complete.PrivateKey)
			assert.Equal(t, pair.OCSPStaple, complete.OCSPStaple)
			assert.Equal(t, pair.SignedCertificateTimestamps, complete.SignedCertificateTimestamps)
			assert.Equal(t, pair.SupportedSignatureAlgorithms, complete.SupportedSignatureAlgorithms)
			assert.Equal(t, before, pair.Certificate, "the caller's stays as it was")
			assert.Nil(t, pair.Leaf)

			again, err := v.CompleteKeyPair(context.Background(), complete, now)
			require.NoError(t, err)
			assert.Equal(t, complete.Certificate, again.Certificate)
		})
	}

	t.Run("a CA whose certificate comes first is what it is for", func(t *testing.T) {
		pair := tls.Certificate{Certificate: [][]byte{l.issuing.Raw, l.leaf.Raw}, PrivateKey: l.issuing.key}
		complete, err := l.verifier().CompleteKeyPair(context.Background(), pair, now)
		require.NoError(t, err)
		assert.Equal(t, [][]byte{l.issuing.Raw, l.domain.Raw}, complete.Certificate)
	})
	t.Run("a root stays alone", func(t *testing.T) {
		pair := tls.Certificate{Certificate: [][]byte{l.root.Raw}, PrivateKey: l.root.key}
		complete, err := l.verifier().CompleteKeyPair(context.Background(), pair, now)
		require.NoError(t, err)
		assert.Equal(t, [][]byte{l.root.Raw}, complete.Certificate)
	})
	t.Run("a peer that holds the root can verify it", func(t *testing.T) {
		complete, err := l.verifier().CompleteKeyPair(context.Background(), l.issuing.keyPair("host.example"), now)
		require.NoError(t, err)
		intermediates := x509.NewCertPool()
		for _, der := range complete.Certificate[1:] {
			ca, err := x509.ParseCertificate(der)
			require.NoError(t, err)
			intermediates.AddCert(ca)
		}
		_, err = complete.Leaf.Verify(x509.VerifyOptions{Roots: poolOf(l.root.Certificate), Intermediates: intermediates, CurrentTime: now})
		assert.NoError(t, err)
	})
}

// silentKey has no public key that could be compared.
type silentKey struct{ crypto.Signer }

func (silentKey) Public() crypto.PublicKey { return nil }

func TestCompleteKeyPairFails(t *testing.T) {
	l := newLayers()
	whole := l.issuing.keyPair("host.example")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context
		pair tls.Certificate
		says string
	}{
		{"nothing", nil, tls.Certificate{}, "no certificate or no private key"},
		{"no key", nil, tls.Certificate{Certificate: whole.Certificate}, "no certificate or no private key"},
		{"no certificate", nil, tls.Certificate{PrivateKey: whole.PrivateKey}, "no certificate or no private key"},
		{"another's key", nil, tls.Certificate{Certificate: whole.Certificate, PrivateKey: newKey()}, `does not belong to "host.example"`},
		{"another kind of key", nil, tls.Certificate{Certificate: whole.Certificate, PrivateKey: fixedKey("x")}, "does not belong"},
		{"no key at all", nil, tls.Certificate{Certificate: whole.Certificate, PrivateKey: "secret"}, "does not belong"},
		{"a key that does not show its public key", nil, tls.Certificate{Certificate: whole.Certificate, PrivateKey: silentKey{}}, "does not belong"},
		{"the certificate behind its CA", nil, tls.Certificate{Certificate: [][]byte{l.issuing.Raw, whole.Certificate[0]}, PrivateKey: whole.PrivateKey}, `does not belong to "Issuing CA"`},
		{"a certificate that is none", nil, tls.Certificate{Certificate: [][]byte{whole.Certificate[0], {1}}, PrivateKey: whole.PrivateKey}, "certificate 2 of the key pair"},
		{"another's hierarchy", nil, newRoot("Other").keyPair("host.example"), "unknown authority"},
		{"a context that has ended", ended, whole, "canceled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.ctx == nil {
				test.ctx = context.Background()
			}
			pair, err := l.verifier().CompleteKeyPair(test.ctx, test.pair, now)
			assert.ErrorContains(t, err, test.says)
			assert.NotContains(t, err.Error(), "secret")
			assert.Empty(t, pair.Certificate)
			assert.Nil(t, pair.PrivateKey)
		})
	}
	_, err := l.verifier().CompleteKeyPair(context.Background(), newRoot("Other").keyPair("host.example"), now)
	var failed *chain.Error
	assert.True(t, errors.As(err, &failed))
}

// What a server should send: not its own certificate alone.
func ExampleVerifier_CompleteKeyPair() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA")
	v := mustVerifier(truststore.New(root.Certificate), truststore.New(issuing.Certificate))

	pair := issuing.keyPair("host.example") // as of tls.LoadX509KeyPair
	pair, err := v.CompleteKeyPair(context.Background(), pair, now)
	if err != nil {
		panic(err)
	}
	for _, der := range pair.Certificate {
		cert, _ := x509.ParseCertificate(der)
		fmt.Println(cert.Subject.CommonName)
	}
	// Output:
	// host.example
	// Issuing CA
}
