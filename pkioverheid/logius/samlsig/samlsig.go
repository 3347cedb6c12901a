// Package samlsig verifies the signature of SAML metadata (ST-SAML 1.0.0, facts.md §9)
// with github.com/russellhaering/goxmldsig. It is a package of its own so that who does
// without it has nothing to do with that library.
//
// What is signed otherwise than ST-SAML says is refused before the library sees it: there
// is one signature, of the root element by its ID, by RSA or ECDSA with SHA-256 or better.
// Only the element that the library says was signed is read. Refused are also a DTD, more
// than 16 MiB, and more than 64 elements inside one another.
//
// Anybody can buy a certificate. Where the root element carries no OIN, such as
// EntitiesDescriptor, SignerOptions.OINs must say whose signature is expected.
package samlsig

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// VerifyMetadata verifies the signature of SAML metadata, and returns what was signed. The
// signer's certificate, which is in the document, must verify at opts.Time, be one for
// signatures, and bear the entityID's OIN. The [logius.Keyring] checks validUntil.
func VerifyMetadata(doc []byte, v *pkioverheid.Verifier, opts pkioverheid.SignerOptions) (*logius.Metadata, error) {
	if v == nil {
		return nil, errors.New("samlsig: there is no Verifier")
	}
	return all.verify(doc, v, opts)
}

// checks are what a document goes through. Each is a field so that tests can show what
// is accepted without it.
type checks struct {
	bound   func(doc []byte) error
	form    []rule
	bind    func(root *etree.Element, opts pkioverheid.SignerOptions) (pkioverheid.SignerOptions, error)
	maySign func(*x509.Certificate) error
}

var all = checks{bound, form, bind, maySign}

// verifier is a *pkioverheid.Verifier.
type verifier interface {
	Verify(certs []*x509.Certificate, opts pkioverheid.SignerOptions, check func(*x509.Certificate) error) (pkioverheid.Identity, error)
}

func (c checks) verify(doc []byte, v verifier, opts pkioverheid.SignerOptions) (m *logius.Metadata, err error) {
	defer func() {
		if p := recover(); p != nil { // in the library: its work is not ours
			m, err = nil, fmt.Errorf("samlsig: a panic: %s", safetext.Printable(fmt.Sprint(p), safetext.MostError))
		}
	}()
	if err := c.bound(doc); err != nil {
		return nil, fmt.Errorf("samlsig: %w", err)
	}
	tree := etree.NewDocument()
	tree.ReadSettings.MaxDepth = maxDepth + 1
	if err := tree.ReadFromBytes(normalised(doc)); err != nil {
		return nil, fmt.Errorf("samlsig: %w", safetext.Error(err))
	}
	root := tree.Root()
	if root == nil {
		return nil, errors.New("samlsig: there is no element in the document")
	}
	for _, r := range c.form {
		if err := r.check(root); err != nil {
			return nil, fmt.Errorf("samlsig: %w", err)
		}
	}
	signed, err := c.signed(root, v, opts)
	if err != nil {
		return nil, err
	}
	return read(signed)
}

// signed returns the element that was signed: a copy of root, without the signature.
func (c checks) signed(root *etree.Element, v verifier, opts pkioverheid.SignerOptions) (*etree.Element, error) {
	opts, err := c.bind(root, opts)
	if err != nil {
		return nil, fmt.Errorf("samlsig: %w", err)
	}
	var refused []error
	sig := newSignature(root)
	for certs := range sig.candidates(root) {
		tried := sig.candidate(certs[0])
		if tried != nil && !tried.again(certs[1:]) {
			continue
		}
		if err := c.maySign(certs[0]); err != nil {
			refused = append(refused, fmt.Errorf("%s: %w", safetext.Certificate(certs[0]), err))
			refused = refused[:min(len(refused), maxCandidates)]
			continue
		}
		if own, err := pkioverheid.OINOf(certs[0]); len(opts.OINs) > 0 && (err != nil || !slices.Contains(opts.OINs, own)) {
			sig.others++
			continue
		}
		if tried == nil && len(sig.tried) == maxCandidates {
			refused = append(refused, fmt.Errorf("there are more than %d certificates that may have signed, and no more were tried", maxCandidates))
			break
		}
		first := tried == nil
		if first {
			tried = &candidate{leaf: certs[0]}
			sig.tried = append(sig.tried, tried)
		}
		tried.with = append(tried.with, certs[1:])
		var signed *etree.Element
		if _, err = v.Verify(certs, opts, func(cert *x509.Certificate) (err error) {
			tried.asked = true
			signed, err = sig.verify(root, cert, opts.Time)
			return err
		}); err == nil {
			return signed, nil
		}
		if first || tried.asked {
			refused = append(refused, err)
		}
		if sig.altered {
			break // whose key it was makes no difference
		}
	}
	if sig.others > 0 {
		refused = append(refused, fmt.Errorf("%d certificates in the document do not bear the OIN %s", sig.others, opts.OINs[0]))
	}
	if len(refused) == 0 {
		refused = append(refused, errors.New("there is no certificate in the document that may have signed it"))
	}
	return nil, fmt.Errorf("samlsig: the signature is not accepted: %w", errors.Join(refused...))
}

// bind adds the OIN in the root's entityID to what is asked of the signer.
func bind(root *etree.Element, opts pkioverheid.SignerOptions) (pkioverheid.SignerOptions, error) {
	var id string
	if is(root, metadata, "EntityDescriptor") { // on another element it means nothing
		id, _ = attribute(root, "entityID")
	}
	oin, err := logius.Entity{ID: strings.TrimSpace(id)}.OIN() // as ReadMetadata reads it
	switch {
	case err != nil:
		return opts, err
	case oin == "" && len(opts.OINs) == 0:
		return opts, errors.New("the root element carries no OIN, so that nothing in it says whose signature to expect: say it in SignerOptions.OINs")
	case oin == "":
		return opts, nil
	case len(opts.OINs) > 0 && !slices.Contains(opts.OINs, oin):
		return opts, fmt.Errorf("the entityID carries the OIN %s, which is not one of those that are expected", oin)
	}
	opts.OINs = []pkioverheid.OIN{oin}
	return opts, nil
}

// maySign asks whether a certificate is one for signatures, as far as it says so.
func maySign(cert *x509.Certificate) error {
	if cert.KeyUsage != 0 && cert.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return errors.New("its key is not one for signatures")
	}
	return nil
}

// read reads what was signed, and nothing else of the document.
func read(signed *etree.Element) (*logius.Metadata, error) {
	doc := etree.NewDocumentWithRoot(signed)
	doc.WriteSettings = etree.WriteSettings{CanonicalEndTags: true, CanonicalText: true, CanonicalAttrVal: true}
	data, err := doc.WriteToBytes()
	if err != nil {
		return nil, fmt.Errorf("samlsig: %w", safetext.Error(err))
	}
	return logius.ReadMetadata(bytes.NewReader(data))
}
