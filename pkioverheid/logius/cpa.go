package logius

import (
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore/safetext"
	"github.com/go-pkioverheid/trust/truststore/xmldoc"
)

// cppa is the namespace of ebXML CPPA 2.0 (facts.md §9).
const cppa = "http://www.oasis-open.org/committees/ebxml-cppa/schema/cpp-cpa-2_0.xsd"

// What a CPA may hold; CPPA 2.0 has six kinds of references.
const (
	maxCPACertificates = 1000
	maxRoles           = 16
)

// oinType is the type of party ids that are OINs; the second is that of the
// Digikoppeling compliance facility (facts.md §9).
const (
	oinType           = "urn:osb:oin"
	complianceOINType = "urn:cv:oin"
)

func (p PartyID) isOIN() bool { return p.Type == oinType || p.Type == complianceOINType }

// CPA is an agreement of two parties to exchange messages (collaboration protocol
// agreement, ebXML CPPA 2.0): who they are, and the certificates of each.
//
// Nothing of it was verified: see [CPA.Check]. The signature that a CPA may bear is
// not looked at.
type CPA struct {
	ID     string // cpaid
	Status string // "proposed", "agreed" or "signed"; empty if it is not there

	// Start and End are zero if they are not there, or are 0001-01-01T00:00:00Z. One
	// without a time zone is taken to be in UTC.
	Start, End time.Time

	Parties []Party // in the order of the document
}

// Party is one of those who agree.
type Party struct {
	Name string
	IDs  []PartyID

	// Certificates are in the order of the document.
	Certificates []PartyCertificate
}

// PartyID is a name of a party in a register.
type PartyID struct{ Type, Value string }

// PartyCertificate is a certificate of a party.
type PartyCertificate struct {
	ID string // certId

	// Certificate is the one that is not a CA, of several the first; of CAs only, the
	// first of these.
	Certificate *x509.Certificate

	// Others are in the document beside it: the CAs above it.
	Others []*x509.Certificate

	// Roles are what the agreement refers to it for, each once, in the order of the
	// document: a reference's name without "CertificateRef", such as "Client",
	// "Server", "Signing", "Encryption" and, of a CA that is trusted, "Anchor".
	Roles []string
}

// OIN returns the party's id of the type urn:osb:oin or urn:cv:oin, of several the
// first, empty if it has none. It is as the document has it: see [pkioverheid.OIN.Validate].
func (p Party) OIN() pkioverheid.OIN {
	for _, id := range p.IDs {
		if id.isOIN() {
			return pkioverheid.OIN(id.Value)
		}
	}
	return ""
}

// InRole returns the certificates that the agreement refers to for a role, such as
// "Server".
func (p Party) InRole(role string) []*x509.Certificate {
	var certs []*x509.Certificate
	for _, c := range p.Certificates {
		if slices.Contains(c.Roles, role) {
			certs = append(certs, c.Certificate)
		}
	}
	return certs
}

// Party returns the party with this OIN, and whether there is one.
func (c *CPA) Party(oin pkioverheid.OIN) (Party, bool) {
	for _, p := range c.Parties {
		if oin != "" && p.OIN() == oin {
			return p, true
		}
	}
	return Party{}, false
}

// ReadCPA reads a CPA of at most 16 MiB and 1,000 certificates. It is strict: what is
// damaged, of another namespace, or not where a CPA has it is an error that names the line
// and the elements, and nothing is returned. See "Details" in the package documentation.
// What the CPA says is not checked, nor is any certificate verified: see [CPA.Check].
func ReadCPA(r io.Reader) (*CPA, error) {
	d, err := newDocument("CPA", r, maxCPACertificates)
	if err != nil {
		return nil, err
	}
	c := &cpaReader{document: d, certIDs: map[string]int{}}
	if err := d.walk(c.start, c.end); err != nil {
		return nil, err
	}
	if len(c.read.Parties) == 0 {
		return nil, errors.New("logius: CPA: there is no party in it")
	}
	return &c.read, nil
}

type cpaReader struct {
	*document
	read    CPA
	certIDs map[string]int // of the whole document: which certificate of its party
	refs    []reference    // of the party that is read
	cert    *PartyCertificate
	said    []string // which of the elements that come once
}

type reference struct {
	role, certID string
	at           int64
}

func (c *cpaReader) is(names ...string) bool {
	if len(c.path) != len(names)+1 {
		return false
	}
	for i, name := range names {
		if c.path[i+1] != (xml.Name{Space: cppa, Local: name}) {
			return false
		}
	}
	return true
}

