package chain_test

import (
	"crypto/x509"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// crypto/x509 does not enforce CertificatePolicies by itself, so VerifyOptions here has
// no such field. Where this test fails, that has changed.
func TestCryptoX509DoesNotEnforceCertificatePolicies(t *testing.T) {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA", policies(policyOne))
	leaf := issuing.issue("host.example", policies(policyOne))
	opts := x509.VerifyOptions{Roots: poolOf(root.Certificate), Intermediates: poolOf(issuing.Certificate), CurrentTime: now, CertificatePolicies: []x509.OID{policyTwo}}
	_, err := leaf.Verify(opts)
	assert.NoError(t, err)

	demanding := root.issueCA("Issuing CA", policies(policyOne), requireExplicitPolicy(0))
	opts.Intermediates = poolOf(demanding.Certificate)
	_, err = demanding.issue("host.example", policies(policyOne)).Verify(opts)
	assert.Error(t, err, "it does where a CA demands it")

	c := chain.Chain{leaf, issuing.Certificate, root.Certificate}
	assert.ErrorContains(t, chain.PolicyInputs{Acceptable: []x509.OID{policyTwo}}.Policy(c, now), policyTwo.String()+" (RFC 5280 section 6.1.5)")
	assert.NoError(t, chain.PolicyInputs{Acceptable: []x509.OID{policyTwo, policyOne}}.Policy(c, now))
}

func TestPolicyInputs(t *testing.T) {
	one, two := []x509.OID{policyOne}, []x509.OID{policyTwo}
	chainOf := func(leaf, issuing, domain []edit) chain.Chain { return newLayers(nil, domain, issuing, leaf).full() }
	asserted := chainOf([]edit{policies(policyOne)}, []edit{policies(policyOne)}, []edit{policies(policyOne)})
	mapped := chainOf([]edit{policies(policyTwo)}, []edit{policies(policyTwo)}, []edit{policies(policyOne), mapPolicy(policyOne, policyTwo)})
	byAny := chainOf([]edit{policies(policyOne)}, []edit{policies(anyPolicy)}, []edit{policies(anyPolicy)})
	without := chainOf(nil, []edit{policies(policyOne)}, []edit{policies(policyOne)})
	for _, test := range []struct {
		name string
		in   chain.PolicyInputs
		c    chain.Chain
		cert int // -1: accepted
	}{
		{"the policy is asserted all the way", chain.PolicyInputs{Acceptable: one}, asserted, -1},
		{"another is not", chain.PolicyInputs{Acceptable: two}, asserted, 0},
		{"nothing is acceptable", chain.PolicyInputs{}, asserted, 0},
		{"anyPolicy is every policy", chain.PolicyInputs{Acceptable: []x509.OID{anyPolicy}}, asserted, -1},
		{"a policy is required by default", chain.PolicyInputs{Acceptable: one}, without, 0},
		{"and is not where that is said", chain.PolicyInputs{Acceptable: one, NotExplicit: true}, without, -1},
		{"unless a CA demands it", chain.PolicyInputs{Acceptable: one, NotExplicit: true}, chainOf(nil, []edit{policies(policyOne), requireExplicitPolicy(0)}, []edit{policies(policyOne)}), 0},
		{"a mapped policy counts as that of the CA above", chain.PolicyInputs{Acceptable: one}, mapped, -1},
		{"and not as its own", chain.PolicyInputs{Acceptable: two}, mapped, 0},
		{"mappings may be inhibited", chain.PolicyInputs{Acceptable: one, InhibitMapping: true}, mapped, 1},
		{"anyPolicy in CAs counts", chain.PolicyInputs{Acceptable: one}, byAny, -1},
		{"and may be inhibited", chain.PolicyInputs{Acceptable: one, InhibitAnyPolicy: true}, byAny, 2},
		{"anyPolicy in the leaf counts too", chain.PolicyInputs{Acceptable: one}, chainOf([]edit{policies(anyPolicy)}, []edit{policies(policyOne)}, []edit{policies(anyPolicy)}), -1},
		{"a root alone has none", chain.PolicyInputs{Acceptable: one}, asserted[3:], 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.in.Policy(test.c, now)
			if test.cert < 0 {
				assert.NoError(t, err)
				return
			}
			var refused *chain.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, chain.RefusedByPolicy, refused.Reason)
			assert.Same(t, test.c[test.cert], refused.Cert)
		})
	}
	// anyPolicy is not mapped: crypto/x509 makes no such certificate.
	c := slices.Clone(asserted)
	odd := *c[1]
	odd.PolicyMappings = []x509.PolicyMapping{{IssuerDomainPolicy: anyPolicy, SubjectDomainPolicy: policyOne}}
	c[1] = &odd
	assert.ErrorContains(t, chain.PolicyInputs{Acceptable: one, NotExplicit: true}.Policy(c, now), "section 6.1.4 (a)")
}

