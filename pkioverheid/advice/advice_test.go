package advice_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

func date(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

const (
	kpnG1    = "KPN PKIoverheid Private Services CA - G1"
	kpnG3    = "KPN BV PKIoverheid Organisatie Server CA - G3"
	quoG3    = "QuoVadis PKIoverheid Organisatie Server CA - G3"
	kpnG4    = "KPN - G4 PKIo Priv G-TLS SYS - 2025"
	uziG4    = "UZI Server - G4 PKIo Priv G-TLS SYS - 2025"
	kpnEV    = "KPN PKIoverheid Server CA 2020"
	digicert = "DigiCert QuoVadis PKIoverheid Private Services CA - 2023"
)

func until(end time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = end }
}

func policy(t testing.TB, oid string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		p, err := x509.ParseOID(oid)
		require.NoError(t, err)
		c.Policies = append(c.Policies, p)
	}
}

func withoutNames(c *x509.Certificate) {
	c.DNSNames, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
}

func TestAdviceSaysWhatToReplaceByWhatAndByWhen(t *testing.T) {
	const (
		m2m, web, client = advice.MachineToMachine, advice.Web, advice.ClientOnly
		ev, g1, g4       = pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS
	)
	var (
		today   = date(2026, 11, 23)
		endG1   = date(2028, 11, 12)
		leaveG1 = time.Date(2027, 12, 31, 23, 0, 0, 0, time.UTC)
		endEV   = date(2022, 12, 5)
		endG4   = date(2039, 5, 18)
		plan    = time.Date(2020, 12, 31, 23, 0, 0, 0, time.UTC)
		anyTime time.Time
	)
	persons := testcert.Sign(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, Subject: pkix.Name{
		CommonName: "KPN BV PKIoverheid Organisatie Persoon CA - G3", Organization: []string{"KPN B.V."}, Country: []string{"NL"}}}, nil).Leaf
	uzi2024 := testcert.ClaimingName(t, pkix.Name{CommonName: "UZI Server - G4 PKIo Priv G-TLS SYS - 2024", Organization: []string{"CIBG"}, Country: []string{"NL"}})

	cases := []struct {
		name        string
		cert        *x509.Certificate
		use         advice.Use
		at          time.Time
		status      advice.Status
		urgency     advice.Urgency
		deadline    time.Time
		replacement pkioverheid.Hierarchy
		supplier    pkioverheid.TSP
		words       string
		source      string
	}{
		{"G3 between machines while the plan ran", testcert.Claiming(t, testcert.CA(t, kpnG3)), m2m, date(2020, 11, 26), advice.Withdrawn, advice.ActSoon, plan, g1, "KPN", "a private certificate under Private G1", "replacement plan of 2020"},
		{"G3 on the web while the plan ran", testcert.Claiming(t, testcert.CA(t, kpnG3)), web, date(2020, 11, 26), advice.Withdrawn, advice.ActSoon, plan, ev, "KPN", "CA2020", "replacement plan of 2020"},
		{"G3 between machines today", testcert.Claiming(t, testcert.CA(t, kpnG3)), m2m, today, advice.Withdrawn, advice.ActNow, plan, g4, "KPN", "Private G4 TLS", "replacement plan of 2020"},
		{"G3 on the web today", testcert.Claiming(t, testcert.CA(t, kpnG3)), web, today, advice.Withdrawn, advice.ActNow, plan, "", "", "a CA that browsers trust", "EV root ended"},
		{"G3 of QuoVadis, which is DigiCert now", testcert.Claiming(t, testcert.CA(t, quoG3)), m2m, today, advice.Withdrawn, advice.ActNow, plan, g4, "DigiCert", "QuoVadis, now DigiCert", "replacement plan of 2020"},
		{"G3 that ended before the plan's date", testcert.Claiming(t, testcert.CA(t, kpnG3), until(date(2020, 1, 1))), m2m, today, advice.Withdrawn, advice.ActNow, date(2020, 1, 1), g4, "KPN", "withdrawn", "replacement plan"},
		{"a person's of G3, use not known", testcert.Claiming(t, persons), "", today, advice.Ending, advice.ActLater, endG1, g4, "KPN", "If it is used for TLS", "before 2028"},
		{"a person's of G3 between machines", testcert.Claiming(t, persons), m2m, today, advice.Unfit, advice.ActNow, anyTime, g4, "KPN", "may not be used between machines", "before 2028"},
		{"the G3 root in a trust store", pkioverheid.G3.Root(), "", today, advice.Unfit, advice.ActNow, anyTime, g4, "", "take it out of what TLS trusts", "before 2028"},
		{"a G3 server CA in a trust store", testcert.CA(t, kpnG3), m2m, today, advice.Withdrawn, advice.ActNow, plan, g4, "KPN", "take it out of what TLS trusts", "replacement plan"},
		{"CA2020 while EV lasted", testcert.Claiming(t, testcert.CA(t, kpnEV)), m2m, date(2021, 6, 1), advice.Ending, advice.ActLater, endEV, g1, "KPN", "ends on 2022-12-05", "EV root ended"},
		{"CA2020 today", testcert.Claiming(t, testcert.CA(t, kpnEV), until(date(2021, 9, 1))), m2m, today, advice.Ended, advice.ActNow, date(2021, 9, 1), g4, "KPN", "ended on 2021-09-01", "EV root ended"},
		{"CA2020 on the web today", testcert.Claiming(t, testcert.CA(t, kpnEV)), web, today, advice.Ended, advice.ActNow, endEV, "", "", "a CA that browsers trust", "EV root ended"},
		{"the EV root in a trust store", pkioverheid.EV.Root(), "", today, advice.Ended, advice.ActNow, endEV, g4, "", "was good until 2022-12-05, and since then only to check what was signed before", "EV root ended"},
		{"the EV root while it lasted", pkioverheid.EV.Root(), "", date(2021, 6, 1), advice.Ending, advice.ActLater, endEV, g1, "", "is good until 2022-12-05, and after that only to check", "EV root ended"},
		{"G1 with its own end first", testcert.Claiming(t, testcert.CA(t, kpnG1), until(date(2027, 5, 1))), m2m, today, advice.Ending, advice.ActLater, date(2027, 5, 1), g4, "KPN", "to have moved before 2028", "before 2028"},
		{"G1 that claims to outlive its hierarchy", testcert.Claiming(t, testcert.CA(t, kpnG1)), m2m, today, advice.Ending, advice.ActLater, leaveG1, g4, "KPN", "ends on 2028-11-12", "before 2028"},
		{"G1 in its last weeks", testcert.Claiming(t, testcert.CA(t, kpnG1), until(date(2027, 1, 1))), "", today, advice.Ending, advice.ActSoon, date(2027, 1, 1), g4, "KPN", "Private G4", "before 2028"},
		{"G1 when G1 has ended", testcert.Claiming(t, testcert.CA(t, kpnG1)), m2m, date(2028, 11, 13), advice.Ended, advice.ActNow, leaveG1, g4, "KPN", "ended on 2028-11-12", "before 2028"},
		{"G1 before there was G4", testcert.Claiming(t, testcert.CA(t, kpnG1), until(date(2022, 1, 1))), m2m, date(2021, 12, 1), advice.Ending, advice.ActSoon, date(2022, 1, 1), g1, "KPN", "before then, ask the certificate supplier (KPN) for a private certificate under Private G1.", "replacement plan of 2020"},
		{"G1 long before there was G4", testcert.Claiming(t, testcert.CA(t, kpnG1), until(date(2022, 1, 1))), m2m, date(2021, 6, 1), advice.Fine, advice.NotUrgent, date(2022, 1, 1), "", "KPN", "good until 2022-01-01", "the validity"},
		{"G1 on the day before there was G4", testcert.Claiming(t, testcert.CA(t, kpnG1)), m2m, date(2025, 7, 17).Add(-time.Second), advice.Fine, advice.NotUrgent, endG1, "", "KPN", "good until 2028-11-12", "the validity"},
		{"G1 from then on", testcert.Claiming(t, testcert.CA(t, kpnG1)), m2m, date(2025, 7, 18), advice.Ending, advice.ActLater, leaveG1, g4, "KPN", "left that hierarchy by 2027-12-31: ask", "before 2028"},
		{"the G1 root before there was G4", pkioverheid.PrivateG1.Root(), "", date(2021, 6, 1), advice.Fine, advice.NotUrgent, endG1, "", "", "good until 2028-11-12", "the validity"},
		{"G1 on the web", testcert.Claiming(t, testcert.CA(t, kpnG1)), web, today, advice.Unfit, advice.ActNow, leaveG1, "", "", "no browser trusts", "EV root ended"},
		{"G1 of a client without domain names", testcert.Claiming(t, testcert.CA(t, kpnG1), withoutNames), client, today, advice.Ending, advice.ActLater, leaveG1, "", "KPN", "44.16.25.8", "Programma van Eisen"},
		{"the same, use not known", testcert.Claiming(t, testcert.CA(t, kpnG1), withoutNames), "", today, advice.Ending, advice.ActLater, leaveG1, "", "KPN", "G4 Root Priv G-Other", "Programma van Eisen"},
		{"G1 of a client with domain names", testcert.Claiming(t, testcert.CA(t, kpnG1)), client, today, advice.Ending, advice.ActLater, leaveG1, g4, "KPN", "Private G4 TLS", "before 2028"},
		{"G1 for authenticity", testcert.Claiming(t, testcert.CA(t, kpnG1), policy(t, "2.16.528.1.1003.1.2.8.4")), "", today, advice.Ending, advice.ActLater, leaveG1, "", "KPN", "44.16.25.4", "Programma van Eisen"},
		{"G1 for confidentiality", testcert.Claiming(t, testcert.CA(t, kpnG1), policy(t, "2.16.528.1.1003.1.2.8.5")), "", today, advice.Ending, advice.ActLater, leaveG1, "", "KPN", "44.16.25.7", "Programma van Eisen"},
		{"G1 of DigiCert", testcert.Claiming(t, testcert.CA(t, digicert)), m2m, today, advice.Ending, advice.ActLater, leaveG1, g4, "DigiCert", "(QuoVadis, now DigiCert)", "before 2028"},
		{"G1 of CIBG, which issues under G4 only", testcert.Claiming(t, testcert.CA(t, "UZI-register Private Server CA G1")), m2m, today, advice.Ending, advice.ActLater, leaveG1, g4, "CIBG", "(CIBG)", "12 November 2026"},
		{"the G1 root in a trust store", pkioverheid.PrivateG1.Root(), "", today, advice.Ending, advice.ActLater, endG1, g4, "", "Staat der Nederlanden - G4 Root Priv G-TLS - 2024", "before 2028"},
		{"the G1 root when no G1 verifies any more", pkioverheid.PrivateG1.Root(), "", date(2028, 11, 13), advice.Ended, advice.ActNow, endG1, g4, "", "in its place", "before 2028"},
		{"G4", testcert.Claiming(t, testcert.CA(t, kpnG4), until(date(2028, 1, 1))), m2m, today, advice.Fine, advice.NotUrgent, date(2028, 1, 1), "", "KPN", "good until 2028-01-01", "the validity"},
		{"G4 in its last weeks", testcert.Claiming(t, testcert.CA(t, kpnG4), until(date(2027, 1, 1))), m2m, today, advice.Ending, advice.ActSoon, date(2027, 1, 1), g4, "KPN", "before then, ask", "the validity"},
		{"G4 on the first of its last days", testcert.Claiming(t, testcert.CA(t, kpnG4), until(today.Add(90*24*time.Hour))), m2m, today, advice.Ending, advice.ActSoon, today.Add(90 * 24 * time.Hour), g4, "KPN", "before then, ask", "the validity"},
		{"G4 on the day before", testcert.Claiming(t, testcert.CA(t, kpnG4), until(today.Add(90*24*time.Hour+time.Second))), m2m, today, advice.Fine, advice.NotUrgent, today.Add(90*24*time.Hour + time.Second), "", "KPN", "good until", "the validity"},
		{"G4 at its very end", testcert.Claiming(t, testcert.CA(t, kpnG4), until(today)), m2m, today, advice.Ending, advice.ActSoon, today, g4, "KPN", "before then, ask", "the validity"},
		{"a TSP CA of G4 on the first of its last days", testcert.CA(t, uziG4), "", endG4.Add(-90 * 24 * time.Hour), advice.Ending, advice.ActSoon, endG4, "", "CIBG", "what comes after it", "the validity"},
		{"G1 on the last day that Logius gives", testcert.Claiming(t, testcert.CA(t, kpnG1), until(date(2028, 9, 1))), m2m, leaveG1, advice.Ending, advice.ActSoon, leaveG1, g4, "KPN", "ends on 2028-09-01, and Logius asks everyone to have left that hierarchy by 2027-12-31: ask", "before 2028"},
		{"G1 a month after that, although it ends later", testcert.Claiming(t, testcert.CA(t, kpnG1), until(date(2028, 9, 1))), m2m, date(2028, 2, 1), advice.Ending, advice.ActNow, leaveG1, g4, "KPN", "ends on 2028-09-01, and Logius asked everyone to have left that hierarchy by 2027-12-31: ask", "before 2028"},
		{"the G1 root after that", pkioverheid.PrivateG1.Root(), "", date(2028, 2, 1), advice.Ending, advice.ActLater, endG1, g4, "", "Trust Private G4 TLS", "before 2028"},
		{"G1 at the very end of its CAs", testcert.Claiming(t, testcert.CA(t, kpnG1)), m2m, endG1, advice.Ending, advice.ActNow, leaveG1, g4, "KPN", "Overdue since 2027-12-31.", "before 2028"},
		{"G1 a second later", testcert.Claiming(t, testcert.CA(t, kpnG1)), m2m, endG1.Add(time.Second), advice.Ended, advice.ActNow, leaveG1, g4, "KPN", "ended on 2028-11-12", "before 2028"},
		{"G3 at the plan's very end", testcert.Claiming(t, testcert.CA(t, kpnG3)), m2m, plan, advice.Withdrawn, advice.ActSoon, plan, g1, "KPN", "a private certificate under Private G1", "replacement plan of 2020"},
		{"G4 that ended", testcert.Claiming(t, testcert.CA(t, kpnG4), until(date(2026, 11, 22))), m2m, today, advice.Ended, advice.ActNow, date(2026, 11, 22), g4, "KPN", "ended on 2026-11-22", "the validity"},
		{"G4 on the web", testcert.Claiming(t, testcert.CA(t, kpnG4)), web, today, advice.Unfit, advice.ActNow, endG4, "", "", "no browser trusts", "EV root ended"},
		{"a TSP CA of G4 in a trust store", testcert.CA(t, uziG4), "", today, advice.Fine, advice.NotUrgent, endG4, "", "CIBG", "good until 2039-05-18", "the validity"},
		{"UZI Server 2024, withdrawn", uzi2024, m2m, today, advice.Withdrawn, advice.ActNow, date(2025, 10, 29), g4, "CIBG", "a CA that was withdrawn", "revoked on 29 October 2025"},
		{"a foreign certificate", testcert.Sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "foreign.example"}}, nil).Leaf, m2m, today, advice.Unrecognised, advice.NotUrgent, anyTime, "", "", "no hierarchy of PKIoverheid that is known here", ""},
		{"a policy of PKIoverheid under a CA that is not known", func() *x509.Certificate {
			tmpl := &x509.Certificate{Subject: pkix.Name{CommonName: "x"}}
			policy(t, "2.16.528.1.1003.1.2.44.16.25.8")(tmpl)
			return testcert.Sign(t, tmpl, nil).Leaf
		}(), m2m, today, advice.Unrecognised, advice.NotUrgent, anyTime, "", "", "44.16.25.8", ""},
		{"a TRIAL certificate", testcert.Sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "TRIAL x"}}, nil).Leaf, "", today, advice.TestOnly, advice.NotUrgent, anyTime, "", "", "belongs in no production system", "TRIAL"},
		{"a certificate of pkiotest", pkiotest.New(g1).Issue(pkiotest.Leaf{}).Leaf, m2m, today, advice.Compromised, advice.ActNow, anyTime, "", "", "its private key is public", "pkiotest"},
		{"a G3 certificate of pkiotest", pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{}).Leaf, m2m, today, advice.Compromised, advice.ActNow, anyTime, "", "", "its private key is public", "pkiotest"},
		{"another key below a CA of pkiotest", pkiotest.New(g1).Issue(pkiotest.Leaf{Key: testcert.Sign(t, &x509.Certificate{}, nil).PrivateKey.(*ecdsa.PrivateKey)}).Leaf, "", today, advice.Compromised, advice.ActNow, anyTime, "", "", "the private key of its CA is public", "pkiotest"},
		{"no certificate", nil, m2m, today, advice.Unrecognised, advice.NotUrgent, anyTime, "", "", "no certificate", ""},
		{"a certificate that was never parsed", new(x509.Certificate), m2m, today, advice.Unrecognised, advice.NotUrgent, anyTime, "", "", "no certificate", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := advice.For(c.cert, c.use, c.at)
			inDutch := a.Dutch().Text
			assert.NotEqual(t, a.Text, inDutch)
			assert.NotRegexp(t, ` (the|is under|trust|ask|ends|and|withdrawn|certificate) |%!`, inDutch)
			assert.Equal(t, c.status, a.Status)
			assert.Equal(t, c.urgency, a.Urgency)
			assert.True(t, c.deadline.Equal(a.Deadline), "%v", a.Deadline)
			assert.Equal(t, c.replacement, a.Replacement)
			assert.Equal(t, c.supplier, a.Supplier)
			assert.Contains(t, a.Text, c.words)
			assert.Contains(t, strings.Join(a.Sources, "; "), c.source)
			assert.Equal(t, c.source == "", len(a.Sources) == 0)
			assert.Regexp(t, `^(?s:[A-Z"].*)\.$`, a.Text)
			sorted := slices.Compact(slices.Sorted(slices.Values(a.Sources)))
			assert.Len(t, sorted, len(a.Sources), "no source twice")
		})
	}
}

