package browser

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// estate is a report of so many certificates that say that they are under Private G1,
// each in a file of its own.
func estate(t *testing.T, n int, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	tool := build(t, dir)
	issuer := *pkioverheid.PrivateG1.Certificates()[2]
	issuer.PublicKey = nil // nobody here has its key
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for i := range n {
		name := fmt.Sprintf("system%d.voorbeeld.example", i)
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name, "www." + name},
			NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Date(2028, 9, 1, 0, 0, 0, 0, time.UTC),
			ExtraExtensions: []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 32473, 1}, Value: []byte{5, 0}}}, // see build
		}, &issuer, key.Public(), key)
		require.NoError(t, err)
		folder := filepath.Join(dir, "srv", fmt.Sprintf("app%02d", i%40))
		require.NoError(t, os.MkdirAll(folder, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("tls-%d.pem", i)), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	}
	path := filepath.Join(dir, "report.html")
	cmd := exec.Command(tool, append([]string{"audit", "srv", "--html", path}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAsf(t, err, &exit, "%s", out)
	require.Equalf(t, 1, exit.ExitCode(), "%s", out)
	return path
}

// Whatever their number, all are in the page, which stays small and quick.
func TestManyCertificates(t *testing.T) {
	chromium(t)
	const n = 20_000
	path := estate(t, n)
	info, err := os.Stat(path)
	require.NoError(t, err)
	t.Logf("%d bytes a certificate", info.Size()/n)
	assert.Less(t, info.Size(), int64(n*1024))

	p := browse(t, "file://"+path, "light", 1280)
	load := math.Inf(1) // the least of three, in a browser that is open: others use this machine
	for range 3 {
		p.do(t, chromedp.Navigate("file://"+path), chromedp.WaitReady(chromedp.CSS("footer")))
		load = min(load, eval[float64](t, p, `performance.getEntriesByType("navigation")[0].domComplete`))
	}
	assert.Less(t, load, 2000.0, "milliseconds to load")
	drawn := `document.querySelectorAll("#findings tbody tr").length`
	assert.LessOrEqual(t, eval[int](t, p, drawn), 200, "what is seen is drawn")
	timed := func(script string) float64 {
		return eval[float64](t, p, `(() => { const start = performance.now(); `+script+`; document.body.offsetHeight; return performance.now() - start })()`)
	}
	for i := 1; i <= 7; i++ {
		took := math.Inf(1)
		for range 3 {
			took = min(took, timed(fmt.Sprintf(`document.querySelector("#findings th:nth-child(%d) button").click()`, i)))
		}
		assert.Less(t, took, 200.0, "milliseconds to sort by column %d", i)
		t.Logf("sorted by column %d in %.0f ms", i, took)
	}
	took := math.Inf(1)
	for range 3 {
		took = min(took, timed(`const f = document.getElementById("filter"); f.value = "system19999.voorbeeld app39"; f.dispatchEvent(new Event("input"))`))
	}
	assert.Less(t, took, 200.0, "milliseconds to filter")
	t.Logf("loaded in %.0f ms, filtered in %.0f ms", load, took)
	assert.Equal(t, 1, eval[int](t, p, drawn))
	assert.Equal(t, "1 of 20,000 shown.", eval[string](t, p, `document.querySelector("#h-findings ~ .controls [role=status]").textContent`))

	// Who goes on gets more of them.
	p.do(t, chromedp.Evaluate[chromedp.Void](`(() => { const f = document.getElementById("filter"); f.value = ""; f.dispatchEvent(new Event("input")) })()`))
	before := eval[int](t, p, drawn)
	p.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelector("#findings + button.more").click()`))
	assert.Greater(t, eval[int](t, p, drawn), before)
}

// printed prints a page as a browser does, and returns the number of pages and the text
// if there is a program for it.
func printed(t *testing.T, path string) (pages int, text string) {
	t.Helper()
	pdf := strings.TrimSuffix(path, ".html") + ".pdf"
	out, err := exec.Command(chromium(t), "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--print-to-pdf="+pdf, "file://"+path).CombinedOutput()
	require.NoErrorf(t, err, "%s", out)
	data, err := os.ReadFile(pdf)
	require.NoError(t, err)
	pages = len(regexp.MustCompile(`/Type\s*/Page\b[^s]`).FindAll(data, -1))
	if _, err := exec.LookPath("pdftotext"); err == nil {
		var out bytes.Buffer
		cmd := exec.Command("pdftotext", "-layout", pdf, "-")
		cmd.Stdout = &out
		require.NoError(t, cmd.Run())
		text = out.String()
	}
	return pages, text
}

// On paper the report is tables with their headings on each page, without what one can
// only click on.
func TestPrint(t *testing.T) {
	chromium(t)
	for _, test := range []struct{ findings, pages int }{{79, 6}, {5000, 150}} {
		t.Run(fmt.Sprint(test.findings), func(t *testing.T) {
			pages, text := printed(t, estate(t, test.findings, "--lang", "nl"))
			t.Log(pages, "pages")
			assert.LessOrEqual(t, pages, test.pages)
			assert.Greater(t, pages, 2)
			if text == "" {
				require.Empty(t, os.Getenv("CI"), "CI installs poppler-utils")
				t.Skip("pdftotext is not installed")
			}
			assert.Contains(t, text, fmt.Sprintf("system%d.voorbeeld.example", test.findings-1), "all are there")
			assert.GreaterOrEqual(t, strings.Count(text, "Geldig tot"), test.findings/80, "headings are repeated")
			for _, button := range []string{"Meer tonen", "Filter", "Druk ook de ketens af", "De keten van"} {
				assert.NotContains(t, text, button)
			}
			assert.NotContains(t, text, "Stamcertificaat, Private G1", "chains only if asked")
		})
	}
}
