package logius

import (
	"errors"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/policy"
)

// rejectPersons refuses the certificates that PKIoverheid issues to persons, under the
// same roots as those of systems (facts.md §5).
func rejectPersons(c chain.Chain, at time.Time) error {
	if root, ok := pkioverheid.ClaimOf(c.Root()); ok && root.By == pkioverheid.ByKey {
		kind := pkioverheid.Kind(policy.KindOf(textOf(root.Hierarchy), c.Policies()...))
		if kind != pkioverheid.System && kind != pkioverheid.Organisation {
			return &chain.Error{Reason: chain.RefusedByPolicy, Chain: c, Cert: c.Leaf(), At: at, Err: []error{
				errors.New("logius: it is no certificate of a system or an organisation: it has none of the policies that PKIoverheid gives to these")}}
		}
		return nil
	}
	for _, p := range c.Leaf().Policies {
		if policy.KindOf(policy.Added, p) == policy.Person {
			return &chain.Error{Reason: chain.RefusedByPolicy, Chain: c, Cert: c.Leaf(), At: at, Err: []error{
				errors.New("logius: it is a person's certificate, by its policy, and not that of a system or an organisation")}}
		}
	}
	return nil
}

func textOf(h pkioverheid.Hierarchy) string {
	text, _ := h.MarshalText() // of a hierarchy that is known
	return string(text)
}
