package chain_test

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-pkioverheid/trust/chain"
)

var (
	differentialFor = flag.Duration("chain.differential", 0, "how long TestDifferential compares with crypto/x509; 0: half a second, 10 with THOROUGH set")
	differentialOf  = flag.Uint64("chain.seed", 0, "the one hierarchy that TestDifferential makes; 0 means as many as there is time for")
)

// TestDifferential compares with crypto/x509 over the same roots and
// intermediates in plain pools: never more lenient, and without policies no
// stricter. To let it run long:
//
//	go test ./chain -run TestDifferential -timeout 0 -chain.differential=1h
func TestDifferential(t *testing.T) {
	var total tally
	if *differentialOf != 0 {
		total.compareWorld(t, newDice(*differentialOf, nil), *differentialOf, 200)
		t.Log(total.String())
		return
	}
	limit := *differentialFor
	if limit == 0 {
		limit = time.Second / 2
		if os.Getenv("THOROUGH") != "" {
			limit = 10 * time.Second
		}
	}
	signers() // keys take time of their own
	end := time.Now().Add(limit)
	first := uint64(end.UnixNano())
	var next atomic.Uint64
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var own tally
			// A few at least, however slow the machine is.
			for own.worlds < 8 || time.Now().Before(end) {
				if t.Failed() {
					break
				}
				seed := first + next.Add(1)
				own.compareWorld(t, newDice(seed, nil), seed, 40)
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(own)
		}()
	}
	wg.Wait()
	t.Log(total.String())
	// That these are not zero shows that something was compared.
	for what, n := range map[string]int{
		"accepted": total.accepted, "refused": total.refused, "pool accepted": total.poolAccepted,
		"derived": total.derived, "strict accepted": total.strictAccepted, "strict refused": total.strictRefused, "refused at sight": total.atSight, "refused by limits": total.tight, "moved": total.moved, "remembered": total.remembered,
		"below name constraints": total.constrained, "rolled over": total.rolledOver, "with CRLs accepted": total.current, "revoked": total.revoked,
	} {
		// The others take a while to come up, where the machine is slow.
		if n == 0 && (total.worlds > 60 || what == "accepted" || what == "refused") {
			t.Errorf("not one case of: %s", what)
		}
	}
}

// TestHierarchiesThatDiffered makes the hierarchies in which an hour of TestDifferential
// found a difference, or a CA that no Verifier takes.
func TestHierarchiesThatDiffered(t *testing.T) {
	for _, seed := range []uint64{1795909678529012244, 1795922949387170866, 0x18ec680a3afca128, 1795941716926143863} {
		var own tally
		own.compareWorld(t, newDice(seed, nil), seed, 40)
	}
}

// FuzzVerify lets the fuzzer make the first decisions of which a hierarchy is
// made. They come as numbers, because the fuzzer would spend a minute to shorten
// each slice of bytes that it likes.
func FuzzVerify(f *testing.F) {
	f.Add(uint64(1), uint64(0), uint64(0), uint64(0))
	f.Add(uint64(2), ^uint64(0), ^uint64(0), ^uint64(0))
	f.Add(uint64(3), uint64(0x7f01c07f01c07f01), uint64(0xc07f01c07f01c07f), uint64(0x01c07f01c07f01c0))
	f.Fuzz(func(t *testing.T, seed, first, second, third uint64) {
		var decisions []byte
		for _, n := range []uint64{first, second, third} {
			decisions = binary.BigEndian.AppendUint64(decisions, n)
		}
		var own tally
		own.compareWorld(t, newDice(seed, decisions), seed, 8)
	})
}

// tally counts what came out.
type tally struct {
	worlds, cases                 int
	accepted, refused             int // by Verify and crypto/x509
	poolAccepted, derived         int // by the pool; of these, through a derived anchor
	poolStricter                  int // crypto/x509 accepts with what the verifier holds, the pool does not
	strictAccepted, strictRefused int // of what crypto/x509 accepts, with policies
	atSight                       int // of these, refused before signatures
	itself                        int // certificates of the pool that presented themselves and were let through
	tight                         int // of what crypto/x509 accepts, refused by narrow limits
	constrained, rolledOver       int // of accepted, below a CA that limits names, and through a CA that changed its key
	current, revoked              int // with CRLs: accepted, and refused for a revocation
	remembered                    int // accepted for certificates that were given before, and are not now
	moved                         int // verified while roots and options were replaced, and refused by those of one moment only
	limited                       int // crypto/x509 gave up counting signatures, and the chain is one that it accepts
}

