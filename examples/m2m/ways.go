package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"
)

// way is a way to send a chain.
type way func(leaf, tsp, domain, root *x509.Certificate) ([][]byte, error)

// ways are those in which servers are met, and one that a clever one would think up.
var ways = []struct {
	name string
	of   way
}{
	{"its own only", func(l, _, _, _ *x509.Certificate) ([][]byte, error) { return ders(l), nil }},
	{"that and the TSP CA", func(l, t, _, _ *x509.Certificate) ([][]byte, error) { return ders(l, t), nil }},
	{"all but the TSP CA", func(l, _, d, _ *x509.Certificate) ([][]byte, error) { return ders(l, d), nil }},
	{"its whole chain", func(l, t, d, _ *x509.Certificate) ([][]byte, error) { return ders(l, t, d), nil }},
	{"its root as well", func(l, t, d, r *x509.Certificate) ([][]byte, error) { return ders(l, t, d, r), nil }},
	{"them in disorder", func(l, t, d, r *x509.Certificate) ([][]byte, error) { return ders(l, r, d, t), nil }},
	{"them twice", func(l, t, d, _ *x509.Certificate) ([][]byte, error) { return ders(l, t, d, l, t, d), nil }},
	{"another way up", around},
}

func ders(certs ...*x509.Certificate) [][]byte {
	var all [][]byte
	for _, c := range certs {
		all = append(all, c.Raw)
	}
	return all
}

// around sends the TSP CA once more, as issued by a root of the server's own, where it
// was not revoked.
func around(leaf, tsp, domain, _ *x509.Certificate) ([][]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "A root of the server's own"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	root, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
	if err != nil {
		return nil, err
	}
	crossed := &x509.Certificate{
		SerialNumber: big.NewInt(2), RawSubject: tsp.RawSubject, SubjectKeyId: tsp.SubjectKeyId,
		NotBefore: own.NotBefore, NotAfter: own.NotAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	cross, err := x509.CreateCertificate(rand.Reader, crossed, own, tsp.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return [][]byte{leaf.Raw, cross, root, tsp.Raw, domain.Raw}, nil
}