// treeNode is a node of a valid_policy_tree, RFC 5280 section 6.1.2 (a).
type treeNode struct {
	policy   string
	expected map[string]bool
	children []*treeNode
	parent   *treeNode
	depth    int
}

func (n *treeNode) child(policy string, expected ...string) {
	set := map[string]bool{}
	for _, e := range expected {
		set[e] = true
	}
	n.children = append(n.children, &treeNode{policy, set, nil, n, n.depth + 1})
}

// at returns the nodes of a depth.
func (n *treeNode) at(depth int) (nodes []*treeNode) {
	if n == nil {
		return nil
	}
	if n.depth == depth {
		return []*treeNode{n}
	}
	for _, c := range n.children {
		nodes = append(nodes, c.at(depth)...)
	}
	return nodes
}

// pruned removes nodes above a depth that have no children.
func (n *treeNode) pruned(depth int) *treeNode {
	if n == nil || n.depth == depth {
		return n
	}
	n.children = slices.DeleteFunc(n.children, func(c *treeNode) bool { return c.pruned(depth) == nil })
	if len(n.children) == 0 {
		return nil
	}
	return n
}

func (n *treeNode) remove(child *treeNode) {
	n.children = slices.DeleteFunc(n.children, func(c *treeNode) bool { return c == child })
}

