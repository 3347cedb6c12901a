package logius

import (
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/truststore/safetext"
	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

// maxMetadataCertificates is some times what a network of a thousand parties has.
const maxMetadataCertificates = 10_000

// samlMetadata is the namespace of SAML metadata (facts.md §9).
const samlMetadata = "urn:oasis:names:tc:SAML:2.0:metadata"

// Metadata is what SAML metadata says, such as BSNk's network metadata and DigiD's.
//
// From [ReadMetadata] it is what somebody wrote, from samlsig.VerifyMetadata what the
// party signed. The certificates in it are the [Keyring]'s to verify.
type Metadata struct {
	Entities []Entity // in the order of the document
}

// Entity is one party (md:EntityDescriptor).
type Entity struct {
	ID   string // entityID
	Keys []Key

	// Endpoints are the elements with a Location, such as SingleSignOnService.
	Endpoints []Endpoint

	// ValidUntil is the earliest validUntil of the entity and what it is in;
	// zero if there is none.
	ValidUntil time.Time
}

// Endpoint is a place where a party can be reached.
type Endpoint struct {
	Service  string // the element's name: SingleSignOnService, ArtifactResolutionService, …
	Binding  string // such as urn:oasis:names:tc:SAML:2.0:bindings:SOAP
	Location string // as it is in the document
}

// KeyUse is what a key in metadata is for. Empty means both, as in SAML.
type KeyUse string

const (
	Signing    KeyUse = "signing"
	Encryption KeyUse = "encryption"
)

// Key is a md:KeyDescriptor.
type Key struct {
	Use KeyUse

	// Role is the element that it is in: IDPSSODescriptor, SPSSODescriptor, ….
	Role string

	// Name is ds:KeyName, empty if there is none.
	Name string

	// Certificates are those of its ds:X509Data, in the order of the document;
	// none if the key comes in another form.
	Certificates []*x509.Certificate

	// Unread are the errors of certificates that crypto/x509 does not parse, such as
	// those of brainpool curves.
	Unread []error

	// ValidUntil is that of the entity, or of the role if that is earlier.
	ValidUntil time.Time
}

// ReadMetadata reads SAML metadata of at most 16 MiB: EntityDescriptors, with the
// certificates below md:KeyDescriptor, at most 10,000. It is strict: what is damaged, of
// another namespace, or not where SAML has it is an error that names the line and the
// elements, and nothing is returned. See "Details" in the package documentation.
//
// Neither the signature of the metadata is verified nor any certificate. Recipients must
// check the signature (ST-SAML 1.0.0): use samlsig.VerifyMetadata, and a [Keyring]. A
// certificate that crypto/x509 does not parse is not an error, but in [Key.Unread].
func ReadMetadata(r io.Reader) (*Metadata, error) {
	d, err := newDocument("SAML metadata", r, maxMetadataCertificates)
	if err != nil {
		return nil, err
	}
	m := &metadataReader{document: d, entities: map[string]bool{}}
	if err := d.walk(m.start, m.end); err != nil {
		return nil, err
	}
	if d.number == 0 {
		return nil, fmt.Errorf("logius: %s: there is no certificate in it", d.kind)
	}
	return &m.read, nil
}

// roles are the elements of an entity that have keys (saml-metadata-2.0-os, 2.4 and
// 2.5). Roles of others are a RoleDescriptor with an xsi:type.
var roles = []string{
	"RoleDescriptor", "IDPSSODescriptor", "SPSSODescriptor", "AuthnAuthorityDescriptor",
	"AttributeAuthorityDescriptor", "PDPDescriptor", "AffiliationDescriptor",
}

type metadataReader struct {
	*document
	read     Metadata
	entities map[string]bool

	// validUntil are those of the elements that are open, each with what it
	// is in taken into account.
	validUntil []time.Time
}

// above returns the name of the n-th element above the one that is read, as far as
// it is one of SAML metadata.
func (m *metadataReader) above(n int) string {
	if i := len(m.path) - 1 - n; i >= 0 && m.path[i].Space == samlMetadata {
		return m.path[i].Local
	}
	return ""
}

func (m *metadataReader) start(tag xml.StartElement) error {
	if err := m.open(tag); err != nil {
		return err
	}
	switch tag.Name {
	case xml.Name{Space: samlMetadata, Local: "EntitiesDescriptor"}:
		if len(m.path) > 1 && m.above(1) != "EntitiesDescriptor" {
			return m.misplaced()
		}
	case xml.Name{Space: samlMetadata, Local: "EntityDescriptor"}:
		if len(m.path) > 1 && m.above(1) != "EntitiesDescriptor" {
			return m.misplaced()
		}
		return m.startEntity(tag)
	case xml.Name{Space: samlMetadata, Local: "KeyDescriptor"}:
		if m.above(2) != "EntityDescriptor" || !slices.Contains(roles, m.above(1)) {
			return m.misplaced()
		}
		return m.startKey(tag)
	case xml.Name{Space: xmldoc.Signature, Local: "KeyName"}, xml.Name{Space: xmldoc.Signature, Local: "X509Certificate"}:
		return m.keyInfo(tag)
	default:
		if tag.Name.Space == samlMetadata && m.above(2) == "EntityDescriptor" {
			m.endpoint(tag)
		}
	}
	return nil
}

func (m *metadataReader) end(xml.EndElement) error {
	m.validUntil = m.validUntil[:len(m.path)]
	return nil
}

// open checks the namespace of an element and notes until when it counts.
func (m *metadataReader) open(tag xml.StartElement) error {
	switch tag.Name.Local {
	case "EntitiesDescriptor", "EntityDescriptor", "KeyDescriptor":
		if tag.Name.Space != samlMetadata {
			return m.foreign(tag, samlMetadata)
		}
	case "X509Certificate":
		if tag.Name.Space != xmldoc.Signature {
			return m.foreign(tag, xmldoc.Signature)
		}
	default:
		if len(m.path) == 1 {
			return m.fail(fmt.Errorf("this is not SAML metadata: it begins with the element %s of the namespace %s", safetext.Quote(tag.Name.Local), safetext.Quote(tag.Name.Space)))
		}
	}
	var until time.Time
	if n := len(m.validUntil); n > 0 {
		until = m.validUntil[n-1]
	}
	if tag.Name.Space == samlMetadata {
		if text, ok := attribute(tag, "", "validUntil"); ok {
			t, err := dateTime(text)
			if err != nil {
				return m.fail(fmt.Errorf("validUntil is %w", err))
			}
			if t.IsZero() { // which is none elsewhere, and a time long ago here
				t = t.Add(time.Nanosecond)
			}
			until = earliest(until, t)
		}
	}
	m.validUntil = append(m.validUntil, until)
	return nil
}

// earliest is the earlier of two times of which the first may be zero: none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func (m *metadataReader) startEntity(tag xml.StartElement) error {
	id, _ := attribute(tag, "", "entityID")
	id = strings.TrimSpace(id) // as the schema has it: it is an anyURI
	switch {
	case id == "":
		return m.fail(errors.New("there is no entityID"))
	case m.entities[id]:
		return m.fail(fmt.Errorf("the entityID %s is there for the second time", safetext.Quote(id)))
	}
	m.entities[id] = true
	m.read.Entities = append(m.read.Entities, Entity{ID: id, ValidUntil: m.until()})
	return nil
}

