// Package digikoppeling checks certificates and connections against the rules of
// Digikoppeling (Beveiligingsstandaarden en voorschriften 3.0.0, 21 April 2026).
package digikoppeling

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/phrase"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Verdict is what became of a rule. Empty means NotChecked.
type Verdict string

const (
	NotChecked Verdict = "not checked" // what it needs was not given
	Met        Verdict = "met"         // kept, as far as can be seen
	Broken     Verdict = "broken"      // not kept
)

// Result is what became of one rule of Digikoppeling.
type Result struct {
	Rule    string  `json:"rule"` // PKI001 … PKI005, TLS001 … TLS006, TLSCIPH001, SIGN001 … SIGN004
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"` // on one line, names from the certificate quoted and shortened
}

// Options are what a check needs to know beside the certificate. The zero
// value will do: rules that need more are then not checked.
type Options struct {
	// Trust says whom to trust; what a server has in ClientRoots is among its Roots. Its
	// Policy is not asked: it may be [Policy].
	Trust pkioverheid.Trust

	// Extra are certificates that came along, CAs in between for one.
	Extra []*x509.Certificate

	// Revocation checks the chain by its CRLs, such as a policy of package chain/crl.
	// nil means that of Trust.Revocation; without either, PKI003 is not checked, nor
	// PKI002 where the dates are good.
	Revocation chain.Policy

	// Own is the certificate that this side of a connection showed, which its
	// ConnectionState does not have. nil leaves TLS002 unchecked.
	Own *x509.Certificate

	// Port is the server's. 0 leaves TLS005 unchecked.
	Port int

	// FSC says that this is management traffic of FSC (Manager, Directory), whose port may
	// be 8443 as well, and whose cipher suites must have forward secrecy.
	FSC bool
}

// Check checks a certificate against the rules at a time; a zero time means now. It
// verifies the certificate, and gives one result a rule, always the same rules in the
// same order. Those about connections and messages are not checked. Whom to let in is
// another question: see [pkioverheid.AllowOIN].
func Check(cert *x509.Certificate, at time.Time, opts Options) []Result {
	return check(cert, nil, at, opts)
}

// CheckConnection is [Check] for the certificate that the other side of a connection
// showed, and for the connection as it was agreed.
// That a server refuses less to others does not show in one connection.
func CheckConnection(cs *tls.ConnectionState, at time.Time, opts Options) []Result {
	var cert *x509.Certificate
	switch {
	case cs == nil:
		cs = new(tls.ConnectionState)
	case len(cs.PeerCertificates) > 0:
		cert = cs.PeerCertificates[0]
		opts.Extra = slices.Concat(opts.Extra, cs.PeerCertificates[1:])
	}
	for _, c := range cs.VerifiedChains {
		if len(c) > 0 {
			if cert == nil {
				cert = c[0]
			}
			opts.Extra = slices.Concat(opts.Extra, c[1:])
		}
	}
	return check(cert, cs, at, opts)
}

// Policy returns the [chain.Policy] that refuses chains whose certificate
// breaks a rule of Digikoppeling, for pkioverheid.Trust.Policy. Rules that cannot be
// checked do not count: with a nil revocation, revoked certificates pass.
func Policy(revocation chain.Policy) chain.Policy {
	return func(c chain.Chain, at time.Time) error {
		if c.Leaf() == nil || len(c.Leaf().Raw) == 0 {
			//lint:ignore ST1005 Digikoppeling is a name
			return &chain.Error{Reason: chain.Unsupported, At: at, Err: []error{errors.New("Digikoppeling: there is no certificate to check")}}
		}
		d := &subject{leaf: c.Leaf(), chain: c, at: at, revocation: revocation}
		for _, rule := range d.certificateRules() {
			if rule.Verdict != Broken {
				continue
			}
			e := &chain.Error{Reason: chain.RefusedByPolicy, Chain: c, Cert: c.Leaf(), At: at}
			if rule.Rule == "PKI002" && d.refusal != nil {
				var known *chain.Error
				if errors.As(d.refusal, &known) {
					e.Reason, e.Cert = known.Reason, known.Cert
				}
				//lint:ignore ST1005 Digikoppeling is a name
				e.Err = []error{errors.New("Digikoppeling PKI002"), d.refusal}
				return e
			}
			//lint:ignore ST1005 Digikoppeling is a name
			e.Err = []error{fmt.Errorf("Digikoppeling %s: %s", rule.Rule, rule.Reason)}
			return e
		}
		return nil
	}
}

// subject is what the rules are about.
type subject struct {
	leaf       *x509.Certificate
	chain      chain.Chain // verified; nil if it does not verify
	failed     error       // why not at that time, also where the chain was verified at another
	unknown    error       // why nothing could be verified at all
	at         time.Time
	revocation chain.Policy
	refusal    error // of revocation

	state *tls.ConnectionState
	opts  Options
}

