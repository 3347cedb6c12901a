package chain

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain/internal/quote"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Explanation tells a reader what a verification found: see [Verifier.Explain].
// Names from certificates and hosts in it are escaped, as by strconv.Quote or RFC 4514, and
// shortened, so that none can take over a terminal; who shows it in HTML must escape
// it for that. It can be marshalled as JSON; String is for people.
type Explanation struct {
	// OK is the verdict of [Verifier.Verify].
	OK bool `json:"ok"`

	// Reason, Problem and Advice are what broke it first: in a word, in a sentence,
	// and what to do about it. If OK, Reason is zero, Problem is empty, and
	// Advice says what a peer that knows less would need, if anything.
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
	NotBefore   time.Time              `json:"not_before"`
	NotAfter    time.Time              `json:"not_after"`
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

// Explain verifies what somebody sent or delivered and says what it found: the
// path as far as it goes, what is fine and what is not about each certificate, the
// first thing that broke it, and what to do. certs can come in any order, be
// repeated, and hold more than belongs to the path; the certificate that it is about
// is picked as by [Verifier.Complete], and the others and opts.Extra help.
//
// The verdict is that of [Verifier.Verify], and so are its policies; the rest serves
// the reader. To explain an *[Error], give its Chain, and its At as the time.
func (v *Verifier) Explain(certs []*x509.Certificate, opts VerifyOptions) *Explanation {
	if opts.Time.IsZero() {
		opts.Time = time.Now()
	}
	if len(opts.KeyUsages) == 0 {
		opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	given := truststore.New(certs...)
	leaf := endEntity(given)
	given.Add(opts.Extra...)
	opts.Extra = slices.DeleteFunc(slices.Collect(given.All()), func(c *x509.Certificate) bool { return c == leaf })

	s := v.state.Load()
	path, err := s.verify(leaf, opts)
	x := explaining{state: s, given: given, opts: opts, path: path, left: work{left: s.limits.Signatures}}
	e := &Explanation{OK: err == nil, Err: err, Time: marshallable(opts.Time), Host: quote.Escaped(opts.DNSName, quote.Most)}
	if err != nil {
		x.fail(leaf, err)
		e.Reason = x.failed.Reason
	}
	used := truststore.New(x.path...)
	remaining := opts.KeyUsages
	e.Path = make([]ExplainedCertificate, 0, len(x.path))
	for i, cert := range x.path {
		told := x.describe(cert)
		told.Observations = x.observe(i, &remaining)
		e.Path = append(e.Path, told)
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
	*state
	given  *truststore.Store
	opts   VerifyOptions
	path   Chain
	failed *Error // nil if Verify accepts
	left   work
}

// fail takes what Verify says of a refusal. Of a refusal by a policy or a veto,
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
		x.path = x.climb(leaf, x.given, x.opts.Time).path // a veto stops before
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
		serial = quote.Escaped(fmt.Sprintf("%02x", cert.SerialNumber.Bytes()), quote.Most)
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

// observe looks at one certificate of the path. remaining is what usages are left of
// those asked for, from the leaf up to this certificate.
func (x *explaining) observe(i int, remaining *[]x509.ExtKeyUsage) []Observation {
	var (
		cert     = x.path[i]
		at       = x.opts.Time
		observed []Observation
	)
	add := func(name ObservationName, ok bool, text string, args ...any) {
		result := Pass
		if !ok {
			result = Fail
		}
		observed = append(observed, Observation{name, result, fmt.Sprintf(text, args...)})
	}

	switch {
	case at.Before(cert.NotBefore):
		add(ObservedValidity, false, "%s", begins(cert, at))
	case at.After(cert.NotAfter):
		add(ObservedValidity, false, "%s", ended(cert, at))
	default:
		add(ObservedValidity, true, "valid at that time")
	}

	observed = append(observed, x.observeIssuer(i))

	if i == 0 && isCA(cert) {
		add(ObservedCA, true, "a CA")
	}
	if i > 0 {
		if isCA(cert) {
			add(ObservedCA, true, "a CA")
		} else {
			add(ObservedCA, false, "it is no CA, so it may not issue certificates")
		}
		if isCA(cert) && cert.MaxPathLen >= 0 {
			if i-1 > cert.MaxPathLen {
				add(ObservedPathLength, false, "it allows %s below it, and there %s", count(cert.MaxPathLen, "CA"), areThere(i-1))
			} else {
				add(ObservedPathLength, true, "allows %s below it", count(cert.MaxPathLen, "CA"))
			}
		}
		if cert.KeyUsage != 0 {
			if cert.KeyUsage&x509.KeyUsageCertSign == 0 {
				add(ObservedKeyUsage, false, "its key may not sign certificates (keyCertSign is missing)")
			} else {
				add(ObservedKeyUsage, true, "its key may sign certificates")
			}
		}
	}

	if restricted := len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0; restricted && len(*remaining) > 0 {
		asked := *remaining
		if !slices.Contains(asked, x509.ExtKeyUsageAny) && !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny) {
			*remaining = slices.DeleteFunc(slices.Clone(asked), func(u x509.ExtKeyUsage) bool { return !slices.Contains(cert.ExtKeyUsage, u) })
		}
		if len(*remaining) == 0 {
			add(ObservedExtendedKeyUsage, false, "it is for %s, not for %s", usagesOfCert(cert), orList(usageNames(asked)))
		} else {
			add(ObservedExtendedKeyUsage, true, "for %s", usagesOfCert(cert))
		}
	}

	if i > 0 && constrainsNames(cert) {
		text := "limits the names in certificates below it"
		var names []string
		for _, permitted := range [][]string{cert.PermittedDNSDomains, cert.PermittedEmailAddresses} {
			for _, name := range permitted[:min(len(permitted), listed)] {
				names = append(names, quote.Text(name))
			}
		}
		if len(names) > 0 {
			text += " to " + andList(shortList(names, len(cert.PermittedDNSDomains)+len(cert.PermittedEmailAddresses)))
		}
		c := Observation{ObservedNames, Pass, text}
		if x.failed != nil && x.failed.Reason == NameNotPermitted {
			c.Result = Unknown
		}
		observed = append(observed, c)
	}

	if len(cert.UnhandledCriticalExtensions) > 0 {
		add(ObservedExtensions, false, "it has the critical extension %s, which is not understood here", quote.Escaped(cert.UnhandledCriticalExtensions[0].String(), quote.Most))
	}

	if i == 0 && x.opts.DNSName != "" {
		if cert.VerifyHostname(x.opts.DNSName) == nil {
			add(ObservedHost, true, "for this host")
		} else {
			add(ObservedHost, false, "%s", notFor(cert, x.opts.DNSName))
		}
	}
	return observed
}

// observeIssuer looks at what stands above a certificate of the path.
func (x *explaining) observeIssuer(i int) Observation {
	cert := x.path[i]
	if i+1 < len(x.path) {
		if x.failed != nil {
			if why := x.signedBy(cert, x.path[i+1]); why != "" {
				return Observation{ObservedSignature, Fail, why}
			}
		}
		return Observation{ObservedSignature, Pass, "signed by the CA above"}
	}
	if x.roots.Contains(cert) {
		return Observation{ObservedTrust, Pass, "a root that is trusted here"}
	}
	switch x.failed.Reason {
	case UnknownAuthority, BadSignature, NotACA:
		name, text, _ := x.top(cert)
		return Observation{name, Fail, text}
	}
	if selfIssued(cert) {
		return Observation{ObservedTrust, Unknown, "not among the roots that are trusted here"}
	}
	return Observation{ObservedTrust, Unknown, "what stands above it was not looked at"}
}

func (x *explaining) signedBy(child, parent *x509.Certificate) (why string) {
	if x.limits.beyond(parent) != "" || !x.left.allows(child, parent) {
		return "the signature was not checked, for that would take too much"
	}
	var notCA x509.ConstraintViolationError
	switch err := child.CheckSignatureFrom(parent); {
	case err == nil:
		return ""
	case errors.As(err, &notCA):
		return "the certificate above may not issue certificates"
	}
	return "it was not signed by the key of the certificate above"
}

// ending says how a path ends that leads to no trusted root.
type ending uint8

const (
	endsSelfSigned    ending = iota // at a root that is not trusted here
	endsIssuerMissing               // nobody of the issuer's name is at hand
	endsOtherKey                    // one of the issuer's name is, with another key
	endsNotSigned                   // one is, and did not sign this
	endsNoCA                        // one is, and is no CA
)

// top says what is known of the issuer of a certificate above which no path leads
// to a trusted root.
func (x *explaining) top(cert *x509.Certificate) (name ObservationName, text string, end ending) {
	if selfIssued(cert) {
		return ObservedTrust, "self-signed, and not among the roots that are trusted here", endsSelfSigned
	}
	issuer := quote.Text(issuerName(cert))
	end = endsIssuerMissing
	for _, s := range []*truststore.Store{x.roots, x.intermediates, x.given} {
		for candidate := range s.BySubject(cert.RawIssuer) {
			found := endsNotSigned
			switch {
			case !isCA(candidate) || candidate.KeyUsage != 0 && candidate.KeyUsage&x509.KeyUsageCertSign == 0:
				found = endsNoCA
			case !keyIdentifiersMatch(cert, candidate):
				found = endsOtherKey
			}
			if x.failed.Reason == NotACA && found == endsNoCA || x.failed.Reason == BadSignature && found == endsNotSigned || end == endsIssuerMissing {
				end = found
			}
		}
	}
	switch end {
	case endsOtherKey:
		return ObservedTrust, "a CA named " + issuer + " is at hand, but it has another key than its issuer", end
	case endsNotSigned:
		return ObservedSignature, "it names " + issuer + " as its issuer, whose key did not sign it", end
	case endsNoCA:
		return ObservedSignature, "it names " + issuer + " as its issuer, which may not issue certificates", end
	}
	return ObservedTrust, "its issuer " + issuer + " was neither given nor is it known here", end
}

// blamed are the observations that a reason is about, the first if there is none yet.
func blamed(r Reason) []ObservationName {
	switch r {
	case Expired, NotYetValid:
		return []ObservationName{ObservedValidity}
	case UnknownAuthority:
		return []ObservationName{ObservedTrust, ObservedSignature}
	case BadSignature:
		return []ObservationName{ObservedSignature, ObservedTrust}
	case WrongName:
		return []ObservationName{ObservedHost}
	case WrongUsage:
		return []ObservationName{ObservedExtendedKeyUsage}
	case PathTooLong:
		return []ObservationName{ObservedPathLength}
	case NameNotPermitted:
		return []ObservationName{ObservedNames}
	case NotACA:
		return []ObservationName{ObservedCA, ObservedKeyUsage, ObservedSignature}
	case Revoked, RevocationUnknown:
		return []ObservationName{ObservedRevocation}
	case Unsupported:
		return []ObservationName{ObservedExtensions}
	}
	return []ObservationName{ObservedPolicy}
}

// blame finds the certificate of the path that the reason is about, and makes
// sure that its observations say so; nil if there is none.
func (x *explaining) blame(path []ExplainedCertificate) *x509.Certificate {
	if len(path) == 0 {
		return nil
	}
	names := blamed(x.failed.Reason)
	culprit := -1
	if x.failed.Cert != nil {
		culprit = slices.IndexFunc(x.path, x.failed.Cert.Equal)
	}
	for i, cert := range path {
		// Of usages, crypto/x509 names the leaf, whichever certificate forbids them.
		if culprit >= 0 && i != culprit && x.failed.Reason != WrongUsage {
			continue
		}
		for _, c := range cert.Observations {
			if c.Result == Fail && slices.Contains(names, c.Name) {
				return cert.Certificate
			}
		}
	}
	culprit = max(culprit, 0)
	text := x.failed.Reason.String()
	if said := x.said(); said != "" {
		text += ": " + said
	}
	name := names[0]
	if key, work := x.overLimits(); key || work {
		name = ObservedLimits
	}
	path[culprit].Observations = append(path[culprit].Observations, Observation{name, Fail, text})
	return path[culprit].Certificate
}

// overLimits reports whether a key, or the work to be done, is beyond the Limits.
func (x *explaining) overLimits() (key, work bool) {
	var beyond errBeyond
	return errors.As(x.failed, &beyond),
		errors.Is(x.failed, errTooMany) || errors.Is(x.failed, errTooMuch) || errors.Is(x.failed, errGaveUp)
}

// said is what crypto/x509 or a policy said, in one line.
func (x *explaining) said() string {
	var b strings.Builder
	for _, err := range x.failed.underneath() {
		if err == errBeforeSignatures {
			continue // the signatures of the path were checked since
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		if b.Len() > 400 {
			b.WriteString("…")
			break
		}
		text := err.Error()
		var invalid x509.CertificateInvalidError
		if errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName && invalid.Detail != "" {
			text = invalid.Detail
		}
		writeLine(&b, strings.TrimPrefix(strings.TrimPrefix(text, "chain: "), "x509: "))
	}
	return b.String()
}

// problem puts the reason into a sentence about cert, and what to do into others.
func (x *explaining) problem(cert *x509.Certificate) (problem, advice string) {
	if cert == nil {
		return "There is no certificate to look at.", "Give the certificate that it is about, in any order with those of its CAs."
	}
	var (
		name   = quote.Certificate(cert)
		leaf   = cert == x.path[0]
		at     = x.opts.Time
		server = "whoever sent or delivered it"
	)
	switch x.failed.Reason {
	case Expired:
		problem = name + " has expired: it " + ended(cert, at) + "."
		if leaf {
			return problem, "Ask its holder to renew it: a new certificate from a CA, put where the old one is. Check also that the clock is right."
		}
		return problem, "This is a CA. Ask " + server + " for a newer certificate of this CA; if there is none, the certificates below it must be replaced by ones of another CA. Check also that the clock is right."
	case NotYetValid:
		problem = name + " is not valid yet: it " + begins(cert, at) + "."
		return problem, "Check the clock first. If that is right, wait until then, or use the certificate that this one is to replace."
	case UnknownAuthority:
		return x.unknownAuthority(x.path[len(x.path)-1])
	case BadSignature:
		return name + " names " + quote.Text(issuerName(cert)) + " as its issuer, and the key of that CA did not sign it.",
			"It was changed, damaged or forged, or comes from another CA of the same name. Get it anew from the CA that issued it, and do not use this one."
	case WrongName:
		problem = "The certificate " + name + " " + notFor(cert, x.opts.DNSName) + "."
		if len(cert.DNSNames)+len(cert.IPAddresses) == 0 {
			return problem, "Ask its holder for a certificate with the host among its subjectAltNames. A common name does not count."
		}
		return problem, "Connect by a name that is in the certificate. If the host is the right one, ask its holder for a certificate that names it."
	case WrongUsage:
		asked := orList(usageNames(x.opts.KeyUsages))
		if !leaf {
			return name + " may not issue certificates for " + asked + ": it is for " + usagesOfCert(cert) + ".",
				"Ask for a certificate of a CA that may issue for " + asked + "."
		}
		return name + " may not be used for " + asked + ": it is for " + usagesOfCert(cert) + ".",
			"Use it for what it is meant for, or ask for a certificate that allows " + asked + " and whose CAs allow it too."
	case PathTooLong:
		return name + " allows " + count(cert.MaxPathLen, "CA") + " between itself and the certificate at the end, and there " + areThere(slices.IndexFunc(x.path, cert.Equal)-1) + ".",
			"One of the CAs below it was issued against its rules. Ask " + server + " for the right chain, or for a certificate of another CA."
	case NameNotPermitted:
		return "A CA above " + name + " may not issue for a name in it: " + x.said() + ".",
			"Ask for a certificate whose names are within what its CA may issue for, or for one of another CA."
	case NoValidPolicy:
		return "A certificate in the path of " + name + " requires a certificate policy, and the others do not all have one in common.",
			"Ask for a certificate with the policies that its CA requires, or for one of another CA."
	case NotACA:
		if _, text, end := x.top(cert); end == endsNoCA {
			problem = name + " was not issued by a CA: " + text + "."
		} else {
			problem = name + " stands where a CA should, and is none."
		}
		return problem, "Do not trust it. Ask " + server + " for a certificate that a CA issued, and for the certificates of that CA."
	case RefusedByPolicy:
		return name + " is refused by a rule of this program: " + x.said() + ".",
			"Do as the rule says. If the rule is wrong, change it where the program sets its policies: it is not part of the certificates."
	case Revoked:
		problem = name + " was revoked: " + x.said() + "."
		if leaf {
			return problem, "Do not use it again. Ask its holder for a new certificate, with a new key if the old one may be known to others."
		}
		return problem, "This is a CA: nothing that it issued counts any more. Ask for a certificate of another CA."
	case RevocationUnknown:
		return "Whether " + name + " was revoked cannot be told: " + x.said() + ".",
			"The certificate may be good. See to it that the CRL of its issuer can be fetched, or put it where this program looks for it."
	}
	key, work := x.overLimits()
	switch {
	case key:
		return name + " cannot be handled: " + x.said() + ".",
			"Ask for a certificate with a key of a common size, from a CA with such a key."
	case work:
		return "Too much was given to find a path from " + name + ": " + x.said() + ".",
			"Give this certificate and those of its CAs only, each once."
	}
	return name + " cannot be handled: " + x.said() + ".",
		"Ask for a certificate of a common kind, or look for a newer version of this program."
}

func (x *explaining) unknownAuthority(end *x509.Certificate) (problem, advice string) {
	name, issuer := quote.Certificate(end), quote.Text(issuerName(end))
	_, text, how := x.top(end)
	switch how {
	case endsSelfSigned:
		if len(x.path) == 1 && !isCA(end) {
			return name + " is self-signed: no CA vouches for it.",
				"Ask its holder for a certificate of a CA that is trusted here. A certificate that is no CA cannot be made a root; to accept this one only, issue it from a CA of your own and trust that."
		}
		return "The path ends at " + name + ", a root that is not trusted here.",
			"If it should be: compare its SHA-256 with what its owner publishes, by another way than this one, and add it to the roots. Otherwise ask for a certificate of a CA that is trusted here."
	case endsIssuerMissing:
		problem = "The certificate of " + issuer + ", the issuer of " + name + ", is missing: it was neither given nor is it known here."
		advice = "Let the other side send its whole chain, without the root; or get the certificate of " + issuer + " from who supplied this one, and give it along."
		if len(end.IssuingCertificateURL) > 0 {
			const most = 100 // a shortened URL leads nowhere, and those of real CAs have up to 77
			advice += " The certificate says that it is at \"" + quote.Escaped(end.IssuingCertificateURL[0], most) + "\"."
		}
		return problem, advice + " If it is a root that you trust, add it to the roots."
	case endsOtherKey:
		return "The issuer of " + name + " is missing: " + text + ".",
			"The CA has several certificates, or another CA uses its name. Get the certificate of the issuer from who supplied this one, and give it along."
	}
	return "No path leads from " + name + " to a root that is trusted here: " + text + ".",
		"Ask for the chain that belongs to this certificate, and for its root, if that should be trusted here."
}

// incomplete says what a peer needs that does not hold what this verifier does.
func (x *explaining) incomplete() string {
	var missing []string
	for _, cert := range x.path {
		if !x.given.Contains(cert) && !x.roots.Contains(cert) {
			missing = append(missing, quote.Certificate(cert))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "Others may not know the CAs that are known here: send " + andList(missing) + " along."
}

func begins(cert *x509.Certificate, at time.Time) string {
	return fmt.Sprintf("begins on %s, %s after %s", moment(cert.NotBefore, at), span(cert.NotBefore.Sub(at)), moment(at, cert.NotBefore))
}

func ended(cert *x509.Certificate, at time.Time) string {
	return fmt.Sprintf("ended on %s, %s before %s", moment(cert.NotAfter, at), span(at.Sub(cert.NotAfter)), moment(at, cert.NotAfter))
}

// moment is a day, or a time where the other is within two days.
func moment(t, other time.Time) string {
	if d := t.Sub(other).Abs(); d < 48*time.Hour {
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return t.UTC().Format(time.DateOnly)
}

func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return count(int(d/(24*time.Hour)), "day")
	case d >= 2*time.Hour:
		return count(int(d/time.Hour), "hour")
	case d >= 2*time.Minute:
		return count(int(d/time.Minute), "minute")
	}
	return count(int(d/time.Second), "second")
}

func areThere(n int) string {
	if n == 1 {
		return "is 1"
	}
	return "are " + strconv.Itoa(n)
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// notFor says for which hosts a certificate is.
func notFor(cert *x509.Certificate, host string) string {
	names := slices.Clone(cert.DNSNames[:min(len(cert.DNSNames), listed)])
	for _, ip := range cert.IPAddresses[:min(len(cert.IPAddresses), listed)] {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "names no host (it has no subjectAltName for one), so it is not for " + quote.Text(host)
	}
	for i := range names {
		names[i] = quote.Text(names[i])
	}
	hosts := "host "
	if len(names) > 1 {
		hosts = "hosts "
	}
	return "is for the " + hosts + andList(shortList(names, len(cert.DNSNames)+len(cert.IPAddresses))) + ", not for " + quote.Text(host)
}

// listed is how many items of a list are told.
const listed = 4

// shortList keeps the first of items, and says how many more there are: all of a
// list, or the first of it, but no fewer than listed.
func shortList(items []string, all int) []string {
	if all <= listed {
		return items
	}
	return append(slices.Clone(items[:listed-1]), fmt.Sprintf("%d more", all-listed+1))
}

func andList(items []string) string { return list(items, " and ") }

func orList(items []string) string { return list(items, " or ") }

func list(items []string, last string) string {
	if len(items) == 0 {
		return "nothing"
	}
	if len(items) == 1 {
		return items[0]
	}
	return strings.Join(items[:len(items)-1], ", ") + last + items[len(items)-1]
}

func usagesOfCert(cert *x509.Certificate) string {
	names := usageNames(cert.ExtKeyUsage[:min(len(cert.ExtKeyUsage), listed)])
	for _, id := range cert.UnknownExtKeyUsage[:min(len(cert.UnknownExtKeyUsage), listed)] {
		names = append(names, quote.Escaped(id.String(), quote.Most))
	}
	if len(names) == 0 {
		return "anything"
	}
	return andList(shortList(names, len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage)))
}

func usageNames(usages []x509.ExtKeyUsage) []string {
	var names []string
	for _, u := range usages[:min(len(usages), 100)] {
		names = append(names, usageName(u))
	}
	return names
}

// usageName is the name of an extended key usage in RFC 5280 section 4.2.1.12,
// where it has one.
func usageName(u x509.ExtKeyUsage) string {
	switch u {
	case x509.ExtKeyUsageAny:
		return "any use"
	case x509.ExtKeyUsageServerAuth:
		return "serverAuth"
	case x509.ExtKeyUsageClientAuth:
		return "clientAuth"
	case x509.ExtKeyUsageCodeSigning:
		return "codeSigning"
	case x509.ExtKeyUsageEmailProtection:
		return "emailProtection"
	case x509.ExtKeyUsageTimeStamping:
		return "timeStamping"
	case x509.ExtKeyUsageOCSPSigning:
		return "OCSPSigning"
	}
	return "usage number " + strconv.Itoa(int(u))
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

func issuerName(cert *x509.Certificate) string {
	if cert.Issuer.CommonName != "" {
		return cert.Issuer.CommonName
	}
	return safetext.Name(cert.Issuer, maxNameText)
}

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
