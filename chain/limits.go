package chain

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

// The limits on what is computed for a stranger, who chose its certificates. Ten
// certificates with RSA keys of 4096 bits are far within them. With them every call
// ends within 100 ms: "Details" in the package documentation has the reasons.
const (
	maxRSABits     = 8192 // as in crypto/tls
	maxRSAExponent = 65537

	// Of the end-entity certificate and the sent ones that names lead to, together.
	maxSent       = 64        // certificates, each once
	maxBytes      = 256 << 10 // as many as crypto/tls reads
	maxExtensions = 2000
	maxPolicies   = 1000 // certificate policies and policy mappings

	// Of the same certificates and those of the verifier that names lead to.
	maxNames       = 10_000
	maxConstraints = 10_000  // name constraints
	maxNameWork    = 200_000 // the two together, for each issuer on each path by name

	// Of one search for paths.
	maxSignatures  = 100  // as in crypto/x509
	largeSignature = 4    // signatures that one with a large key counts as; twice that above P-384
	maxSteps       = 1000 // from a certificate to one that may have issued it
	maxDepth       = 10   // certificates in a path
	maxPaths       = 16   // that are remembered above one CA

	// Of the paths that vetoes are asked about before signatures are checked. Where
	// there is more, the verification goes on without.
	maxVetoPaths = 64
	maxVetoBytes = 1 << 20
)

// limitError says which limit was reached.
type limitError struct {
	text string
	key  bool // it is about a key; otherwise there is too much to look at
}

func (e *limitError) Error() string { return e.text }

var (
	errLargeKeys = &limitError{text: "the certificates lead to too many signatures with large keys"}
	errNameWork  = &limitError{text: "the certificates lead to too many paths with names and name constraints"}
	errGaveUp    = &limitError{text: fmt.Sprintf("the path has more than %d certificates, or takes more than %d signatures to find", maxDepth, maxSignatures)}
)

// errKeyParts is for a certificate that was not parsed, but put together by somebody.
var errKeyParts = &limitError{"its public key lacks a part", true}

// lacksParts reports a key that no certificate has, with which the standard library would
// panic.
func lacksParts(cert *x509.Certificate) bool {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return key == nil || key.N == nil
	case *ecdsa.PublicKey:
		//lint:ignore SA1019 they are deprecated, and crypto/ecdsa still reads them
		return key == nil || key.Curve == nil || key.X == nil || key.Y == nil
	case ed25519.PublicKey:
		return len(key) != ed25519.PublicKeySize
	}
	return false
}

// keyTooLarge returns an error for a key that nothing is computed with, or nil.
func keyTooLarge(cert *x509.Certificate) *limitError {
	if lacksParts(cert) {
		return errKeyParts
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return nil
	case key.N.BitLen() > maxRSABits:
		return &limitError{fmt.Sprintf("its RSA key has %d bits, and at most %d are allowed", key.N.BitLen(), maxRSABits), true}
	case key.E > maxRSAExponent:
		return &limitError{fmt.Sprintf("its RSA key has the exponent %d, and at most %d is allowed", key.E, maxRSAExponent), true}
	}
	return nil
}

// tooConstrained reports a CA below which nothing is verified.
func tooConstrained(ca *x509.Certificate) bool { return constraintsOf(ca) > maxConstraints }

// isLarge reports a key whose signatures take several times as long to check as
// those of RSA-4096.
func isLarge(cert *x509.Certificate) bool {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() > 4096
	case *ecdsa.PublicKey:
		return key.Curve.Params().BitSize > 256
	}
	return false
}

// weight is how many signatures one with this large key counts as.
func weight(parent *x509.Certificate) int {
	if key, ok := parent.PublicKey.(*ecdsa.PublicKey); ok && key.Curve.Params().BitSize > 384 {
		return 2 * largeSignature
	}
	return largeSignature
}

// amount counts what there is in certificates that crypto/x509 would look at again
// for each path.
type amount struct {
	sent, bytes, names, constraints, extensions, policies int
}

// addOwn counts a CA of the verifier.
func (a *amount) addOwn(cert *x509.Certificate) {
	a.names += len(cert.DNSNames) + len(cert.EmailAddresses) + len(cert.IPAddresses) + len(cert.URIs)
	a.constraints += constraintsOf(cert)
}

func (a *amount) add(cert *x509.Certificate) {
	a.sent++
	a.bytes += len(cert.Raw)
	a.addOwn(cert)
	a.extensions += len(cert.Extensions)
	a.policies += len(cert.Policies) + len(cert.PolicyMappings)
}

func constraintsOf(ca *x509.Certificate) int {
	return len(ca.PermittedDNSDomains) + len(ca.ExcludedDNSDomains) +
		len(ca.PermittedIPRanges) + len(ca.ExcludedIPRanges) +
		len(ca.PermittedEmailAddresses) + len(ca.ExcludedEmailAddresses) +
		len(ca.PermittedURIDomains) + len(ca.ExcludedURIDomains)
}

// beyond returns an error for the first limit that is passed, or nil.
func (a *amount) beyond(l limits) *limitError {
	for _, of := range [...]struct {
		n, most int
		what    string
	}{
		{a.sent, l.sent + 1, "certificates"}, // the end-entity certificate is one
		{a.bytes, maxBytes, "bytes"},
		{a.names, maxNames, "names"},
		{a.constraints, maxConstraints, "name constraints"},
		{a.extensions, maxExtensions, "extensions"},
		{a.policies, maxPolicies, "certificate policies"},
	} {
		if of.n > of.most {
			return &limitError{text: fmt.Sprintf("the path may lead through %d %s, and at most %d are allowed", of.n, of.what, of.most)}
		}
	}
	return nil
}

// limits are those that tests make smaller.
type limits struct{ sent, signatures int }

// work counts what a search for paths takes.
type work struct{ signatures, steps int }

// signature counts one more signature, and reports whether it may be checked.
func (w *work) signature(parent *x509.Certificate, l limits) bool {
	if w.signatures >= l.signatures {
		return false
	}
	w.signatures++
	if isLarge(parent) {
		w.signatures += weight(parent) - 1
	}
	return true
}

// step counts one more candidate, and reports whether it may be looked at.
func (w *work) step(l limits) bool {
	w.steps++
	return !w.exhausted(l)
}

func (w *work) exhausted(l limits) bool { return w.signatures >= l.signatures || w.steps > maxSteps }
