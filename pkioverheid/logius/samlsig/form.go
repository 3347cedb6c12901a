package samlsig

import (
	"bytes"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/go-pkioverheid/trust/truststore/safetext"
	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

// What a document may hold. Beyond maxBefore elements in front of the signature
// goxmldsig gives up, at a thousand with its own.
const (
	maxDocument = 16 << 20
	maxDepth    = 64
	maxNodes    = 300_000 // elements, attributes and texts
	maxBefore   = 900

	// etree compares the attributes in a tag with one another. Real tags have a dozen.
	maxAttributes = 500

	// For each element etree and goxmldsig look at the attributes and namespaces of all
	// that it is in: so many in all. Of real metadata some 25 an element.
	maxInScope = 5_000_000
)

const (
	metadata      = "urn:oasis:names:tc:SAML:2.0:metadata"
	excC14N       = string(dsig.CanonicalXML10ExclusiveAlgorithmId)
	enveloped     = string(dsig.EnvelopedSignatureAltorithmId)
	tooManyBefore = "the Signature comes after more than %d elements, and is not found there: it should be the first in its element, as the schema of SAML metadata has it"
)

// signatureMethods and digestMethods are those of RFC 9231 and XML Encryption. ST-SAML
// 1.0.0 asks for RSA; those with ECDSA are as good.
var signatureMethods = map[string]x509.SignatureAlgorithm{
	dsig.RSASHA256SignatureMethod:   x509.SHA256WithRSA,
	dsig.RSASHA384SignatureMethod:   x509.SHA384WithRSA,
	dsig.RSASHA512SignatureMethod:   x509.SHA512WithRSA,
	dsig.ECDSASHA256SignatureMethod: x509.ECDSAWithSHA256,
	dsig.ECDSASHA384SignatureMethod: x509.ECDSAWithSHA384,
	dsig.ECDSASHA512SignatureMethod: x509.ECDSAWithSHA512,
}

var digestMethods = map[string]bool{
	"http://www.w3.org/2001/04/xmlenc#sha256":       true,
	"http://www.w3.org/2001/04/xmldsig-more#sha384": true,
	"http://www.w3.org/2001/04/xmlenc#sha512":       true,
}

// bound refuses what would take the library long, and DTDs.
func bound(doc []byte) error {
	if len(doc) > maxDocument {
		return fmt.Errorf("the document has more than %d MiB", maxDocument>>20)
	}
	if len(bytes.TrimSpace(doc)) == 0 {
		return errors.New("the document is empty")
	}
	r, depth, nodes := xmldoc.NewReader(bytes.TrimPrefix(doc, byteOrderMark)), 0, 0
	inScope, all := []int{0}, 0 // attributes of the elements that are open
	for {
		token, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		nodes++
		switch token := token.(type) {
		case xml.StartElement:
			nodes += len(token.Attr)
			if len(token.Attr) > maxAttributes {
				return fmt.Errorf("byte %d: a tag with more than %d attributes", r.Offset(), maxAttributes)
			}
			if depth++; depth > maxDepth {
				return fmt.Errorf("byte %d: more than %d elements inside one another", r.Offset(), maxDepth)
			}
			inScope = append(inScope, inScope[depth-1]+len(token.Attr))
			if all += inScope[depth]; all > maxInScope {
				return fmt.Errorf("byte %d: elements with many attributes or namespaces hold many others", r.Offset())
			}
		case xml.EndElement:
			inScope = inScope[:depth]
			depth--
		case xml.ProcInst:
			if depth > 0 {
				return fmt.Errorf("byte %d: there is a processing instruction in it", r.Offset())
			}
		}
		if nodes > maxNodes {
			return fmt.Errorf("there are more than %d elements, attributes and texts in it", maxNodes)
		}
	}
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// normalised puts a space in place of each end of line and tab in the values of attributes,
// as XML has it (XML 1.0, sections 2.11 and 3.3.3) and the signer did. encoding/xml, with
// which etree reads, leaves them. doc is one that bound has let through.
func normalised(doc []byte) []byte {
	out := make([]byte, 0, len(doc))
	inTag, quote := false, byte(0)
	for len(doc) > 0 {
		c, skip := doc[0], 1
		switch {
		case quote != 0 && c == '\r' && len(doc) > 1 && doc[1] == '\n':
			doc = doc[1:]
			c = ' '
		case quote != 0 && (c == '\r' || c == '\n' || c == '\t'):
			c = ' '
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case inTag:
			if c == '"' || c == '\'' {
				quote = c
			}
			inTag = c != '>'
		case c == '<':
			skip = max(1, lengthOfOther(doc))
			inTag = skip == 1
		}
		if skip > 1 {
			out = append(out, doc[:skip]...)
		} else {
			out = append(out, c)
		}
		doc = doc[skip:]
	}
	return out
}

// lengthOfOther is that of the comment, CDATA or instruction with which text begins; zero for
// a tag.
func lengthOfOther(text []byte) int {
	for begin, end := range map[string]string{"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"} {
		if bytes.HasPrefix(text, []byte(begin)) {
			if i := bytes.Index(text[len(begin):], []byte(end)); i >= 0 {
				return len(begin) + i + len(end)
			}
		}
	}
	return 0
}

// rule is one of those that ST-SAML 1.0.0 (facts.md §9) and caution ask of the form of
// a signature.
type rule struct {
	name  string
	check func(root *etree.Element) error
}

var form = []rule{
	{"one signature", oneSignature},
	{"one ID", oneID},
	{"shape", shape},
	{"reference", reference},
	{"transforms", transforms},
	{"algorithms", algorithms},
}

// oneSignature asks for one Signature in the whole document, as a child of the root.
func oneSignature(root *etree.Element) error {
	found, before, late := 0, 0, false
	for el := range elements(root) {
		if el.Tag == "Signature" {
			found++
			late = before > maxBefore
		}
		before++
	}
	switch {
	case found == 0:
		return errors.New("the document is not signed")
	case found > 1:
		return fmt.Errorf("there are %d Signature elements in the document: want one", found)
	case signatureOf(root) == nil:
		return errors.New("the Signature is not a child of the root element, or is of another namespace than XML signatures")
	case late:
		return fmt.Errorf(tooManyBefore, maxBefore)
	}
	return nil
}

var idForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,255}$`)

// oneID asks for an ID of the root that no other element has. Programs differ in which
// attributes are IDs.
func oneID(root *etree.Element) error {
	id, _ := attribute(root, "ID")
	if !idForm.MatchString(id) {
		return fmt.Errorf("the root element has the ID %s: want a name such as _1", safetext.Quote(id))
	}
	found := 0
	for el := range elements(root) {
		for _, a := range el.Attr {
			if strings.EqualFold(a.Key, "ID") && (el == root || a.Value == id) {
				found++
			}
		}
	}
	if found > 1 {
		return fmt.Errorf("the ID %s of the root element is there for the second time, or the root element has two", safetext.Quote(id))
	}
	return nil
}

// shape asks for the elements of a signature, each once and in order, with no other
// attributes than theirs.
func shape(root *etree.Element) error {
	sig := signatureOf(root)
	if sig == nil {
		return errors.New("there is no Signature")
	}
	if err := holds(sig, "SignedInfo", "SignatureValue", "KeyInfo?"); err != nil {
		return err
	}
	info := sig.ChildElements()[0]
	if err := holds(info, "CanonicalizationMethod", "SignatureMethod", "Reference"); err != nil {
		return err
	}
	for el := range elements(info) {
		for _, a := range el.Attr {
			switch {
			case a.Space == "xmlns", a.Space == "" && a.Key == "xmlns":
			case a.Space != "" || !strings.Contains(" Id Algorithm URI Type PrefixList ", " "+a.Key+" "):
				return fmt.Errorf("the element %s has the attribute %s", safetext.Quote(el.Tag), safetext.Quote(a.FullKey()))
			}
		}
	}
	return holds(info.ChildElements()[2], "Transforms", "DigestMethod", "DigestValue")
}

// holds asks which elements of XML signatures are in another one. One that ends in a
// question mark may be absent.
func holds(el *etree.Element, names ...string) error {
	children := el.ChildElements()
	for i, name := range names {
		name, optional := strings.CutSuffix(name, "?")
		if i < len(children) && is(children[i], xmldoc.Signature, name) || optional && i >= len(children) {
			continue
		}
		return fmt.Errorf("the element %s does not hold, in this order: %s", el.Tag, strings.Join(names, ", "))
	}
	if len(children) > len(names) {
		return fmt.Errorf("the element %s holds more than %s", el.Tag, strings.Join(names, ", "))
	}
	return nil
}

// reference asks for one Reference, to the root element by its ID.
func reference(root *etree.Element) error {
	id, _ := attribute(root, "ID")
	refs := below(signatureOf(root), "SignedInfo", "Reference")
	if len(refs) != 1 {
		return fmt.Errorf("there are %d References: want one", len(refs))
	}
	if uri, ok := attribute(refs[0], "URI"); !ok || uri != "#"+id || id == "" {
		return fmt.Errorf("the Reference is to %s: want %s, the root element's ID", safetext.Quote(uri), safetext.Quote("#"+id))
	}
	return nil
}

// transforms asks for the two that leave everything in but the signature and comments.
func transforms(root *etree.Element) error {
	found := below(signatureOf(root), "SignedInfo", "Reference", "Transforms", "*")
	if len(found) != 2 {
		return fmt.Errorf("there are %d Transforms: want the enveloped signature and exclusive canonicalisation", len(found))
	}
	for i, want := range []string{enveloped, excC14N} {
		if algorithm, _ := attribute(found[i], "Algorithm"); !is(found[i], xmldoc.Signature, "Transform") || algorithm != want {
			return fmt.Errorf("its Transform %d is %s: want %s", i+1, safetext.Quote(algorithm), want)
		}
	}
	if len(found[0].ChildElements()) > 0 {
		return errors.New("the Transform for the enveloped signature holds something")
	}
	return inclusiveOnly(found[1])
}

// inclusiveOnly asks that there is nothing in an element but one InclusiveNamespaces.
func inclusiveOnly(el *etree.Element) error {
	children := el.ChildElements()
	if len(children) == 0 || len(children) == 1 && is(children[0], excC14N, "InclusiveNamespaces") && len(children[0].Child) == 0 {
		return nil
	}
	return fmt.Errorf("the element %s holds something else than one InclusiveNamespaces", el.Tag)
}

// algorithms asks for those that are good: no SHA-1, and no canonicalisation that lets
// the signed text depend on where it is.
func algorithms(root *etree.Element) error {
	sig := signatureOf(root)
	for _, el := range below(sig, "SignedInfo", "CanonicalizationMethod") {
		if algorithm, _ := attribute(el, "Algorithm"); algorithm != excC14N {
			return fmt.Errorf("the CanonicalizationMethod is %s: want %s", safetext.Quote(algorithm), excC14N)
		}
		if err := inclusiveOnly(el); err != nil {
			return err
		}
	}
	for _, el := range below(sig, "SignedInfo", "SignatureMethod") {
		algorithm, _ := attribute(el, "Algorithm")
		switch lower := strings.ToLower(algorithm); {
		case signatureMethods[algorithm] != 0 && len(el.ChildElements()) == 0:
		case strings.HasSuffix(lower, "rsa-mgf1"), strings.HasSuffix(lower, "rsa-pss"):
			return errors.New("the signature is RSA-PSS, which this package does not verify: ask the signer for rsa-sha256, as ST-SAML has it")
		default:
			return fmt.Errorf("the SignatureMethod is %s: want RSA or ECDSA with SHA-256, SHA-384 or SHA-512", safetext.Quote(algorithm))
		}
	}
	for _, el := range below(sig, "SignedInfo", "Reference", "DigestMethod") {
		if algorithm, _ := attribute(el, "Algorithm"); !digestMethods[algorithm] || len(el.ChildElements()) > 0 {
			return fmt.Errorf("the DigestMethod is %s: want SHA-256, SHA-384 or SHA-512", safetext.Quote(algorithm))
		}
	}
	return nil
}