func (n *tally) add(o tally) {
	n.worlds += o.worlds
	n.cases += o.cases
	n.accepted += o.accepted
	n.refused += o.refused
	n.poolAccepted += o.poolAccepted
	n.derived += o.derived
	n.poolStricter += o.poolStricter
	n.strictAccepted += o.strictAccepted
	n.strictRefused += o.strictRefused
	n.atSight += o.atSight
	n.itself += o.itself
	n.limited += o.limited
	n.tight += o.tight
	n.moved += o.moved
	n.remembered += o.remembered
	n.constrained += o.constrained
	n.rolledOver += o.rolledOver
	n.current += o.current
	n.revoked += o.revoked
}

func (n *tally) String() string {
	return fmt.Sprintf("%d cases in %d hierarchies: %d accepted (%d below name constraints, %d through a changed key), %d refused; with CRLs %d accepted, %d refused as revoked; by the pool %d accepted, %d of them through a derived anchor, and %d refused that Verify accepts; "+
		"with policies %d accepted, %d refused, %d of them at sight of their names; %d certificates of the pool presented themselves to be let through; %d refused by narrow limits; %d accepted by memory alone; %d verdicts that depend on a replacement under way; %d times crypto/x509 reached its limit of signatures",
		n.cases, n.worlds, n.accepted, n.constrained, n.rolledOver, n.refused, n.current, n.revoked, n.poolAccepted, n.derived, n.poolStricter, n.strictAccepted, n.strictRefused, n.atSight, n.itself, n.tight, n.remembered, n.moved, n.limited)
}

func (n *tally) compareWorld(t *testing.T, d dice, seed uint64, questions int) {
	w := newWorld(d)
	n.worlds++
	if w.oneIn(4) {
		dir, err := os.MkdirTemp("", "crls")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		w.lists = w.revoke(t, dir)
		defer w.lists.checker.Close()
	}
	for i := range questions {
		q := w.question()
		n.cases++
		if err := w.compare(q, n); err != nil {
			t.Errorf("hierarchy %d, question %d: %v\n%s", seed, i, err, w.describe(q))
			return
		}
	}
}

