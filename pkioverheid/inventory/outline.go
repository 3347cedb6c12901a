package inventory

import (
	"slices"
	"strings"
	"sync"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// unreadable is the error for a certificate that crypto/x509 does not read. Its names say
// whether it can be of PKIoverheid; if it cannot, it is skipped.
func unreadable(path, place string, der []byte, err error) *trouble {
	t := &trouble{where: path, text: place + ": " + err.Error(), cause: err}
	o, outlineErr := truststore.ReadOutline(der)
	if outlineErr != nil || o.Kind != "certificate" || o.NotAfter.IsZero() || claimsPKIoverheid(o) {
		return t
	}
	issuer := o.Issuer.CommonName
	if issuer == "" && len(o.Issuer.Organization) > 0 {
		issuer = o.Issuer.Organization[0]
	}
	t.text = place + ": a certificate that is not of PKIoverheid (issued by " + safetext.Quote(issuer) +
		", until " + o.NotAfter.UTC().Format("2006-01-02") + ", " + o.Key + ") and is not read: " + err.Error()
	t.skipped = true
	return t
}

// claimsPKIoverheid reports whether a certificate has a name of a CA of PKIoverheid, or of the
// State, for its own or for its issuer.
func claimsPKIoverheid(o truststore.Outline) bool {
	for _, name := range []struct {
		cn            string
		organizations []string
	}{{o.Issuer.CommonName, o.Issuer.Organization}, {o.Subject.CommonName, o.Subject.Organization}} {
		for _, text := range append(slices.Clone(name.organizations), name.cn) {
			text = strings.ToLower(text)
			if namesOfCAs()[text] || slices.ContainsFunc(partsOfNames, func(part string) bool { return strings.Contains(text, part) }) {
				return true
			}
		}
	}
	return false
}

// partsOfNames are in the names of CAs of which no file is known too (facts.md §1, §2 and §5).
var partsOfNames = []string{"pkioverheid", " pkio priv ", "staat der nederlanden", "uzi-register ", "zovar "}

// namesOfCAs are the common names of the CAs that are known, in lower case.
var namesOfCAs = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, h := range append(pkioverheid.Hierarchies(), pkioverheid.G3) {
		for _, ca := range h.Certificates() {
			names[strings.ToLower(ca.Subject.CommonName)] = true
		}
	}
	return names
})