func (m *metadataReader) until() time.Time { return m.validUntil[len(m.validUntil)-1] }

// entity is the one that is being read.
func (m *metadataReader) entity() *Entity { return &m.read.Entities[len(m.read.Entities)-1] }

func (m *metadataReader) startKey(tag xml.StartElement) error {
	use, given := attribute(tag, "", "use")
	if k := KeyUse(use); given && k != Signing && k != Encryption {
		return m.fail(fmt.Errorf("the use of the key is %s: want signing or encryption", safetext.Quote(use)))
	}
	e := m.entity()
	e.Keys = append(e.Keys, Key{Use: KeyUse(use), Role: m.above(1), ValidUntil: m.until()})
	return nil
}

// keyInfo reads a name or certificate, if it is one of a KeyDescriptor.
func (m *metadataReader) keyInfo(tag xml.StartElement) error {
	inside := []string{"KeyInfo"}
	if tag.Name.Local == "X509Certificate" {
		inside = []string{"X509Data", "KeyInfo"}
	}
	descriptor := slices.IndexFunc(m.path, func(n xml.Name) bool { return n.Local == "KeyDescriptor" })
	if descriptor < 0 {
		return nil
	}
	ok := descriptor == len(m.path)-2-len(inside)
	for i, name := range inside {
		ok = ok && m.path[len(m.path)-2-i] == xml.Name{Space: xmldoc.Signature, Local: name}
	}
	switch {
	case !ok && tag.Name.Local == "KeyName":
		return nil // the name of another key, such as one that this one is encrypted by
	case !ok:
		return m.misplaced()
	}
	var err error
	e := m.entity()
	key := &e.Keys[len(e.Keys)-1]
	if tag.Name.Local == "KeyName" {
		key.Name, err = m.text()
	} else {
		var cert *x509.Certificate
		var unread *unreadError
		switch cert, err = m.certificate(); {
		case err == nil:
			key.Certificates = append(key.Certificates, cert)
		case errors.As(err, &unread):
			key.Unread = append(key.Unread, err)
			m.path, err = m.path[:len(m.path)-1], nil
		}
	}
	m.validUntil = m.validUntil[:len(m.path)] // its end tag was read
	return err
}

func (m *metadataReader) endpoint(tag xml.StartElement) {
	if location, ok := attribute(tag, "", "Location"); ok {
		binding, _ := attribute(tag, "", "Binding")
		e := m.entity()
		e.Endpoints = append(e.Endpoints, Endpoint{Service: tag.Name.Local, Binding: binding, Location: location})
	}
}

func attribute(tag xml.StartElement, space, local string) (string, bool) {
	for _, a := range tag.Attr {
		if a.Name.Space == space && a.Name.Local == local {
			return a.Value, true
		}
	}
	return "", false
}

// Hosts returns the hosts of the endpoints that are called over https at port 443,
// each once, in lower case and sorted: to put into [Service.Hosts], if the metadata was
// verified.
func (e Entity) Hosts() []string {
	var found []string
	for _, p := range e.Endpoints {
		u, err := url.Parse(p.Location)
		if err != nil || u.Scheme != "https" || u.Port() != "" && u.Port() != "443" || !isHostName(u.Hostname()) {
			continue
		}
		found = append(found, strings.ToLower(u.Hostname()))
	}
	slices.Sort(found)
	return slices.Compact(found)
}
