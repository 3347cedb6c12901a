package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/csv"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// What a system of Private G1 shows must be replaced by November 2028, and its CAs stay
// in trust stores until then.
func TestACertificateUnderG1FailsAnAuditAndItsCADoesNot(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	leaf := underG1(t, 1, at.AddDate(1, 0, 0))[0]

	for name, want := range map[string]struct {
		file  string
		later bool
	}{
		"its CAs":        {pemOf(pkioverheid.PrivateG1.Certificates()...), false},
		"a system's":     {pemOf(leaf), true},
		"both in a file": {pemOf(append(pkioverheid.PrivateG1.Certificates(), leaf)...), true},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "all.pem")
			require.NoError(t, os.WriteFile(file, []byte(want.file), 0o600))
			found := auditOf(t, at, file)
			assert.NotZero(t, found.Summary.Trust+found.Summary.Later)
			assert.Equal(t, want.later, found.urgent(classLater))
			assert.False(t, found.urgent(classSoon))
		})
	}
}

// auditOf is an audit of files at a time.
func auditOf(t testing.TB, at time.Time, targets ...string) *audit {
	t.Helper()
	c := model.NewCollector(auditRun{At: at, Targets: targets})
	for r := range inventory.Scan(t.Context(), inventory.Config{Time: at}, targets...) {
		c.Take(r)
	}
	return finished(c, 0, false, nil)
}

// However much is found, what is written about it is bounded.
func TestWhatIsWrittenIsBounded(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	var file bytes.Buffer
	const foreign = 700
	for i := range foreign {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)),
			Subject:      pkix.Name{CommonName: fmt.Sprintf("n%d", i)},
			NotBefore:    time.Now(),
			NotAfter:     time.Date(2000+i, 1, 1, 0, 0, 0, 0, time.UTC), // hostile: any year
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		file.WriteString(pemOf(cert))
	}
	file.WriteString(pemOf(pkioverheid.G3.Certificates()...)) // the last to be found
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "all.pem"), file.Bytes(), 0o600))
	for i := range maxReportErrors + 5 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("bad%d.pem", i)), []byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), 0o600))
	}

	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	c := model.NewCollector(auditRun{At: at, Targets: []string{dir}})
	for r := range inventory.Scan(t.Context(), inventory.Config{Time: at}, dir) {
		c.Take(r)
	}
	found := finished(c, 0, false, nil)
	g3 := len(pkioverheid.G3.Certificates())
	assert.Equal(t, foreign+g3, found.Summary.Places)
	assert.Equal(t, g3, found.Summary.TakeOut)
	assert.Equal(t, foreign, found.Summary.Other)
	assert.Equal(t, maxReportErrors+5, found.Summary.NotRead)
	assert.Len(t, found.errorLines(), 1, "what is alike in one folder is on one line")
	assert.Contains(t, found.errorLines()[0], dir+": 205 files in it: ")

	found.Summary.NotListed = 1500
	r, err := found.report()
	require.NoError(t, err)
	assert.Equal(t, 5, r.ErrorsMore)
	assert.Less(t, len(r.Timeline), 60)
	var table bytes.Buffer
	require.NoError(t, found.writeTable(&table, tableOptions{width: 80}))
	assert.Contains(t, table.String(), "Not in the table: "+count(found.Summary.Other, "certificate")+" not of PKIoverheid; --all lists them.")
	assert.Contains(t, strings.Join(strings.Fields(table.String()), " "), "Found and not listed, because there are too many: "+count(found.Summary.NotListed, "place"))
}

var theKeyUnderG1 = sync.OnceValues(func() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })

// underG1Key is the key of the certificates of underG1.
func underG1Key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := theKeyUnderG1()
	require.NoError(t, err)
	return key
}

// underG1 returns certificates that say that a CA of Private G1 issued them.
func underG1(t testing.TB, n int, until time.Time) []*x509.Certificate {
	t.Helper()
	issuer := *pkioverheid.PrivateG1.Certificates()[2]
	issuer.PublicKey = nil // nobody here has its key
	key := underG1Key(t)
	var certs []*x509.Certificate
	for i := range n {
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)),
			Subject:      pkix.Name{CommonName: fmt.Sprintf("system%d.example", i)},
			NotBefore:    until.AddDate(-3, 0, 0),
			NotAfter:     until,
			DNSNames:     []string{fmt.Sprintf("system%d.example", i)},

			ExtraExtensions: genuine,
		}, &issuer, key.Public(), key)
		require.NoError(t, err)
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		certs = append(certs, cert)
	}
	return certs
}

