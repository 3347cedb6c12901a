package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// whatElse is what a file holds that holds no certificate: a request, a key, of which nothing
// but its kind is said, or a CRL. It is empty for anything else.
func whatElse(target string) (lines []string) {
	const most = 64 << 20
	data := stdin.data
	if !isStdin(target) {
		if info, err := os.Stat(target); err != nil || !info.Mode().IsRegular() {
			return nil
		}
		var err error
		if data, err = truststore.ReadFile(target, most); err != nil {
			return nil
		}
	}
	name := safetext.Printable(target, 300) + ": "
	rest := data
	for len(lines) < maxListed {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if text := holds(block.Type, block.Bytes); text != "" {
			lines = append(lines, name+text)
		}
	}
	if len(lines) == 0 && !bytes.Contains(data, []byte("-----BEGIN")) {
		for _, kind := range []string{"CERTIFICATE REQUEST", "X509 CRL", "PRIVATE KEY", "PUBLIC KEY"} {
			if text := holds(kind, data); text != "" {
				return []string{name + text}
			}
		}
	}
	return lines
}

// holds is what is in a block of PEM, or in DER that may be one; empty if it is not.
func holds(kind string, der []byte) string {
	switch {
	case strings.HasSuffix(kind, "CERTIFICATE REQUEST"):
		csr, err := x509.ParseCertificateRequest(der)
		if err != nil {
			return ""
		}
		text := "a certificate request for " + safetext.Name(csr.Subject, maxName) + ", with a key of " + kindOfKey(csr.PublicKey, der)
		if len(csr.DNSNames) > 0 {
			text += ", for " + safetext.Printable(strings.Join(csr.DNSNames[:min(len(csr.DNSNames), 20)], ", "), 1000)
		}
		if err := csr.CheckSignature(); errors.Is(err, x509.ErrUnsupportedAlgorithm) {
			text += "; its signature cannot be checked here"
		} else if err != nil {
			text += "; its signature is wrong"
		}
		return text + ". A certificate is what the certificate supplier (TSP) makes of it."
	case strings.HasSuffix(kind, "CRL"):
		list, err := crl.Parse(der)
		if err != nil {
			return ""
		}
		return fmt.Sprintf("a CRL of %s, made on %s, the next due by %s, with %s", safetext.Name(list.Issuer, maxName),
			date(list.ThisUpdate), date(list.NextUpdate), count(list.Len(), "revoked certificate"))
	case strings.HasSuffix(kind, "PUBLIC KEY"):
		return publicKey(der)
	case strings.HasSuffix(kind, "ENCRYPTED PRIVATE KEY"):
		return "a private key, encrypted"
	case strings.HasSuffix(kind, "PRIVATE KEY"):
		var public any
		if key, _, err := truststore.DecodeKey(der); err == nil {
			public = key.Public()
		} else if o, err := truststore.ReadOutline(der); err != nil || o.Kind != "private key" {
			return ""
		}
		return "a private key of " + kindOfKey(public, der) + ", in the clear: whoever reads the file has it"
	}
	return ""
}

// publicKey shows a key and whose it is, if it is a CA's that is known here.
func publicKey(der []byte) string {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		if key, err = x509.ParsePKCS1PublicKey(der); err != nil {
			if o, err := truststore.ReadOutline(der); err != nil || o.Kind != "public key" {
				return ""
			}
			return "a public key of " + kindOfKey(nil, der) + ", without a certificate"
		}
	}
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return ""
	}
	text := fmt.Sprintf("a public key of %s, without a certificate, SHA-256 of its SubjectPublicKeyInfo %x", kindOfKey(key, der), sha256.Sum256(spki))
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		for _, c := range h.Certificates() {
			if same, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && same.Equal(key) {
				return text + ": that of the CA " + safetext.Certificate(c) + " of " + h.String()
			}
		}
	}
	return text + ": not that of a CA of PKIoverheid that is known here"
}

// kindOfKey names the kind of a key, which der has too: it may be one that Go does not know.
func kindOfKey(key any, der []byte) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	if o, err := truststore.ReadOutline(der); err == nil && o.Key != "" {
		return o.Key
	}
	return "a kind that is not known here"
}
