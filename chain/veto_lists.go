package chain

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// VetoCertificates returns the veto of every path with one of these certificates.
//
// The holder of a certificate can often change its fingerprint: an ECDSA signature has
// a second form, and crypto/x509 accepts data after the signature. Use [VetoKeys] against
// what must not come back.
func VetoCertificates(fingerprints ...truststore.Fingerprint) Veto {
	distrusted := setOf(fingerprints)
	return func(certs []*x509.Certificate) error {
		for _, cert := range certs {
			if f := truststore.FingerprintOf(cert); distrusted[f] && f != (truststore.Fingerprint{}) {
				return refuse(certs, cert, time.Time{}, fmt.Errorf("this certificate is distrusted by its fingerprint %s", f))
			}
		}
		return nil
	}
}

// VetoKeys returns the veto of every path with one of these public keys, by their
// [KeyHash]. It finds a CA or key in every certificate that was issued for it.
func VetoKeys(keys ...[sha256.Size]byte) Veto {
	distrusted := setOf(keys)
	return func(certs []*x509.Certificate) error {
		for _, cert := range certs {
			if key := KeyHash(cert); distrusted[key] && key != [sha256.Size]byte{} {
				return refuse(certs, cert, time.Time{}, fmt.Errorf("this public key is distrusted by its SHA-256 %x", key))
			}
		}
		return nil
	}
}

// VetoSubjects returns the veto of every path with a certificate whose subject has all
// the attributes of one of these names, and perhaps others. Order, string type, case and
// repeated spaces do not count (RFC 5280 section 7.1), and pkix.Name.Names does, so that
// the Subject of a certificate can be given. An empty name is that of everybody.
func VetoSubjects(names ...pkix.Name) Veto {
	distrusted := make([]map[attribute]bool, len(names))
	asked := map[attribute]bool{} // by any of names
	var types []asn1.ObjectIdentifier
	for i, name := range names {
		distrusted[i] = map[attribute]bool{}
		for _, rdn := range append(name.ToRDNSequence(), name.Names) {
			for _, part := range rdn {
				kind := slices.IndexFunc(types, part.Type.Equal)
				if kind < 0 {
					kind, types = len(types), append(types, slices.Clone(part.Type))
				}
				a := attribute{kind, normalised(part.Value)}
				distrusted[i][a], asked[a] = true, true
			}
		}
	}
	return func(certs []*x509.Certificate) error {
		if len(distrusted) == 0 {
			return nil
		}
		for _, cert := range certs {
			if cert == nil {
				continue
			}
			has := map[attribute]bool{}
			for _, part := range cert.Subject.Names {
				if kind := slices.IndexFunc(types, part.Type.Equal); kind >= 0 {
					if a := (attribute{kind, normalised(part.Value)}); asked[a] {
						has[a] = true
					}
				}
			}
			for _, name := range distrusted {
				if includes(has, name) {
					return refuse(certs, cert, time.Time{}, errors.New("this subject is distrusted by its name"))
				}
			}
		}
		return nil
	}
}

// attribute of a name, of a type that [VetoSubjects] was asked about.
type attribute struct {
	kind  int // the place of the type among those asked about
	value string
}

// normalised is the same for values that RFC 5280 section 7.1 takes for equal.
func normalised(value any) string {
	s, ok := value.(string)
	if !ok {
		s = fmt.Sprint(value)
	}
	s = strings.ToLower(s)
	if strings.TrimSpace(s) != s || strings.Contains(s, "  ") || strings.ContainsAny(s, "\t\r\n") {
		s = strings.Join(strings.Fields(s), " ")
	}
	return s
}

func includes(set, part map[attribute]bool) bool {
	for item := range part {
		if !set[item] {
			return false
		}
	}
	return true
}
