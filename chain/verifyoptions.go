package chain

import (
	"crypto/x509"
	"time"
)

// VerifyOptions are the circumstances of one verification.
type VerifyOptions struct {
	// DNSName, if not empty, is the host that the certificate must be for.
	DNSName string

	// Time is the time to verify at; zero means now.
	Time time.Time

	// KeyUsages are the extended key usages of which one must be allowed along
	// the whole path. None means serverAuth, as in crypto/x509.
	KeyUsages []x509.ExtKeyUsage

	// Extra are certificates that the peer sent or that are otherwise available,
	// in any order. They help to build a path and are not trusted. nil is skipped.
	Extra []*x509.Certificate

	// NoMemory verifies anew, with Extra and the verifier's CAs alone, and remembers
	// nothing.
	NoMemory bool
}

var serverAuth = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}

// withDefaults puts in what the zero values mean.
func (o VerifyOptions) withDefaults() VerifyOptions {
	if o.Time.IsZero() {
		o.Time = time.Now()
	}
	if len(o.KeyUsages) == 0 {
		o.KeyUsages = serverAuth
	}
	return o
}
