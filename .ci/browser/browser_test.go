// Package browser looks at the report of pkio audit --html in a browser, headless.
// With REPORT_SHOTS naming a folder it leaves pictures there, to look at.
package browser

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// hostile would do something if it became markup or script.
var hostile = []string{
	`<script>document.title='owned'</script>`,
	`"><img src=http://127.0.0.1:9/x onerror=document.title='owned'>`,
	`'});document.title='owned';//`,
	`</style><b id=owned>`,
	`{{.}}<!--`,
}

func write(t *testing.T, path string, certs ...*x509.Certificate) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	var data []byte
	for _, c := range certs {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

// named issues a certificate with a name that somebody chose, for so long.
func named(t *testing.T, name string, life time.Duration) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name, Organization: []string{name}},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(life),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

// build builds the tool, which takes the certificates of these tests for genuine.
func build(t *testing.T, dir string) string {
	t.Helper()
	tool := filepath.Join(dir, "pkio")
	build := exec.Command("go", "build", "-ldflags", "-X github.com/go-pkioverheid/trust/examples/internal/audit.GenuineMark=1.3.6.1.4.1.32473.1", "-o", tool, "./examples/pkio")
	build.Dir = filepath.Join("..", "..")
	out, err := build.CombinedOutput()
	require.NoErrorf(t, err, "%s", out)
	return tool
}

// report makes one with the tool, as its users do, and returns its URL.
func report(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	tool := build(t, dir)

	for _, h := range []pkioverheid.Hierarchy{pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.G3} {
		name := string(h)
		write(t, filepath.Join(dir, "etc", "pki", name+".pem"), h.Certificates()...)
		authority := pkiotest.New(h)
		leaf := authority.Issue(pkiotest.Leaf{DNSNames: []string{"soap." + name + ".example"}, OIN: "00000099000000001000"})
		write(t, filepath.Join(dir, "srv", name+".pem"), leaf.Leaf)
	}
	for i, name := range hostile {
		file := strings.NewReplacer("/", "", "\x00", "").Replace(name)
		write(t, filepath.Join(dir, "srv", file+".pem"), named(t, name, time.Duration(i+1)*1000*time.Hour))
	}
	write(t, filepath.Join(dir, "srv", strings.Repeat("long", 50)+".pem"), named(t, strings.Repeat("long", 15), time.Hour))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "srv", "broken<b>.pem"), []byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), 0o600))
	locked, err := truststore.New(pkioverheid.EV.Root()).Encode(truststore.PKCS12, truststore.WithPassword("nobody knows"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "srv", "locked.p12"), locked, 0o600))

	path := filepath.Join(dir, "report.html")
	cmd := exec.Command(tool, "audit", "etc", "srv", "--html", path)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAsf(t, err, &exit, "%s", out)
	require.Equalf(t, 1, exit.ExitCode(), "%s", out)
	return "file://" + path
}

// page is a report in a browser.
type page struct {
	context.Context
	mu       sync.Mutex
	troubles []string
	requests []string
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("chromium is not installed: CI installs it")
	}
	t.Skip("chromium is not installed")
	return ""
}

func browse(t *testing.T, url, scheme string, width int64) *page {
	t.Helper()
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx)) // starts it, without a limit on its life
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	p := &page{Context: ctx}
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			p.troubles = append(p.troubles, fmt.Sprintf("console.%v", e.Type))
		case *runtime.EventExceptionThrown:
			p.troubles = append(p.troubles, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			p.troubles = append(p.troubles, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			p.requests = append(p.requests, e.Request.URL)
		}
	}))
	call(t, p, log.Enable, cdp.Empty{})
	call(t, p, runtime.Enable, cdp.Empty{})
	call(t, p, network.Enable, network.EnableParams{})
	call(t, p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
	call(t, p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	p.do(t, chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("footer")))
	return p
}

func call[P any](t *testing.T, p *page, command cdp.Command[P, cdp.Empty], params P) {
	t.Helper()
	_, err := chromedp.Call(p, command, params)
	require.NoError(t, err)
}

func (p *page) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(p, steps...))
}

