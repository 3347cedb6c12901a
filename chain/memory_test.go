package chain_test

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

// What a remembered certificate must not get through with. Each case verifies it, lets
// something change, and asks again.
func TestARememberedCertificateIsAskedForAllThatCanChange(t *testing.T) {
	var barred *x509.Certificate // by a policy and by a veto
	type asked struct {
		l    layers
		v    *chain.Verifier
		opts *chain.VerifyOptions
	}
	for _, test := range []struct {
		name   string
		edits  [][]edit
		change func(a asked)
		reason chain.Reason
	}{
		{"it has ended", nil, func(a asked) { a.opts.Time = a.l.leaf.NotAfter.Add(time.Second) }, chain.Expired},
		{"the time is before it began", nil, func(a asked) { a.opts.Time = a.l.leaf.NotBefore.Add(-time.Second) }, chain.NotYetValid},
		{"a CA has ended", [][]edit{nil, {valid(now.AddDate(-1, 0, 0), now.AddDate(0, 1, 0))}}, func(a asked) { a.opts.Time = now.AddDate(0, 2, 0) }, chain.Expired},
		{"the root has ended", [][]edit{{valid(now.AddDate(-1, 0, 0), now.AddDate(0, 1, 0))}}, func(a asked) { a.opts.Time = now.AddDate(0, 2, 0) }, chain.Expired},
		{"it is asked for another name", nil, func(a asked) { a.opts.DNSName = "other.example" }, chain.WrongName},
		{"it is asked for another usage", nil, func(a asked) { a.opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }, chain.WrongUsage},
		{"a policy refuses it", nil, func(a asked) { barred = a.l.leaf }, chain.Revoked},
		{"a policy refuses its CA", nil, func(a asked) { barred = a.l.issuing.Certificate }, chain.Revoked},
		{"its root was taken away", nil, func(a asked) {
			require.NoError(t, a.v.Replace(truststore.New(), a.l.intermediates()))
		}, chain.UnknownAuthority},
		{"its CA was distrusted", nil, func(a asked) {
			require.NoError(t, a.v.Replace(a.l.roots(), a.l.intermediates(), chain.WithDistrusted(truststore.New(a.l.domain.Certificate), nil)))
		}, chain.RefusedByPolicy},
		{"there is a policy that refuses all", nil, func(a asked) {
			require.NoError(t, a.v.Replace(a.l.roots(), a.l.intermediates(), chain.WithPolicy(chain.PinLeaf())))
		}, chain.RefusedByPolicy},
	} {
		t.Run(test.name, func(t *testing.T) {
			barred = nil
			l := newLayers(test.edits...)
			v := l.verifier(chain.WithPolicy(func(c chain.Chain, at time.Time) error {
				if slices.ContainsFunc(c, func(cert *x509.Certificate) bool { return cert.Equal(barred) }) {
					return &chain.Error{Reason: chain.Revoked, Chain: c, Cert: barred, At: at}
				}
				return nil
			}))
			opts := chain.VerifyOptions{Time: now, DNSName: "host.example"}
			for range 2 {
				c, err := v.Verify(l.leaf, opts)
				require.NoError(t, err)
				assertSameCerts(t, l.full(), c)
			}
			before := opts
			test.change(asked{l, v, &opts})
			for range 2 {
				_, err := v.Verify(l.leaf, opts)
				var e *chain.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, string(test.reason), string(e.Reason), err.Error())
				_, raw := v.VerifyRaw([][]byte{l.leaf.Raw}, opts)
				assert.EqualError(t, raw, err.Error())
			}

			barred = nil
			if _, err := v.Verify(l.leaf, before); err != nil {
				require.NoError(t, v.Replace(l.roots(), l.intermediates()))
				_, err = v.Verify(l.leaf, before)
				assert.NoError(t, err, "no refusal is remembered")
			}
		})
	}
}

// A veto sees the certificates alone, but a set of distrusted ones can grow.
func TestARememberedCertificateIsVetoed(t *testing.T) {
	l := newLayers()
	var distrusts atomic.Bool
	v := l.verifier(chain.WithVeto(func(certs []*x509.Certificate) error {
		if distrusts.Load() && slices.ContainsFunc(certs, l.domain.Certificate.Equal) {
			return errRevoked
		}
		return nil
	}))
	_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now})
	require.NoError(t, err)
	distrusts.Store(true)
	_, err = v.Verify(l.leaf, chain.VerifyOptions{Time: now})
	assert.ErrorIs(t, err, errRevoked)
	distrusts.Store(false)
	_, err = v.Verify(l.leaf, chain.VerifyOptions{Time: now})
	assert.NoError(t, err)
}

