package chain

import (
	"crypto/x509"
	"time"

	"github.com/go-pkioverheid/trust/truststore"
)

// Explanation is what [Verifier.Explain] found. Names and hosts in it are escaped and
// shortened for terminals and logs, not for HTML. It can be marshalled as JSON.
type Explanation struct {
	// OK is the verdict of [Verifier.Verify].
	OK bool `json:"ok"`

	// Reason, Problem and Advice are what broke it first: in a word, in a sentence,
	// and what to do about it. If OK, Reason is zero, Problem is empty, and
	// Advice says what another peer would need, if anything.
	Reason  Reason `json:"reason,omitempty"`
	Problem string `json:"problem,omitempty"`
	Advice  string `json:"advice,omitempty"`

	Time time.Time `json:"time"`           // at which it was verified, in UTC
	Host string    `json:"host,omitempty"` // that the certificate must be for

	// Path is the path as far as it goes, the end-entity certificate first. It
	// ends at a trusted root or where nothing leads further.
	Path []ExplainedCertificate `json:"path"`

	// Unused are the certificates that were given and are not in Path.
	Unused []ExplainedCertificate `json:"unused,omitempty"`

	// Err is Verify's error, nil if OK.
	Err error `json:"-"`
}

// ExplainedCertificate is one certificate of an [Explanation].
type ExplainedCertificate struct {
	Subject     string                 `json:"subject"`
	Issuer      string                 `json:"issuer"`
	Serial      string                 `json:"serial"` // hexadecimal
	NotBefore   time.Time              `json:"notBefore"`
	NotAfter    time.Time              `json:"notAfter"`
	Key         string                 `json:"key"`         // such as "RSA 4096" and "ECDSA P-256"
	Signature   string                 `json:"signature"`   // such as "RSASSA-PSS with SHA-512"
	Fingerprint truststore.Fingerprint `json:"fingerprint"` // SHA-256
	CA          bool                   `json:"ca"`

	Source Source `json:"source"` // where it comes from

	// Observations are in the order of a reader. None if unused.
	Observations []Observation `json:"observations,omitempty"`

	Certificate *x509.Certificate `json:"-"`
}

// Source is where a certificate of an [Explanation] comes from.
type Source string

const (
	SourceRoot         Source = "root"         // a root of the verifier
	SourceIntermediate Source = "intermediate" // an intermediate of the verifier that was not given
	SourceGiven        Source = "given"
	SourceDistrusted   Source = "distrusted" // one of [WithDistrusted]
)

// Observation is one thing that was looked at in an [ExplainedCertificate].
type Observation struct {
	Name   ObservationName   `json:"name"`
	Result ObservationResult `json:"result"`
	Text   string            `json:"text"` // why, in words
}

// ObservationName is what was looked at.
type ObservationName string

const (
	ObservedValidity         ObservationName = "validity"
	ObservedSignature        ObservationName = "signature"
	ObservedTrust            ObservationName = "trust"
	ObservedCA               ObservationName = "ca"
	ObservedPathLength       ObservationName = "path length"
	ObservedKeyUsage         ObservationName = "key usage"
	ObservedExtendedKeyUsage ObservationName = "extended key usage"
	ObservedExtensions       ObservationName = "extensions"
	ObservedLimits           ObservationName = "limits"
	ObservedHost             ObservationName = "host"
	ObservedNames            ObservationName = "names"
	ObservedPolicy           ObservationName = "policy"
	ObservedRevocation       ObservationName = "revocation"
)

// ObservationResult is what an [Observation] found.
type ObservationResult string

const (
	Pass    ObservationResult = "pass"
	Fail    ObservationResult = "fail"
	Unknown ObservationResult = "unknown"
)