// compare asks both sides and says where they differ in a way that they may not.
func (w *world) compare(q question, n *tally) error {
	w.at = q.at
	intermediates := poolOf(slices.Concat(slices.Collect(w.held.All()), q.extra)...)
	theirs, theirErr := q.x509(w.heldRoots.CertPool(), intermediates)
	mustPass := slices.ContainsFunc(theirs, regular)
	opts := chain.VerifyOptions{DNSName: q.dns, Time: q.at, KeyUsages: q.usages, Extra: q.extra}

	// Verify.
	ours, err := w.plain.Verify(q.leaf, opts)
	plain := verdict{ours, err}
	switch {
	case err == nil:
		if err := w.notLenient(q, ours, theirs, n); err != nil {
			return fmt.Errorf("Verify: %w (crypto/x509: %v)", err, theirErr)
		}
		n.accepted++
		if len(ours) > 1 && slices.ContainsFunc(ours[1:], limitsNames) {
			n.constrained++
		}
		if slices.ContainsFunc(ours[:len(ours)-1], func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }) {
			n.rolledOver++
		}
	case mustPass:
		return fmt.Errorf("Verify is stricter: %w", err)
	default:
		n.refused++
		if err := w.wellFormed(err, q.leaf); err != nil {
			return fmt.Errorf("Verify: %w", err)
		}
	}

	// Verify with policies: the chains of crypto/x509 that they allow.
	allowed := slices.DeleteFunc(slices.Clone(theirs), w.refuses)
	ours, err = w.strict.Verify(q.leaf, opts)
	strict := verdict{ours, err}
	switch {
	case err == nil:
		if w.refuses(ours) {
			return fmt.Errorf("Verify returns a chain that the policies refuse: %s", names(ours))
		}
		if err := w.notLenient(q, ours, allowed, n); err != nil {
			return fmt.Errorf("Verify with policies: %w (crypto/x509: %v)", err, theirErr)
		}
		n.strictAccepted++
	case slices.ContainsFunc(allowed, regular):
		return fmt.Errorf("Verify with policies is stricter: %w", err)
	default:
		if theirErr == nil {
			n.strictRefused++
			if errors.Is(err, chain.ErrBeforeSignatures) {
				n.atSight++
			}
		}
		if err := w.wellFormed(err, q.leaf); err != nil {
			return fmt.Errorf("Verify with policies: %w", err)
		}
	}

	if err := w.compareTight(q, opts, theirs, n); err != nil {
		return fmt.Errorf("Verify with narrow limits: %w (crypto/x509: %v)", err, theirErr)
	}
	for _, v := range []*chain.Verifier{w.remembering, w.rememberingStrictly} {
		before := plain
		if v == w.rememberingStrictly {
			before = strict
		}
		if err := w.compareRemembering(v, q, opts, theirs, n, before); err != nil {
			return fmt.Errorf("Verify with memory: %w (crypto/x509: %v)", err, theirErr)
		}
	}
	if w.lists != nil && q.at.Equal(now) {
		if err := w.lists.compare(w, q, opts, theirs, n); err != nil {
			return fmt.Errorf("Verify with CRLs: %w (crypto/x509: %v)", err, theirErr)
		}
	}
	if err := w.compareMoving(q, opts, theirs, n, plain, strict); err != nil {
		return fmt.Errorf("Verify while replaced: %w (crypto/x509: %v)", err, theirErr)
	}

	// The pools, as crypto/tls asks them, and Check.
	peers := poolOf(q.extra...)
	verified, poolErr := q.x509(w.plainPool, peers)
	if poolErr == nil {
		n.poolAccepted++
		if err := w.poolNotLenient(q, w.plain, verified, theirs, n); err != nil {
			return fmt.Errorf("pool: %w (crypto/x509: %v)", err, theirErr)
		}
	} else if theirErr == nil {
		n.poolStricter++
	}
	if poolErr != nil && !limited(poolErr) {
		alone, _ := q.x509(w.heldRoots.CertPool(), peers)
		for _, c := range alone {
			if !regular(c) {
				continue
			}
			// With more anchors crypto/x509 can reach its limit of signatures, of which it says
			// nothing where it found a chain of another use before.
			only := poolOf(c[1:max(1, len(c)-1)]...)
			if _, err := q.x509(w.plainPool, only); err != nil {
				return fmt.Errorf("pool is stricter than one of the roots alone: %w", err)
			}
			n.limited++
		}
	}
	strictly, err := q.x509(w.strictPool, peers)
	if err == nil {
		if err := w.poolNotLenient(q, w.strict, strictly, allowed, n); err != nil {
			return fmt.Errorf("pool with policies: %w (crypto/x509: %v)", err, theirErr)
		}
	}
	// A session that was verified before the policies changed, or with a pool of the roots.
	for _, before := range [][][]*x509.Certificate{verified, theirs} {
		if c, err := w.strict.Check(before, q.at); err == nil {
			if w.refuses(c) {
				return fmt.Errorf("Check returns a chain that the policies refuse: %s", names(c))
			}
			if err := w.notLenient(q, c, allowed, n); err != nil {
				return fmt.Errorf("Check with policies: %w", err)
			}
		}
	}
	if theirErr == nil {
		if _, err := w.plain.Check(theirs, q.at); err != nil {
			return fmt.Errorf("Check refuses the chains of crypto/x509: %w", err)
		}
	}

	if w.misled != nil {
		return w.misled
	}
	if w.oneIn(3) {
		return w.complete(q)
	}
	return nil
}

// regular reports a chain in which no CA maps anyPolicy, which RFC 5280 section 6.1.4 (a)
// refuses. crypto/x509 overlooks it where a CA above has no policies: a root that is below
// another root too, so that the longer chain passes and the shorter one does not. A
// Verifier takes a root of its own as an anchor only, and may be stricter there.
func regular(c []*x509.Certificate) bool {
	return !slices.ContainsFunc(c, func(c *x509.Certificate) bool {
		return slices.ContainsFunc(c.PolicyMappings, func(m x509.PolicyMapping) bool {
			return m.IssuerDomainPolicy.Equal(anyPolicy) || m.SubjectDomainPolicy.Equal(anyPolicy)
		})
	})
}

// twice reports a chain with a certificate twice.
func twice(c chain.Chain) bool {
	for i := range c {
		if slices.ContainsFunc(c[:i], c[i].Equal) {
			return true
		}
	}
	return false
}

func limitsNames(c *x509.Certificate) bool {
	return len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains)+len(c.PermittedEmailAddresses) > 0
}

type verdict struct {
	c   chain.Chain
	err error
}

// compareTight asks a verifier with narrow limits: it may refuse, and then says that
// it gave up.
func (w *world) compareTight(q question, opts chain.VerifyOptions, theirs [][]*x509.Certificate, n *tally) error {
	ours, err := w.tight.Verify(q.leaf, opts)
	var e *chain.Error
	switch {
	case err == nil:
		return w.notLenient(q, ours, theirs, n)
	case !slices.ContainsFunc(theirs, regular):
	case !errors.As(err, &e) || e.Reason != chain.Unsupported:
		return fmt.Errorf("stricter, and not by its limits: %w", err)
	default:
		n.tight++
	}
	return w.wellFormed(err, q.leaf)
}