// What is past is called overdue, and nothing else is.
func TestAdviceSaysWhatIsOverdue(t *testing.T) {
	for at, want := range map[time.Time]bool{
		date(2026, 11, 23):                     false,
		pkioverheid.PrivateG1.Plan().ReplaceBy: false,
		date(2028, 1, 1):                       true,
		date(2029, 1, 1):                       true,
	} {
		a := advice.For(testcert.Claiming(t, testcert.CA(t, kpnG1)), "", at)
		assert.Equal(t, want, strings.Contains(a.Text, "Overdue since 2027-12-31."), a.Text)
		assert.Equal(t, want, a.Urgency == advice.ActNow)
	}
	assert.Contains(t, advice.For(testcert.Claiming(t, testcert.CA(t, kpnG3)), "", date(2026, 11, 23)).Text, "Overdue since 2020-12-31.")
	assert.NotContains(t, advice.For(pkioverheid.G3.Root(), "", date(2026, 11, 23)).Text, "verdue", "it has no date")
}

func TestAdviceTakesAZeroTimeForNow(t *testing.T) {
	cert := testcert.Claiming(t, testcert.CA(t, kpnEV))
	assert.Equal(t, advice.Ended, advice.For(cert, "", time.Time{}).Status)
}

func TestAdviceIsOneLineWhateverTheCertificateSays(t *testing.T) {
	evil := func(c *x509.Certificate) { c.Subject.CommonName = "\x1b[31m\n<script>" + strings.Repeat("x", 5000) }
	for _, cert := range []*x509.Certificate{
		testcert.Claiming(t, testcert.CA(t, kpnG1), evil),
		testcert.Claiming(t, testcert.CA(t, kpnG3), evil),
		testcert.Claiming(t, testcert.CA(t, kpnG4), evil),
		testcert.Claiming(t, testcert.Sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "x"}}, nil).Leaf, evil),
	} {
		a := advice.For(cert, "", date(2026, 11, 23))
		assert.NotContains(t, a.Text, "\n")
		assert.NotContains(t, a.Text, "\x1b")
		assert.Less(t, len(a.Text), 1000)
	}
}

