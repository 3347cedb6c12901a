package pkioverheid

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/truststore"
)

// AllHierarchies are all that have a row, also those that are not embedded.
func AllHierarchies() []Hierarchy {
	var all []Hierarchy
	for h := range everyHierarchy {
		all = append(all, h)
	}
	return all
}

// CANamed finds an embedded CA certificate by its common name, the first where several
// bear the name.
func CANamed(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	for _, h := range AllHierarchies() {
		for _, c := range h.Certificates() {
			if c.Subject.CommonName == name {
				return c
			}
		}
	}
	require.Fail(t, "no such CA", name)
	return nil
}

// PairOf returns what a KeyPair holds.
func PairOf(k *KeyPair) tls.Certificate { return *k.pair() }

// ParseKeyPair is LoadKeyPair on the contents of files.
func ParseKeyPair(cert, key []byte, password string) (tls.Certificate, error) {
	pair, _, err := parseKeyPair(cert, key, truststore.WithPassword(password))
	return pair, err
}
