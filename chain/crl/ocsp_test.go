package crl_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/fips140"
	_ "crypto/md5" // which must be refused
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

func isGood(serial *big.Int) ocsp.Response {
	return ocsp.Response{Status: ocsp.Good, SerialNumber: serial, ThisUpdate: hourAgo, NextUpdate: now.Add(time.Hour)}
}

// answerTo has package ocsp make a response about what issuer issued.
func answerTo(issuer *x509.Certificate, by authority, r ocsp.Response) []byte {
	if r.IssuerHash == 0 && fips140.Enforced() {
		r.IssuerHash = crypto.SHA256 // and not SHA-1: see TestCheckOCSPResponseNeedsSHA1
	}
	return must(ocsp.CreateResponse(issuer, by.Certificate, r, by.key))
}

// responder is one that issuer lets answer for it.
func (a authority) responder(serial int64, change ...func(*x509.Certificate)) authority {
	key := ecdsaKeyOf("Responder")
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "Responder"},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: []byte{5, 0}}},
	}
	for _, f := range change {
		f(template)
	}
	der := must(x509.CreateCertificate(rand.Reader, template, a.Certificate, key.Public(), a.key))
	return authority{must(x509.ParseCertificate(der)), key}
}

func TestCheckOCSPResponse(t *testing.T) {
	s := newSite(t)
	l := newLayers(s.URL)
	s.publish(l)
	s.serve("/issuing.crl", l.issuing.list(revoking(revoked(71, hourAgo, crl.KeyCompromise))))
	c := newChecker(t, s, func(cfg *crl.Config) { cfg.SoftFail = func(error) {} })
	require.NoError(t, c.Prefetch(context.Background(), l.chain()))

	issuer, serial := l.issuing.Certificate, l.leaf.SerialNumber
	good := isGood(serial)
	changed := func(change func(*ocsp.Response)) ocsp.Response {
		r := good
		change(&r)
		return r
	}
	delegated := func(a authority) []byte {
		r := good
		r.Certificate = a.Certificate
		return answerTo(issuer, a, r)
	}
	intact := answerTo(issuer, l.issuing, good)
	withoutNocheck := func(c *x509.Certificate) { c.ExtraExtensions = nil }
	other := newLayers(s.URL)
	other.issuing = other.domain.below("Another CA", 45, s.URL+"/domain.crl")

	for name, test := range map[string]struct {
		response []byte
		reason   chain.Reason
		text     string
	}{
		"no response":              {nil, "", ""},
		"good, from the issuer":    {intact, "", ""},
		"good, from its responder": {delegated(l.issuing.responder(70)), "", ""},
		"good, from a responder whose certificate is on no CRL": {delegated(l.issuing.responder(70, withoutNocheck)), "", ""},
		"good, with SHA-256 for the issuer":                     {answerTo(issuer, l.issuing, changed(func(r *ocsp.Response) { r.IssuerHash = crypto.SHA256 })), "", ""},
		"good, four minutes past its end":                       {answerTo(issuer, l.issuing, changed(func(r *ocsp.Response) { r.NextUpdate = now.Add(-4 * time.Minute) })), "", ""},
		"revoked": {answerTo(issuer, l.issuing, changed(func(r *ocsp.Response) {
			r.Status, r.RevokedAt, r.RevocationReason = ocsp.Revoked, hourAgo, ocsp.KeyCompromise
		})), chain.Revoked, "was revoked on 2026-11-23 11:00:00Z (keyCompromise), says the responder"},
		"revoked, and long ended":                         {answerTo(issuer, l.issuing, changed(func(r *ocsp.Response) { r.Status, r.RevokedAt, r.NextUpdate = ocsp.Revoked, hourAgo, hourAgo })), chain.Revoked, "was revoked on"},
		"unknown":                                         {answerTo(issuer, l.issuing, changed(func(r *ocsp.Response) { r.Status = ocsp.Unknown })), chain.RevocationUnknown, "does not know"},
		"good until an hour ago":                          {answerTo(issuer, l.issuing, changed(func(r *ocsp.Response) { r.NextUpdate = hourAgo })), chain.RevocationUnknown, "it ended at"},
		"good from an hour on":                            {answerTo(issuer, l.issuing, changed(func(r *ocsp.Response) { r.ThisUpdate = now.Add(time.Hour) })), chain.RevocationUnknown, "is the clock right?"},
		"good for ever":                                   {answerTo(issuer, l.issuing, changed(func(r *ocsp.Response) { r.NextUpdate = time.Time{} })), chain.RevocationUnknown, "does not say until when"},
		"about another certificate":                       {answerTo(issuer, l.issuing, isGood(big.NewInt(99))), chain.RevocationUnknown, "another certificate"},
		"about that number of another issuer":             {answerTo(l.domain.Certificate, l.issuing, good), chain.RevocationUnknown, "another issuer"},
		"about that number of another key of the issuer":  {answerTo(newAuthority("Issuing CA", ecdsaKeyOf("stranger")).Certificate, l.issuing, good), chain.RevocationUnknown, "another issuer"},
		"about that number of the key under another name": {answerTo(newAuthority("Another name", l.issuing.key).Certificate, l.issuing, good), chain.RevocationUnknown, "another issuer"},
		"by another CA":                                   {answerTo(issuer, other.issuing, good), chain.RevocationUnknown, "neither the issuer"},
		"by the CA above":                                 {answerTo(issuer, l.domain, changed(func(r *ocsp.Response) { r.Certificate = l.domain.Certificate })), chain.RevocationUnknown, "by another issuer"},
		"by a responder of another CA":                    {delegated(other.issuing.responder(70)), chain.RevocationUnknown, "by another issuer"},
		"by one that only claims to be the CA's":          {delegated(newAuthority("Issuing CA", ecdsaKeyOf("stranger")).responder(70)), chain.RevocationUnknown, "not signed by the issuer"},
		"by the peer itself":                              {delegated(authority{l.leaf, ecdsaKey()}), chain.RevocationUnknown, "not for OCSP signing"},
		"by a responder that is a CA":                     {delegated(l.issuing.responder(70, func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA = true, true })), chain.RevocationUnknown, "it is a CA"},
		"by a responder that may not sign":                {delegated(l.issuing.responder(70, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })), chain.RevocationUnknown, "not for signing"},
		"by a responder with an unknown critical extension": {delegated(l.issuing.responder(70, func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
		})), chain.RevocationUnknown, "critical extension"},
		"by a responder that has expired":                     {delegated(l.issuing.responder(70, func(c *x509.Certificate) { c.NotAfter = hourAgo })), chain.RevocationUnknown, "not valid at this time"},
		"by a responder that was revoked":                     {delegated(l.issuing.responder(71, withoutNocheck)), chain.RevocationUnknown, "was revoked on"},
		"by a responder that was revoked and says not to ask": {delegated(l.issuing.responder(71)), chain.RevocationUnknown, "was revoked on"},
		"an error of the responder":                           {ocsp.TryLaterErrorResponse, chain.RevocationUnknown, "try later"},
		"garbage":                                             {[]byte("<html>"), chain.RevocationUnknown, "malformed"},
		"half of one":                                         {intact[:len(intact)/2], chain.RevocationUnknown, "malformed"},
		"with data after it":                                  {append(bytes.Clone(intact), 0), chain.RevocationUnknown, "malformed"},
		"a huge one":                                          {make([]byte, 65<<10), chain.RevocationUnknown, "more than 65536 bytes"},
		"with a changed signature":                            {append(bytes.Clone(intact[:len(intact)-1]), intact[len(intact)-1]^1), chain.RevocationUnknown, "neither the issuer"},
		"with a changed status, from good to revoked":         {bytes.Replace(intact, []byte{0x80, 0x00}, []byte{0x82, 0x00}, 1), chain.RevocationUnknown, "neither the issuer"},
		"with a critical extension that is not known": {answerTo(issuer, l.issuing, changed(func(r *ocsp.Response) {
			r.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
		})), chain.RevocationUnknown, "critical extension"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.CheckOCSPResponse(test.response, l.chain(), now)
			if test.reason == "" {
				assert.NoError(t, err)
				return
			}
			refusedAs(t, test.reason, test.text, err)
			var why *crl.RevokedError
			if test.reason == chain.Revoked {
				require.ErrorAs(t, err, &why)
				assert.Equal(t, serial, why.Serial)
			}
		})
	}
	t.Run("from a responder whose certificate no list covers", func(t *testing.T) {
		c := newChecker(t, s)
		refusedAs(t, chain.RevocationUnknown, "could be revoked", c.CheckOCSPResponse(delegated(l.issuing.responder(70, withoutNocheck)), l.chain(), time.Time{}))
		assert.NoError(t, c.CheckOCSPResponse(delegated(l.issuing.responder(70)), l.chain(), time.Time{}))
	})
	t.Run("for no chain, or a root", func(t *testing.T) {
		refusedAs(t, chain.Unsupported, "", c.CheckOCSPResponse(intact, nil, now))
		refusedAs(t, chain.Unsupported, "", c.CheckOCSPResponse(intact, chain.Chain{l.root.Certificate}, now))
	})
	t.Run("good does not replace the CRL", func(t *testing.T) {
		leaf := l.leafWith(71)
		require.NoError(t, c.CheckOCSPResponse(answerTo(issuer, l.issuing, isGood(leaf.SerialNumber)), l.chainOf(leaf), now))
		refusedAs(t, chain.Revoked, "", c.Policy(l.chainOf(leaf), now))
	})
}