// compareRemembering asks a verifier that verified the same certificates before, at other
// times, for other hosts and with others beside them. It accepts what one without memory
// does, and besides only what crypto/x509 accepts with the certificates of that time.
func (w *world) compareRemembering(v *chain.Verifier, q question, opts chain.VerifyOptions, theirs [][]*x509.Certificate, n *tally, forgetful verdict) error {
	var ours chain.Chain
	var err error
	if w.oneIn(2) {
		raw := [][]byte{q.leaf.Raw}
		for _, c := range q.extra {
			raw = append(raw, c.Raw)
		}
		opts.Extra = nil
		ours, err = v.VerifyRaw(raw, opts)
	} else {
		ours, err = v.Verify(q.leaf, opts)
	}
	switch {
	case err != nil && forgetful.err == nil:
		return fmt.Errorf("stricter: %w", err)
	case err != nil:
		return w.wellFormed(err, q.leaf)
	case v == w.rememberingStrictly && w.refuses(ours):
		return fmt.Errorf("a chain that the policies refuse: %s", names(ours))
	case forgetful.err != nil:
		n.remembered++
	}
	return w.notLenient(q, ours, theirs, new(tally))
}

// compareMoving asks a verifier that is replaced at the same time. The verdict is
// that of before or of after.
func (w *world) compareMoving(q question, opts chain.VerifyOptions, theirs [][]*x509.Certificate, n *tally, plain, strict verdict) error {
	// With memory, the state of before may accept what was given a question ago.
	options := []chain.Option{chain.WithMemory(0, 0)}
	if w.oneIn(2) {
		options = append(options, w.strictly()...)
	}
	done := make(chan error)
	go func() { done <- w.moving.Replace(w.heldRoots, w.held, options...) }()
	ours, err := w.moving.Verify(q.leaf, opts)
	verified, poolErr := q.x509(w.movingPool, poolOf(q.extra...))
	if err := <-done; err != nil {
		return err
	}
	if (plain.err == nil) != (strict.err == nil) {
		n.moved++
	}
	same := func(v verdict) bool {
		return (err == nil) == (v.err == nil) && slices.EqualFunc(ours, v.c, (*x509.Certificate).Equal)
	}
	if !same(plain) && !same(strict) {
		return fmt.Errorf("neither the verdict of the one nor of the other: %s, %w", names(ours), err)
	}
	if poolErr == nil {
		return w.poolNotLenient(q, w.plain, verified, theirs, n)
	}
	return nil
}

func (q question) x509(roots, intermediates *x509.CertPool) ([][]*x509.Certificate, error) {
	return q.leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: q.at, DNSName: q.dns, KeyUsages: q.usages,
	})
}

// notLenient says whether crypto/x509 accepts a chain, as one of those that it
// found or as the only one that there is.
func (w *world) notLenient(q question, ours chain.Chain, theirs [][]*x509.Certificate, n *tally) error {
	same := func(c []*x509.Certificate) bool { return slices.EqualFunc(c, ours, (*x509.Certificate).Equal) }
	if slices.ContainsFunc(theirs, same) {
		return nil
	}
	if !w.heldRoots.Contains(ours.Root()) {
		return fmt.Errorf("the chain %s ends at no root", names(ours))
	}
	if twice(ours) {
		// crypto/x509 goes round in CAs that certify each other's keys if the first has names
		// (alreadyInChain stops looking there). How often, its limit of signatures decides.
		n.limited++
		return w.linked(ours)
	}
	exactly, err := q.x509(poolOf(ours.Root()), poolOf(ours[1:max(1, len(ours)-1)]...))
	if err != nil && limited(err) {
		n.limited++ // of CAs that certify each other's keys, each of them once
		return w.linked(ours)
	}
	if err != nil || !slices.ContainsFunc(exactly, same) {
		return fmt.Errorf("more lenient: the chain %s, which crypto/x509 refuses: %v", names(ours), err)
	}
	n.limited++
	return nil
}