func (c *cpaReader) start(tag xml.StartElement) error {
	if len(c.path) == 1 {
		if tag.Name != (xml.Name{Space: cppa, Local: "CollaborationProtocolAgreement"}) {
			return c.fail(fmt.Errorf("this is not a CPA: it begins with the element %s of the namespace %s", safetext.Quote(tag.Name.Local), safetext.Quote(tag.Name.Space)))
		}
		c.read.ID, _ = attribute(tag, cppa, "cpaid")
		return nil
	}
	role, isRef := strings.CutSuffix(tag.Name.Local, "CertificateRef")
	switch name := tag.Name.Local; {
	case name == "PartyInfo", name == "PartyId", name == "Certificate", isRef:
		if tag.Name.Space != cppa {
			return c.foreign(tag, cppa)
		}
	case name == "X509Certificate":
		if tag.Name.Space != xmldoc.Signature {
			return c.foreign(tag, xmldoc.Signature)
		}
	}
	var err error
	switch {
	case c.is("Status"), c.is("Start"), c.is("End"):
		err = c.once(tag)
	case c.is("PartyInfo"):
		name, _ := attribute(tag, cppa, "partyName")
		c.read.Parties = append(c.read.Parties, Party{Name: name})
	case c.is("PartyInfo", "PartyId"):
		err = c.partyID(tag)
	case c.is("PartyInfo", "Certificate"):
		err = c.certificateOf(tag)
	case tag.Name.Space == cppa && (tag.Name.Local == "PartyInfo" || tag.Name.Local == "PartyId" || tag.Name.Local == "Certificate"):
		err = c.misplaced()
	case isRef:
		err = c.reference(tag, role)
	case tag.Name.Local == "X509Certificate" && c.cert != nil:
		err = c.x509Certificate()
	}
	return err
}

// once reads what a CPA says once.
func (c *cpaReader) once(tag xml.StartElement) (err error) {
	name := tag.Name.Local
	if slices.Contains(c.said, name) {
		return c.fail(errors.New("this element comes twice"))
	}
	c.said = append(c.said, name)
	switch name {
	case "Status":
		c.read.Status, _ = attribute(tag, cppa, "value")
	case "Start":
		c.read.Start, err = c.time()
	case "End":
		c.read.End, err = c.time()
	}
	return err
}

func (c *cpaReader) end(tag xml.EndElement) error {
	switch {
	case len(c.path) == 2 && tag.Name.Local == "Certificate":
		cert := c.cert
		c.cert = nil
		if cert.Certificate == nil {
			return c.fail(fmt.Errorf("there is no certificate in %s", safetext.Quote(cert.ID)))
		}
		party := c.party()
		c.certIDs[cert.ID] = len(party.Certificates)
		party.Certificates = append(party.Certificates, *cert)
	case len(c.path) == 1 && tag.Name.Local == "PartyInfo":
		return c.resolve()
	}
	return nil
}

func (c *cpaReader) party() *Party { return &c.read.Parties[len(c.read.Parties)-1] }

func (c *cpaReader) partyID(tag xml.StartElement) error {
	kind, _ := attribute(tag, cppa, "type")
	value, err := c.text()
	if err != nil {
		return err
	}
	party := c.party()
	party.IDs = append(party.IDs, PartyID{kind, value})
	return nil
}

func (c *cpaReader) certificateOf(tag xml.StartElement) error {
	id, _ := attribute(tag, cppa, "certId")
	if id == "" {
		return c.fail(errors.New("there is no tp:certId"))
	}
	if _, twice := c.certIDs[id]; twice {
		return c.fail(fmt.Errorf("the certId %s is there for the second time", safetext.Quote(id)))
	}
	c.cert = &PartyCertificate{ID: id}
	return nil
}

func (c *cpaReader) x509Certificate() error {
	n := len(c.path)
	if n != 6 || c.path[3] != (xml.Name{Space: xmldoc.Signature, Local: "KeyInfo"}) || c.path[4] != (xml.Name{Space: xmldoc.Signature, Local: "X509Data"}) {
		return c.misplaced()
	}
	cert, err := c.certificate()
	switch {
	case err != nil:
		return err
	case c.cert.Certificate == nil:
		c.cert.Certificate = cert
	case c.cert.Certificate.IsCA && !cert.IsCA:
		c.cert.Others = slices.Insert(c.cert.Others, 0, c.cert.Certificate) // it was the first
		c.cert.Certificate = cert
	default:
		c.cert.Others = append(c.cert.Others, cert)
	}
	return nil
}

// reference notes what is to be resolved at the end of the party: references
// are before and after what they are to.
func (c *cpaReader) reference(tag xml.StartElement, role string) error {
	if len(c.read.Parties) == 0 || !slices.Contains(c.path, xml.Name{Space: cppa, Local: "PartyInfo"}) {
		return c.misplaced()
	}
	id, _ := attribute(tag, cppa, "certId")
	if id == "" {
		return c.fail(errors.New("there is no tp:certId"))
	}
	c.refs = append(c.refs, reference{role, id, c.xml.Offset()})
	return nil
}

