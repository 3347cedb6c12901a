package profile

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-pkioverheid/trust/chain"
)

// rule is one demand of a standard on the certificates of a chain.
type rule struct {
	name    string
	section string
	broken  func(*subject) string // how; empty where the rule is kept
}

// standard is a document and its rules.
type standard struct {
	name  string
	rules []rule
}

// subject is a certificate of a chain that rules are asked about.
type subject struct {
	fields
	*x509.Certificate
	issuer     *x509.Certificate // nil at the end of the chain
	above      []*x509.Certificate
	leaf, root bool // both, in a chain of one
}

// check returns an error for the first rule that is broken.
func check(c chain.Chain, at time.Time, standards []standard) error {
	refuse := func(reason chain.Reason, cert *x509.Certificate, why error) error {
		return &chain.Error{Reason: reason, Chain: c, Cert: cert, At: at, Err: []error{why}}
	}
	if len(c) == 0 || slices.ContainsFunc(c, func(cert *x509.Certificate) bool {
		return cert == nil || len(cert.RawTBSCertificate) == 0
	}) {
		return refuse(chain.Unsupported, nil, errors.New("not a chain of parsed certificates"))
	}
	var failed error
	breaches(c, standards, func(cert *x509.Certificate, by string, r rule, how string) bool {
		failed = refuse(chain.RefusedByPolicy, cert, fmt.Errorf("%s: %s (%s section %s)", r.name, how, by, r.section))
		return false
	})
	return failed
}

// breaches reports every rule that is broken, from the leaf upwards, until report
// returns false. A certificate that cannot be read is not asked for more.
func breaches(c chain.Chain, standards []standard, report func(cert *x509.Certificate, by string, r rule, how string) bool) {
	var room [16]extension
	s := subject{fields: fields{extensions: room[:0]}}
	for i, cert := range c {
		s.Certificate, s.issuer, s.above = cert, nil, c[i+1:]
		s.leaf, s.root = i == 0, i == len(c)-1
		if !s.root {
			s.issuer = c[i+1]
		}
		s.fields = fields{extensions: s.extensions[:0]}
		if how := s.read(cert); how != "" {
			if !report(cert, rfc5280Name, rule{name: "certificate", section: "4.1"}, how) {
				return
			}
			continue
		}
		for _, by := range standards {
			for _, r := range by.rules {
				if how := r.broken(&s); how != "" && !report(cert, by.name, r, how) {
					return
				}
			}
		}
	}
}

func isCA(cert *x509.Certificate) bool { return cert.BasicConstraintsValid && cert.IsCA }

func selfIssued(cert *x509.Certificate) bool { return bytes.Equal(cert.RawSubject, cert.RawIssuer) }