func check(cert *x509.Certificate, cs *tls.ConnectionState, at time.Time, opts Options) []Result {
	if at.IsZero() {
		at = time.Now()
	}
	if opts.Revocation == nil && opts.Trust.Revocation != nil {
		opts.Revocation = opts.Trust.Revocation.Policy
	}
	d := &subject{leaf: cert, at: at, revocation: opts.Revocation, state: cs, opts: opts}
	if cert == nil || len(cert.Raw) == 0 {
		d.leaf = nil
	} else {
		d.chain, d.failed, d.unknown = verifyFor(cert, at, opts)
	}
	return slices.Concat(d.certificateRules(), d.connectionRules(), messageRules())
}

// verifyFor verifies a certificate, and one that has ended at a time when it was valid,
// so that it is known whose it was.
func verifyFor(cert *x509.Certificate, at time.Time, opts Options) (c chain.Chain, failed, unknown error) {
	v, err := verifierOf(opts.Trust)
	if err != nil {
		return nil, nil, err
	}
	vo := chain.VerifyOptions{
		Time:      at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		Extra:     opts.Extra,
	}
	if c, failed = v.Chains().Verify(cert, vo); failed == nil {
		return c, nil, nil
	}
	if at.Before(cert.NotBefore) || at.After(cert.NotAfter) {
		vo.Time = cert.NotBefore
		if c, err := v.Chains().Verify(cert, vo); err == nil {
			return c, failed, nil
		}
	}
	return nil, failed, nil
}

// verifierOf asks neither for what is not a rule of Digikoppeling nor for what is
// checked here.
func verifierOf(t pkioverheid.Trust) (*pkioverheid.Verifier, error) {
	t.Policy, t.Revocation = nil, nil
	return pkioverheid.NewVerifier(t)
}

func met(rule, reason string, args ...any) Result {
	return Result{rule, Met, fmt.Sprintf(reason, args...)}
}

func broken(rule, reason string, args ...any) Result {
	return Result{rule, Broken, fmt.Sprintf(reason, args...)}
}

func notChecked(rule, reason string, args ...any) Result {
	return Result{rule, NotChecked, fmt.Sprintf(reason, args...)}
}

// sentences returns what an error of package pkioverheid says, without the package's name.
func sentences(err error) string {
	var own interface {
		ProblemAdvice() (problem, advice string)
	}
	if !errors.As(err, &own) {
		return safetext.Printable(err.Error(), safetext.MostError)
	}
	problem, advice := own.ProblemAdvice()
	return strings.TrimSuffix(strings.TrimSpace(phrase.Small(problem)+" "+advice), ".")
}

func (d *subject) certificateRules() []Result {
	if d.leaf == nil {
		var all []Result
		for _, rule := range []string{"PKI001", "PKI002", "PKI003", "PKI004", "PKI005"} {
			verdict := NotChecked
			if d.state != nil {
				verdict = Broken // a connection without one
			}
			all = append(all, Result{rule, verdict, "there is no certificate"})
		}
		return all
	}
	valid, tested := d.validity()
	return []Result{d.bearsOIN(), valid, tested, d.crlReachable(), d.privateRoot()}
}

// PKI001: the OIN is in subject:serialNumber.
func (d *subject) bearsOIN() Result {
	const rule = "PKI001"
	oin, err := pkioverheid.OINOf(d.leaf)
	if err != nil {
		return broken(rule, "%s", sentences(err))
	}
	return met(rule, "the subject's serialNumber is the OIN %s", oin)
}

// PKI002: the certificate is valid, not expired and not revoked. PKI003: that was
// tested by date and by the CRL.
func (d *subject) validity() (valid, tested Result) {
	const rule = "PKI002"
	tested = notChecked("PKI003", "no revocation policy was given, so that the dates alone were tested")
	asked := false
	var untold *chain.Error
	if d.revocation != nil {
		tested = notChecked("PKI003", "the CRLs were not consulted, because the chain is not valid")
		if d.chain != nil && d.failed == nil {
			d.refusal, asked = d.revocation(d.chain, d.at), true
			tested = met("PKI003", "the dates and the CRLs were tested")
			if errors.As(d.refusal, &untold) && untold.Reason == chain.RevocationUnknown {
				tested = notChecked("PKI003", "the dates were tested; the CRLs do not say: %s", safetext.Printable(untold.Error(), safetext.MostError))
			}
		}
	}
	claim, _ := pkioverheid.ClaimOf(d.leaf)
	g3 := ofG3(d.leaf)
	var failed *chain.Error
	switch {
	case d.at.Before(d.leaf.NotBefore):
		valid = broken(rule, "it is valid from %s on", phrase.Day(d.leaf.NotBefore))
	case d.at.After(d.leaf.NotAfter):
		valid = broken(rule, "it ended on %s", phrase.Day(d.leaf.NotAfter))
	case g3 != "":
		valid = broken(rule, "%s", g3)
	case claim.Withdrawal != nil:
		valid = broken(rule, "the CA %s was withdrawn", safetext.Quote(claim.Withdrawal.CA))
	case errors.As(d.failed, &failed) && slices.Contains([]chain.Reason{chain.Expired, chain.NotYetValid, chain.Revoked}, failed.Reason):
		valid = broken(rule, "its chain is not valid: %s", safetext.Printable(failed.Error(), safetext.MostError))
	case d.chain == nil:
		valid = notChecked(rule, "the dates are good until %s; its chain does not verify, so that nothing is known of revocation", phrase.Day(d.leaf.NotAfter))
	case d.refusal != nil:
		valid = broken(rule, "it does not count as valid: %s", safetext.Printable(d.refusal.Error(), safetext.MostError))
	case asked:
		valid = met(rule, "it is valid until %s and not revoked", phrase.Day(d.leaf.NotAfter))
	default:
		valid = notChecked(rule, "the dates are good until %s; no revocation policy was given", phrase.Day(d.leaf.NotAfter))
	}
	return valid, tested
}