// poolNotLenient checks what crypto/x509 accepted with a pool of ours.
func (w *world) poolNotLenient(q question, v *chain.Verifier, verified, theirs [][]*x509.Certificate, n *tally) error {
	c, err := v.Check(verified, q.at)
	if err == nil {
		if err := w.notLenient(q, c, theirs, n); err != nil {
			return fmt.Errorf("Check: %w", err)
		}
		for _, short := range verified {
			if len(short) > 1 && !w.heldRoots.Contains(short[len(short)-1]) {
				n.derived++
				break
			}
		}
		// Once more with other values, as crypto/tls makes them of a session.
		copies := make([][]*x509.Certificate, len(verified))
		for i, c := range verified {
			for _, cert := range c {
				copies[i] = append(copies[i], copyOf(cert))
			}
		}
		again, err := v.Check(copies, q.at)
		if err != nil || !slices.EqualFunc(c, again, (*x509.Certificate).Equal) {
			return fmt.Errorf("Check differs for copies: %s and %s: %w", names(c), names(again), err)
		}
		return nil
	}
	if len(verified) == 1 && len(verified[0]) == 1 {
		// crypto/x509 asks nothing about a certificate that is in the pool; Check
		// did. In the pool are none but CAs with a path to a root, and distrusted roots.
		if v == w.strict && w.distrusted.Contains(q.leaf) && string(q.leaf.RawSubject) != string(q.leaf.RawIssuer) {
			if bytes.Equal(q.leaf.RawSubject, q.leaf.RawIssuer) {
				return nil // a distrusted root stays in the pool as it is, against AddCert
			}
			return errors.New("a distrusted certificate presents itself and gets through")
		}
		c, err := v.Complete(verified[0], q.at)
		if err != nil && !w.distrusted.Contains(q.leaf) {
			return fmt.Errorf("a CA without a path to a root presents itself and gets through: %w", err)
		}
		n.itself++
		return w.linked(c)
	}
	return fmt.Errorf("Check refuses what its pool accepts: %w", err)
}

// complete asks Complete, which follows signatures only.
func (w *world) complete(q question) error {
	c, err := w.plain.Complete(append([]*x509.Certificate{q.leaf}, q.extra...), q.at)
	if err != nil {
		return w.wellFormed(err, nil)
	}
	if err := w.linked(c); err != nil {
		return fmt.Errorf("Complete: %w", err)
	}
	if !w.heldRoots.Contains(c.Root()) {
		return fmt.Errorf("Complete: %s ends at no root", names(c))
	}
	return nil
}

func (w *world) linked(c chain.Chain) error {
	for i := range len(c) - 1 {
		link := [2]*x509.Certificate{c[i], c[i+1]}
		if w.signed[link] {
			continue
		}
		if err := c[i].CheckSignatureFrom(c[i+1]); err != nil {
			return fmt.Errorf("%s: %d is not signed by the next: %w", names(c), i, err)
		}
		w.signed[link] = true
	}
	return nil
}

// wellFormed looks at an error as a user would.
func (w *world) wellFormed(err error, leaf *x509.Certificate) error {
	var e *chain.Error
	switch {
	case !errors.As(err, &e):
		return fmt.Errorf("an error of another type: %w", err)
	case e.Reason == "":
		return fmt.Errorf("an error without a reason: %w", err)
	case leaf != nil && !leaf.Equal(e.Chain.Leaf()):
		return fmt.Errorf("an error about another leaf: %w", err)
	case !strings.HasPrefix(e.Error(), "chain: ") || strings.Contains(e.Error(), "\n"):
		return fmt.Errorf("an error with another text: %q", e.Error())
	}
	return w.linked(e.Chain)
}

func limited(err error) bool { return strings.Contains(err.Error(), "signature check attempts limit") }

func (w *world) describe(q question) string {
	var b strings.Builder
	fmt.Fprintf(&b, "at %s, host %q, usages %v\n", q.at.Format(time.RFC3339), q.dns, q.usages)
	list := func(what string, certs []*x509.Certificate) {
		for _, c := range certs {
			fmt.Fprintf(&b, "%s: %s by %s, serial %v, %s to %s, CA %v/%v, length %d, usage %b, extended %v %v, policies %v, explicit %d/%v, critical %v, refused %v\n",
				what, c.Subject.CommonName, c.Issuer.CommonName, c.SerialNumber, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly),
				c.IsCA, c.BasicConstraintsValid, c.MaxPathLen, c.KeyUsage, c.ExtKeyUsage, c.UnknownExtKeyUsage, c.Policies,
				c.RequireExplicitPolicy, c.RequireExplicitPolicyZero, c.UnhandledCriticalExtensions, w.refuses([]*x509.Certificate{c}))
		}
	}
	list("leaf", []*x509.Certificate{q.leaf})
	list("root", slices.Collect(w.heldRoots.All()))
	list("held", slices.Collect(w.held.All()))
	list("sent", q.extra)
	return b.String()
}
