package inventory

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/safetext"
	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

// Name spaces of documents with certificates (facts.md §9).
const (
	nsXMLDSig     = "http://www.w3.org/2000/09/xmldsig#"
	nsSAML        = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsTrustedList = "http://uri.etsi.org/02231/" // and a version: ETSI TS 119 612
	nsCPA         = "http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd"
)

// maxParty bounds what a document says about whose a certificate is.
const maxParty = 1024

// about is what the elements around an element say about what was found in it.
func (c *contentReader) about(f *found, tag xml.StartElement, elements []xml.StartElement) {
	f.place = placeInDocument(elements)
	if tag.Name.Local == "BinarySecurityToken" {
		f.use = WSSecurityToken
	}
	for _, e := range elements {
		switch {
		case e.Name.Space == nsXMLDSig && e.Name.Local == "Signature":
			f.use = DocumentSignature
			return
		case e.Name.Local == "ServiceDigitalIdentity" && strings.HasPrefix(e.Name.Space, nsTrustedList):
			f.use = TrustedListService
		case e.Name.Space == nsSAML && e.Name.Local == "EntityDescriptor":
			f.party = shortCopy(attribute(e, "entityID"))
		case e.Name.Space == nsSAML && e.Name.Local == "KeyDescriptor":
			switch attribute(e, "use") {
			case "signing":
				f.use = SAMLSigning
			case "encryption":
				f.use = SAMLEncryption
			case "":
				f.use = SAMLAnyUse
			}
		case e.Name.Space == nsCPA && e.Name.Local == "PartyInfo":
			f.party = shortCopy(attribute(e, "partyName"))
		case e.Name.Space == nsCPA && e.Name.Local == "Certificate":
			c.aboutCPA(f, attribute(e, "certId"))
		}
	}
}

// aboutCPA is what a CPA says about a certificate.
func (c *contentReader) aboutCPA(f *found, id string) {
	if c.cpa == nil {
		c.cpa = readCPA(c.data)
	}
	f.use = CPAParty
	if party := c.cpa.parties[id]; party != "" {
		f.party = party
	}
	if refs := c.cpa.references[id]; len(refs) > 0 {
		if slices.Equal(refs, []string{"Anchor"}) {
			f.use = TrustAnchor
		}
		f.place += " (" + strings.Join(refs, ", ") + ")"
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// shortCopy copies a text that would keep a document in memory.
func shortCopy(s string) string { return strings.Clone(safetext.Shorten(s, maxParty)) }

const (
	maxCPACertificates = 1000
	maxCPAReferences   = 8
)

// readCPA reads what the certificates of a CPA are for. Package logius reads CPAs
// strictly, to use them; here those that are broken are reported on. Where this stops,
// nothing more is said.
func readCPA(data []byte) *cpa {
	doc := &cpa{parties: map[string]string{}, references: map[string][]string{}}
	in := xmldoc.NewReader(data) // whose limits hold: truststore has not come to the end yet
	var ids, certs []string      // of the PartyInfo
	var inPartyID bool
	var id []byte
	for {
		token, err := in.Next()
		if err != nil {
			return doc
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Space != nsCPA {
				continue
			}
			name, cert := token.Name.Local, attribute(token, "certId")
			kind, isRef := strings.CutSuffix(name, "CertificateRef")
			switch {
			case name == "PartyInfo":
				ids, certs = nil, nil
			case name == "PartyId":
				inPartyID, id = true, nil
			case name == "Certificate" && len(certs) < maxCPACertificates:
				certs = append(certs, cert)
			case isRef && kind != "" && cert != "" && len(doc.references) < maxCPACertificates:
				refs := doc.references[cert]
				if kind = safetext.Printable(kind, safetext.Most); len(refs) < maxCPAReferences && !slices.Contains(refs, kind) {
					doc.references[cert] = append(refs, kind)
				}
			}
		case xml.CharData:
			if inPartyID && len(id) < maxParty {
				id = append(id, token...)
			}
		case xml.EndElement:
			if token.Name.Space != nsCPA {
				continue
			}
			switch token.Name.Local {
			case "PartyId":
				inPartyID = false
				if text := shortCopy(string(bytes.TrimSpace(id))); text != "" && len(ids) < maxCPAReferences {
					ids = append(ids, text)
				}
			case "PartyInfo":
				for _, cert := range certs {
					if _, taken := doc.parties[cert]; !taken && len(doc.parties) < maxCPACertificates {
						doc.parties[cert] = shortCopy(strings.Join(ids, ", "))
					}
				}
			}
		}
	}
}

// placeInDocument names the elements around a certificate, the last six of them, with what
// distinguishes them, but for those that are around each.
func placeInDocument(elements []xml.StartElement) string {
	const most = 6
	var parts []string
	for _, e := range slices.Backward(elements) {
		if e.Name.Space == nsXMLDSig && (e.Name.Local == "KeyInfo" || e.Name.Local == "X509Data") {
			continue
		}
		if len(parts) == most {
			parts = append(parts, "…")
			break
		}
		part := safetext.Printable(e.Name.Local, safetext.Most)
		for _, a := range e.Attr {
			if a.Name.Local == "use" || a.Name.Local == "certId" {
				part += "[" + safetext.Printable(a.Value, safetext.Most) + "]"
			}
		}
		parts = append(parts, part)
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}
