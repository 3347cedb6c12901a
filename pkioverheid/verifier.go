package pkioverheid

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Verifier verifies certificates that come in another way than a TLS handshake: beside a
// signature, in a token (x5c), in SAML metadata, from an archive. Below Trust.Roots it takes
// the policies in a certificate for those of PKIoverheid. It is safe for concurrent use.
type Verifier struct {
	current *current[*trustState]
}

// NewVerifier returns a Verifier.
func NewVerifier(t Trust) (*Verifier, error) {
	t = t.snapshot()
	c, err := newCurrent(sources{roots: t.Roots, distrusted: t.Distrusted, tracing: newTracing(t)}, t.Logger, func(now contents) (*trustState, error) {
		state, err := newTrustState(t, forServers, t.trusted(), now.trustContents)
		if err != nil {
			return nil, err
		}
		for root := range now.roots.All() {
			state.systemRoots.Add(root)
		}
		return state, nil
	})
	if err != nil {
		return nil, err
	}
	return &Verifier{c}, nil
}

// SignerOptions say when, for what and by whom a certificate was used.
type SignerOptions struct {
	// Time to verify at; zero is that of Trust.Time.
	Time time.Time

	// KeyUsages of which the certificate must allow one; empty allows any.
	KeyUsages []x509.ExtKeyUsage

	// Kinds of which the holder must be one; empty is systems and organisations. Anything
	// but the constants, zero too, is an error.
	Kinds []Kind

	// OINs of which the certificate must bear one; empty allows any, and none. That of a
	// person bears none. One that is not valid is an error.
	OINs []OIN
}

// maxSignerCertificates bounds what comes along: PKIoverheid has four layers.
const maxSignerCertificates = 10

var (
	errNoCheck       = errors.New("pkioverheid: Verifier.Verify needs a check of the signature: a certificate alone proves nothing")
	errNoCertificate = errors.New("pkioverheid: there is no certificate to verify")
)

// Verify returns who signed. The signer's certificate comes first, CAs in any order after
// it, at most ten in all. check checks the signature of the token or message with the
// verified certificate: an [Identity] needs that proof, and nil is an error. It is called
// once, after all else has passed, and must not modify the certificate. What certs hold
// counts as bytes. For what is not verified twice, see Memory in package chain.
func (v *Verifier) Verify(certs []*x509.Certificate, opts SignerOptions, check func(*x509.Certificate) error) (Identity, error) {
	if check == nil {
		return Identity{}, errNoCheck
	}
	id, err := v.verify(certs, &opts)
	if err != nil {
		return Identity{}, err
	}
	return proved(id, check)
}

// VerifyRaw is [Verifier.Verify] for certificates in DER, which it finds by their bytes.
func (v *Verifier) VerifyRaw(certs [][]byte, opts SignerOptions, check func(*x509.Certificate) error) (Identity, error) {
	switch {
	case check == nil:
		return Identity{}, errNoCheck
	case len(certs) == 0:
		return Identity{}, errNoCertificate
	case len(certs) > maxSignerCertificates:
		return Identity{}, tooMany(len(certs))
	}
	t := v.current.get()
	vo, err := opts.complete(t)
	if err != nil {
		return Identity{}, err
	}
	c, err := t.complete.VerifyRaw(certs, vo)
	if err != nil {
		return Identity{}, err
	}
	id, err := t.signer(c, &opts, vo.Time)
	if err != nil {
		return Identity{}, err
	}
	return proved(id, check)
}

// Inspect returns the verified chain of a certificate, and what the certificate claims. It
// proves nothing about whoever presented it, and gives nobody an [Identity].
func (v *Verifier) Inspect(certs []*x509.Certificate, opts SignerOptions) (chain.Chain, Claim, error) {
	id, err := v.verify(certs, &opts)
	if err != nil {
		return nil, Claim{}, err
	}
	return id.Chain(), id.Claim(), nil
}

// Chains returns the chain.Verifier that v uses at this moment: for its Explain, and for its
// CertPool, which asks for revocation too. The time and the key usages (a server's if none
// are given) go with each certificate there.
func (v *Verifier) Chains() *chain.Verifier { return v.current.get().complete }

