package pkioverheid

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid/internal/quote"
	"github.com/go-pkioverheid/trust/truststore"
)

// LoadKeyPair reads a certificate and its private key as certificate suppliers
// deliver them, and completes the chain.
//
// certPath is a .cer, .crt, .pem or .p7b file, in DER, PEM or base64, and keyPath
// the file of the key that belongs to it, PEM or DER, encrypted or not. With an
// empty keyPath, certPath holds both: a .p12 or .pfx file, or PEM. What the files
// hold counts, not what they are called. password opens the PKCS#12 or the
// encrypted key and is ignored where nothing is encrypted.
//
// The certificate is the one that the key belongs to, wherever it stands in the
// file. The result holds it and the CAs up to its root, without the root: from
// the file where they are there, else from this package. Leaf is set. Neither its
// dates nor its hierarchy are judged.
//
// Errors name the file and never hold the password or the key.
func LoadKeyPair(certPath, keyPath, password string) (tls.Certificate, error) {
	cert, err := readFile(certPath)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("pkioverheid: %w", err)
	}
	var key []byte
	if keyPath != "" && keyPath != certPath {
		if key, err = readFile(keyPath); err != nil {
			return tls.Certificate{}, fmt.Errorf("pkioverheid: %w", err)
		}
		if len(key) == 0 {
			return tls.Certificate{}, fmt.Errorf("pkioverheid: %s is empty: there is no private key in it", keyPath)
		}
	}
	pair, where, err := parseKeyPair(cert, key, password)
	if err != nil {
		path := certPath
		if where == inKey && key != nil {
			path = keyPath
		}
		return tls.Certificate{}, fmt.Errorf("pkioverheid: %s: %w", path, err)
	}
	return pair, nil
}

// ParseKeyPair does what [LoadKeyPair] does, on the contents of files. An empty
// key means that cert holds both.
func ParseKeyPair(cert, key []byte, password string) (tls.Certificate, error) {
	pair, where, err := parseKeyPair(cert, key, password)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("pkioverheid: %s: %w", where, err)
	}
	return pair, nil
}

// place tells which of two inputs an error is about.
type place string

const (
	inCertificate place = "the certificate"
	inKey         place = "the private key"
)

func parseKeyPair(certData, keyData []byte, password string) (tls.Certificate, place, error) {
	source := keyData
	if len(keyData) == 0 {
		source = certData
	}
	key, certs, err := truststore.DecodeKey(source, truststore.WithPassword(password))
	if err != nil {
		return tls.Certificate{}, inKey, err
	}
	if len(keyData) > 0 {
		delivered, err := decodeCertificates(certData, password)
		if err != nil {
			return tls.Certificate{}, inCertificate, err
		}
		for c := range certs.All() {
			delivered.Add(c)
		}
		certs = delivered
	}
	if certs.Len() == 0 {
		return tls.Certificate{}, inCertificate, errors.New("there is a private key, and no certificate: pass the certificate's file and the key's")
	}
	leaf := certificateOf(key, certs)
	if leaf == nil {
		return tls.Certificate{}, inCertificate, fmt.Errorf("the private key belongs to none of the certificates (%s): is it the key that the certificate was requested with?", listCertificates(certs))
	}
	pair := &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}
	for c := range certs.All() {
		if !bytes.Equal(c.Raw, leaf.Raw) {
			pair.Certificate = append(pair.Certificate, c.Raw)
		}
	}
	t, err := newTrust(Config{}, forServers)
	if err != nil {
		return tls.Certificate{}, inCertificate, err
	}
	if pair, err = t.withChain(pair, "the key pair"); err != nil {
		return tls.Certificate{}, inCertificate, err
	}
	return *pair, "", nil
}

// decodeCertificates reads a file that is given for its certificates. Many hold a
// private key too, as nginx and openssl like them; it is not the one to use.
func decodeCertificates(data []byte, password string) (*truststore.Store, error) {
	certs, err := truststore.Decode(data, truststore.WithPassword(password))
	if err != nil {
		if _, beside, keyErr := truststore.DecodeKey(data, truststore.WithPassword(password)); keyErr == nil && beside.Len() > 0 {
			return beside, nil
		}
		return nil, err
	}
	return certs, nil
}

// certificateOf returns the certificate with the public key of key, of several
// (renewed with the same key) the one that is valid longest.
func certificateOf(key crypto.Signer, certs *truststore.Store) *x509.Certificate {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return nil
	}
	var found *x509.Certificate
	for c := range certs.All() {
		if public.Equal(c.PublicKey) && (found == nil || c.NotAfter.After(found.NotAfter)) {
			found = c
		}
	}
	return found
}

func listCertificates(certs *truststore.Store) string {
	var names []string
	for c := range certs.All() {
		names = append(names, quote.Certificate(c))
	}
	if len(names) > 3 {
		return fmt.Sprintf("%s, %s and %d more", names[0], names[1], len(names)-2)
	}
	return strings.Join(names, ", ")
}

// maxKeyPairFile bounds what is read of a file; a chain with its key is some 20 kB.
const maxKeyPairFile = 16 << 20

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyPairFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxKeyPairFile {
		return nil, fmt.Errorf("%s is larger than %d MiB", path, maxKeyPairFile>>20)
	}
	return data, nil
}