// PKI004: the CRL can be reached by both parties. What a certificate shows is whether
// it is published over HTTP.
func (d *subject) crlReachable() Result {
	const rule = "PKI004"
	below := []*x509.Certificate{d.leaf}
	if len(d.chain) > 1 {
		below = d.chain[:len(d.chain)-1]
	}
	for _, c := range below {
		if crlAddress(c) == "" {
			return broken(rule, "%s names no CRL that is published over HTTP", safetext.Certificate(c))
		}
	}
	return met(rule, `the CRL is published at %s; whether it can be reached from here was not tried`, safetext.Quote(crlAddress(d.leaf)))
}

func crlAddress(c *x509.Certificate) string {
	for _, address := range c.CRLDistributionPoints {
		lower := strings.ToLower(address[:min(len(address), len("https://"))])
		if strings.HasPrefix(lower, "http://") || lower == "https://" {
			return address
		}
	}
	return ""
}

// PKI005: the certificate is of the private root.
func (d *subject) privateRoot() Result {
	const rule = "PKI005"
	if d.unknown != nil {
		return notChecked(rule, "%s", safetext.Printable(d.unknown.Error(), safetext.MostError))
	}
	if g3 := ofG3(d.leaf); g3 != "" {
		return broken(rule, "%s", g3)
	}
	if d.chain == nil {
		return broken(rule, "it does not verify: %s", safetext.Printable(d.failed.Error(), safetext.MostError))
	}
	root, ok := pkioverheid.ClaimOf(d.chain.Root())
	switch {
	case !ok || root.By != pkioverheid.ByKey:
		return notChecked(rule, "it is under %s, which was added and is not known here", safetext.Certificate(d.chain.Root()))
	case root.Hierarchy.Plan().Public:
		return broken(rule, "it is under %s, which is not a private root", phrase.Stamcertificaat(root.Hierarchy, root.Certificate))
	default:
		return met(rule, "it is under %s", phrase.Stamcertificaat(root.Hierarchy, root.Certificate))
	}
}

// ofG3 returns what is wrong with a certificate under G3, and nothing for others.
func ofG3(cert *x509.Certificate) string {
	var g3 *pkioverheid.G3Error
	if !errors.As(pkioverheid.RejectG3([]*x509.Certificate{cert}), &g3) {
		return ""
	}
	return strings.TrimSuffix(g3.Problem, ".")
}

func (d *subject) connectionRules() []Result {
	rules := []string{"TLS001", "TLS002", "TLS003", "TLS004", "TLS005", "TLS006", "TLSCIPH001"}
	if d.state == nil || !d.state.HandshakeComplete {
		reason := "about connections, and this is a certificate"
		if d.state != nil {
			reason = "the handshake is not complete"
		}
		var all []Result
		for _, rule := range rules {
			all = append(all, notChecked(rule, "%s", reason))
		}
		return all
	}
	old, strong := d.version()
	return []Result{d.tlsWithPKIoverheid(), d.mutual(), old, strong, d.port(), d.ciphers("TLS006"), d.ciphers("TLSCIPH001")}
}