// dataOf takes the ResponseData out of a response.
func dataOf(t *testing.T, response []byte) cryptobyte.String {
	input := cryptobyte.String(response)
	var basic, tbs, rest cryptobyte.String
	require.True(t, input.ReadASN1(&rest, casn1.SEQUENCE) && rest.SkipASN1(casn1.ENUM) && rest.ReadASN1(&rest, 0xa0) &&
		rest.ReadASN1(&rest, casn1.SEQUENCE) && rest.SkipASN1(casn1.OBJECT_IDENTIFIER) && rest.ReadASN1(&basic, casn1.OCTET_STRING) &&
		basic.ReadASN1(&basic, casn1.SEQUENCE) && basic.ReadASN1Element(&tbs, casn1.SEQUENCE))
	return tbs
}

// responseOf puts one together again.
func responseOf(tbs, algorithm, signature []byte) []byte {
	inner := element(0x30, tbs, algorithm, element(0x03, []byte{0}, signature))
	return element(0x30, element(0x0a, []byte{0}), element(0xa0, element(0x30,
		must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1})), element(0x04, inner))))
}

// What package ocsp does not make, signed anew.
func TestCheckOCSPResponseOutOfTheOrdinary(t *testing.T) {
	l := newLayers("http://crl.example")
	c := newChecker(t, nil, func(cfg *crl.Config) { cfg.Hosts = []string{"crl.example"} })
	sign := func(parts ...[]byte) []byte {
		tbs := element(0x30, parts...)
		sum := sha256.Sum256(tbs)
		return responseOf(tbs, algorithmOf(l.issuing, x509.ECDSAWithSHA256), must(l.issuing.key.Sign(rand.Reader, sum[:], crypto.SHA256)))
	}
	data := dataOf(t, answerTo(l.issuing.Certificate, l.issuing, isGood(l.leaf.SerialNumber)))
	var whole, responder, at, answers cryptobyte.String
	require.True(t, data.ReadASN1(&whole, casn1.SEQUENCE))
	require.True(t, whole.ReadASN1Element(&responder, 0xa1) && whole.ReadASN1Element(&at, casn1.GeneralizedTime) && whole.ReadASN1(&answers, casn1.SEQUENCE))
	otherKey := "neither the issuer"
	if fips140.Enforced() {
		otherKey = "SHA-1, which GODEBUG=fips140=only does not allow"
	}
	var keyHash [sha1.Size]byte
	fips140.WithoutEnforcement(func() { keyHash = sha1.Sum([]byte("another key")) })
	extension := func(critical ...byte) []byte {
		return element(0xa1, element(0x30, element(0x30, []byte{6, 2, 0x2a, 3}, critical, []byte{4, 1, 0})))
	}
	for name, test := range map[string]struct {
		response []byte
		text     string
	}{
		"the same again":                              {sign(responder, at, element(0x30, answers)), ""},
		"with an extension":                           {sign(responder, at, element(0x30, answers), extension()), ""},
		"with a critical extension":                   {sign(responder, at, element(0x30, answers), extension(1, 1, 0xff)), "malformed"},
		"with something after it":                     {sign(responder, at, element(0x30, answers), []byte{5, 0}), "malformed"},
		"with two answers":                            {sign(responder, at, element(0x30, answers, answers)), "two answers"},
		"with none":                                   {sign(responder, at, element(0x30)), "another certificate"},
		"by a responder with the hash of a key":       {sign(element(0xa2, element(0x04, keyHash[:])), at, element(0x30, answers)), otherKey},
		"by a responder that is neither name nor key": {sign(element(0xa3, element(0x04, keyHash[:])), at, element(0x30, answers)), "malformed"},
		"of no known type":                            {bytes.Replace(sign(responder, at, element(0x30, answers)), []byte{0x30, 1, 1}, []byte{0x30, 1, 2}, 1), "basic type"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.CheckOCSPResponse(test.response, l.chain(), now)
			if test.text == "" {
				assert.NoError(t, err)
				return
			}
			refusedAs(t, chain.RevocationUnknown, test.text, err)
		})
	}
	t.Run("by a responder with the hash of the right key", func(t *testing.T) {
		var key [sha1.Size]byte
		fips140.WithoutEnforcement(func() { key = sha1.Sum(must(l.issuing.PublicKey.(*ecdsa.PublicKey).Bytes())) })
		err := c.CheckOCSPResponse(sign(element(0xa2, element(0x04, key[:])), at, element(0x30, answers)), l.chain(), now)
		if fips140.Enforced() {
			refusedAs(t, chain.RevocationUnknown, "SHA-1, which GODEBUG=fips140=only does not allow", err)
			t.Logf("fips140=only: %s (SHA-1)", t.Name())
			return
		}
		assert.NoError(t, err)
	})
}

