//go:build ignore

// This program writes the files of package fixture (the CA certificates) and of
// package pkiotest (the private keys). It runs in the folder of package pkiotest:
//
//	go generate ./pkioverheid/pkiotest
//
// A key that exists is kept, and so is a certificate whose contents would come
// out the same, so that a second run changes nothing. Remove a key's file to get
// a new one: every certificate signed by it changes along.
package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"math/big"
	"os"
	"path/filepath"
	"strings"
)

const (
	realCerts = "../certs"
	testCerts = "../internal/fixture/certs"
	testKeys  = "keys"
	caBits    = 4096
)

// clones lists the real certificates to clone, issuers before what they issue.
// Package fixture lists the same files in an order of its own.
var clones = []string{
	"ev/staat-der-nederlanden-ev-root-ca",
	"ev/staat-der-nederlanden-domein-server-ca-2020",
	"ev/kpn-pkioverheid-server-ca-2020",
	"ev/quovadis-pkioverheid-server-ca-2020",

	"private-g1/staat-der-nederlanden-private-root-ca-g1",
	"private-g1/staat-der-nederlanden-private-services-ca-g1",
	"private-g1/kpn-pkioverheid-private-services-ca-g1",
	"private-g1/quovadis-pkioverheid-private-services-ca-g1",

	"private-g4-tls/staat-der-nederlanden-g4-root-priv-g-tls-2024",
	"private-g4-tls/staat-der-nederlanden-g4-intm-priv-g-tls-sys-2024",
	"private-g4-tls/kpn-g4-pkio-priv-g-tls-sys-2025",
	"private-g4-tls/digidentity-g4-pkio-priv-g-tls-sys-2025",

	"g3/staat-der-nederlanden-root-ca-g3",
	"g3/staat-der-nederlanden-organisatie-services-ca-g3",
	"g3/kpn-bv-pkioverheid-organisatie-server-ca-g3-2016",
	"g3/kpn-bv-pkioverheid-organisatie-server-ca-g3-2019",
}

// reissued names the key file of certificates that share a key.
var reissued = map[string]string{
	"g3/kpn-bv-pkioverheid-organisatie-server-ca-g3-2016": "g3/kpn-bv-pkioverheid-organisatie-server-ca-g3",
	"g3/kpn-bv-pkioverheid-organisatie-server-ca-g3-2019": "g3/kpn-bv-pkioverheid-organisatie-server-ca-g3",
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")

	g := generator{issuers: make(map[string]issuer)}
	for _, name := range clones {
		if err := g.clone(name); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"leaf/rsa-2048-1", "leaf/rsa-2048-2", "leaf/rsa-2048-3"} {
		mustKey(name, func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	}
	for _, name := range []string{"leaf/rsa-3072-1", "leaf/rsa-3072-2", "leaf/rsa-3072-3"} {
		mustKey(name, func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 3072) })
	}
	mustKey("leaf/ecdsa-p256", func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
}

func mustKey(name string, generate func() (crypto.Signer, error)) {
	if _, err := key(name, generate); err != nil {
		log.Fatal(err)
	}
}

// An issuer is a real CA certificate together with its clone's certificate and key.
type issuer struct {
	real, test *x509.Certificate
	key        crypto.Signer
}

type generator struct {
	issuers map[string]issuer // by the real certificate's raw subject
}

func (g *generator) clone(name string) error {
	real, err := readCertificate(filepath.Join(realCerts, name+".pem"))
	if err != nil {
		return err
	}
	keyName := name
	if shared, ok := reissued[name]; ok {
		keyName = shared
	}
	signer, err := key(keyName, func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, caBits) })
	if err != nil {
		return err
	}
	ski, err := keyIdentifier(signer.Public())
	if err != nil {
		return err
	}

	// The key identifiers are replaced where they are, so that an extension
	// keeps its form whatever else is in it.
	parent, ok := g.issuers[string(real.RawIssuer)]
	selfSigned := bytes.Equal(real.RawIssuer, real.RawSubject)
	if !ok && !selfSigned {
		return errors.New("its issuer must come before it")
	}
	identifiers := [][2][]byte{{real.SubjectKeyId, ski}}
	if !selfSigned {
		identifiers = append(identifiers, [2][]byte{parent.real.SubjectKeyId, parent.test.SubjectKeyId})
	}

	// Nothing but the fields below is set: CreateCertificate then adds no
	// extension of its own.
	template := &x509.Certificate{
		SerialNumber:       serial(real),
		RawSubject:         real.RawSubject,
		NotBefore:          real.NotBefore,
		NotAfter:           real.NotAfter,
		SignatureAlgorithm: real.SignatureAlgorithm,
	}
	for _, e := range real.Extensions {
		switch e.Id.String() {
		case "2.5.29.14", "2.5.29.35": // subjectKeyIdentifier, authorityKeyIdentifier
			for _, id := range identifiers {
				e.Value = bytes.Replace(e.Value, id[0], id[1], 1)
			}
		}
		template.ExtraExtensions = append(template.ExtraExtensions, e)
	}
	issuerCert, issuerKey := &x509.Certificate{RawSubject: real.RawIssuer}, signer
	if !selfSigned {
		issuerCert, issuerKey = parent.test, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuerCert, signer.Public(), issuerKey)
	if err != nil {
		return err
	}
	test, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	g.issuers[string(real.RawSubject)] = issuer{real, test, signer}

	// A signature with RSASSA-PSS is random: what is signed says whether
	// anything changed.
	path := filepath.Join(testCerts, name+".pem")
	if old, err := readCertificate(path); err == nil && bytes.Equal(old.RawTBSCertificate, test.RawTBSCertificate) {
		return nil
	}
	cn := real.Subject.CommonName
	return writePEM(path, "Test certificate, its private key is public: never trust. A clone of "+cn, "CERTIFICATE", der)
}

// serial returns a serial number that takes as many bytes as the real one, and
// is another: what names a certificate by its issuer and serial number, a CRL
// among them, does not take the one for the other.
func serial(real *x509.Certificate) *big.Int {
	digest := sha256.Sum256(real.Raw)
	b := real.SerialNumber.Bytes()
	copy(b[1:], digest[:])
	return new(big.Int).SetBytes(b)
}

// keyIdentifier is method 1 of RFC 5280, section 4.2.1.2: the SHA-1 of the
// public key's bits.
func keyIdentifier(pub crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	var spki struct {
		Algorithm asn1.RawValue
		PublicKey asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &spki); err != nil {
		return nil, err
	}
	sum := sha1.Sum(spki.PublicKey.Bytes)
	return sum[:], nil
}

func readCertificate(path string) (*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM in it", path)
	}
	return x509.ParseCertificate(block.Bytes)
}

// key reads the private key of that name, or makes and writes one.
func key(name string, generate func() (crypto.Signer, error)) (crypto.Signer, error) {
	path := filepath.Join(testKeys, filepath.FromSlash(name)+".pem")
	data, err := os.ReadFile(path)
	switch {
	case err == nil:
		block, _ := pem.Decode(data)
		if block == nil {
			return nil, fmt.Errorf("%s: no PEM in it", path)
		}
		k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return k.(crypto.Signer), nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}

	k, err := generate()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, err
	}
	return k, writePEM(path, "test key, public: never trust", "PRIVATE KEY", der)
}

func writePEM(path, comment, kind string, der []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString("# " + comment + "\n")
	if err := pem.Encode(&text, &pem.Block{Type: kind, Bytes: der}); err != nil {
		return err
	}
	log.Print("writing ", path)
	return os.WriteFile(path, []byte(text.String()), 0o644)
}