func TestMemoryOfIntermediatesThatWereGiven(t *testing.T) {
	l, stranger := newLayers(), newLayers()
	onlyRoot := func() *chain.Verifier { return mustVerifier(l.roots(), truststore.New()) }
	opts := chain.VerifyOptions{Time: now}
	with := opts
	with.Extra = l.full()[1:3]

	v := onlyRoot()
	_, err := v.Verify(l.leaf, opts)
	require.Error(t, err, "nothing leads to the root")
	_, err = v.Verify(l.leaf, with)
	require.NoError(t, err)
	for name, extra := range map[string][]*x509.Certificate{
		"fewer": l.full()[1:2], "none": nil, "others": stranger.full(), "changed ones": {mutated(l.issuing.Certificate)},
	} {
		opts.Extra = extra
		c, err := v.Verify(l.leaf, opts)
		require.NoError(t, err, name)
		assertSameCerts(t, l.full(), c)
		opts.NoMemory = true
		_, err = v.Verify(l.leaf, opts)
		assert.Error(t, err, "%s: without memory, what is given must do", name)
		opts.NoMemory = false
		assert.False(t, v.Explain([]*x509.Certificate{l.leaf}, opts).OK, "%s: an explanation is of what is given", name)
	}
	_, err = v.Verify(stranger.leaf, with)
	assert.Error(t, err, "of one certificate only")
	require.NoError(t, v.Replace(l.roots(), truststore.New()))
	opts.Extra = nil
	_, err = v.Verify(l.leaf, opts)
	assert.Error(t, err, "and until the next Replace")

	v = onlyRoot()
	with.NoMemory = true
	_, err = v.Verify(l.leaf, with)
	require.NoError(t, err)
	_, err = v.Verify(l.leaf, opts)
	assert.Error(t, err, "nothing is added to the memory")
}

// Of two chains that crypto/x509 found, the second passes when the first no longer does.
func TestEachRememberedChainIsAsked(t *testing.T) {
	root, other := newRoot("Root"), newRoot("Other root")
	key := newKey()
	one, two := root.certify("CA", key), other.certify("CA", key)
	leaf := one.issue("host.example")
	var refused atomic.Pointer[x509.Certificate]
	asked := 0
	v := mustVerifier(truststore.New(root.Certificate, other.Certificate), truststore.New(one.Certificate, two.Certificate),
		chain.WithPolicy(func(c chain.Chain, _ time.Time) error {
			asked++
			if c.Root().Equal(refused.Load()) {
				return errRevoked
			}
			return nil
		}))
	roots := map[string]bool{}
	for range 4 {
		c, err := v.Verify(leaf, chain.VerifyOptions{Time: now})
		require.NoError(t, err)
		roots[c.Root().Subject.CommonName] = true
		refused.Store(c.Root())
	}
	assert.Len(t, roots, 2)
	assert.LessOrEqual(t, asked, 1+3*2, "both were remembered, and nothing else was asked")
}

// What a caller writes into its own certificates does not count, and into the chain that
// it got neither.
func TestBytesCountAndNotTheFieldsOfACaller(t *testing.T) {
	l, stranger := newLayers(), newLayers()
	changed := copyOf(l.leaf)
	changed.Subject.CommonName, changed.DNSNames = "boss", []string{"boss.example"}
	changed.PublicKey = stranger.leaf.PublicKey

	for range 2 { // the second time it is remembered
		v := l.verifier()
		for range 2 {
			c, err := v.Verify(changed, chain.VerifyOptions{Time: now})
			require.NoError(t, err)
			assert.Equal(t, "host.example", c.Leaf().Subject.CommonName)
			assert.Equal(t, l.leaf.PublicKey, c.Leaf().PublicKey)
			c[0], c[3] = stranger.leaf, stranger.root.Certificate
			_, err = v.Verify(changed, chain.VerifyOptions{Time: now, DNSName: "boss.example"})
			assert.Error(t, err)
		}
	}

	// Its bytes are a stranger's, and the rest is of one that is trusted.
	disguised := copyOf(l.leaf)
	disguised.Raw = stranger.leaf.Raw
	v := l.verifier()
	for _, leaf := range []*x509.Certificate{disguised, stranger.leaf} {
		_, err := v.Verify(leaf, chain.VerifyOptions{Time: now})
		var e *chain.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, chain.UnknownAuthority, e.Reason)
	}
	disguised.Raw = []byte{1}
	_, err := v.Verify(disguised, chain.VerifyOptions{Time: now})
	assert.ErrorContains(t, err, "cannot be read")

	// And so for what came with it.
	ca := copyOf(stranger.issuing.Certificate)
	ca.PublicKey, ca.RawSubject, ca.SubjectKeyId = l.issuing.PublicKey, l.issuing.RawSubject, l.issuing.SubjectKeyId
	ca.Raw = stranger.issuing.Raw
	v = mustVerifier(stranger.roots(), truststore.New(stranger.domain.Certificate))
	for range 2 {
		_, err = v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: []*x509.Certificate{ca}})
		assert.Error(t, err)
	}
}

