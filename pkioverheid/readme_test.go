package pkioverheid_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The first code in the README is the package's Example, line by line, and those about
// servers and revocation are Examples too.
func TestTheREADMEsCodeIsTheExample(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	for _, c := range []struct{ heading, file, example string }{
		{"# PKIoverheid for Go", "example_test.go", "Example"},
		{"## Revocation", "example_revocation_test.go", "ExampleTrust_revocation"},
		{"## Renewal and alerts", "example_renewal_test.go", "ExampleWatchKeyPair"},
		{"## A server", "example_test.go", "ExampleNewServer_hTTP"},
		{"### Behind nginx", "example_test.go", "ExampleProxy"},
		{"## Documents", "verifier_test.go", "ExampleVerifier_Verify"},
	} {
		_, section, found := strings.Cut("\n"+string(readme), "\n"+c.heading+"\n")
		require.True(t, found, c.heading)
		block := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(section)
		require.NotNil(t, block)
		source, err := os.ReadFile(c.file)
		require.NoError(t, err)
		_, example, found := strings.Cut(string(source), "\nfunc "+c.example+"() {\n")
		require.True(t, found)
		example, _, _ = strings.Cut(example, "\n}\n")
		code := "\n" + strings.TrimSpace(block[1]) + "\n"
		found = false // in the Example, or in a function in it
		for _, indent := range []string{"\n\t", "\n\t\t"} {
			found = found || strings.Contains(strings.ReplaceAll("\n"+example, indent, "\n"), code)
		}
		assert.True(t, found, "%s is not in %s:\n%s", c.heading, c.example, code)
	}
}

// The README names what go.mod requires, for the library, the tool and the tests.
func TestTheREADMENamesTheDependencies(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, row, found := strings.Cut(string(readme), "\n| what it depends on |")
	require.True(t, found)
	row, _, _ = strings.Cut(row, "\n")
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	var required []string
	for _, m := range regexp.MustCompile(`(?m)^(?:require )?\s*([a-z.]+/\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1) { // not the indirect ones
		name := regexp.MustCompile(`/v\d+$`).ReplaceAllString(m[1], "")
		required = append(required, name[strings.LastIndexByte(name, '/')+1:])
	}
	require.Greater(t, len(required), 5)
	words := regexp.MustCompile(`[a-z0-9-]+`).FindAllString(row, -1)
	for _, name := range required {
		assert.Contains(t, words, name)
	}
}

// Without a bound net/http waits for ever for a stranger who connects and says nothing.
func TestTheREADMEsServersBoundTheHandshake(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	servers := regexp.MustCompile(`(?s)&http\.Server\{.*?\n\}`).FindAllString(string(readme), -1)
	require.NotEmpty(t, servers)
	for _, server := range servers {
		assert.Contains(t, server, "ReadHeaderTimeout:")
	}
}

// Names in the README exist: a rename would leave it behind.
func TestNamesInTheREADMEExist(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	var source strings.Builder
	for _, dir := range []string{".", "advice", "digikoppeling", "pkiotest", "../chain", "../chain/crl", "../truststore", "logius/samlsig"} {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
				data, err := os.ReadFile(dir + "/" + e.Name())
				require.NoError(t, err)
				source.Write(data)
			}
		}
	}
	names := regexp.MustCompile("`(?:pkioverheid|pkiotest|chain|crl|truststore|advice|digikoppeling|Trust)?\\.?([A-Z][A-Za-z0-9]+)`").FindAllSubmatch(readme, -1)
	require.Greater(t, len(names), 10)
	there := declared(source.String())
	for _, m := range names {
		assert.True(t, there[string(m[1])], string(m[1]))
	}
}
