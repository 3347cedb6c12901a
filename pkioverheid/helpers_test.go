package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testidentity"
	"github.com/go-pkioverheid/trust/truststore"
)

// fixtureTrust trusts the fixtures of all hierarchies that can be trusted.
func fixtureTrust() pkioverheid.Trust {
	return pkioverheid.Trust{Roots: truststore.NewSource(fixtureRoots())}
}

// pairs are key pairs to show, ended ones too.
func pairs(certs ...tls.Certificate) []*pkioverheid.KeyPair {
	var all []*pkioverheid.KeyPair
	for _, cert := range certs {
		k, err := testidentity.KeyPair(cert)
		if err != nil {
			panic(err)
		}
		all = append(all, k.(*pkioverheid.KeyPair))
	}
	return all
}

// verified identifies whoever showed the chain, as a server that trusts t does.
func verified(t pkioverheid.Trust, chain ...*x509.Certificate) (pkioverheid.Identity, error) {
	s, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: t, KeyPairs: pairs(ownPair())}, anybody)
	if err != nil {
		return pkioverheid.Identity{}, err
	}
	return s.Identify(&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{chain}})
}

func anybody(pkioverheid.Identity) error { return nil }

// pairsOf is the key pair of a certificate, and nothing for nil.
func pairsOf(cert *tls.Certificate) []*pkioverheid.KeyPair {
	if cert == nil {
		return nil
	}
	return pairs(*cert)
}