// RSASSA-PSS, which package ocsp does not check.
func TestCheckOCSPResponseSignedWithPSS(t *testing.T) {
	for name, algorithm := range map[string]x509.SignatureAlgorithm{"SHA-512": x509.SHA512WithRSAPSS, "SHA-256": x509.SHA256WithRSAPSS} {
		t.Run(name, func(t *testing.T) {
			ca := newAuthority("PSS CA", rsaKey())
			leaf := ca.issue(5)
			tbs := dataOf(t, answerTo(ca.Certificate, ca, isGood(leaf.SerialNumber)))
			hash := crypto.SHA512
			if algorithm == x509.SHA256WithRSAPSS {
				hash = crypto.SHA256
			}
			h := hash.New()
			h.Write(tbs)
			signature := must(ca.key.Sign(rand.Reader, h.Sum(nil), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}))
			c := newChecker(t, nil, func(cfg *crl.Config) { cfg.Hosts = []string{"crl.example"} })
			ch := chain.Chain{leaf, ca.Certificate}
			assert.NoError(t, c.CheckOCSPResponse(responseOf(tbs, algorithmOf(ca, algorithm), signature), ch, now))
			signature[9] ^= 1
			refusedAs(t, chain.RevocationUnknown, "neither the issuer", c.CheckOCSPResponse(responseOf(tbs, algorithmOf(ca, algorithm), signature), ch, now))
		})
	}
}

