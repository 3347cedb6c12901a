package chain

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Policy reports why it rejects a verified chain at the given time, or nil to accept
// it. Chains are complete, up to a self-signed root, and their signatures are checked.
// It may run concurrently and more than once in a handshake, and must not change the
// chain.
//
// A Policy may return an *[Error] with its own Reason, Problem and Advice.
type Policy func(c Chain, at time.Time) error

// All returns the policy that asks each of these in turn and returns the first error.
// Nil policies are left out; All() accepts everything.
func All(policies ...Policy) Policy {
	kept := make([]Policy, 0, len(policies))
	for _, p := range policies {
		if p != nil {
			kept = append(kept, p)
		}
	}
	return func(c Chain, at time.Time) error {
		for _, p := range kept {
			if err := p(c, at); err != nil {
				return err
			}
		}
		return nil
	}
}

// refuse is the error of a policy that has something against one certificate.
func refuse(c Chain, cert *x509.Certificate, at time.Time, why error) error {
	return &Error{Reason: RefusedByPolicy, Chain: c, Cert: cert, At: at, Err: []error{why}}
}

// firstInvalid finds what is not a certificate, or was not parsed from one, so that
// the policies need not.
func firstInvalid(c Chain, at time.Time) error {
	if len(c) == 0 {
		return &Error{Reason: Unsupported, At: at, Err: []error{errors.New("no certificates")}}
	}
	for _, cert := range c {
		if cert == nil || len(cert.RawTBSCertificate) == 0 {
			return &Error{Reason: Unsupported, Chain: c, At: at, Err: []error{errors.New("no certificate, or one that was never parsed")}}
		}
	}
	return nil
}

func setOf[T comparable](list []T) map[T]bool {
	set := make(map[T]bool, len(list))
	for _, item := range list {
		set[item] = true
	}
	return set
}

// PinLeaf returns the policy that accepts these end-entity certificates only, which
// are verified anyway. No fingerprints accept none.
func PinLeaf(fingerprints ...truststore.Fingerprint) Policy {
	pinned := setOf(fingerprints)
	return func(c Chain, at time.Time) error {
		leaf := c.Leaf()
		f := truststore.FingerprintOf(leaf)
		if f == (truststore.Fingerprint{}) || !pinned[f] {
			return refuse(c, leaf, at, fmt.Errorf("this certificate is not among the %d that are pinned; its fingerprint is %s", len(pinned), f))
		}
		return nil
	}
}

// anyPolicy is every policy, in CA certificates. RFC 5280 section 4.2.1.4.
var anyPolicy, _ = x509.OIDFromInts([]uint64{2, 5, 29, 32, 0})

// RequirePolicy returns the policy that accepts chains with one of these certificate
// policies along the path (RFC 5280 section 6.1.3 (d)): by name in the end-entity
// certificate, by name or anyPolicy in each CA below the root. A mapped policy does not
// count, nor does one below a CA that maps it. No policies accept no chain.
func RequirePolicy(policies ...x509.OID) Policy {
	wanted := slices.Clone(policies)
	return func(c Chain, at time.Time) error {
		if err := firstInvalid(c, at); err != nil {
			return err
		}
		lowest, missing := len(c), c.Leaf()
		for _, policy := range wanted {
			i := withoutPolicy(c, policy)
			if i < 0 && slices.ContainsFunc(c[0].Policies, policy.Equal) {
				return nil
			}
			if i = max(i, 0); i < lowest {
				lowest, missing = i, c[i]
			}
		}
		return refuse(c, missing, at, fmt.Errorf("it does not have the certificate policy that is asked for: %s (RFC 5280 section 6.1.3)", oneOf(wanted)))
	}
}

// Policies returns the certificate policies that are valid for a complete chain (RFC
// 5280 section 6.1.3 (d)): those that the end-entity certificate asserts by name, and
// each CA below the root by name or as anyPolicy, as far as no CA above inhibits that.
// Policy mappings are not followed: a policy that a CA maps, or maps others to, is not
// valid below it.
func (c Chain) Policies() []x509.OID {
	if firstInvalid(c, time.Time{}) != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c[0].Policies), func(p x509.OID) bool { return withoutPolicy(c, p) >= 0 })
}

// withoutPolicy is the place of the uppermost CA of the path that does not allow a
// policy below it, or -1.
func withoutPolicy(c Chain, wanted x509.OID) int {
	if wanted.Equal(anyPolicy) {
		return 0 // which is not a policy by name
	}
	last := len(c) - 1
	anyFor := len(c) // for how many more certificates anyPolicy counts
	for i := last; i > 0; i-- {
		cert := c[i]
		if i < last {
			named := slices.ContainsFunc(cert.Policies, wanted.Equal)
			if !named && (anyFor == 0 || !slices.ContainsFunc(cert.Policies, anyPolicy.Equal)) {
				return i
			}
			// RFC 5280 section 6.1.4 (b).
			if slices.ContainsFunc(cert.PolicyMappings, func(m x509.PolicyMapping) bool {
				return m.IssuerDomainPolicy.Equal(wanted) || m.SubjectDomainPolicy.Equal(wanted) ||
					m.IssuerDomainPolicy.Equal(anyPolicy) || m.SubjectDomainPolicy.Equal(anyPolicy)
			}) {
				return i
			}
			// RFC 5280 section 6.1.4 (h) (3) and (j).
			if anyFor > 0 && !selfIssued(cert) {
				anyFor--
			}
		}
		if cert.InhibitAnyPolicy > 0 || cert.InhibitAnyPolicyZero {
			anyFor = min(anyFor, cert.InhibitAnyPolicy)
		}
	}
	return -1
}

func oneOf(policies []x509.OID) string {
	if len(policies) == 0 {
		return "no policy is"
	}
	names := make([]string, len(policies))
	for i, p := range policies {
		names[i] = safetext.OID(p, safetext.Most)
	}
	return strings.Join(names, " or ")
}

// MinKeySizes returns the policy that refuses chains with a smaller public key: of RSA
// in bits of the modulus, of ECDSA in bits of the curve, and Ed25519 counts as 256. Zero
// is not a minimum. Other kinds of keys are refused.
func MinKeySizes(rsaBits, ecdsaBits int) Policy {
	return func(c Chain, at time.Time) error {
		for _, cert := range c {
			kind, bits := keySize(cert)
			least := ecdsaBits
			if kind == "RSA" {
				least = rsaBits
			}
			switch {
			case kind == "":
				return refuse(c, cert, at, errors.New("its public key is neither RSA nor ECDSA nor Ed25519"))
			case bits < least:
				return refuse(c, cert, at, fmt.Errorf("its %s key has %d bits, and at least %d are asked for", kind, bits, least))
			}
		}
		return nil
	}
}

func keySize(cert *x509.Certificate) (kind string, bits int) {
	if cert == nil || lacksParts(cert) {
		return "", 0
	}
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA", key.Curve.Params().BitSize
	case ed25519.PublicKey:
		return "Ed25519", 256
	}
	return "", 0
}
