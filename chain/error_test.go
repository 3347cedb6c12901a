package chain_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestReason(t *testing.T) {
	for reason, text := range map[chain.Reason]string{
		chain.Expired:           "expired",
		chain.NotYetValid:       "not yet valid",
		chain.UnknownAuthority:  "unknown authority",
		chain.BadSignature:      "bad signature",
		chain.WrongName:         "wrong name",
		chain.WrongUsage:        "wrong usage",
		chain.PathTooLong:       "path too long",
		chain.NameNotPermitted:  "name not permitted",
		chain.NoValidPolicy:     "no valid certificate policy",
		chain.NotACA:            "issuer is not a CA",
		chain.RefusedByPolicy:   "refused by policy",
		chain.Revoked:           "revoked",
		chain.Unsupported:       "unsupported certificate",
		chain.Distrusted:        "distrusted",
		chain.RevocationUnknown: "revocation unknown",
	} {
		assert.Equal(t, text, fmt.Sprint(reason))
		marshalled, err := json.Marshal(reason)
		require.NoError(t, err)
		assert.Equal(t, `"`+text+`"`, string(marshalled))
	}
}

func TestErrorText(t *testing.T) {
	named := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Issuing CA"},
		NotBefore: now.AddDate(0, 0, 1),
		NotAfter:  now.AddDate(0, 0, 2),
	}
	for _, test := range []struct {
		name string
		err  *chain.Error
		text string
	}{
		{"an ended certificate has its last day", &chain.Error{Reason: chain.Expired, Cert: named}, `chain: expired: "Issuing CA" ended 2026-11-03`},
		{"a future one has its first day", &chain.Error{Reason: chain.NotYetValid, Cert: named}, `chain: not yet valid: "Issuing CA" begins 2026-11-02`},
		{"others have the name", &chain.Error{Reason: chain.NotACA, Cert: named}, `chain: issuer is not a CA: "Issuing CA"`},
		{"no certificate, no name", &chain.Error{Reason: chain.RefusedByPolicy}, `chain: refused by policy`},
		{"what is underneath follows on the same line", &chain.Error{Reason: chain.RefusedByPolicy, Err: []error{errors.New("one\ntwo"), nil, errors.New("three")}}, `chain: refused by policy: one; two; three`},
		{"a policy's own error is not said twice", &chain.Error{Reason: chain.Revoked, Cert: named, Err: []error{
			&chain.Error{Reason: chain.Revoked, Cert: named, Err: []error{errors.New("on the list")}},
		}}, `chain: revoked: "Issuing CA": on the list`},
		{"but one about another certificate is", &chain.Error{Reason: chain.Revoked, Cert: named, Err: []error{
			&chain.Error{Reason: chain.Revoked, Err: []error{errors.New("on the list")}},
		}}, `chain: revoked: "Issuing CA": chain: revoked: on the list`},
		{"the zero value can be printed", &chain.Error{}, `chain: refused`},
		{"a certificate without a common name has its first host",
			&chain.Error{Reason: chain.NotACA, Cert: &x509.Certificate{DNSNames: []string{"a.example", "b.example"}}}, `chain: issuer is not a CA: "a.example"`},
		{"or else its organisation",
			&chain.Error{Reason: chain.NotACA, Cert: &x509.Certificate{Subject: pkix.Name{Organization: []string{"Org"}}}}, `chain: issuer is not a CA: "O=Org"`},
		{"or else none", &chain.Error{Reason: chain.NotACA, Cert: &x509.Certificate{}}, `chain: issuer is not a CA: a certificate without a name`},
		{"a name cannot break out of its quotes",
			&chain.Error{Reason: chain.NotACA, Cert: &x509.Certificate{Subject: pkix.Name{CommonName: "\"\n\x1b[2J\xff"}}}, `chain: issuer is not a CA: "\"\n\x1b[2J\xff"`},
		{"control sequences underneath are escaped",
			&chain.Error{Reason: chain.WrongName, Err: []error{errors.New("for \x1b[2J\u202eelpmaxe")}}, `chain: wrong name: for \x1b[2J\u202eelpmaxe`},
	} {
		t.Run(test.name, func(t *testing.T) { assert.Equal(t, test.text, test.err.Error()) })
	}
}