// algorithmOf takes the AlgorithmIdentifier from a certificate that is signed so.
func algorithmOf(a authority, algorithm x509.SignatureAlgorithm) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: now, SignatureAlgorithm: algorithm}
	der := cryptobyte.String(must(x509.CreateCertificate(rand.Reader, template, a.Certificate, a.key.Public(), a.key)))
	var identifier cryptobyte.String
	if !der.ReadASN1(&der, casn1.SEQUENCE) || !der.SkipASN1(casn1.SEQUENCE) || !der.ReadASN1Element(&identifier, casn1.SEQUENCE) {
		panic("no certificate")
	}
	return identifier
}

// Whatever response a peer sends, it gets an answer, and never a good one that it did not
// have from the issuer.
func FuzzCheckOCSPResponse(f *testing.F) {
	l := newLayers("http://crl.example")
	intact := answerTo(l.issuing.Certificate, l.issuing, isGood(l.leaf.SerialNumber))
	answer := isGood(l.leaf.SerialNumber)
	responder := l.issuing.responder(70)
	answer.Certificate = responder.Certificate
	delegated := answerTo(l.issuing.Certificate, responder, answer)
	f.Add(intact)
	f.Add(delegated)
	f.Add(ocsp.TryLaterErrorResponse)
	f.Add([]byte{})
	c := newChecker(f, nil, func(cfg *crl.Config) { cfg.Hosts = []string{"crl.example"} })
	signed := func(response []byte) []byte {
		r, err := ocsp.ParseResponseForCert(response, l.leaf, nil)
		if err != nil {
			return nil
		}
		return r.TBSResponseData
	}
	genuine := [][]byte{signed(intact), signed(delegated)}
	f.Fuzz(func(t *testing.T, response []byte) {
		if c.CheckOCSPResponse(response, l.chain(), now) != nil || len(response) == 0 {
			return
		}
		tbs := signed(response)
		if !bytes.Equal(tbs, genuine[0]) && !bytes.Equal(tbs, genuine[1]) {
			t.Errorf("taken for good: %x", response)
		}
	})
}