// However much needs action, all of it is in the report and in the table, and the advice
// is given once.
func TestAllThatNeedsActionIsInTheReport(t *testing.T) {
	const n = 2700
	file := filepath.Join(t.TempDir(), "all.pem")
	require.NoError(t, os.WriteFile(file, []byte(pemOf(append(underG1(t, n, day(2028, 9, 1)), pkioverheid.PrivateG4TLS.Certificates()...)...)), 0o600))
	found := auditOf(t, day(2027, 12, 1), file)
	require.Equal(t, n, found.Summary.Soon)
	names := map[string]bool{}
	r, err := found.report()
	require.NoError(t, err)
	for _, row := range r.Findings.rows {
		if row[0].Class == classSoon {
			assert.Equal(t, "2027-12-31", row[1].Text)
			assert.Equal(t, "Private G1", row[3].Text)
			assert.Contains(t, row[2].Note, "for certificates under Private G4")
			names[row[2].Text] = true
		}
	}
	assert.Len(t, names, n)
	var table bytes.Buffer
	require.NoError(t, found.writeTable(&table, tableOptions{}))
	assert.Equal(t, n, strings.Count(table.String(), "\nsoon  2027-12-31  Private G1"))
	assert.Equal(t, 1, strings.Count(table.String(), "for certificates under Private G4"))
	assert.Contains(t, table.String(), "2,700 certificates in 1 file or server: system0.example, ")
	assert.Contains(t, table.String(), " and 2,688 more.")
}

// Other file systems may hold certificates: they are named, and not counted as what cannot.
func TestOtherFileSystemsThatAreLeftOutAreNamed(t *testing.T) {
	found := auditOf(t, day(2026, 11, 23), t.TempDir())
	found.NotRead = []notRead{
		{Target: "/", Path: "/var", Error: "another file system", Skipped: true},
		{Target: "/", Path: "/proc", Error: "a file system of the kernel, which holds no files", Skipped: true},
	}
	found.Summary.Skipped = 2
	var table bytes.Buffer
	require.NoError(t, found.writeTable(&table, tableOptions{quiet: true}))
	assert.Equal(t, "No certificates were found. Skipped: 1 that can hold no certificate.\nLeft out, because they are other file systems: /var.\n", table.String())
}

// In the table, JSON, CSV, the report and its timeline, Logius' date is the same, and
// what is past is overdue.
func TestTheDateOfLogiusIsTheVerdictEverywhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "leaf.pem")
	require.NoError(t, os.WriteFile(file, []byte(pemOf(underG1(t, 1, day(2028, 9, 1))...)), 0o600))
	for at, want := range map[time.Time]class{day(2026, 11, 23): classLater, day(2027, 12, 1): classSoon, day(2028, 2, 1): classNow} {
		t.Run(date(at), func(t *testing.T) {
			found := auditOf(t, at, file)
			var jsonText, csvText, table, page bytes.Buffer
			require.NoError(t, found.writeJSON(&jsonText))
			require.NoError(t, found.writeCSV(&csvText))
			require.NoError(t, found.writeTable(&table, tableOptions{}))
			require.NoError(t, found.writeReport(&page))
			keepsTheSchema(t, jsonText.Bytes())
			by, overdue := "2027-12-31", want == classNow
			assert.Equal(t, want, found.Certificates[0].Do)
			assert.Equal(t, want != classLater, found.urgent(classSoon))
			assert.Contains(t, jsonText.String(), `"deadline":"`+by)
			assert.Contains(t, csvText.String(), "\n"+string(want)+","+by+",")
			assert.Regexp(t, `\n`+string(want)+` +`+by, table.String())
			assert.Equal(t, overdue, strings.Contains(table.String(), by+" overdue"))
			assert.Contains(t, page.String(), `data-label="Before">`+by)
			assert.Equal(t, overdue, strings.Contains(page.String(), `<span class="muted">overdue</span>`))
			for _, text := range []string{jsonText.String(), csvText.String(), page.String()} {
				assert.Contains(t, text, "left that hierarchy by "+by, "the reason")
				assert.Equal(t, overdue, strings.Contains(text, "Overdue since "+by))
			}
			_, label := span(english, period(day(2027, 12, 31)), at)
			there := false
			for _, item := range found.timeline() {
				there = there || item.Label == label && strings.Contains(item.Text, "1 "+string(want))
			}
			assert.True(t, there, "the timeline has it in %s", label)
		})
	}
}

func TestTimelineGoesOnInTime(t *testing.T) {
	for _, now := range []time.Time{day(2026, 11, 23), day(2027, 1, 1), day(2027, 12, 31)} {
		last, label := day(-1, 1, 1), ""
		for q := period(now) - 200; q < period(now)+200; q++ {
			start, name := span(english, q, now)
			assert.False(t, start.Before(last), "%s after %s", name, label)
			assert.Equal(t, start.Equal(last), name == label, "%s and %s", name, label)
			last, label = start, name
		}
	}
}

