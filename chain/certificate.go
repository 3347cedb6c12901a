package chain

import (
	"bytes"
	"crypto/x509"
	"time"
)

func isCA(cert *x509.Certificate) bool { return cert.BasicConstraintsValid && cert.IsCA }

func selfIssued(cert *x509.Certificate) bool { return bytes.Equal(cert.RawSubject, cert.RawIssuer) }

func validAt(certs []*x509.Certificate, at time.Time) bool {
	for _, c := range certs {
		if at.Before(c.NotBefore) || at.After(c.NotAfter) {
			return false
		}
	}
	return true
}

// keyIdentifiersMatch is false for two CAs of one name that are known to have
// different keys: a signature by the one is not a bad signature by the other.
func keyIdentifiersMatch(child, parent *x509.Certificate) bool {
	return len(child.AuthorityKeyId) == 0 || len(parent.SubjectKeyId) == 0 ||
		bytes.Equal(child.AuthorityKeyId, parent.SubjectKeyId)
}

// sameEntity reports certificates of the same name and key, which crypto/x509 does
// not put twice in a path.
func sameEntity(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubject, b.RawSubject) && sameKey(a, b)
}

func inPath(cert *x509.Certificate, path []*x509.Certificate) bool {
	for _, c := range path {
		if sameEntity(c, cert) {
			return true
		}
	}
	return false
}

// constrained reports whether a CA limits the names or policies below it. Below such a
// CA no other is an anchor: crypto/x509 must see the limit.
func constrained(ca *x509.Certificate) bool { return constrainsPolicies(ca) || constrainsNames(ca) }

// constrainsPolicies reports a CA that is not an anchor itself: of an anchor, crypto/x509
// applies the name constraints, and nothing about policies.
func constrainsPolicies(ca *x509.Certificate) bool {
	return demandsExplicitPolicy(ca) || ca.InhibitPolicyMapping > 0 || ca.InhibitPolicyMappingZero ||
		ca.InhibitAnyPolicy > 0 || ca.InhibitAnyPolicyZero || len(ca.PolicyMappings) > 0
}

// constrainsNames reports a certificate with the extension nameConstraints, RFC 5280
// section 4.2.1.10.
func constrainsNames(cert *x509.Certificate) bool {
	for _, ext := range cert.Extensions {
		if len(ext.Id) == 4 && ext.Id[0] == 2 && ext.Id[1] == 5 && ext.Id[2] == 29 && ext.Id[3] == 30 {
			return true
		}
	}
	return false
}

func demandsExplicitPolicy(cert *x509.Certificate) bool {
	return cert.RequireExplicitPolicy > 0 || cert.RequireExplicitPolicyZero
}
