// Package standin has what the examples about services of Logius share, all of it in
// place of something that your program has.
package standin

import (
	"crypto/tls"
	"errors"
	"strings"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// Test numbers (prefix 00000099) of the program and of the service.
const (
	OwnOIN     = pkioverheid.OIN("00000099000000001000")
	ServiceOIN = pkioverheid.OIN("00000099000000002000")
)

// OwnLeaf is the certificate of the program.
var OwnLeaf = pkiotest.Leaf{OIN: OwnOIN, DNSNames: []string{"koppeling.example"}}

// ErrUnexpected ends a demonstration.
var ErrUnexpected = errors.New("this is not how it should be")

// OwnCertificate takes the place of
//
//	pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: "client.p7b", Key: "client.key"})
func OwnCertificate(h pkioverheid.Hierarchy) *tls.Certificate {
	cert := pkiotest.New(h).Issue(OwnLeaf)
	return &cert
}

// Trust trusts the fixture roots of Private G1, G4 and EV too. Your program does not need
// it: the real ones are built in.
func Trust() pkioverheid.Trust {
	return pkiotest.Trust(pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS), pkiotest.New(pkioverheid.EV))
}

// KeyPairs are those of a program that loaded the certificate.
func KeyPairs(own *tls.Certificate) []*pkioverheid.KeyPair {
	pair, err := pkioverheid.NewKeyPair(*own)
	if err != nil {
		panic(err) // pkiotest makes good ones
	}
	return []*pkioverheid.KeyPair{pair}
}

// Explain keeps of an error what a reader needs, on one line.
func Explain(err error) string {
	var theirs *pkioverheid.ServerCertificateError
	if errors.As(err, &theirs) {
		return theirs.Problem + " " + theirs.Advice
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