func (v *Verifier) verify(certs []*x509.Certificate, opts *SignerOptions) (Identity, error) {
	switch {
	case len(certs) == 0 || slices.ContainsFunc(certs, func(c *x509.Certificate) bool { return c == nil || len(c.Raw) == 0 }):
		return Identity{}, errNoCertificate
	case len(certs) > maxSignerCertificates:
		return Identity{}, tooMany(len(certs))
	}
	t := v.current.get()
	vo, err := opts.complete(t)
	if err != nil {
		return Identity{}, err
	}
	vo.Extra = certs[1:]
	c, err := t.complete.Verify(certs[0], vo)
	if err != nil {
		return Identity{}, err
	}
	return t.signer(c, opts, vo.Time)
}

var (
	anyUsage    = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	signerKinds = []Kind{System, Organisation}
)

// complete checks the options, and puts in what the zero values mean.
func (o *SignerOptions) complete(t *trustState) (chain.VerifyOptions, error) {
	for _, k := range o.Kinds {
		if k != System && k != Organisation && k != Person && k != ForTests { // empty is that of every certificate with other policies
			return chain.VerifyOptions{}, fmt.Errorf("pkioverheid: SignerOptions.Kinds holds %s, which is not a Kind", safetext.Quote(string(k)))
		}
	}
	for _, u := range o.KeyUsages {
		if u < 0 { // crypto/x509 would take any certificate
			return chain.VerifyOptions{}, fmt.Errorf("pkioverheid: SignerOptions.KeyUsages holds %d, which is not a key usage", int(u))
		}
	}
	for _, oin := range o.OINs {
		if err := oin.Validate(); err != nil {
			return chain.VerifyOptions{}, fmt.Errorf("pkioverheid: SignerOptions.OINs: %w", err)
		}
	}
	if len(o.Kinds) == 0 {
		o.Kinds = signerKinds
	}
	vo := chain.VerifyOptions{Time: o.Time, KeyUsages: o.KeyUsages}
	if vo.Time.IsZero() {
		vo.Time = t.clock()
	}
	if len(vo.KeyUsages) == 0 {
		vo.KeyUsages = anyUsage
	}
	return vo, nil
}

// signer reads who a verified chain is of, and refuses others than opts ask for.
func (t *trustState) signer(c chain.Chain, opts *SignerOptions, at time.Time) (Identity, error) {
	id, err := t.identify(c)
	if err != nil {
		return Identity{}, err
	}
	if !slices.Contains(opts.Kinds, id.kind) {
		return Identity{}, refusedSigner(c, at, fmt.Errorf("pkioverheid: it is not the certificate of %s, by its policies", listKinds(opts.Kinds)))
	}
	if len(opts.OINs) == 0 {
		return id, nil
	}
	own, err := OINOf(c.Leaf())
	switch {
	case err != nil:
	case id.kind == Person: // each TSP numbers persons as it likes
		err = errors.New("pkioverheid: it is the certificate of a person, whose serialNumber is not an OIN")
	case !slices.Contains(opts.OINs, own):
		err = fmt.Errorf("pkioverheid: it bears the OIN %s, which is not one of those that are expected", own)
	}
	if err != nil {
		return Identity{}, refusedSigner(c, at, err)
	}
	return id, nil
}

func refusedSigner(c chain.Chain, at time.Time, why error) error {
	return &chain.Error{Reason: chain.RefusedByPolicy, Chain: c, Cert: c.Leaf(), At: at, Err: []error{why}}
}

// proved asks for the proof that an identity needs.
func proved(id Identity, check func(*x509.Certificate) error) (Identity, error) {
	if err := check(id.Certificate()); err != nil {
		return Identity{}, fmt.Errorf("pkioverheid: the signature was not proved to be of %s: %w", safetext.Certificate(id.Certificate()), err)
	}
	return id, nil
}

func listKinds(kinds []Kind) string {
	var names []string
	for _, k := range kinds {
		switch k {
		case Organisation:
			names = append(names, "an organisation")
		case ForTests:
			names = append(names, "nobody, for tests")
		default:
			names = append(names, "a "+string(k))
		}
	}
	return strings.Join(names, " or ")
}

func tooMany(n int) error {
	return fmt.Errorf("pkioverheid: there are %d certificates, and at most %d are read", n, maxSignerCertificates)
}
