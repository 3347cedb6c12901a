package chain

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// PolicyInputs are the inputs of path validation about certificate policies (RFC 5280
// section 6.1.1). Their Policy method is a [Policy] that validates the path by them,
// mappings and all. [RequirePolicy] is simpler and stricter.
type PolicyInputs struct {
	// Acceptable are the policies of which one must be valid for the path, in the terms
	// of the CA below the root. anyPolicy means all of them. None accepts none.
	Acceptable []x509.OID

	// NotExplicit accepts paths without a valid policy too, unless a CA demands one.
	NotExplicit bool

	// InhibitMapping does not allow CAs to map policies.
	InhibitMapping bool

	// InhibitAnyPolicy does not count anyPolicy in a certificate.
	InhibitAnyPolicy bool
}

// Policy refuses chains for which no acceptable certificate policy is valid. The root is
// the trust anchor, which is not asked.
func (in PolicyInputs) Policy(c Chain, at time.Time) error {
	if err := firstInvalid(c, at); err != nil {
		return err
	}
	p := newPolicyPath(in, len(c)-1)
	for i := len(c) - 2; i >= 0; i-- {
		if err := p.next(c[i], i == 0); err != nil {
			return refuse(c, c[i], at, err)
		}
	}
	if len(c) == 1 {
		p.level = nil // a trust anchor alone is not a path, and has no policies
	}
	if p.level = p.acceptable(in.Acceptable); p.level == nil && p.explicit == 0 {
		return refuse(c, c.Leaf(), at, fmt.Errorf("no acceptable certificate policy is valid for the path: %s (RFC 5280 section 6.1.5)", oneOf(in.Acceptable)))
	}
	return nil
}

// policyPath is the state of section 6.1.2. The tree is a graph here, with one node for
// each policy of a level: a tree can double with each certificate.
type policyPath struct {
	explicit, mapping, anyPolicy int // for how many more certificates; 0: now

	level policyLevel // the lowest; nil for a tree that is NULL
	above policyLevel
}

// policyLevel has the nodes of one depth, by valid_policy.
type policyLevel map[string]*policyNode

type policyNode struct {
	policy       string
	expected     []string
	parents      []*policyNode
	asked, leads bool // by leadsTo
}

func (n *policyNode) any() bool { return n.policy == anyPolicyKey }

const anyPolicyKey = "\x55\x1d\x20\x00" // the DER of anyPolicy

func policyKey(id x509.OID) string {
	der, _ := id.MarshalBinary() // which has no error
	return string(der)
}

func newPolicyPath(in PolicyInputs, n int) *policyPath {
	skip := func(now bool) int {
		if now {
			return 0
		}
		return n + 1
	}
	return &policyPath{
		explicit: skip(!in.NotExplicit), mapping: skip(in.InhibitMapping), anyPolicy: skip(in.InhibitAnyPolicy),
		level: policyLevel{anyPolicyKey: {policy: anyPolicyKey, expected: []string{anyPolicyKey}}},
	}
}

// add makes a parent one of the node of a policy, which is new if need be.
func (l policyLevel) add(policy string, parent *policyNode) {
	n := l[policy]
	if n == nil {
		n = &policyNode{policy: policy, expected: []string{policy}}
		l[policy] = n
	}
	if len(n.parents) == 0 || n.parents[len(n.parents)-1] != parent {
		n.parents = append(n.parents, parent)
	}
}

var (
	errNoValidPolicy = errors.New("no certificate policy is valid for the path up to this certificate, and one is demanded (RFC 5280 section 6.1.3 (f))")
	errMapsAnyPolicy = errors.New("it maps anyPolicy (RFC 5280 section 6.1.4 (a))")
)

