package profile_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/profile"
	"github.com/go-pkioverheid/trust/truststore"
)

// What the profiles cost beside a verification of the same chain from the root.
func BenchmarkProfiles(b *testing.B) {
	c := forge()
	roots, intermediates := truststore.New(c[2]).CertPool(), truststore.New(c[1]).CertPool()
	for name, f := range map[string]func() error{
		"RFC5280": func() error { return profile.RFC5280(c, now) },
		"WebPKI":  func() error { return profile.WebPKI(c, now) },
		"crypto/x509": func() error {
			_, err := c[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, f())
			}
		})
	}
}

// hostile are certificates of a megabyte or more, of what a peer may put there in
// numbers.
func hostile() map[string]change {
	repeat := func(n int, each func(i int) []byte) []byte {
		var all bytes.Buffer
		for i := range n {
			all.Write(each(i))
		}
		return all.Bytes()
	}
	return map[string]change{
		"20,000 extensions": func(f *forged) { f.extensions = append(f.extensions, manyExtensions(20_000)...) },
		"50,000 host names": changes(noSubject, with(17, true, seq(repeat(50_000, func(i int) []byte {
			return tagged(0x82, fmt.Sprintf("host%d.example", i))
		})))),
		"a host name of a megabyte": forHosts(string(bytes.Repeat([]byte("a."), 1<<19))),
		"50,000 parts of a name": func(f *forged) {
			f.subject = seq(repeat(50_000, func(i int) []byte { return rdn(11, fmt.Sprint("unit ", i)) }))
		},
		"50,000 common names": func(f *forged) {
			f.subject = seq(repeat(50_000, func(i int) []byte { return rdn(3, fmt.Sprintf("host%d.example", i)) }))
		},
		"one common name and 50,000 host names": with(17, false, seq(repeat(50_000, func(i int) []byte {
			return tagged(0x82, fmt.Sprintf("host%d.example", i))
		}))),
		"50,000 key usages": with(37, false, seq(repeat(50_000, func(i int) []byte { return oidDER(1, 3, 6, 1, 5, 5, 7, 3, 1) }))),
		"50,000 policies": with(32, false, seq(repeat(50_000, func(i int) []byte {
			return seq(oidDER(1, 2, 3, i))
		}))),
		"50,000 mappings": with(33, true, seq(repeat(50_000, func(i int) []byte {
			return seq(oidDER(1, 2, 3, i), oidDER(1, 2, 4, i))
		}))),
		"50,000 name constraints": with(30, true, seq(tagged(0xa0, repeat(50_000, func(i int) []byte {
			return seq(tagged(0x82, fmt.Sprintf("host%d.example", i)))
		})))),
		"50,000 mail addresses, and as many others in the subject": changes(
			subjectOf(repeat(50_000, func(i int) []byte { return mailRDN(fmt.Sprintf("a%d@host.example", i)) })),
			with(17, false, seq(repeat(50_000, func(i int) []byte { return tagged(0x81, fmt.Sprintf("b%d@host.example", i)) })))),
		"a mail address of a megabyte": forMail(string(bytes.Repeat([]byte("a."), 1<<19)) + "a@host.example"),
		"a URI of a megabyte":          forURI("urn:" + string(bytes.Repeat([]byte(";"), 1<<20))),
		"50,000 distribution points":   with(31, false, seq(repeat(50_000, func(int) []byte { return seq(pointName) }))),
		"50,000 places to look":        withAccess(1, seq(repeat(50_000, func(int) []byte { return access(2) }))),
		"50,000 qualifiers": with(32, false, seq(seq(oidDER(2, 5, 29, 32, 0), seq(repeat(50_000, func(int) []byte {
			return seq(oidDER(1, 3, 6, 1, 5, 5, 7, 2, 1), tagged(0x16, "https://cps.example/"))
		}))))),
		"an extension of a megabyte":      with(99, false, octets(make([]byte, 1<<20))),
		"a serial number of a megabyte":   func(f *forged) { f.serial = bytes.Repeat([]byte{1}, 1<<20) },
		"an identifier of a megabyte":     func(f *forged) { f.extensions[0].value = octets(make([]byte, 1<<20)) },
		"an RSA modulus of 65,536 bits":   rawKey(rsaKeyDER(1<<16, 1, 0, 1)),
		"an RSA exponent of 2^31 - 1":     rawKey(rsaKeyDER(2048, 0x7f, 0xff, 0xff, 0xff)),
		"twice an extension among 20,000": nil,
	}
}

