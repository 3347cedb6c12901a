package crl_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

func TestCovers(t *testing.T) {
	yes := []byte{0xff}
	uri := func(s string) []byte { return element(0x86, []byte(s)) }
	named := func(names ...[]byte) []byte { return element(0xa0, element(0xa0, names...)) }
	const address = "http://crl.example/a.crl"

	leaf := func(points ...[]byte) *x509.Certificate {
		return ca().issue(5, func(c *x509.Certificate) {
			if points != nil {
				c.ExtraExtensions = []pkix.Extension{extension(31, false, element(0x30, points...))}
			}
		})
	}
	point := func(parts ...[]byte) []byte { return element(0x30, parts...) }
	asCA := func(c *x509.Certificate) {
		c.BasicConstraintsValid, c.IsCA, c.CRLDistributionPoints = true, true, []string{address}
	}

	for _, c := range []struct {
		name string
		idp  []byte // nil: none
		cert *x509.Certificate
		want string
	}{
		{"a list that says nothing, of itself, for a leaf", nil, leaf(), ""},
		{"a list that says nothing, of itself, for a CA", nil, ca().issue(5, asCA), ""},
		{"a list of another CA", nil, newAuthority("Another CA", ecdsaKey()).issue(5), `by "Issuing CA", and the certificate by "Another CA"`},
		{"users only, for a leaf", element(0x30, element(0x81, yes)), leaf(), ""},
		{"users only, for a CA", element(0x30, element(0x81, yes)), ca().issue(5, asCA), "not for CA certificates"},
		{"CAs only, for a leaf", element(0x30, element(0x82, yes)), leaf(), "for CA certificates only"},
		{"CAs only, for a CA", element(0x30, element(0x82, yes)), ca().issue(5, asCA), ""},
		{"users only that is false, for a CA", element(0x30, element(0x81, []byte{0}), element(0x82, yes)), ca().issue(5, asCA), ""},
		{"attribute certificates only", element(0x30, element(0x85, yes)), leaf(), "attribute certificates only"},
		{"some reasons only", element(0x30, element(0x83, []byte{6, 0x40})), leaf(), "some reasons"},

		{"the name that the certificate has", element(0x30, named(uri(address))), leaf(point(named(uri(address)))), ""},
		{"the name that the certificate has, made by crypto/x509", element(0x30, named(uri(address)), element(0x82, yes)), ca().issue(5, asCA), ""},
		{"one of several names", element(0x30, named(uri("ldap://x"), uri(address))), leaf(point(named(uri("http://y"))), point(named(uri("http://z"), uri(address)))), ""},
		{"another name", element(0x30, named(uri(address))), leaf(point(named(uri(address + "x")))), "another distribution point"},
		{"a name of another kind", element(0x30, named(element(0x82, []byte(address)))), leaf(point(named(uri(address)))), "another distribution point"},
		{"a name, and a certificate without", element(0x30, named(uri(address))), leaf(), "another distribution point"},
		{"a certificate whose points are malformed", element(0x30, named(uri(address))), &x509.Certificate{RawIssuer: ca().RawSubject,
			Extensions: []pkix.Extension{extension(31, false, []byte{0x30, 5})}}, "another distribution point"},
		{"a point that is malformed before the right one", element(0x30, named(uri(address))), &x509.Certificate{RawIssuer: ca().RawSubject,
			Extensions: []pkix.Extension{extension(31, false, element(0x30, point(element(0xa0, []byte{5, 0})), point(named(uri(address)))))}}, "another distribution point"},
		{"no name, and a certificate with one", element(0x30, element(0x81, yes)), leaf(point(named(uri(address)))), ""},
		{"the name in a point for some reasons only", element(0x30, named(uri(address))), leaf(point(named(uri(address)), element(0x81, []byte{6, 0x40}))), "another distribution point"},
		{"the name in a point with another issuer", element(0x30, named(uri(address))),
			leaf(point(named(uri(address)), element(0xa2, element(0xa4, ca().RawSubject)))), "another distribution point"},
		{"a point without a name", element(0x30, named(uri(address))), leaf(point(element(0xa2, element(0xa4, ca().RawSubject)))), "another distribution point"},
		{"the name of the CA itself", element(0x30, named(uri(address), element(0xa4, ca().RawSubject))), leaf(), ""},
		{"the name of another CA", element(0x30, named(element(0xa4, newAuthority("Another CA", ecdsaKey()).RawSubject))), leaf(), "another distribution point"},
		{"a name relative to the CA", element(0x30, element(0xa0, element(0xa1, element(0x30, oid(0x55, 4, 3), element(0x0c, []byte("a")))))),
			leaf(point(named(uri(address)))), "another distribution point"},
		{"no certificate", nil, nil, "no certificate"},
		{"a certificate that was never parsed", nil, &x509.Certificate{}, "no certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var change []func(*x509.RevocationList)
			if c.idp != nil {
				change = append(change, extended(28, true, c.idp))
			}
			l, err := crl.Parse(ca().list(change...))
			require.NoError(t, err)
			err = l.Covers(c.cert)
			if c.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
	assert.Error(t, new(crl.List).Covers(leaf()))
}