func TestCSVCellsAreNoFormulas(t *testing.T) {
	for text, want := range map[string]string{
		"plain":         "plain",
		"":              "",
		"a,b":           `"a,b"`,
		`say "x"`:       `"say ""x"""`,
		"=1+1":          `"'=1+1"`,
		"+1":            `"'+1"`,
		"-1":            `"'-1"`,
		"@x":            `"'@x"`,
		"\t=1":          `"'\t=1"`,
		"\r=1":          `"'\r=1"`,
		"\tx":           `"'\tx"`,
		" =1":           `"' =1"`,
		"a;=1":          `"a;'=1"`,
		"a; =1":         `"a;' =1"`,
		"＝1":            `"'＝1"`,
		"a\nb":          `a\nb`,
		"\u202egnp.exe": `\u202egnp.exe`,
		"\xff":          `\xff`,
		"x=1":           "x=1",
	} {
		assert.Equal(t, want, csvCell(text), "%q", text)
	}
	assert.LessOrEqual(t, len(csvCell(strings.Repeat("é", 50_000))), maxText+3)
}

// Whatever a name is, a reader of CSV gets one cell that is text.
func FuzzCSVCell(f *testing.F) {
	for _, seed := range []string{"", "-", "=1", " \t=1", "a;=1", ";;@", `"=1`, `";"+1`, "a,b\r\n", "\xff=", "'=1", "＝"} {
		f.Add(seed)
	}
	begins := regexp.MustCompile(`^[\s"]*[=+\-@＝＋－＠]`)
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := csv.NewReader(strings.NewReader(csvCell(text) + ",end\r\n")).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Len(t, rows[0], 2)
		cell := rows[0][0]
		for _, part := range strings.Split(cell, ";") {
			assert.False(t, begins.MatchString(part), "%q in %q", part, text)
		}
		for _, r := range cell {
			assert.True(t, unicode.IsPrint(r), "%q", cell)
		}
	})
}

// Names are escaped in the report everywhere.
func TestReportEscapesNames(t *testing.T) {
	const name = `"><script>alert(1)</script>{{.}}'`
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{name}}, NotAfter: time.Now()}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "\u202e<b>&\x1b")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "<i>.pem"), []byte(pemOf(cert)), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "<u>.pem"), []byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), 0o600))
	var page bytes.Buffer
	require.NoError(t, auditOf(t, time.Now(), dir).writeReport(&page))
	text := page.String()
	assert.Equal(t, 2, strings.Count(text, "<script"), "the data and the script")
	assert.Equal(t, 2, strings.Count(text, "</script"))
	assert.Contains(t, text, `\u003cscript\u003ealert(1)\u003c/script\u003e{{.}}`, "in the data")
	assert.NotRegexp(t, regexp.MustCompile(`<[biu]>`), text)
	assert.NotContains(t, text, "\u202e")
	assert.NotContains(t, text, "\x1b")
	assert.Contains(t, text, "&lt;script&gt;alert(1)&lt;/script&gt;{{.}}")
}

// A certificate that may not be used gets no advice on how to make its chain work, and
// its issuer is written in names.
func TestReportOfATestCertificate(t *testing.T) {
	dir := t.TempDir()
	leaf := pkiotest.New(pkioverheid.PrivateG4TLS).Issue(pkiotest.Leaf{}).Leaf
	require.NoError(t, os.WriteFile(filepath.Join(dir, "leaf.pem"), []byte(pemOf(leaf)), 0o600))
	var page bytes.Buffer
	require.NoError(t, auditOf(t, time.Now(), dir).writeReport(&page))
	assert.Contains(t, page.String(), "<dt>Problem</dt>")
	assert.Contains(t, page.String(), "take it out of everything else")
	assert.NotContains(t, page.String(), "To make it work")
	assert.Contains(t, page.String(), "organizationIdentifier=NTRNL-")
	assert.NotContains(t, page.String(), "2.5.4.97")
}

// The timeline says by when somebody here has to do something: what must be done now, and
// has no date, is in no quarter, and neither CAs that nobody here replaces nor what is
// accepted are in it.
func TestTheTimelineIsOfWhatSomebodyHereReplaces(t *testing.T) {
	at := day(2026, 11, 23)
	a := &audit{Audit: model.Audit{Run: auditRun{At: at}, Certificates: []*certificate{
		{Do: classNow, Deadline: "2035-01-01", NotAfter: day(2035, 1, 1)},
		{Do: classNow, NotAfter: day(2036, 1, 1)},
		{Do: classOther, NotAfter: day(2037, 1, 1)},
		{Do: classOK, CA: true, NotAfter: day(2038, 1, 1)},
		{Do: classOK, NotAfter: day(2029, 1, 1)},
		{Do: classNow, Deadline: "2020-12-31", NotAfter: day(2029, 1, 1), Accepted: &acceptance{}},
	}}}
	var bars []string
	for _, item := range a.timeline() {
		if item.Text != "" {
			bars = append(bars, item.Label+": "+item.Text)
		}
	}
	assert.Equal(t, []string{": for now, without a date: 2", "2029 Q1: 1 in order"}, bars)
}