// TLS001: TLS with certificates of PKIoverheid.
func (d *subject) tlsWithPKIoverheid() Result {
	const rule = "TLS001"
	switch {
	case d.leaf == nil:
		return broken(rule, "the other side showed no certificate")
	case len(d.state.VerifiedChains) == 0:
		return broken(rule, "the connection was made without verifying the other side's certificate")
	case d.unknown != nil:
		return notChecked(rule, "%s", safetext.Printable(d.unknown.Error(), safetext.MostError))
	case d.chain == nil || d.failed != nil:
		return broken(rule, "the other side's certificate does not verify: %s", safetext.Printable(d.failed.Error(), safetext.MostError))
	}
	v, err := verifierOf(d.opts.Trust)
	if err != nil {
		return notChecked(rule, "%s", safetext.Printable(err.Error(), safetext.MostError))
	}
	id, err := v.Verify(d.chain, pkioverheid.SignerOptions{Time: d.at, Kinds: []pkioverheid.Kind{pkioverheid.System}}, provedInHandshake)
	known := id.Hierarchy() != ""
	if err != nil {
		c, err := v.Chains().Verify(d.chain.Leaf(), chain.VerifyOptions{Time: d.at, Extra: d.chain[1:], KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		if err != nil {
			return broken(rule, "%s", safetext.Printable(err.Error(), safetext.MostError))
		}
		root, ok := pkioverheid.ClaimOf(c.Root())
		known = ok && root.By == pkioverheid.ByKey
	}
	switch {
	case !known:
		return notChecked(rule, "the other side's root %s was added and is not known here", safetext.Certificate(d.chain.Root()))
	case err != nil:
		return broken(rule, "the other side's certificate is of PKIoverheid, and not one for a system")
	}
	return met(rule, "the other side showed a system's certificate under %s", id.Hierarchy())
}

// provedInHandshake is the proof of possession: TLS has asked for it.
func provedInHandshake(*x509.Certificate) error { return nil }

// TLS002: mutual TLS.
func (d *subject) mutual() Result {
	const rule = "TLS002"
	switch own := d.opts.Own; {
	case d.leaf == nil:
		return broken(rule, "the other side showed no certificate")
	case own == nil || len(own.Raw) == 0:
		return notChecked(rule, "the other side showed a certificate; what this side showed was not given")
	default:
		if c, failed, unknown := verifyFor(own, d.at, d.opts); unknown != nil {
			return notChecked(rule, "%s", safetext.Printable(unknown.Error(), safetext.MostError))
		} else if c == nil || failed != nil {
			return broken(rule, "this side's certificate does not verify: %s", safetext.Printable(failed.Error(), safetext.MostError))
		}
	}
	return met(rule, "both sides showed a certificate")
}

// TLS003 and TLS004: TLS 1.2 is required, 1.3 recommended, nothing older accepted.
func (d *subject) version() (old, strong Result) {
	name := tls.VersionName(d.state.Version)
	switch {
	case d.state.Version < tls.VersionTLS12:
		return broken("TLS003", "%s is older than TLS 1.2", name), broken("TLS004", "%s, where TLS 1.2 is required", name)
	case d.state.Version == tls.VersionTLS12:
		return met("TLS003", "%s", name), met("TLS004", "%s; TLS 1.3 is strongly advised", name)
	}
	return met("TLS003", "%s", name), met("TLS004", "%s, which is strongly advised", name)
}

// TLS005: port 443, and 8443 for the management traffic of FSC.
func (d *subject) port() Result {
	switch d.opts.Port {
	case 0:
		return notChecked("TLS005", "the port was not given")
	case 443:
		return met("TLS005", "port 443")
	case 8443:
		if d.opts.FSC {
			return met("TLS005", "port 8443, for management traffic of FSC")
		}
	}
	return broken("TLS005", "port %d, where 443 is required", d.opts.Port)
}

// TLS006 and TLSCIPH001: what the NCSC rates good or sufficient. A connection shows its
// version and cipher suite.
func (d *subject) ciphers(rule string) Result {
	name := tls.CipherSuiteName(d.state.CipherSuite)
	switch {
	case d.state.Version < tls.VersionTLS12:
		return broken(rule, "%s is older than TLS 1.2", tls.VersionName(d.state.Version))
	case d.opts.FSC && d.state.Version == tls.VersionTLS12 && !hasForwardSecrecy(d.state.CipherSuite):
		return broken(rule, "%s has no forward secrecy, and FSC does not allow it", name)
	case d.state.Version == tls.VersionTLS12 && !slices.Contains(goodCipherSuites(), d.state.CipherSuite):
		return broken(rule, "%s is not rated good or sufficient by the NCSC", name)
	}
	return met(rule, "%s with %s", tls.VersionName(d.state.Version), name)
}

// SIGN001 to SIGN004 are about the signatures on messages.
func messageRules() []Result {
	var all []Result
	for _, rule := range []string{"SIGN001", "SIGN002", "SIGN003", "SIGN004"} {
		all = append(all, notChecked(rule, "about signatures on messages"))
	}
	return all
}

// goodCipherSuites are those of TLS 1.2 that this module's clients and servers have: what
// the NCSC rates good or sufficient.
var goodCipherSuites = sync.OnceValue(func() []uint16 {
	tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{})
	if err != nil {
		return nil
	}
	return tc.CipherSuites
})