// The policies themselves are linear in what they are asked about, and bounded by
// it: reading it took crypto/x509 longer.
func TestPoliciesOnHostileCertificates(t *testing.T) {
	all := map[string]chain.Policy{
		"RFC5280":       profile.RFC5280,
		"WebPKI":        profile.WebPKI,
		"VetoSubjects":  chain.VetoSubjects(pkix.Name{CommonName: "another"}, pkix.Name{CommonName: "a third"}).Policy,
		"RequirePolicy": chain.RequirePolicy(oid(1, 2, 5), oid(1, 2, 6)),
		"the others": chain.All(chain.VetoCertificates([32]byte{1}).Policy, chain.VetoKeys([32]byte{1}).Policy,
			chain.MinKeySizes(0, 0), chain.PinLeaf([32]byte{1})),
	}
	for name, change := range hostile() {
		t.Run(name, func(t *testing.T) {
			chains := []chain.Chain{forge(change), forge(nil, change)}
			if change == nil {
				c := forge()
				parts := forgedParts()[0]
				parts.extensions = append(manyExtensions(20_000), manyExtensions(20_000)...)
				leaf := *c[0]
				leaf.Raw, leaf.RawTBSCertificate = nil, parts.tbs()
				c[0] = &leaf
				chains = []chain.Chain{c}
			}
			for _, c := range chains {
				for policyName, policy := range all {
					const most = slower * 100 * time.Millisecond
					var err error
					took := most
					for try := 0; took >= most && try < 5; try++ { // the machine may be busy
						begin := time.Now()
						err = policy(c, now)
						took = time.Since(begin)
					}
					assert.Less(t, took, most, policyName)
					if err != nil {
						assert.Less(t, len(err.Error()), 2000)
					}
				}
			}
		})
	}
}

func TestRFC5280OnALongChain(t *testing.T) {
	c := forge()
	long := chain.Chain{c[0]}
	for range 1000 {
		long = append(long, c[1])
	}
	long = append(long, c[2])
	const most = slower * 100 * time.Millisecond
	took := most
	for try := 0; took >= most && try < 5; try++ {
		begin := time.Now()
		assert.Error(t, profile.RFC5280(long, now), "the issuing CA did not issue itself")
		took = time.Since(begin)
	}
	assert.Less(t, took, most)
}

// FuzzRFC5280 asks the profiles about a certificate in each place of a chain. They
// neither panic nor take long, and give an *Error or nothing; and what RFC5280
// accepts means to encoding/asn1, which reads all of it, what it does to them.
func FuzzRFC5280(f *testing.F) {
	for _, tests := range [][]ruleTest{rfc5280RuleTests, webPKIRuleTests} {
		for _, test := range tests {
			for _, change := range []change{test.broken, test.kept} {
				if change != nil {
					parts := forgedParts()[test.cert]
					change(&parts)
					f.Add(parts.der(forgedKeys()[0]))
				}
			}
		}
	}
	good := forge()
	for _, cert := range good {
		f.Add(cert.Raw)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			// Not for crypto/x509, but the profiles must not rely on that.
			cert = &x509.Certificate{Raw: der, RawTBSCertificate: der}
		}
		ask := func() time.Duration {
			begin := time.Now()
			for _, c := range []chain.Chain{{cert}, {cert, good[1], good[2]}, {good[0], cert, good[2]}, {good[0], good[1], cert}} {
				for _, policy := range []chain.Policy{profile.RFC5280, profile.WebPKI} {
					refusal := policy(c, now)
					var own *chain.Error
					if refusal != nil && (!errors.As(refusal, &own) || own.Cert == nil && own.Reason != chain.Unsupported || refusal.Error() == "") {
						t.Fatalf("no proper error: %v", refusal)
					}
				}
			}
			return time.Since(begin)
		}
		// A machine that is busy with fuzzing stops for a second now and then.
		const most = slower * 100 * time.Millisecond
		took := ask()
		for try := 0; took > most && try < 4; try++ {
			took = ask()
		}
		if took > most {
			t.Fatalf("took %s, five times, for %d bytes", took, len(der))
		}
		if err != nil || profile.RFC5280(chain.Chain{cert}, now) != nil {
			return
		}
		var whole struct {
			TBS struct {
				Raw        asn1.RawContent
				Version    int `asn1:"optional,explicit,default:0,tag:0"`
				Serial     asn1.RawValue
				Algorithm  pkix.AlgorithmIdentifier
				Issuer     asn1.RawValue
				Validity   struct{ NotBefore, NotAfter time.Time }
				Subject    asn1.RawValue
				PublicKey  asn1.RawValue
				Extensions []pkix.Extension `asn1:"omitempty,optional,explicit,tag:3"`
			}
			Algorithm pkix.AlgorithmIdentifier
			Signature asn1.BitString
		}
		rest, asn1Err := asn1.Unmarshal(der, &whole)
		if asn1Err != nil || len(rest) > 0 {
			t.Skip("encoding/asn1 is stricter about names, numbers and algorithms")
		}
		if len(whole.TBS.Extensions) != len(cert.Extensions) {
			t.Fatalf("%d extensions, and crypto/x509 sees %d", len(whole.TBS.Extensions), len(cert.Extensions))
		}
		for i, e := range whole.TBS.Extensions {
			if got := cert.Extensions[i]; !got.Id.Equal(e.Id) || got.Critical != e.Critical || !bytes.Equal(got.Value, e.Value) {
				t.Fatalf("extension %d is %v, and crypto/x509 sees %v", i, e, got)
			}
		}
		if !whole.TBS.Validity.NotAfter.Equal(cert.NotAfter) || whole.TBS.Version+1 != cert.Version {
			t.Fatal("crypto/x509 sees something else")
		}
	})
}
