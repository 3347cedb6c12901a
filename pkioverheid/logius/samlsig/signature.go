package samlsig

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// maxCandidates are the certificates that are tried: a signer has one or two.
const maxCandidates = 8

// maxPaths bounds how often one of them is tried, each time with other CAs beside it.
const maxPaths = 4

// maxAbove bounds the CAs that come along with one: PKIoverheid has four layers.
const maxAbove = 8

// signature is that of a document, on the way to who made it.
type signature struct {
	keys   [][]*x509.Certificate // of its KeyInfo
	name   string                // KeyName
	info   []byte                // the canonical SignedInfo, nil if there is none
	value  []byte
	method x509.SignatureAlgorithm

	inclusive bool // there are InclusiveNamespaces in CanonicalizationMethod

	tried   []*candidate
	others  int  // certificates of others in the document
	altered bool // one of them made the signature, and the document is another
}

// candidate is a certificate that was tried.
type candidate struct {
	leaf  *x509.Certificate
	with  [][]*x509.Certificate // the CAs beside it, each time
	asked bool                  // whether its key made the signature
}

// candidate returns what is known of a certificate, nil if it was not tried.
func (s *signature) candidate(leaf *x509.Certificate) *candidate {
	for _, c := range s.tried {
		if c.leaf.Equal(leaf) {
			return c
		}
	}
	return nil
}

// again reports whether CAs may make a difference: a path to the root did not pass yet, and
// these are others.
func (c *candidate) again(above []*x509.Certificate) bool {
	return !c.asked && len(c.with) < maxPaths && !slices.ContainsFunc(c.with, func(before []*x509.Certificate) bool {
		return slices.EqualFunc(before, above, (*x509.Certificate).Equal)
	})
}

// newSignature takes the KeyInfo out of the signature, where it is not signed:
// goxmldsig would take a certificate from it, or fail where there is none.
func newSignature(root *etree.Element) *signature {
	s := new(signature)
	el := signatureOf(root)
	if el == nil {
		return s
	}
	for _, info := range below(el, "KeyInfo") {
		s.name = keyName(info)
		yieldKey(info, func(certs []*x509.Certificate) bool {
			s.keys = append(s.keys, certs)
			return len(s.keys) <= maxCandidates
		})
		el.RemoveChild(info)
	}
	for _, method := range below(el, "SignedInfo", "SignatureMethod") {
		algorithm, _ := attribute(method, "Algorithm")
		s.method = signatureMethods[algorithm]
	}
	for _, method := range below(el, "SignedInfo", "CanonicalizationMethod") {
		if algorithm, _ := attribute(method, "Algorithm"); algorithm == excC14N {
			s.info, s.inclusive = canonical(method.Parent()), len(method.ChildElements()) > 0
		}
	}
	for _, value := range below(el, "SignatureValue") {
		// goxmldsig takes line ends in it and no other space, and ECDSA in the form of X.509.
		s.value, _ = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text(value)), ""))
		if len(s.value) > 0 && s.method >= x509.ECDSAWithSHA1 && s.method <= x509.ECDSAWithSHA512 {
			s.value = inASN1(s.value)
		}
		value.Child = nil
		value.SetText(base64.StdEncoding.EncodeToString(s.value))
	}
	return s
}

// canonical is the SignedInfo as goxmldsig makes it, nil if it cannot.
func canonical(info *etree.Element) []byte {
	ctx, err := etreeutils.NSBuildParentContext(info)
	if err != nil {
		return nil
	}
	detached, err := etreeutils.NSDetatch(ctx, info)
	if err != nil {
		return nil
	}
	text, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(detached)
	if err != nil {
		return nil
	}
	return text
}

// inASN1 makes of an ECDSA signature of P-256, P-384 or P-521 in the form of XML
// signatures, r and s one after the other (RFC 9231, section 2.3.6), one in that of X.509.
// Others stay as they are.
func inASN1(value []byte) []byte {
	if n := len(value); n != 64 && n != 96 && n != 132 {
		return value
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(value[:len(value)/2]))
		b.AddASN1BigInt(new(big.Int).SetBytes(value[len(value)/2:]))
	})
	return b.BytesOrPanic()
}

var (
	errOther     = errors.New("samlsig: its key did not make the signature")
	errInclusive = errors.New("samlsig: its key did not make the signature, or the InclusiveNamespaces in its CanonicalizationMethod matter, which the library takes no account of: have it signed without")
)

// verify returns what was signed, a copy of root without the signature, if the key of
// cert signed it.
func (s *signature) verify(root *etree.Element, cert *x509.Certificate, at time.Time) (*etree.Element, error) {
	// The library copies the whole document for each certificate: ask the short part first.
	if s.method != 0 && s.info != nil && cert.CheckSignature(s.method, s.info, s.value) != nil {
		if s.inclusive {
			return nil, errInclusive
		}
		return nil, errOther
	}
	s.altered = true
	if at.IsZero() {
		at = cert.NotBefore // the Verifier, which has a clock, has asked the dates
	}
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
	ctx.Clock = dsig.NewFakeClockAt(at)
	signed, err := ctx.Validate(root)
	if err != nil {
		return nil, fmt.Errorf("samlsig: the signed document was another one: %w", safetext.Error(err))
	}
	return signed, nil
}

// candidates yields the certificates that may have signed, each with the CAs beside it:
// those of the signature's KeyInfo, then those of the KeyDescriptors whose KeyName it
// has, then the other ones.
func (s *signature) candidates(root *etree.Element) iter.Seq[[]*x509.Certificate] {
	return func(yield func([]*x509.Certificate) bool) {
		for _, certs := range s.keys {
			if !yield(certs) {
				return
			}
		}
		var rest []*etree.Element
		for el := range elements(root) {
			use, _ := attribute(el, "use")
			if !is(el, metadata, "KeyDescriptor") || use == "encryption" {
				continue
			}
			for _, info := range below(el, "KeyInfo") {
				if s.name == "" || keyName(info) != s.name {
					rest = append(rest, info)
				} else if !yieldKey(info, yield) {
					return
				}
			}
		}
		for _, info := range rest {
			if !yieldKey(info, yield) {
				return
			}
		}
	}
}

func keyName(info *etree.Element) string {
	for _, name := range below(info, "KeyName") {
		return strings.TrimSpace(name.Text())
	}
	return ""
}

// yieldKey yields the certificates of a KeyInfo that are not CAs. What cannot be read
// has not signed.
func yieldKey(info *etree.Element, yield func([]*x509.Certificate) bool) bool {
	var certs, above []*x509.Certificate
	for _, el := range below(info, "X509Data", "X509Certificate") {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text(el)), ""))
		if err != nil {
			continue
		}
		cert, err := x509.ParseCertificate(der)
		switch {
		case err != nil:
		case !cert.IsCA:
			certs = append(certs, cert)
		case len(above) < maxAbove:
			above = append(above, cert)
		}
	}
	for _, cert := range certs {
		if !yield(slices.Concat([]*x509.Certificate{cert}, above)) {
			return false
		}
	}
	return true
}

// text returns all text in an element, comments left out.
func text(el *etree.Element) string {
	var b strings.Builder
	for _, child := range el.Child {
		if part, ok := child.(*etree.CharData); ok {
			b.WriteString(part.Data)
		}
	}
	return b.String()
}