// A response brings the certificates of its responders along: whoever sends it chose
// their keys, and how long we would have to calculate with them.
func TestCheckOCSPResponseCalculatesWithNoKeyThatTheIssuerDidNotSign(t *testing.T) {
	l := newLayers("http://crl.example")
	c := newChecker(t, nil, func(cfg *crl.Config) { cfg.Hosts = []string{"crl.example"} })
	number := bytes.Repeat([]byte{0xff}, 28_000)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(70), Subject: pkix.Name{CommonName: "Responder"},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
	}
	stranger := newAuthority("Issuing CA", ecdsaKeyOf("stranger"))
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(number), E: 1<<31 - 1}
	certificate := must(x509.CreateCertificate(rand.Reader, template, stranger.Certificate, key, stranger.key))

	answer := isGood(l.leaf.SerialNumber)
	answer.Certificate = l.issuing.responder(70).Certificate // of the same name
	tbs := dataOf(t, answerTo(l.issuing.Certificate, l.issuing.responder(70), answer))
	signature := append([]byte{0}, number[1:]...)
	inner := element(0x30, tbs, algorithmOf(newAuthority("RSA", rsaKey()), x509.SHA256WithRSA),
		element(0x03, []byte{0}, signature), element(0xa0, element(0x30, certificate)))
	response := element(0x30, element(0x0a, []byte{0}), element(0xa0, element(0x30,
		must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1})), element(0x04, inner))))

	begin := time.Now()
	refusedAs(t, chain.RevocationUnknown, "not signed by the issuer", c.CheckOCSPResponse(response, l.chain(), now))
	assert.Less(t, time.Since(begin), time.Second)
}

func TestCheckOCSPResponseTakesNoSignatureThatAListMayNotHave(t *testing.T) {
	ca := newAuthority("RSA CA", rsaKey())
	leaf := ca.issue(5)
	tbs := dataOf(t, answerTo(ca.Certificate, ca, isGood(leaf.SerialNumber)))
	c := newChecker(t, nil, func(cfg *crl.Config) { cfg.Hosts = []string{"crl.example"} })
	ch := chain.Chain{leaf, ca.Certificate}
	for name, test := range map[string]struct {
		hash crypto.Hash
		last byte // of the identifier, RFC 8017 appendix A.2.4
		text string
	}{
		"SHA-256": {crypto.SHA256, 11, ""},
		"SHA-1":   {crypto.SHA1, 5, "insecure algorithm"},
		"MD5":     {crypto.MD5, 4, "insecure algorithm"},
	} {
		t.Run(name, func(t *testing.T) {
			algorithm := element(0x30, element(0x06, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, test.last}), []byte{5, 0})
			var signature []byte
			fips140.WithoutEnforcement(func() {
				h := test.hash.New()
				h.Write(tbs)
				signature = must(ca.key.Sign(rand.Reader, h.Sum(nil), test.hash))
			})
			err := c.CheckOCSPResponse(responseOf(tbs, algorithm, signature), ch, now)
			if test.text == "" {
				assert.NoError(t, err)
				return
			}
			refusedAs(t, chain.RevocationUnknown, test.text, err)
		})
	}
}

// Responders name the issuer by SHA-1. In the mode that does not allow it this is an
// error and not a panic.
func TestCheckOCSPResponseNeedsSHA1(t *testing.T) {
	l := newLayers("http://crl.example")
	c := newChecker(t, nil, func(cfg *crl.Config) { cfg.Hosts = []string{"crl.example"} })
	r := isGood(l.leaf.SerialNumber)
	r.IssuerHash = crypto.SHA1
	var response []byte
	fips140.WithoutEnforcement(func() { response = answerTo(l.issuing.Certificate, l.issuing, r) })
	err := c.CheckOCSPResponse(response, l.chain(), now)
	if fips140.Enforced() {
		refusedAs(t, chain.RevocationUnknown, "SHA-1, which GODEBUG=fips140=only does not allow", err)
		t.Logf("fips140=only: %s (SHA-1)", t.Name())
		return
	}
	assert.NoError(t, err)
}