func TestVerifyRaw(t *testing.T) {
	l := newLayers()
	v := mustVerifier(l.roots(), truststore.New())
	opts := chain.VerifyOptions{Time: now}
	_, err := v.VerifyRaw(nil, opts)
	assert.ErrorContains(t, err, "no parsed certificate")
	_, err = v.VerifyRaw([][]byte{{1, 2}}, opts)
	assert.ErrorContains(t, err, "certificate 1 cannot be read")
	_, err = v.VerifyRaw([][]byte{l.leaf.Raw, {1, 2}}, opts)
	assert.ErrorContains(t, err, "certificate 2 cannot be read")
	_, err = v.VerifyRaw([][]byte{l.leaf.Raw}, opts)
	assert.ErrorContains(t, err, "unknown authority")
	c, err := v.VerifyRaw([][]byte{l.leaf.Raw, {1, 2}, l.domain.Raw, l.issuing.Raw}, opts)
	require.NoError(t, err, "what cannot be read is not needed")
	assertSameCerts(t, l.full(), c)
	opts.Extra = []*x509.Certificate{l.domain.Certificate}
	c, err = mustVerifier(l.roots(), truststore.New()).VerifyRaw([][]byte{l.leaf.Raw, l.issuing.Raw}, opts)
	require.NoError(t, err)
	assertSameCerts(t, l.full(), c)
}

// A verification that began before a replacement ends after it, and leaves nothing there.
func TestAVerificationFromBeforeAReplacementRemembersNothingAfterIt(t *testing.T) {
	l := newLayers()
	began, replaced := make(chan struct{}), make(chan struct{})
	v := mustVerifier(l.roots(), truststore.New(), chain.WithPolicy(func(chain.Chain, time.Time) error {
		close(began)
		<-replaced
		return nil
	}))
	done := make(chan error)
	go func() {
		_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: l.full()[1:3]})
		done <- err
	}()
	<-began
	require.NoError(t, v.Replace(newLayers().roots(), truststore.New()))
	close(replaced)
	assert.NoError(t, <-done, "it ends with the roots of before")
	_, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now, Extra: l.full()[1:3]})
	assert.Error(t, err)
}

// Under load, no verification that begins after a replacement knows what was before it.
func TestMemoryWhileRootsAreReplaced(t *testing.T) {
	l, other := newLayers(), newLayers()
	v := l.verifier()
	var mu sync.RWMutex // locked for writing while roots are replaced
	trusted := l
	rounds, workers := 20, 4
	if os.Getenv("THOROUGH") != "" {
		rounds = 500
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for i := range workers {
		wg.Go(func() {
			for n := i; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				asked := pick(newDice(uint64(n), nil), l, other)
				var free error
				if n%2 == 0 { // at any moment: one of both, or neither
					_, free = v.Verify(asked.leaf, chain.VerifyOptions{Time: now})
				} else {
					_, free = v.VerifyRaw([][]byte{asked.leaf.Raw}, chain.VerifyOptions{Time: now})
				}
				_ = free
				mu.RLock()
				_, err := v.Verify(asked.leaf, chain.VerifyOptions{Time: now})
				if (err == nil) != (asked.root == trusted.root) {
					t.Errorf("a verdict of other roots than those of now: %v", err)
				}
				mu.RUnlock()
			}
		})
	}
	for i := range rounds {
		mu.Lock()
		trusted = []layers{other, l}[i%2]
		err := v.Replace(trusted.roots(), trusted.intermediates())
		mu.Unlock()
		assert.NoError(t, err)
		time.Sleep(time.Millisecond)
	}
	close(stop)
	wg.Wait()
}

// variant is a certificate of other bytes with the same meaning: crypto/x509 accepts data
// after the signature.
func variant(cert *x509.Certificate, n uint32) []byte {
	var outer asn1.RawValue
	must(asn1.Unmarshal(cert.Raw, &outer))
	more := append(slices.Clone(outer.Bytes), 0x04, 0x04)
	return must(asn1.Marshal(asn1.RawValue{Class: outer.Class, Tag: outer.Tag, IsCompound: true, Bytes: binary.BigEndian.AppendUint32(more, n)}))
}