// eval returns the value of an expression.
func eval[T any](t *testing.T, p *page, script string) T {
	t.Helper()
	value, err := chromedp.Run(p, chromedp.Evaluate[T](script))
	require.NoError(t, err)
	return value
}

func TestReport(t *testing.T) {
	chromium(t)
	url := report(t)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 400} {
			t.Run(fmt.Sprintf("%s at %d", scheme, width), func(t *testing.T) {
				p := browse(t, url, scheme, width)
				testLoadsNothing(t, p, url)
				testHostileNames(t, p)
				testContrast(t, p, scheme)
				testWidth(t, p)
				testStructure(t, p)
				testSorting(t, p)
				testFilter(t, p)
				testChains(t, p)
				shot(t, p, fmt.Sprintf("%s-%d", scheme, width))
				p.mu.Lock()
				defer p.mu.Unlock()
				assert.Empty(t, p.troubles, "nothing on the console")
			})
		}
	}
}

func shot(t *testing.T, p *page, name string) {
	if dir := os.Getenv("REPORT_SHOTS"); dir != "" {
		// Not all of it, for the pictures' size.
		p.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details, #findings tbody tr").forEach((e, i) => { e.hidden = i % 5 > 0 })`),
			chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d, i) => d.open = i % 2 === 0)`))
		for part, ids := range map[string]string{"summary": "h-summary", "timeline": "h-timeline", "findings": "h-findings", "chains": "h-chains", "errors": "h-errors"} {
			data, err := chromedp.Run(p, chromedp.Screenshot(chromedp.CSS("section[aria-labelledby="+ids+"]")))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, name+"-"+part+".png"), data, 0o600))
		}
	}
}

func testLoadsNothing(t *testing.T, p *page, url string) {
	p.mu.Lock()
	assert.Equal(t, []string{url}, slices.DeleteFunc(slices.Clone(p.requests), func(r string) bool { return strings.HasPrefix(r, "data:") }))
	p.mu.Unlock()
	// The policy of the page would refuse it, too. No request is sent for this one.
	assert.Contains(t, eval[string](t, p, `document.querySelector("meta[http-equiv]").content`), "default-src 'none'")
	assert.Equal(t, 0, eval[int](t, p, `performance.getEntriesByType("resource").filter(e => !e.name.startsWith("data:")).length`))
	assert.Equal(t, 0, eval[int](t, p, `document.querySelectorAll("[src], link:not([href^='data:']), iframe, object, embed, [style]").length`))
	assert.True(t, eval[bool](t, p, `[...document.querySelectorAll("a")].every(a => a.getAttribute("href").startsWith("#"))`))
}

func testHostileNames(t *testing.T, p *page) {
	text := eval[string](t, p, `document.querySelector("#findings").textContent`)
	for _, name := range hostile {
		assert.Contains(t, text, name)
	}
	assert.NotContains(t, eval[string](t, p, `document.title`), "owned")
	assert.Equal(t, 0, eval[int](t, p, `document.querySelectorAll("#owned, img, main script, main b").length`))
	assert.Equal(t, 2, eval[int](t, p, `document.scripts.length`), "the data and the script")
	assert.Equal(t, 1, eval[int](t, p, `document.querySelectorAll("style").length`))
}

// contrast computes, for each piece of text, the ratio of WCAG 2 between its colour and
// the first background below it.
const contrast = `(() => {
  const parse = s => s.match(/[\d.]+/g).map(Number);
  const lum = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  document.querySelectorAll("details").forEach(d => d.open = true);
  const bad = [];
  let checked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const look = (el, text, pseudo) => {
    const style = getComputedStyle(el, pseudo);
    let bg = null;
    for (let e = el; e && !bg; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) bg = c;
      else if (c[3] !== 0) throw new Error("half transparent: " + e.outerHTML);
    }
    const fg = parse(style.color);
    if (style.opacity !== "1" || (fg.length === 4 && fg[3] !== 1)) throw new Error("half transparent text: " + text);
    const [a, b] = [lum(fg), lum(bg)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    checked++;
    if (ratio < 4.5) bad.push(ratio.toFixed(2) + " " + text.slice(0, 40));
  };
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), el = walker.currentNode.parentElement;
    if (text && !["SCRIPT", "STYLE"].includes(el.tagName)) look(el, text);
  }
  document.querySelectorAll("th button").forEach(b => look(b, "arrow", "::after"));
  document.querySelectorAll("[data-label]").forEach(b => look(b, "label", "::before"));
  document.querySelectorAll("input").forEach(b => look(b, "placeholder", "::placeholder"));
  return { bad, checked, background: getComputedStyle(document.body).backgroundColor };
})()`

func testContrast(t *testing.T, p *page, scheme string) {
	got := eval[struct {
		Bad        []string
		Checked    int
		Background string
	}](t, p, contrast)
	assert.Empty(t, got.Bad)
	assert.Greater(t, got.Checked, 300)
	assert.Equal(t, map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(18, 20, 23)"}[scheme], got.Background)
}

// Nothing is wider than the window, all details open.
func testWidth(t *testing.T, p *page) {
	assert.Empty(t, eval[[]string](t, p, `(() => {
	  const root = document.documentElement, out = [];
	  if (root.scrollWidth > root.clientWidth) out.push("the page: " + root.scrollWidth + " > " + root.clientWidth);
	  for (const el of document.querySelectorAll("main *")) {
	    const box = el.getBoundingClientRect();
	    if (box.right > root.clientWidth + 0.5 && box.width > 0 && box.left >= 0) out.push(el.tagName + "." + el.className + " " + el.textContent.slice(0, 40));
	  }
	  return out.slice(0, 10);
	})()`))
}

func testStructure(t *testing.T, p *page) {
	assert.Equal(t, "en", eval[string](t, p, `document.documentElement.lang`))
	assert.Equal(t, 1, eval[int](t, p, `document.querySelectorAll("h1").length`))
	assert.True(t, eval[bool](t, p, `[...document.querySelectorAll("main section")].every(s => s.getAttribute("aria-labelledby") === s.querySelector("h2").id)`))
	assert.True(t, eval[bool](t, p, `[...document.querySelectorAll("table")].every(t => t.caption && t.getAttribute("role") === "table")`))
	assert.True(t, eval[bool](t, p, `[...document.querySelectorAll("th")].every(th => ["col", "row"].includes(th.scope))`))
	assert.True(t, eval[bool](t, p, `[...document.querySelectorAll("tr")].every(r => r.getAttribute("role") === "row" && [...r.cells].every(c => c.hasAttribute("role")))`), "rows stay rows when they are shown as cards")
	assert.True(t, eval[bool](t, p, `[...document.querySelectorAll("input")].every(i => i.labels.length === 1)`))
	assert.True(t, eval[bool](t, p, `[...document.querySelectorAll("svg")].every(s => s.getAttribute("aria-hidden") === "true")`))
	assert.True(t, eval[bool](t, p, `[...document.querySelectorAll(".badge, .tiles li")].every(b => b.querySelector("svg") && b.textContent.trim())`), "a sign and a word beside each colour")
	assert.True(t, eval[bool](t, p, `[...document.querySelectorAll(".timeline .bar")].every(b => /\d/.test(b.textContent))`))
	assert.True(t, eval[bool](t, p, `new Set([...document.querySelectorAll("[id]")].map(e => e.id)).size === document.querySelectorAll("[id]").length`))
	assert.True(t, eval[bool](t, p, `[...document.querySelectorAll("a[href^='#']")].every(a => document.getElementById(a.hash.slice(1)))`))
	assert.Contains(t, eval[string](t, p, `document.querySelector(".lead").textContent`), "must be replaced now")
}

const column = `[...document.querySelectorAll("#findings tbody tr")].map(r => r.cells[%d].textContent.trim())`

func cells(t *testing.T, p *page, i int) []string {
	return eval[[]string](t, p, fmt.Sprintf(column, i))
}

func sorts(t *testing.T, p *page) []string {
	return eval[[]string](t, p, `[...document.querySelectorAll("#findings thead th")].map(h => h.ariaSort)`)
}

func testSorting(t *testing.T, p *page) {
	before := cells(t, p, 4)
	assert.False(t, slices.IsSorted(before))
	assert.Equal(t, []string{"ascending", "none", "none", "none", "none", "none", "none"}, sorts(t, p))

	head := func(i int) string { return fmt.Sprintf("#findings thead th:nth-child(%d) button", i) }
	p.do(t, chromedp.Click(chromedp.CSS(head(5))))
	assert.True(t, slices.IsSorted(cells(t, p, 4)), "by click")
	assert.Equal(t, "ascending", sorts(t, p)[4])
	p.do(t, chromedp.Click(chromedp.CSS(head(5))))
	down := cells(t, p, 4)
	slices.Reverse(down)
	assert.True(t, slices.IsSorted(down), "by another click the other way")
	assert.Equal(t, []string{"none", "none", "none", "none", "descending", "none", "none"}, sorts(t, p))

	// By keyboard: Tab goes from heading to heading, Enter and the space bar sort.
	p.do(t, chromedp.Focus(chromedp.CSS(head(3))), chromedp.KeyEvent(kb.Tab))
	assert.Equal(t, "Hierarchy", eval[string](t, p, `document.activeElement.textContent`))
	assert.NotEqual(t, "none", eval[string](t, p, `getComputedStyle(document.activeElement).outlineStyle`), "the focus shows")
	p.do(t, chromedp.KeyEvent(kb.Enter))
	assert.True(t, slices.IsSortedFunc(cells(t, p, 3), func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }))
	assert.Equal(t, "ascending", sorts(t, p)[3])
	p.do(t, chromedp.KeyEvent(" "))
	assert.Equal(t, "descending", sorts(t, p)[3])
	assert.Equal(t, "Sorted by Hierarchy, descending.", eval[string](t, p, `document.querySelector("[role=status]").textContent`))

	// What has no date goes to the end, whichever way.
	for range 2 {
		p.do(t, chromedp.Click(chromedp.CSS(head(2))))
		by := cells(t, p, 1)
		empty := slices.Index(by, "")
		require.Greater(t, empty, 0)
		for _, s := range by[empty:] {
			assert.Empty(t, s)
		}
	}
	p.do(t, chromedp.Click(chromedp.CSS(head(1))))
	after := cells(t, p, 4)
	assert.Equal(t, before, after, "sorted by urgency it is as it was")
}

func testFilter(t *testing.T, p *page) {
	visible := `[...document.querySelectorAll("#findings tbody tr")].filter(r => r.offsetHeight > 0).length`
	all := eval[int](t, p, visible)
	p.do(t, chromedp.SendKeys(chromedp.CSS("#filter"), "soap g3.EXAMPLE"))
	assert.Equal(t, 1, eval[int](t, p, visible))
	assert.Equal(t, fmt.Sprintf("1 of %d shown.", all), eval[string](t, p, `document.querySelector("[role=status]").textContent`))
	p.do(t, chromedp.SendKeys(chromedp.CSS("#filter"), strings.Repeat(kb.Backspace, 15)))
	assert.Equal(t, all, eval[int](t, p, visible))
}

func testChains(t *testing.T, p *page) {
	assert.Equal(t, eval[int](t, p, `new Set([...document.querySelectorAll("#findings tbody a")].map(a => a.hash)).size`),
		eval[int](t, p, `document.querySelectorAll("details ol.chain").length`))
	// A link opens the picture, by keyboard too, and goes there.
	p.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach(d => d.open = false)`),
		chromedp.Focus(chromedp.CSS(`#findings tbody tr:last-child a`)), chromedp.KeyEvent(kb.Enter),
		chromedp.Poll[chromedp.Void](`document.activeElement.tagName === "DETAILS"`))
	assert.Equal(t, 1, eval[int](t, p, `document.querySelectorAll("details[open]").length`))
	assert.True(t, eval[bool](t, p, `document.querySelector("details[open] li").offsetHeight > 0`))

	// A whole chain has its four certificates, the root first.
	boxes := eval[[]string](t, p, `[...[...document.querySelectorAll("details")].find(d => d.querySelector("summary").textContent.includes("KPN PKIoverheid Private Services CA - G1")).querySelectorAll("li .role:first-child")].map(r => r.textContent)`)
	assert.Equal(t, []string{"Root, Private G1", "Domain CA, Private G1", "TSP CA, Private G1"}, boxes)
	p.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d, i) => d.open = i % 7 < 2)`))
}
