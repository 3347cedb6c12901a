package logius

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// RegisterCertificate returns what the CPA register takes (facts.md §4): of a certificate as
// it was delivered with its chain, a .p7b, .cer or PEM file, the end-entity certificate
// alone, in PEM. It is an error if there is not exactly one, if its subject bears no OIN, if
// it is of G3, and if there is a private key in the data. Its dates and its signature are
// not checked.
func RegisterCertificate(delivered []byte) ([]byte, error) {
	certs, err := truststore.Decode(delivered)
	if err != nil {
		return nil, fmt.Errorf("logius: %w", err)
	}
	leaves := slices.Collect(certs.Filter(func(c *x509.Certificate) bool { return !c.IsCA }).All())
	switch len(leaves) {
	case 1:
	case 0:
		return nil, errors.New("logius: there are only CAs in it: give the certificate that was issued to you")
	default:
		return nil, fmt.Errorf("logius: there are %d certificates in it that are not CAs, %s and %s among them: give the one that is to be registered", len(leaves), safetext.Certificate(leaves[0]), safetext.Certificate(leaves[1]))
	}
	leaf := leaves[0]
	if err := pkioverheid.RejectG3(leaves); err != nil {
		return nil, fmt.Errorf("logius: %w", err)
	}
	if _, err := pkioverheid.OINOf(leaf); err != nil {
		return nil, fmt.Errorf("logius: %s: %w", safetext.Certificate(leaf), err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}), nil
}