// A stranger has as many certificates as it likes, and asks about each once.
func TestMemoryIsBoundedAndKeepsWhatComesAgain(t *testing.T) {
	strangers, most := 4000, 400
	var opts []chain.Option
	if os.Getenv("THOROUGH") == "all" { // minutes: in .ci/run --all
		strangers, most = 1_000_000, chain.MaxRemembered
	} else {
		opts = append(opts, chain.WithMemory(most, 64<<20))
	}
	key := signers()[0]
	root := newRootFor(key.Signer, "Root")
	asked := 0
	opts = append(opts, chain.WithPolicy(func(chain.Chain, time.Time) error { asked++; return nil }))
	v := mustVerifier(truststore.New(root.Certificate), truststore.New(), opts...)
	verify := func(der []byte) {
		_, err := v.VerifyRaw([][]byte{der}, chain.VerifyOptions{Time: now})
		require.NoError(t, err)
	}
	var frequent [100][]byte
	for i := range frequent {
		frequent[i] = root.issue("host.example").Raw
		for range 2 { // hits, or the test below would count nothing
			verify(frequent[i])
		}
	}
	leaf := root.issue("host.example")
	before := heapOf()
	hits := 0
	for i := range strangers {
		verify(variant(leaf, uint32(i)))
		der := frequent[i%len(frequent)]
		if v.Remembers(der) {
			hits++
		}
		verify(der)
	}
	count, bytes := v.Remembered()
	grown := heapOf() - before
	t.Logf("%d of %d hits; %d certificates, %d bytes at most by count, %d measured", hits, strangers, count, bytes, grown)
	assert.Greater(t, float64(hits)/float64(strangers), 0.99)
	assert.LessOrEqual(t, count, most)
	assert.Greater(t, count, most*9/10, "the room is used")
	assert.LessOrEqual(t, bytes, 64<<20)
	assert.Less(t, grown, int64(bytes)+1<<20, "what is measured is not more than what is counted")
	if strangers < 1_000_000 {
		for i := range 2 * most { // and no frequent one between them
			verify(variant(leaf, uint32(strangers+i)))
		}
		for _, der := range frequent {
			assert.True(t, v.Remembers(der), "what came once pushes out nothing that came again")
		}
	}
	runtime.KeepAlive(v)
}

func TestMemoryIsBoundedByBytes(t *testing.T) {
	const most = 1 << 20
	key := signers()[0]
	root := newRootFor(key.Signer, "Root")
	v := mustVerifier(truststore.New(root.Certificate), truststore.New(), chain.WithMemory(10_000, most))
	// What takes the most memory for its bytes: many small parts.
	parts := func(c *x509.Certificate) {
		for i := range uint64(200) {
			c.Policies = append(c.Policies, oid(1, 2, 3+i%30, i))
			c.DNSNames = append(c.DNSNames, "a")
		}
	}
	leaf := root.issue("host.example", parts)
	before := heapOf()
	for i := range uint32(300) {
		_, err := v.VerifyRaw([][]byte{variant(leaf, i)}, chain.VerifyOptions{Time: now})
		require.NoError(t, err)
	}
	count, bytes := v.Remembered()
	grown := heapOf() - before
	t.Logf("%d certificates of %d bytes, %d bytes at most by count, %d measured", count, len(leaf.Raw), bytes, grown)
	assert.Greater(t, count, 5)
	assert.LessOrEqual(t, bytes, most)
	assert.Less(t, grown, int64(most))

	// And one that is too large for it.
	large := root.issue("host.example", func(c *x509.Certificate) {
		for range 5000 {
			c.DNSNames = append(c.DNSNames, "host.example")
		}
	})
	for range 2 {
		_, err := v.Verify(large, chain.VerifyOptions{Time: now})
		require.NoError(t, err)
	}
	assert.False(t, v.Remembers(large.Raw))
	runtime.KeepAlive(v)
}

func heapOf() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestARememberedCertificateTakesOneAllocation(t *testing.T) {
	l := newLayers()
	v := l.verifier(chain.WithPolicy(chain.PinLeaf(truststore.FingerprintOf(l.leaf))))
	raw := [][]byte{l.leaf.Raw}
	for name, verify := range map[string]func() error{
		"Verify":    func() error { _, err := v.Verify(l.leaf, chain.VerifyOptions{Time: now}); return err },
		"VerifyRaw": func() error { _, err := v.VerifyRaw(raw, chain.VerifyOptions{Time: now}); return err },
	} {
		require.NoError(t, verify())
		assert.LessOrEqual(t, testing.AllocsPerRun(50, func() { _ = verify() }), 1.0, name)
	}
}
