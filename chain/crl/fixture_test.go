package crl_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cryptobyteasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/chain/crl"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// authority is a CA that publishes lists.
type authority struct {
	*x509.Certificate
	key crypto.Signer
}

// keys of each kind are made once.
var (
	rsaKey = sync.OnceValue(func() crypto.Signer {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		return must(key, err)
	})
	ecdsaKey = sync.OnceValue(func() crypto.Signer {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		return must(key, err)
	})
	ed25519Key = sync.OnceValue(func() crypto.Signer { return ed25519.NewKeyFromSeed(make([]byte, 32)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// newAuthority makes a self-signed CA; change edits its certificate before.
func newAuthority(name string, key crypto.Signer, change ...func(*x509.Certificate)) authority {
	id := sha256.Sum256(must(x509.MarshalPKIXPublicKey(key.Public())))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{Country: []string{"NL"}, Organization: []string{"Test"}, CommonName: name},
		NotBefore:    now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		BasicConstraintsValid: true, IsCA: true,
		KeyUsage:     x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SubjectKeyId: id[:20],
	}
	for _, f := range change {
		f(template)
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return authority{must(x509.ParseCertificate(der)), key}
}

// ca is an authority that most tests can use.
var ca = sync.OnceValue(func() authority { return newAuthority("Issuing CA", ecdsaKey()) })

// issue makes a certificate; change edits it before.
func (a authority) issue(serial int64, change ...func(*x509.Certificate)) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: "host.example"},
		NotBefore:    now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
	}
	for _, f := range change {
		f(template)
	}
	der := must(x509.CreateCertificate(rand.Reader, template, a.Certificate, ecdsaKey().Public(), a.key))
	return must(x509.ParseCertificate(der))
}

// list has crypto/x509 make a list; change edits it before.
func (a authority) list(change ...func(*x509.RevocationList)) []byte {
	template := &x509.RevocationList{
		Number:     big.NewInt(7),
		ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(24 * time.Hour),
	}
	for _, f := range change {
		f(template)
	}
	issuer := *a.Certificate
	issuer.KeyUsage |= x509.KeyUsageCRLSign // crypto/x509 makes none without
	return must(x509.CreateRevocationList(rand.Reader, template, &issuer, a.key))
}

func revoking(entries ...x509.RevocationListEntry) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) { l.RevokedCertificateEntries = entries }
}

func extended(id int, critical bool, value []byte) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, extension(id, critical, value))
	}
}

// extension is one below id-ce.
func extension(id int, critical bool, value []byte) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, id}, Critical: critical, Value: value}
}

func revoked(serial int64, at time.Time, reason crl.Reason) x509.RevocationListEntry {
	return x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: at, ReasonCode: int(reason)}
}

// element is DER put together by hand.
func element(tag byte, parts ...[]byte) []byte {
	var content []byte
	for _, p := range parts {
		content = append(content, p...)
	}
	var b cryptobyte.Builder
	b.AddASN1(cryptobyteasn1.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(content) })
	return b.BytesOrPanic()
}