func TestErrorTextIsBounded(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	err := &chain.Error{
		Reason: chain.WrongName,
		Cert:   &x509.Certificate{Subject: pkix.Name{CommonName: "x" + long}},
		Err:    []error{errors.New(long), errors.New("and the second")},
	}
	text := err.Error()
	assert.Less(t, len(text), 1200)
	assert.True(t, utf8.ValidString(text))
	assert.Contains(t, text, "and the second")
}

func TestErrorShowsNoControlSequencesOfAPeer(t *testing.T) {
	l := newLayers(nil, nil, nil, []edit{func(c *x509.Certificate) {
		c.DNSNames = []string{"\x1b]0;owned\x07", strings.Repeat("a", 1<<16)}
	}})
	_, err := l.verifier().Verify(l.leaf, chain.VerifyOptions{DNSName: "other.example", Time: now})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "\x1b")
	assert.Less(t, len(err.Error()), 1200)
}

func TestErrorUnwraps(t *testing.T) {
	l := newLayers()
	_, err := l.verifier(chain.WithPolicy((&keeping{revoked: []*x509.Certificate{l.issuing.Certificate}}).policy)).
		Verify(l.leaf, chain.VerifyOptions{Time: now})
	assert.ErrorIs(t, err, errRevoked)

	_, err = l.verifier().Verify(l.leaf, chain.VerifyOptions{Time: now, DNSName: "other.example"})
	var wrongName x509.HostnameError
	require.ErrorAs(t, fmt.Errorf("wrapped: %w", err), &wrongName)
	assert.Equal(t, "other.example", wrongName.Host)
}

// Every reason that crypto/x509 has, and one that it might get.
func TestReasonsOfCryptoX509(t *testing.T) {
	l := newLayers()
	for invalid, reason := range map[x509.InvalidReason]chain.Reason{
		x509.NotAuthorizedToSign:           chain.NotACA,
		x509.Expired:                       chain.Expired,
		x509.CANotAuthorizedForThisName:    chain.NameNotPermitted,
		x509.TooManyIntermediates:          chain.PathTooLong,
		x509.IncompatibleUsage:             chain.WrongUsage,
		x509.NameMismatch:                  chain.UnknownAuthority,
		x509.NameConstraintsWithoutSANs:    chain.NameNotPermitted,
		x509.UnconstrainedName:             chain.NameNotPermitted,
		x509.TooManyConstraints:            chain.Unsupported,
		x509.CANotAuthorizedForExtKeyUsage: chain.WrongUsage,
		x509.NoValidChains:                 chain.NoValidPolicy,
		x509.NoValidChains + 1:             chain.Unsupported,
	} {
		got, cert := chain.ReasonOf(l.full(), now, fmt.Errorf("wrapped: %w", x509.CertificateInvalidError{Cert: l.issuing.Certificate, Reason: invalid}))
		assert.Equal(t, reason, got, "%d", invalid)
		if reason == chain.NameNotPermitted {
			assert.Same(t, l.leaf, cert)
		} else {
			assert.Same(t, l.issuing.Certificate, cert)
		}
	}
	for _, test := range []struct {
		name   string
		l      layers
		err    error
		reason chain.Reason
		cert   int // of the chain; -1 for none
	}{
		{"not valid yet", newLayers(nil, []edit{notYetValid}), nil, chain.NotYetValid, 2},
		{"a host's name", l, x509.HostnameError{}, chain.WrongName, 0},
		{"an extension that nobody names", newLayers(nil, nil, []edit{unknownCritical}), x509.UnhandledCriticalExtension{}, chain.Unsupported, 1},
		{"the limit of signatures", l, errors.New("x509: signature check attempts limit reached"), chain.Unsupported, -1},
		{"an error about another path, and this one has its own", newLayers([]edit{expired}),
			x509.CertificateInvalidError{Cert: newRoot("Other").Certificate, Reason: x509.TooManyIntermediates}, chain.Expired, 3},
		{"no path and no fault", l, x509.UnknownAuthorityError{}, chain.Unsupported, -1},
		{"no error and no fault: it was verified for another usage", l, nil, chain.WrongUsage, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, cert := chain.ReasonOf(test.l.full(), now, test.err)
			assert.Equal(t, test.reason, got)
			if test.cert < 0 {
				assert.Nil(t, cert)
			} else {
				assert.Same(t, test.l.full()[test.cert], cert)
			}
		})
	}
}