func (c *cpaReader) resolve() error {
	party := c.party()
	for _, ref := range c.refs {
		i, ok := c.certIDs[ref.certID]
		if !ok || i >= len(party.Certificates) || party.Certificates[i].ID != ref.certID {
			return c.failAt(ref.at, fmt.Errorf("the reference %s is to %s, and this party has no such certificate", safetext.Quote(ref.role+"CertificateRef"), safetext.Quote(ref.certID)))
		}
		cert := &party.Certificates[i]
		if slices.Contains(cert.Roles, ref.role) {
			continue
		}
		if cert.Roles = append(cert.Roles, ref.role); len(cert.Roles) > maxRoles {
			return c.failAt(ref.at, fmt.Errorf("there are references of more than %d kinds to %s", maxRoles, safetext.Quote(ref.certID)))
		}
	}
	c.refs = nil
	return nil
}

func (c *cpaReader) time() (time.Time, error) {
	at := c.xml.Offset()
	text, err := c.text()
	if err != nil {
		return time.Time{}, err
	}
	t, err := dateTime(text)
	if err != nil {
		return time.Time{}, c.failAt(at, fmt.Errorf("the time is %w", err))
	}
	return t, nil
}

// Check says what is wrong with the agreement at a time, all of it in one error, or nil. A
// zero time is now. It asks:
//
//   - that it is agreed or signed, and has begun and not ended;
//   - that there are two parties, with different OINs of the right form, one each;
//   - that each has a certificate, and each certificate other than a CA's bears its
//     party's OIN as the subject's only serialNumber;
//   - that every certificate verifies up to a root of v (see [Service.Verifier]) at
//     that time, for servers or clients if it is referred to so, and is not a person's;
//   - that CAs are referred to as "Anchor" at most.
//
// It does not ask who made the document: compare the OINs with what you expect.
func (c *CPA) Check(v *pkioverheid.Verifier, at time.Time) error {
	if at.IsZero() {
		at = time.Now()
	}
	var wrong []error
	note := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf("logius: CPA: "+format, args...)) }

	if c.Status != "agreed" && c.Status != "signed" {
		note("its status is %s: want agreed or signed", safetext.Quote(c.Status))
	}
	if !c.Start.IsZero() && at.Before(c.Start) {
		note("it begins %s", c.Start.UTC().Format(time.RFC3339))
	}
	if !c.End.IsZero() && at.After(c.End) {
		note("it ended %s", c.End.UTC().Format(time.RFC3339))
	}
	if len(c.Parties) != 2 {
		note("it has %d parties: want two", len(c.Parties))
	} else if c.Parties[0].OIN() != "" && c.Parties[0].OIN() == c.Parties[1].OIN() {
		note("both parties have the OIN %s", safetext.Quote(string(c.Parties[0].OIN())))
	}
	// A hostile document has thousands.
	const most = 100
	andMore := func() error {
		note("and more")
		return errors.Join(wrong...)
	}
	for _, p := range c.Parties {
		if len(wrong) >= most {
			return andMore()
		}
		oin := p.OIN()
		switch {
		case oin == "":
			note("the party %s has no id of the type %s", safetext.Quote(p.Name), oinType)
		case oin.Validate() != nil:
			note("the party %s: %w", safetext.Quote(p.Name), oin.Validate())
		case slices.ContainsFunc(p.IDs, func(id PartyID) bool { return id.isOIN() && id.Value != string(oin) }):
			note("the party %s has several OINs, and nothing says whose its certificates are", safetext.Quote(p.Name))
		}
		if len(p.Certificates) == 0 {
			note("the party %s has no certificate", safetext.Quote(p.Name))
		}
		for _, cert := range p.Certificates {
			if len(wrong) >= most {
				return andMore()
			}
			for _, err := range cert.check(v, oin, at) {
				note("the certificate %s of the party %s: %w", safetext.Quote(cert.ID), safetext.Quote(p.Name), err)
			}
		}
	}
	return errors.Join(wrong...)
}

func (p PartyCertificate) check(v *pkioverheid.Verifier, oin pkioverheid.OIN, at time.Time) (wrong []error) {
	if p.Certificate.IsCA {
		if slices.ContainsFunc(p.Roles, func(r string) bool { return r != "Anchor" }) {
			wrong = append(wrong, errCA)
		}
	} else if own, err := pkioverheid.OINOf(p.Certificate); err != nil {
		wrong = append(wrong, err)
	} else if own != oin {
		wrong = append(wrong, fmt.Errorf("it bears the OIN %s and not the party's, %s", safetext.Quote(string(own)), safetext.Quote(string(oin))))
	}
	var usages []x509.ExtKeyUsage
	if slices.Contains(p.Roles, "Server") {
		usages = append(usages, x509.ExtKeyUsageServerAuth)
	}
	if slices.Contains(p.Roles, "Client") {
		usages = append(usages, x509.ExtKeyUsageClientAuth)
	}
	if len(usages) == 0 {
		usages = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}
	for _, usage := range usages { // of several in one call one would be enough
		if _, err := verify(v, p.Certificate, casAmong(p.Others), at, usage); err != nil {
			return append(wrong, err)
		}
	}
	return wrong
}
