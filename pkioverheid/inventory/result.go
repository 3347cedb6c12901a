package inventory

import (
	"cmp"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Result is one certificate at one place, or, with an Err, a place that could not
// be looked at. The same certificate in two places is two results.
type Result struct {
	// Target is the argument of Scan that led here.
	Target string

	// Path is the file or folder, empty for a host. Its bytes are those that the
	// system uses, which need not be UTF-8.
	Path string

	// Place says where in the file or in what the host sent, in words: "line 12",
	// `entry 2 "alias"`, "KeyDescriptor[signing]", "chain position 2". It is
	// empty where Err is about the whole.
	Place string

	// Format is that of the file; zero for hosts and where it is not known.
	Format truststore.Format

	// Use is what the place says that the certificate is for.
	Use Use

	// Party is whose the certificate is, as a document has it: the entityID of SAML,
	// the PartyId of a CPA. It is the word of the document, up to 1024 bytes of it.
	Party string

	// Certificate is shared between results and must not be changed; nil with an Err.
	Certificate *x509.Certificate

	// Err says why there is no certificate, naming the file or host.
	Err error

	known *known  // what all results of this certificate share
	from  *source // what all results of this file or host share
}

// Use is what a certificate is for, as the place says where it was found.
type Use string

const (
	UnknownUse         Use = ""                                      // the place does not say
	TrustAnchor        Use = "trust anchor"                          // an entry of a key store that is marked as trusted, an anchor of a CPA
	RestrictedAnchor   Use = "restricted anchor"                     // a file rejects it, or trusts it for nothing of TLS; Place has the words
	KeyEntry           Use = "key entry"                             // its private key lies beside it
	KeyChain           Use = "chain of a key entry"                  // it is above a certificate whose private key lies beside it
	SAMLSigning        Use = "SAML signing"                          // a party signs its messages with it
	SAMLEncryption     Use = "SAML encryption"                       // others encrypt what they send to the party with it
	SAMLAnyUse         Use = "SAML signing and encryption"           // SAML metadata that gives no use: both of these
	DocumentSignature  Use = "document signature"                    // it belongs to the signature of the document itself
	CPAParty           Use = "CPA party"                             // a party of a CPA has it; Place has the references to it
	WSSecurityToken    Use = "WS-Security token"                     // a message carries it for its WS-Security
	JWKCertificate     Use = "JSON Web Key"                          // the x5c of a JSON Web Key has it
	JWSCertificate     Use = "JSON Web Signature"                    // the x5c of a JSON Web Signature has it
	TrustedListService Use = "service of a trusted list"             // a trusted list of the EU has it for a service
	ForwardedClient    Use = "client certificate from a proxy"       // a proxy handed it on, in a header: it is that of a client
	KeyMismatch        Use = "beside the key of another certificate" // the private key beside it is that of another certificate
	TLSServer          Use = "TLS server"                            // a server presents it as its own
	TLSChain           Use = "chain of a TLS server"                 // a server sends it along
)

// Claim returns what the certificate says about itself; false if it is of no
// hierarchy of PKIoverheid, and for a Result with an Err.
func (r Result) Claim() (pkioverheid.Claim, bool) { return pkioverheid.ClaimOf(r.Certificate) }

// Chain returns the path from the certificate to a root that the verifier of the scan
// trusts, for any use, or a *[chain.Error]. What a server presents as its own must also be
// for that host and for servers. At most 32 CAs beside the certificate help to build the
// path, where the verifier knows no issuer.
func (r Result) Chain() (chain.Chain, error) {
	if r.known == nil {
		return nil, r.Err
	}
	return r.known.chain(r.from)
}

// Advice says what is to be done about the certificate; nothing for a Result
// with an Err. It does not look at Chain: what is not a certificate of PKIoverheid is
// "unrecognised", and so is a Result with an Err.
func (r Result) Advice() advice.Advice {
	if r.known == nil {
		return advice.Advice{Status: advice.Unrecognised, Urgency: advice.NotUrgent}
	}
	return r.known.advice()
}

// Explain says what Chain found, for a reader; nil for a Result with an Err. It
// verifies anew each time.
func (r Result) Explain() *chain.Explanation {
	if r.known == nil {
		return nil
	}
	return r.known.explain(r.from)
}

// State is the outcome of Chain in a word or two: "trusted", "withdrawn" for the
// withdrawn part of G3, or the [chain.Reason]; "error" for a Result with an Err.
func (r Result) State() string {
	if r.known == nil {
		return "error"
	}
	_, err := r.Chain()
	var g3 *pkioverheid.G3Error
	var reason *chain.Error
	switch {
	case err == nil:
		return "trusted"
	case errors.As(err, &g3) && g3.Withdrawn:
		return "withdrawn"
	case errors.As(err, &reason):
		return string(reason.Reason)
	}
	return "error"
}

// Where names the file or the host and the place in it, on one line that is safe to
// print.
func (r Result) Where() string {
	where := r.Path
	if where == "" {
		where = r.Target
	}
	where = safetext.Printable(where, maxPath)
	if r.Place != "" {
		where += ", " + r.Place
	}
	return where
}

// String is one line that is safe to print: where, who, until when, and the state.
func (r Result) String() string {
	if r.Certificate == nil {
		if r.Err != nil {
			return r.Err.Error()
		}
		return r.Where()
	}
	var b strings.Builder
	b.WriteString(r.Where())
	b.WriteString(": ")
	b.WriteString(safetext.Certificate(r.Certificate))
	if id, ok := r.Claim(); ok {
		b.WriteString(" (" + id.Hierarchy.String() + " " + id.Role + ")")
	}
	b.WriteString(" until " + r.Certificate.NotAfter.UTC().Format(time.DateOnly) + ": " + r.State())
	return b.String()
}

// resultJSON is the form of a Result in JSON. PathBytes is there only for a path
// that is not UTF-8, in which Path has those bytes escaped.
type resultJSON struct {
	Target      string         `json:"target"`
	Path        string         `json:"path,omitempty"`
	PathBytes   []byte         `json:"pathBytes,omitempty"`
	Place       string         `json:"place,omitempty"`
	Format      string         `json:"format,omitempty"`
	Use         string         `json:"use,omitempty"`
	Party       string         `json:"party,omitempty"`
	Fingerprint string         `json:"fingerprint,omitempty"`
	Subject     string         `json:"subject,omitempty"`
	Issuer      string         `json:"issuer,omitempty"`
	Serial      string         `json:"serial,omitempty"`
	NotBefore   time.Time      `json:"notBefore,omitzero"`
	NotAfter    time.Time      `json:"notAfter,omitzero"`
	Identity    *identityJSON  `json:"identity,omitempty"`
	State       string         `json:"state"`
	Reason      string         `json:"reason,omitempty"`
	Advice      *advice.Advice `json:"advice,omitempty"`
	Error       string         `json:"error,omitempty"`
	Skipped     bool           `json:"skipped,omitempty"`
}

type identityJSON struct {
	Hierarchy pkioverheid.Hierarchy `json:"hierarchy"`
	Role      string                `json:"role"`
	TSP       pkioverheid.TSP       `json:"tsp,omitempty"`
	OIN       pkioverheid.OIN       `json:"oin,omitempty"`
	By        string                `json:"by"`
	Fixture   bool                  `json:"fixture,omitempty"`
}

const (
	maxPath = 4096 // of the name of a file in a text
	maxDN   = 1024 // of a distinguished name in JSON
)

// MarshalJSON returns an object with what is known of the Result, verifying it if that was
// not done: where (target, path, place, format, use, party), who (fingerprint, subject,
// issuer, serial, notBefore, notAfter, identity), state, reason and advice, or error. What
// cannot be printed is escaped; the bytes of a path that is not UTF-8 are in pathBytes, in
// base64.
func (r Result) MarshalJSON() ([]byte, error) {
	j := resultJSON{
		Target: safetext.Printable(r.Target, maxPath),
		Path:   safetext.Printable(r.Path, maxPath),
		Place:  r.Place,
		Format: string(r.Format),
		Party:  safetext.Printable(r.Party, maxDN),
		State:  r.State(),
	}
	if !utf8.ValidString(r.Path) {
		j.PathBytes = []byte(r.Path)
	}
	if r.Err != nil {
		j.Error = r.Err.Error()
		j.Skipped = errors.Is(r.Err, ErrSkipped)
	}
	if c := r.Certificate; c != nil {
		j.Use = cmp.Or(string(r.Use), "unknown")
		j.Fingerprint = truststore.FingerprintOf(r.Certificate).String()
		j.Subject = safetext.Name(c.Subject, maxDN)
		j.Issuer = safetext.Name(c.Issuer, maxDN)
		if c.SerialNumber != nil && c.SerialNumber.BitLen() <= 8*64 {
			j.Serial = c.SerialNumber.Text(16)
		}
		j.NotBefore, j.NotAfter = c.NotBefore.UTC(), c.NotAfter.UTC()
		if id, ok := r.Claim(); ok {
			j.Identity = &identityJSON{id.Hierarchy, id.Role, id.TSP, id.OIN, id.By, id.Fixture}
		}
		if _, err := r.Chain(); err != nil {
			j.Reason = err.Error()
		}
		advice := r.Advice()
		j.Advice = &advice
	}
	return json.Marshal(j)
}

// ErrSkipped is found by [errors.Is] in the Err of what was skipped and most likely holds no
// certificate that is not found elsewhere: see "Details" in the package documentation.
var ErrSkipped = errors.New("inventory: skipped")

// trouble is why a place could not be looked at.
type trouble struct {
	where   string // a path, or a host
	place   string // in it, with what is between it and the text
	text    string // may be empty: then cause says it
	advice  string // what a program does about it, may be empty
	cause   error
	skipped bool
}

func (t *trouble) Error() string {
	text, advice := t.ProblemAdvice()
	if advice != "" {
		text += ": " + advice
	}
	return "inventory: " + safetext.Printable(t.where, maxPath) + ": " + text
}

// ProblemAdvice returns what is wrong with the Path, and what a program does about it.
func (t *trouble) ProblemAdvice() (problem, advice string) {
	text := t.text
	if text == "" {
		text = problemOf(t.cause)
	}
	return t.place + safetext.Printable(text, safetext.MostError), t.advice
}

// problemOf is what an error says without the name of a package, if it has that apart.
func problemOf(err error) string {
	if e, ok := err.(interface {
		ProblemAdvice() (problem, advice string)
	}); ok {
		problem, _ := e.ProblemAdvice()
		return problem
	}
	return err.Error()
}

func (t *trouble) Unwrap() error { return t.cause }

func (t *trouble) Is(target error) bool { return t.skipped && target == ErrSkipped }