// next processes one more certificate, downwards.
func (p *policyPath) next(cert *x509.Certificate, last bool) error {
	p.descend(cert, last)
	if p.explicit == 0 && p.level == nil {
		return errNoValidPolicy
	}
	if last { // section 6.1.5 (a) and (b)
		p.explicit = max(p.explicit-1, 0)
		if cert.RequireExplicitPolicyZero {
			p.explicit = 0
		}
		if p.explicit == 0 && p.level == nil {
			return errNoValidPolicy
		}
		return nil
	}
	if err := p.applyMappings(cert.PolicyMappings); err != nil {
		return err
	}
	if !selfIssued(cert) { // section 6.1.4 (h)
		p.explicit, p.mapping, p.anyPolicy = max(p.explicit-1, 0), max(p.mapping-1, 0), max(p.anyPolicy-1, 0)
	}
	limit := func(state *int, skip int, zero bool) {
		if skip > 0 || zero {
			*state = min(*state, max(skip, 0))
		}
	}
	limit(&p.explicit, cert.RequireExplicitPolicy, cert.RequireExplicitPolicyZero)
	limit(&p.mapping, cert.InhibitPolicyMapping, cert.InhibitPolicyMappingZero)
	limit(&p.anyPolicy, cert.InhibitAnyPolicy, cert.InhibitAnyPolicyZero)
	return nil
}

// descend is section 6.1.3 (d) and (e).
func (p *policyPath) descend(cert *x509.Certificate, last bool) {
	if p.level == nil || len(cert.Policies) == 0 {
		p.level, p.above = nil, nil
		return
	}
	expecting := map[string][]*policyNode{}
	for _, n := range p.level {
		for _, policy := range n.expected {
			expecting[policy] = append(expecting[policy], n)
		}
	}
	below := policyLevel{}
	hasAny := false
	for _, id := range cert.Policies {
		policy := policyKey(id)
		if policy == anyPolicyKey {
			hasAny = true
			continue
		}
		for _, n := range expecting[policy] {
			below.add(policy, n)
		}
		if n := p.level[anyPolicyKey]; n != nil && len(expecting[policy]) == 0 {
			below.add(policy, n)
		}
	}
	if hasAny && (p.anyPolicy > 0 || !last && selfIssued(cert)) {
		for policy, parents := range expecting {
			if below[policy] != nil {
				continue // each parent that expects it has it
			}
			for _, n := range parents {
				below.add(policy, n)
			}
		}
	}
	p.above, p.level = p.level, below
	if len(below) == 0 {
		p.level = nil
	}
}

// applyMappings is section 6.1.4 (a) and (b).
func (p *policyPath) applyMappings(mappings []x509.PolicyMapping) error {
	to := map[string][]string{}
	for _, m := range mappings {
		from, subject := policyKey(m.IssuerDomainPolicy), policyKey(m.SubjectDomainPolicy)
		if from == anyPolicyKey || subject == anyPolicyKey {
			return errMapsAnyPolicy
		}
		to[from] = append(to[from], subject)
	}
	for from, subjects := range to {
		if p.level == nil {
			break
		}
		slices.Sort(subjects)
		switch n := p.level[from]; {
		case p.mapping == 0:
			delete(p.level, from)
		case n != nil:
			n.expected = slices.Compact(subjects)
		case p.level[anyPolicyKey] != nil:
			p.level.add(from, p.above[anyPolicyKey])
			p.level[from].expected = slices.Compact(subjects)
		}
	}
	if len(p.level) == 0 {
		p.level = nil
	}
	return nil
}

// acceptable is section 6.1.5 (g): the nodes of the last level that lead up to an
// acceptable policy, below anyPolicy.
func (p *policyPath) acceptable(policies []x509.OID) policyLevel {
	wanted := map[string]bool{}
	for _, id := range policies {
		wanted[policyKey(id)] = true
	}
	if wanted[anyPolicyKey] {
		return p.level
	}
	kept := policyLevel{}
	for policy, n := range p.level {
		if n.any() && len(wanted) > 0 || n.leadsTo(wanted) {
			kept[policy] = n
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// leadsTo reports whether a node that is wanted, and that is below anyPolicy, is this one
// or above it.
func (n *policyNode) leadsTo(wanted map[string]bool) bool {
	if !n.asked {
		n.asked = true
		n.leads = slices.ContainsFunc(n.parents, func(parent *policyNode) bool {
			if parent.any() {
				return wanted[n.policy]
			}
			return parent.leadsTo(wanted)
		})
	}
	return n.leads
}
