package samlsig

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/go-pkioverheid/trust"

func goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	// Whatever is needed was there to build this test.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoErrorf(t, err, "go %v: %s", args, &stderr)
	return string(out)
}

// A user who does without this package gets nothing of its libraries.
func TestOtherPackagesBringNothingOfThis(t *testing.T) {
	repository, err := filepath.Abs("../../..")
	require.NoError(t, err)
	brought := func(packages ...string) string {
		dir := t.TempDir()
		var imports strings.Builder
		for _, p := range packages {
			imports.WriteString("import _ \"" + modulePath + "/" + p + "\"\n")
		}
		for name, text := range map[string]string{
			"go.mod":  "module tiny.example\n\ngo 1.26.0\n\nrequire " + modulePath + " v0.0.0\n\nreplace " + modulePath + " => " + repository + "\n",
			"main.go": "package main\n\n" + imports.String() + "\nfunc main() {}\n",
		} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
		goCommand(t, dir, "mod", "tidy")
		var both strings.Builder
		for _, name := range []string{"go.mod", "go.sum"} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			both.Write(text)
		}
		return both.String()
	}
	libraries := []string{"russellhaering/goxmldsig", "beevik/etree", "jonboulle/clockwork"}
	with := brought("pkioverheid/logius/samlsig")
	without := brought("pkioverheid", "pkioverheid/logius", "pkioverheid/inventory", "pkioverheid/advice", "pkioverheid/digikoppeling", "pkioverheid/pkiotest", "chain/crl", "truststore")
	for _, library := range libraries {
		assert.Contains(t, with, library)
		assert.NotContains(t, without, library)
	}
}

// Packages of the library import the standard library and few others; those for XML
// signatures, this one alone.
func TestWhatPackagesImport(t *testing.T) {
	ours := []string{modulePath, "golang.org/x/crypto", "github.com/smallstep/pkcs7", "software.sslmate.com/src/go-pkcs12", "github.com/pavlo-v-chernykh/keystore-go/v4"}
	here := []string{"github.com/russellhaering/goxmldsig", "github.com/beevik/etree"}
	packages := strings.Fields(goCommand(t, "../../..", "list", "-f", `{{$p := .ImportPath}}{{range .Imports}}{{$p}}={{.}} {{end}}`, "./truststore/...", "./chain/...", "./pkioverheid/..."))
	require.Greater(t, len(packages), 100)
	found := 0
	for _, line := range packages {
		path, imported, _ := strings.Cut(line, "=")
		if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
			continue // the standard library
		}
		among := func(modules []string) bool {
			for _, m := range modules {
				if imported == m || strings.HasPrefix(imported, m+"/") {
					return true
				}
			}
			return false
		}
		if among(here) {
			found++
			assert.Equal(t, modulePath+"/pkioverheid/logius/samlsig", path, "imports %s", imported)
		} else {
			assert.True(t, among(ours), "%s imports %s", path, imported)
		}
	}
	assert.Positive(t, found)
}