// validPath is section 6.1 to the letter, as far as it is about policies; certs are from
// the one below the trust anchor to the last.
func validPath(certs []*x509.Certificate, in chain.PolicyInputs) bool {
	const any = "2.5.29.32.0"
	n := len(certs)
	tree := &treeNode{policy: any, expected: map[string]bool{any: true}}
	initially := func(zero bool) int {
		if zero {
			return 0
		}
		return n + 1
	}
	explicit, inhibitAny, mapping := initially(!in.NotExplicit), initially(in.InhibitAnyPolicy), initially(in.InhibitMapping)
	for k, cert := range certs {
		i := k + 1
		issuedBySelf := string(cert.RawSubject) == string(cert.RawIssuer)
		if len(cert.Policies) > 0 && tree != nil { // (d)
			hasAny := false
			for _, id := range cert.Policies {
				p := id.String()
				if p == any {
					hasAny = true
					continue
				}
				matched := false
				for _, node := range tree.at(i - 1) {
					if node.expected[p] {
						node.child(p, p)
						matched = true
					}
				}
				for _, node := range tree.at(i - 1) {
					if !matched && node.policy == any {
						node.child(p, p)
					}
				}
			}
			if hasAny && (inhibitAny > 0 || i < n && issuedBySelf) {
				for _, node := range tree.at(i - 1) {
					for e := range node.expected {
						if !slices.ContainsFunc(node.children, func(c *treeNode) bool { return c.policy == e }) {
							node.child(e, e)
						}
					}
				}
			}
			tree = tree.pruned(i)
		}
		if len(cert.Policies) == 0 {
			tree = nil // (e)
		}
		if explicit == 0 && tree == nil {
			return false // (f)
		}
		if i == n {
			break
		}
		// 6.1.4
		to := map[string]map[string]bool{}
		for _, m := range cert.PolicyMappings {
			from, subject := m.IssuerDomainPolicy.String(), m.SubjectDomainPolicy.String()
			if from == any || subject == any {
				return false
			}
			if to[from] == nil {
				to[from] = map[string]bool{}
			}
			to[from][subject] = true
		}
		for from, subjects := range to {
			if mapping > 0 {
				found := false
				for _, node := range tree.at(i) {
					if node.policy == from {
						node.expected, found = maps.Clone(subjects), true
					}
				}
				for _, node := range tree.at(i) {
					if !found && node.policy == any {
						node.parent.child(from, slices.Collect(maps.Keys(subjects))...)
					}
				}
			} else {
				for _, node := range tree.at(i) {
					if node.policy == from {
						node.parent.remove(node)
					}
				}
				tree = tree.pruned(i)
			}
		}
		if !issuedBySelf {
			explicit, mapping, inhibitAny = max(explicit-1, 0), max(mapping-1, 0), max(inhibitAny-1, 0)
		}
		if (cert.RequireExplicitPolicy > 0 || cert.RequireExplicitPolicyZero) && cert.RequireExplicitPolicy < explicit {
			explicit = cert.RequireExplicitPolicy
		}
		if (cert.InhibitPolicyMapping > 0 || cert.InhibitPolicyMappingZero) && cert.InhibitPolicyMapping < mapping {
			mapping = cert.InhibitPolicyMapping
		}
		if (cert.InhibitAnyPolicy > 0 || cert.InhibitAnyPolicyZero) && cert.InhibitAnyPolicy < inhibitAny {
			inhibitAny = cert.InhibitAnyPolicy
		}
	}
	// 6.1.5
	explicit = max(explicit-1, 0)
	if n > 0 && certs[n-1].RequireExplicitPolicyZero {
		explicit = 0
	}
	acceptable := map[string]bool{}
	for _, id := range in.Acceptable {
		acceptable[id.String()] = true
	}
	if tree != nil && !acceptable[any] { // (g) (iii)
		var below []*treeNode
		for depth := 1; depth <= n; depth++ {
			for _, node := range tree.at(depth) {
				if node.parent.policy == any {
					below = append(below, node)
				}
			}
		}
		valid := map[string]bool{}
		for _, node := range below {
			valid[node.policy] = true
			if !acceptable[node.policy] && node.policy != any {
				node.parent.remove(node)
			}
		}
		for _, node := range tree.at(n) {
			if node.policy == any {
				for p := range acceptable {
					if !valid[p] {
						node.parent.child(p, p)
					}
				}
				node.parent.remove(node)
			}
		}
		tree = tree.pruned(n)
	}
	return explicit > 0 || tree != nil
}

// policyDice makes the certificates of a path at random, with few policies, so that they
// meet.
func policyDice(d dice) (c chain.Chain, in chain.PolicyInputs) {
	universe := []x509.OID{oid(1, 2, 3), oid(1, 2, 4), oid(1, 2, 5), oid(1, 2, 6), anyPolicy}
	some := func(n int) (list []x509.OID) {
		for _, i := range d.Perm(len(universe))[:n] {
			list = append(list, universe[i])
		}
		return list
	}
	for i := range 1 + d.IntN(5) {
		cert := &x509.Certificate{RawTBSCertificate: []byte{0x30}, RawIssuer: fmt.Append(nil, i+1), RawSubject: fmt.Append(nil, i),
			RequireExplicitPolicy: -1, InhibitPolicyMapping: -1, InhibitAnyPolicy: -1}
		if d.oneIn(6) {
			cert.RawSubject = cert.RawIssuer
		}
		if !d.oneIn(12) {
			cert.Policies = some(1 + d.IntN(4))
			if d.oneIn(3) && !slices.ContainsFunc(cert.Policies, anyPolicy.Equal) {
				cert.Policies = append(cert.Policies, anyPolicy)
			}
		}
		if d.oneIn(2) {
			for range 1 + d.IntN(3) {
				m := some(2)
				if slices.ContainsFunc(m, anyPolicy.Equal) && !d.oneIn(20) {
					continue
				}
				cert.PolicyMappings = append(cert.PolicyMappings, x509.PolicyMapping{IssuerDomainPolicy: m[0], SubjectDomainPolicy: m[1]})
			}
		}
		for _, of := range []struct {
			value *int
			zero  *bool
		}{{&cert.RequireExplicitPolicy, &cert.RequireExplicitPolicyZero}, {&cert.InhibitPolicyMapping, &cert.InhibitPolicyMappingZero}, {&cert.InhibitAnyPolicy, &cert.InhibitAnyPolicyZero}} {
			if d.oneIn(6) {
				*of.value = d.IntN(3)
				*of.zero = *of.value == 0
			}
		}
		c = append(c, cert)
	}
	c = append(c, &x509.Certificate{RawTBSCertificate: []byte{0x30}, RawSubject: []byte("root"), RawIssuer: []byte("root")})
	return c, chain.PolicyInputs{Acceptable: some(d.IntN(4)), NotExplicit: d.oneIn(3), InhibitMapping: d.oneIn(5), InhibitAnyPolicy: d.oneIn(5)}
}

