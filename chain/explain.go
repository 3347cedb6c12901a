package chain

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Explain verifies certs as [Verifier.Verify] does and says what it found: the path as
// far as it goes, what is right and wrong about each certificate, and what to do. certs
// may be in any order and hold more than the path; its end-entity certificate is picked
// as by [Verifier.Complete].
//
// To explain an *[Error], give its Chain, and its At as the time.
func (v *Verifier) Explain(certs []*x509.Certificate, opts VerifyOptions) *Explanation {
	opts = opts.withDefaults()
	given := truststore.New(certs...)
	leaf := endEntity(given)
	given.Add(opts.Extra...)
	opts.Extra = slices.DeleteFunc(slices.Collect(given.All()), func(c *x509.Certificate) bool { return c == leaf })

	s := v.settings.Load()
	var path Chain
	err := error(s.advise(noCertificate(opts.Time), nil, opts))
	if leaf != nil {
		path, err = s.verify(leaf, opts, recalled{}) // of what is given, not what is remembered
	}
	x := explaining{settings: s, given: given, opts: opts, path: path}
	e := &Explanation{OK: err == nil, Err: err, Time: marshallable(opts.Time), Host: safetext.Printable(opts.DNSName, safetext.Most)}
	if err != nil {
		x.fail(leaf, err)
		e.Reason = x.failed.Reason
	}
	used := truststore.New(x.path...)
	remaining := opts.KeyUsages
	e.Path = make([]ExplainedCertificate, 0, len(x.path))
	for i, cert := range x.path {
		explained := x.describe(cert)
		explained.Observations = x.observe(i, &remaining)
		e.Path = append(e.Path, explained)
	}
	if err != nil {
		e.Problem, e.Advice = x.problem(x.blame(e.Path))
	} else {
		e.Advice = x.incomplete()
	}
	for cert := range given.All() {
		if !used.Contains(cert) {
			e.Unused = append(e.Unused, x.describe(cert))
		}
	}
	return e
}

// explaining is one explanation in the making.
type explaining struct {
	*settings
	given  *truststore.Store
	opts   VerifyOptions
	path   Chain
	failed *Error // nil if Verify accepts
	done   work
}

// fail takes what Verify says about a refusal. Of a refusal by a policy or a veto,
// the path is the one that it saw, if that goes further than signatures do.
func (x *explaining) fail(leaf *x509.Certificate, err error) {
	if !errors.As(err, &x.failed) {
		x.failed = &Error{Reason: Unsupported, Err: []error{err}}
	}
	x.path = x.failed.Chain
	if leaf == nil {
		return
	}
	if len(x.path) <= 1 {
		x.path = x.follow(leaf, x.given, x.opts.Time).path // a veto stops before
	}
	for _, refusal := range x.failed.Err {
		var own *Error
		if errors.As(refusal, &own) && own.Reason == x.failed.Reason && len(own.Chain) > 0 && own.Chain[0] == leaf && !slices.Contains(own.Chain, nil) {
			if n := len(own.Chain); n > len(x.path) || !slices.Equal(own.Chain, x.path[:n]) {
				x.path = own.Chain
			}
			break
		}
	}
}

func (x *explaining) describe(cert *x509.Certificate) ExplainedCertificate {
	source := SourceIntermediate
	switch {
	case x.isDistrusted(cert):
		source = SourceDistrusted
	case x.roots.Contains(cert):
		source = SourceRoot
	case x.given.Contains(cert):
		source = SourceGiven
	}
	serial := "none"
	if cert.SerialNumber != nil {
		serial = safetext.Printable(fmt.Sprintf("%02x", cert.SerialNumber.Bytes()), safetext.Most)
		if cert.SerialNumber.Sign() < 0 {
			serial = "-" + serial
		}
		if serial == "" {
			serial = "00"
		}
	}
	return ExplainedCertificate{
		Subject:     safetext.Name(cert.Subject, maxNameText),
		Issuer:      safetext.Name(cert.Issuer, maxNameText),
		Serial:      serial,
		NotBefore:   marshallable(cert.NotBefore),
		NotAfter:    marshallable(cert.NotAfter),
		Key:         keyName(cert),
		Signature:   signatureName(cert.SignatureAlgorithm),
		Fingerprint: truststore.FingerprintOf(cert),
		CA:          isCA(cert),
		Source:      source,
		Certificate: cert,
	}
}

// keyName is the kind and size of a certificate's public key.
func keyName(cert *x509.Certificate) string {
	kind, bits := keySize(cert)
	switch kind {
	case "":
		if cert.PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm {
			return cert.PublicKeyAlgorithm.String()
		}
		return "unknown"
	case "ECDSA":
		return "ECDSA P-" + strconv.Itoa(bits)
	case "RSA":
		return "RSA " + strconv.Itoa(bits)
	}
	return kind
}

var signatureNames = [...]string{
	x509.MD2WithRSA:       "RSA with MD2",
	x509.MD5WithRSA:       "RSA with MD5",
	x509.SHA1WithRSA:      "RSA with SHA-1",
	x509.SHA256WithRSA:    "RSA with SHA-256",
	x509.SHA384WithRSA:    "RSA with SHA-384",
	x509.SHA512WithRSA:    "RSA with SHA-512",
	x509.DSAWithSHA1:      "DSA with SHA-1",
	x509.DSAWithSHA256:    "DSA with SHA-256",
	x509.ECDSAWithSHA1:    "ECDSA with SHA-1",
	x509.ECDSAWithSHA256:  "ECDSA with SHA-256",
	x509.ECDSAWithSHA384:  "ECDSA with SHA-384",
	x509.ECDSAWithSHA512:  "ECDSA with SHA-512",
	x509.SHA256WithRSAPSS: "RSASSA-PSS with SHA-256",
	x509.SHA384WithRSAPSS: "RSASSA-PSS with SHA-384",
	x509.SHA512WithRSAPSS: "RSASSA-PSS with SHA-512",
	x509.PureEd25519:      "Ed25519",
}

func signatureName(a x509.SignatureAlgorithm) string {
	switch {
	case a <= 0:
		return "unknown"
	case int(a) < len(signatureNames) && signatureNames[a] != "":
		return signatureNames[a]
	}
	return a.String()
}

// maxNameText bounds a distinguished name, in bytes.
const maxNameText = 128

// marshallable is a time in UTC that JSON can hold: a certificate may speak of
// times beyond the year 9999 elsewhere.
func marshallable(t time.Time) time.Time {
	t = t.UTC()
	switch {
	case t.Year() > 9999:
		return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	case t.Year() < 0:
		return time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return t
}
