package profile_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/profile"
)

// permitting gives a CA permitted subtrees of mail and URIs.
func permitting(mailAndURIs ...[]byte) change {
	var subtrees [][]byte
	for _, base := range mailAndURIs {
		subtrees = append(subtrees, seq(base))
	}
	return with(30, true, seq(tagged(0xa0, subtrees...)))
}

func mailBase(s string) []byte { return tagged(0x81, s) }
func uriBase(s string) []byte  { return tagged(0x86, s) }

func forNamedURI(uri string) change {
	return with(17, false, seq(tagged(0x82, "host.example"), uriBase(uri)))
}

// aboveOf are the issuing CAs of tests whose rule is about the names below one.
var aboveOf = map[string]change{
	"a host for mail is that host only":           permitting(mailBase("example.com")),
	"a domain for mail is not its own host":       permitting(mailBase(".example.com")),
	"a domain for mail ends at a label":           permitting(mailBase(".example.com")),
	"a mailbox is that mailbox only":              permitting(mailBase("a@example.com")),
	"of several subtrees for mail one must match": permitting(mailBase("a.example"), mailBase("b@c.example"), mailBase(".d.example")),
	"a host for URIs is that host only":           permitting(uriBase("example.com")),
	"a domain for URIs is not its own host":       permitting(uriBase(".example.com")),
	"a port does not count":                       permitting(uriBase("example.com")),
}

var permittedNameTests = []ruleTest{
	{"a host for mail is that host only", "permitted names 4.2.1.10", inLeaf, forMail("a@b.example.com"), forMail("a@EXAMPLE.com"), `"a@b.example.com" is in no permitted subtree`},
	{"a domain for mail is not its own host", "permitted names 4.2.1.10", inLeaf, forMail("a@example.com"), forMail("a@c.b.example.com"), "no permitted subtree"},
	{"a domain for mail ends at a label", "permitted names 4.2.1.10", inLeaf, forMail("a@bexample.com"), forMail("a@b.example.com"), "no permitted subtree"},
	{"a mailbox is that mailbox only", "permitted names 4.2.1.10", inLeaf, forMail("A@example.com"), forMail("a@Example.com"), "no permitted subtree"},
	{"of several subtrees for mail one must match", "permitted names 4.2.1.10", inLeaf, forMail("a@x.a.example"), forMail("a@x.d.example"), "no permitted subtree"},
	{"a host for URIs is that host only", "permitted names 4.2.1.10", inLeaf, forNamedURI("https://a.example.com/"), forNamedURI("https://Example.com/"), "no permitted subtree"},
	{"a domain for URIs is not its own host", "permitted names 4.2.1.10", inLeaf, forNamedURI("https://example.com/"), forNamedURI("https://b.a.example.com/"), "no permitted subtree"},
	{"a port does not count", "permitted names 4.2.1.10", inLeaf, forNamedURI("https://a.example.com:443/"), forNamedURI("https://example.com:443/"), "no permitted subtree"},
}

func init() {
	// What crypto/x509 refuses by itself, for which it also takes a dot.
	for _, name := range []string{"a domain for mail is not its own host", "a domain for mail ends at a label", "a mailbox is that mailbox only", "a domain for URIs is not its own host"} {
		refusedByX509[name] = true
	}
}

func TestPermittedNamesBelowEveryCA(t *testing.T) {
	mail := forMail("a@b.example.com")
	for _, test := range []struct {
		name string
		c    chain.Chain
		want string
	}{
		{"the root's count too", forge(mail, nil, permitting(mailBase("example.com"))), `subtree of "Root"`},
		{"only of that kind", forge(mail, permitting(uriBase("example.com"))), ""},
		{"each CA permits for itself", forge(mail, permitting(mailBase(".example.com")), permitting(mailBase("b.example.com"))), ""},
		{"and one that does not is enough", forge(mail, permitting(mailBase(".example.com")), permitting(mailBase("c.example.com"))), `subtree of "Root"`},
		{"the names of a CA count", forge(nil, mail, permitting(mailBase("example.com"))), `"Issuing CA": permitted names`},
		{"those of a self-issued one do not", forge(nil, nil, changes(mail, permitting(mailBase("example.com")))), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := profile.RFC5280(test.c, now)
			if test.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, test.want)
			}
		})
	}
}

func TestWebPKIAllowsNameConstraintsThatAreNotCritical(t *testing.T) {
	c := forge(nil, with(30, false, seq(tagged(0xa0, seq(tagged(0x82, "example"))))))
	assert.ErrorContains(t, profile.RFC5280(c, now), "nameConstraints: it is not critical")
	assert.NoError(t, profile.WebPKI(c, now))
	assert.ErrorContains(t, profile.WebPKI(forge(nil, with(30, false, seq(tagged(0xa0, seq(tagged(0x82, ".example")))))), now),
		"nameConstraints: ", "the others are asked")
	assert.ErrorContains(t, profile.WebPKI(forge(without(35)), now), "authorityKeyIdentifier: it is missing (RFC 5280 section 4.2.1.1)")
}

func TestManyNamesBelowManyConstraints(t *testing.T) {
	var names, bases [][]byte
	for i := range 3000 {
		names = append(names, mailBase(fmt.Sprintf("a%d@b%d.example.com", i, i)), uriBase(fmt.Sprintf("https://a.b.c%d.example.com/", i)))
		bases = append(bases, mailBase(fmt.Sprintf("b%d.example.com", 2999-i)), uriBase(fmt.Sprintf(".b.c%d.example.com", 2999-i)))
	}
	c := forge(with(17, false, seq(names...)), permitting(bases...), permitting(bases...))
	most, took := slower*100*time.Millisecond, time.Duration(1<<62)
	for try := 0; took >= most && try < 5; try++ { // the machine may be busy
		begin := time.Now()
		err := profile.RFC5280(c, now)
		took = time.Since(begin)
		require.NoError(t, err)
	}
	assert.Less(t, took, most)
	t.Log(took)
}
