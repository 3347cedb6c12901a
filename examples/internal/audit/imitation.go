package audit

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"slices"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Imitation is the Status, and the state, of a certificate that has the name of a CA of
// PKIoverheid, or names one as its issuer, without the key of that CA.
const Imitation = "imitation"

// GenuineMark is for tests, which have no keys of real CAs: a certificate with an extension
// of this OID is not an imitation. In the tool it is empty, and has no effect.
var GenuineMark string

// Imitated returns the common name of the CA that a certificate imitates; empty if it does
// not, or if that is not known, as the CA is not available to check the signature. It
// decides on no trust: that is asked before.
func Imitated(cert *x509.Certificate) string {
	claim, ok := pkioverheid.ClaimOf(cert)
	if !ok || claim.By == pkioverheid.ByKey || claim.Fixture || claim.TestMark != "" || hasMark(cert) {
		return ""
	}
	own, issuer := "", ""
	for _, ca := range claim.Hierarchy.Certificates() {
		if sameName(ca, &cert.Subject) {
			own = ca.Subject.CommonName
		}
		if !sameName(ca, &cert.Issuer) {
			continue
		}
		issuer = ca.Subject.CommonName
		err := ca.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature)
		if err == nil || errors.Is(err, x509.ErrUnsupportedAlgorithm) {
			return ""
		}
	}
	if own != "" {
		return own
	}
	return issuer
}

// sameName compares names as pkioverheid.ClaimOf does.
func sameName(ca *x509.Certificate, name *pkix.Name) bool {
	is := &ca.Subject
	return name.CommonName == is.CommonName && slices.Equal(name.Organization, is.Organization) && slices.Equal(name.Country, is.Country)
}

func hasMark(cert *x509.Certificate) bool {
	return GenuineMark != "" && slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool { return e.Id.String() == GenuineMark })
}

// reasonOf says what it imitates.
func reasonOf(ca string) string {
	return "not of PKIoverheid: imitates " + safetext.Quote(ca) + ", whose key did not sign it"
}

// imitation makes it one to take out now, of nothing of PKIoverheid: nobody is asked for
// another one in its place.
func (c *Certificate) imitation() {
	c.Do, c.Status, c.Deadline, c.Overdue = ClassNow, Imitation, "", false
	c.Hierarchy, c.Role, c.TSP, c.OIN, c.RecognisedBy = "", "", "", "", ""
	c.Replacement, c.Supplier, c.Order, c.Sources = "", "", nil, nil
	c.Advice, c.AdviceDutch = AdviceOnImitation(c.Name, c.imitates)
}

// AdviceOnImitation says what to do about a certificate that imitates a CA.
func AdviceOnImitation(name, ca string) (english, dutch string) {
	name, ca = safetext.Quote(name), safetext.Quote(ca)
	english = name + " is not of PKIoverheid: it imitates " + ca + ", whose key did not sign it. It is forged, damaged, or of a test chain with the names of the real one: take it out of use, and find out where it came from."
	dutch = name + " is niet van PKIoverheid: het imiteert " + ca + ", die het niet heeft ondertekend. Het is vervalst, beschadigd, of van een testketen met de namen van de echte: haal het uit gebruik, en zoek uit waar het vandaan komt."
	return english, dutch
}
