package logius

import (
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
)

// policies begins the certificate policies of PKIoverheid (facts.md §8).
const policies = "2.16.528.1.1003.1.2."

// organisations are the policies of certificates for systems and organisations, in the
// hierarchies that package pkioverheid knows (facts.md §8).
var organisations = sync.OnceValue(func() chain.Policy {
	var oids []x509.OID
	for _, text := range []string{"8.4", "8.5", "8.6", "5.8", "5.9", "44.15.35.11"} {
		oids = append(oids, policy.Parse(policies+text))
	}
	return chain.RequirePolicy(oids...)
})

// persons are the policies of persons' certificates that may stand under other roots:
// Private G1 in one that is not the State's, G4 G-Other, and what the TRIAL tool makes
// of it (facts.md §5 and §8). Of the last two these are arcs.
var persons = sync.OnceValue(func() (arcs []x509.OID) {
	for _, text := range []string{
		"8.1", "8.2", "8.3",
		"44.16.11", "44.16.12", "44.16.13", "44.16.14",
		"41.16.11", "41.16.12", "41.16.13", "41.16.14",
	} {
		arcs = append(arcs, policy.Parse(policies+text))
	}
	return arcs
})

// rejectPersons refuses the certificates that PKIoverheid issues to persons, under the
// same roots as those of systems (facts.md §5).
func rejectPersons(c chain.Chain, at time.Time) error {
	if root, ok := pkioverheid.ClaimOf(c.Root()); ok && root.By == pkioverheid.ByKey {
		if organisations()(c, at) != nil {
			return &chain.Error{Reason: chain.RefusedByPolicy, Chain: c, Cert: c.Leaf(), At: at, Err: []error{
				errors.New("logius: it is no certificate of a system or an organisation: it has none of the policies that PKIoverheid gives to these")}}
		}
		return nil
	}
	for _, oid := range c.Leaf().Policies {
		if policy.Within(oid, persons()...) {
			return &chain.Error{Reason: chain.RefusedByPolicy, Chain: c, Cert: c.Leaf(), At: at, Err: []error{
				errors.New("logius: it is a person's certificate, by its policy, and not that of a system or an organisation")}}
		}
	}
	return nil
}
