package main

import (
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// The reports are of a pkio that has the estate's CAs in the place of the real ones, so
// that its certificates are trusted as real ones are. They are left in the folder that
// ESTATE_REPORTS names, to look at.
func TestEstateReports(t *testing.T) {
	to := os.Getenv("ESTATE_REPORTS")
	if to == "" {
		slow(t)
		to = t.TempDir()
	}
	repository, err := filepath.Abs("../..")
	require.NoError(t, err)
	work := t.TempDir()
	e := newEstate(filepath.Join(work, "estate"), func(err error) { require.NoError(t, err) }, true)
	e.write()

	replace := map[string]string{}
	for _, h := range pkioverheid.Hierarchies() {
		files, err := filepath.Glob(filepath.Join(repository, "pkioverheid", "certs", string(h), "*.pem"))
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			block, _ := pem.Decode(data)
			for i, original := range h.Certificates() {
				if string(original.Raw) == string(block.Bytes) {
					clone := filepath.Join(work, filepath.Base(file))
					require.NoError(t, os.WriteFile(clone, []byte(pemOf(e.clones[h][i].Leaf)), 0o600))
					replace[file] = clone
				}
			}
		}
	}
	overlay := filepath.Join(work, "overlay.json")
	data, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, data, 0o600))
	tool := filepath.Join(work, "pkio")
	out, err := exec.Command("go", "build", "-overlay", overlay, "-ldflags", "-X github.com/go-pkioverheid/trust/examples/internal/audit.GenuineMark="+imitationMark, "-o", tool, ".").CombinedOutput()
	require.NoErrorf(t, err, "%s", out)

	require.NoError(t, os.WriteFile(filepath.Join(work, "passwords"), []byte(plantPassword+"\n"), 0o600))
	for _, lang := range []string{"en", "nl"} {
		title := map[string]string{"en": "Certificates of Voorbeeldstad", "nl": "Certificaten van Voorbeeldstad"}[lang]
		cmd := exec.Command(tool, "audit", "estate", "--at", "2026-11-28", "--password-file", "passwords", "--lang", lang, "--machine", "beheer01",
			"--title", title, "--organisation", "Gemeente Voorbeeldstad", "--html", filepath.Join(to, "report-"+lang+".html"), "--force")
		cmd.Dir = work
		out, err := cmd.CombinedOutput()
		found := map[string]string{
			"en": "60 certificates in 200 places: 1 beside the key of another certificate, 5 to replace now, 2 to replace within 90 days, 11 to replace later, 2 to put right, 8 in order, 10 not of PKIoverheid.\n",
			"nl": "60 certificaten op 200 plaatsen: 1 naast de sleutel van een ander certificaat, 5 nu te vervangen, 2 binnen 90 dagen te vervangen, 11 later te vervangen, 2 te herstellen, 8 in orde, 10 niet van PKIoverheid.\n",
		}[lang]
		assert.Contains(t, string(out), found)
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 1, exit.ExitCode())
	}
}
