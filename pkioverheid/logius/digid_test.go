package logius_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/logius"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestDigiDsRulesForCertificates(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		require.NoError(t, err)
		return d
	}
	at := day("2021-01-15")
	valid := func(h pkioverheid.Hierarchy, until time.Time) *x509.Certificate {
		return issue(t, h, pkiotest.Leaf{NotBefore: day("2020-11-01"), NotAfter: until})
	}
	g1, g1Other := valid(pkioverheid.PrivateG1, day("2022-01-01")), valid(pkioverheid.PrivateG1, day("2023-01-01"))
	ca2020, ca2020Other := valid(pkioverheid.EV, day("2021-11-01")), valid(pkioverheid.EV, day("2021-11-01"))
	g3 := valid(pkioverheid.G3, day("2022-01-01"))
	last := day("2021-02-01").Add(-time.Second)
	for name, c := range map[string]struct {
		preproduction, production *x509.Certificate
		want                      string
	}{
		"both G1":                     {g1, g1Other, ""},
		"both CA2020":                 {ca2020, ca2020Other, ""},
		"one certificate for both":    {g1, g1, ""},
		"G1 and CA2020":               {g1, ca2020, "for preproduction is under Private G1 and the one for production under EV"},
		"CA2020 and G1":               {ca2020, g1, "use the same kind in both"},
		"G3 in production":            {g1, g3, "the certificate for production: pkioverheid: G3 refused"},
		"one that ends in January":    {g1, valid(pkioverheid.PrivateG1, last), ""},
		"one that has ended":          {valid(pkioverheid.PrivateG1, day("2020-12-31")), g1, "expired"},
		"none for preproduction":      {nil, g1, "for preproduction: there is none"},
		"a CA":                        {pkiotest.New(pkioverheid.PrivateG1).Certificates()[2], g1, "certificate of a CA"},
		"a person's":                  {g1, issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{NotBefore: day("2020-11-01"), NotAfter: day("2022-01-01"), Policies: []string{"2.16.528.1.1003.1.2.8.1"}}), "not the certificate of a system"},
		"one of nobody that is known": {tinyCertificate(t), g1, "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			err := logius.CheckDigiDCertificates(c.preproduction, c.production, pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.EV, pkioverheid.PrivateG1)), Time: func() time.Time { return at }})
			if c.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}

	// Today it is G1 and G4.
	trust := pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.EV)), Time: withinG1}
	now, next := issue(t, pkioverheid.PrivateG1, pkiotest.Leaf{}), issue(t, pkioverheid.PrivateG4TLS, pkiotest.Leaf{})
	assert.NoError(t, logius.CheckDigiDCertificates(now, now, trust))
	assert.NoError(t, logius.CheckDigiDCertificates(next, next, trust))
	assert.ErrorContains(t, logius.CheckDigiDCertificates(next, now, trust), "use the same kind in both")
	assert.ErrorContains(t, logius.CheckDigiDCertificates(ca2020, ca2020, trust), "expired")
	assert.Error(t, logius.CheckDigiDCertificates(now, now, pkioverheid.Trust{}), "a fixture's root is not trusted by itself")
	assert.ErrorContains(t, logius.CheckDigiDCertificates(now, now, pkioverheid.Trust{Roots: truststore.NewSource(fixtures(pkioverheid.G3))}), "G3")
}