// A signature that nobody checks is none that is bad.
func TestUnsupportedSignatures(t *testing.T) {
	root := newRootFor(signers()[len(signers())-1].Signer, "Root")
	weak := sign(leafTemplate("host.example"), root.Certificate, newKey(), root.key, nil)
	weak.SignatureAlgorithm = x509.SHA1WithRSA
	_, err := mustVerifier(truststore.New(root.Certificate), truststore.New()).Verify(weak, chain.VerifyOptions{Time: now})
	var e *chain.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, chain.Unsupported, e.Reason, err.Error())
	weak.SignatureAlgorithm = x509.UnknownSignatureAlgorithm
	_, err = mustVerifier(truststore.New(root.Certificate), truststore.New()).Verify(weak, chain.VerifyOptions{Time: now})
	require.ErrorAs(t, err, &e)
	assert.Equal(t, chain.Unsupported, e.Reason, err.Error())
}

// adviser is an error of a policy that says itself what to do.
type adviser struct{ problem, advice string }

func (a *adviser) Error() string                           { return "closed" }
func (a *adviser) ProblemAdvice() (problem, advice string) { return a.problem, a.advice }

// Every refusal says what to do, in a field.
func TestProblemAndAdvice(t *testing.T) {
	l := newLayers()
	old := l.issuing.issue("host.example", expired)
	refusing := func(err error) *chain.Verifier {
		return l.verifier(chain.WithPolicy(func(chain.Chain, time.Time) error { return err }))
	}
	vetoing := func(err error) *chain.Verifier {
		return l.verifier(chain.WithVeto(func([]*x509.Certificate) error { return err }))
	}
	own := &adviser{"The shop is closed.", "Come back tomorrow."}
	fields := &chain.Error{Reason: chain.Revoked, Problem: own.problem, Advice: own.advice}
	for _, test := range []struct {
		name            string
		v               *chain.Verifier
		leaf            *x509.Certificate
		problem, advice string
	}{
		{"what crypto/x509 refuses", l.verifier(), old, `"host.example" has expired: it ended on 2026-10-01, 31 days before 2026-11-01.`, "Ask its holder to renew it. Check also that the clock is right."},
		{"a policy without advice", refusing(errors.New("closed")), l.leaf, `A rule refuses "host.example": closed.`, "Do as the rule says. If the rule is wrong, change it where the program sets its policies."},
		{"a policy's own words", refusing(own), l.leaf, own.problem, own.advice},
		{"a policy's own words, wrapped", refusing(fmt.Errorf("the shop: %w", own)), l.leaf, own.problem, own.advice},
		{"a policy's own fields", refusing(fields), l.leaf, own.problem, own.advice},
		{"a policy's own advice only", refusing(&adviser{"", own.advice}), l.leaf, `A rule refuses "host.example": closed.`, own.advice},
		{"a veto's own words", vetoing(own), l.leaf, own.problem, own.advice},
		{"a veto's own fields", vetoing(fields), l.leaf, own.problem, own.advice},
		{"no certificate", l.verifier(), nil, "There is no certificate to look at.", "Give the certificate that it is about, in any order with those of its CAs."},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.v.Verify(test.leaf, chain.VerifyOptions{Time: now})
			var e *chain.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.problem, e.Problem)
			assert.Equal(t, test.advice, e.Advice)
			x := test.v.Explain([]*x509.Certificate{test.leaf}, chain.VerifyOptions{Time: now})
			assert.Equal(t, test.problem, x.Problem)
			assert.Equal(t, test.advice, x.Advice)
			if test.leaf != l.leaf {
				return
			}
			_, err = test.v.Check([][]*x509.Certificate{l.full()}, now)
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.problem, e.Problem)
			assert.Equal(t, test.advice, e.Advice)
		})
	}
}

// Where several chains are refused, the reason and the advice are of one refusal.
func TestAdviceBelongsToTheReason(t *testing.T) {
	l := newLayers()
	refusals := []error{&adviser{"The shop is closed.", "Come back tomorrow."}, &chain.Error{Reason: chain.Revoked, Cert: l.leaf}}
	for range refusals {
		asked := 0
		v := l.verifier(chain.WithPolicy(func(chain.Chain, time.Time) error { asked++; return refusals[asked-1] }))
		_, err := v.Check([][]*x509.Certificate{l.full(), l.full()}, now)
		var e *chain.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, chain.Revoked, e.Reason)
		assert.Contains(t, e.Problem, "was revoked")
		assert.Contains(t, e.Advice, "Do not use it again")
		slices.Reverse(refusals)
	}
}