func TestPolicyInputsDecideAsTheStandard(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(20, 6))}
	until := time.Now().Add(5 * time.Second)
	accepted, refused, strict := 0, 0, 0
	for n := 0; n < 20_000 && time.Now().Before(until); n++ {
		c, in := policyDice(d)
		path := slices.Clone(c[:len(c)-1])
		slices.Reverse(path)
		want := validPath(path, in)
		err := in.Policy(c, now)
		require.Equal(t, want, err == nil, "path %d: %v: %v", n, in, err)
		if want {
			accepted++
		} else {
			refused++
		}
		// RequirePolicy is stricter.
		if chain.RequirePolicy(in.Acceptable...)(c, now) == nil {
			strict++
			same := chain.PolicyInputs{Acceptable: in.Acceptable, InhibitMapping: true}
			require.NoError(t, same.Policy(c, now), "path %d", n)
		}
	}
	t.Logf("%d accepted, %d refused, %d by RequirePolicy too", accepted, refused, strict)
	assert.Greater(t, min(accepted, refused), 1000)
	assert.Greater(t, strict, 100)
}

func TestPolicyInputsOnManyPolicies(t *testing.T) {
	var many []x509.OID
	for i := range 3000 {
		many = append(many, oid(1, 2, 3, uint64(i)))
	}
	c := chain.Chain{}
	for i := range 10 {
		cert := &x509.Certificate{RawTBSCertificate: []byte{0x30}, RawSubject: fmt.Append(nil, i), RawIssuer: fmt.Append(nil, i+1), Policies: append(slices.Clone(many), anyPolicy)}
		for j := range many {
			cert.PolicyMappings = append(cert.PolicyMappings, x509.PolicyMapping{IssuerDomainPolicy: many[j%3], SubjectDomainPolicy: many[j]})
		}
		c = append(c, cert)
	}
	took, err := quickest(t, time.Second, func() error { return chain.PolicyInputs{Acceptable: []x509.OID{oid(1, 2, 4)}}.Policy(c, now) })
	t.Log(took, err)
}

func ExamplePolicyInputs_Policy() {
	root := newRoot("Root")
	issuing := root.issueCA("Issuing CA", policies(policyOne))
	v, err := chain.NewVerifier(truststore.New(root.Certificate), truststore.New(issuing.Certificate),
		chain.WithPolicy(chain.PolicyInputs{Acceptable: []x509.OID{policyOne}}.Policy))
	if err != nil {
		panic(err)
	}
	_, err = v.Verify(issuing.issue("host.example", policies(policyOne)), chain.VerifyOptions{Time: now})
	fmt.Println(err)
	_, err = v.Verify(issuing.issue("host.example", policies(policyTwo)), chain.VerifyOptions{Time: now})
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// true
}