func TestAdviceNamesTheOIN(t *testing.T) {
	cert := testcert.Claiming(t, testcert.CA(t, kpnG1), func(c *x509.Certificate) { c.Subject.SerialNumber = "00000003271987420000" })
	assert.Contains(t, advice.For(cert, "", date(2026, 11, 23)).Text, "with OIN "+"00000003271987420000"+" in its subject:serialNumber")
}

func TestAdviceGoesThroughJSON(t *testing.T) {
	a := advice.For(testcert.Claiming(t, testcert.CA(t, kpnG1)), advice.MachineToMachine, date(2026, 11, 23))
	data, err := json.Marshal(a)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(data, &fields))
	assert.Equal(t, "ending", fields["status"])
	assert.Equal(t, "later", fields["urgency"])
	assert.Equal(t, "2027-12-31T23:00:00Z", fields["deadline"])
	assert.Equal(t, "private-g4-tls", fields["replacement"])
	assert.Equal(t, "KPN", fields["supplier"])
	var back advice.Advice
	require.NoError(t, json.Unmarshal(data, &back))
	again, err := json.Marshal(back)
	require.NoError(t, err)
	assert.Equal(t, string(data), string(again))
	assert.Equal(t, back, back.Dutch(), "it came without its Dutch")

	data, err = json.Marshal(advice.For(nil, "", time.Time{}))
	require.NoError(t, err)
	assert.JSONEq(t, `{"status":"unrecognised","urgency":"none","text":"There is no certificate to advise on."}`, string(data))
}
