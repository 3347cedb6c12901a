package pkioverheid_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	documents, err := filepath.Glob("../.github/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, documents)
	for _, document := range append(documents, "../README.md", "facts.md", "../examples/pkio/README.md", "../examples/beam/README.md") {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllSubmatch(text, -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(document), string(m[1])))
			assert.NoError(t, err, document)
		}
	}
}

// What the changelog names as new exists: a rename would leave it behind.
func TestNewNamesInTheChangelogExist(t *testing.T) {
	changelog, err := os.ReadFile("../.github/CHANGELOG.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| ([a-z0-9/]+) \| .* \| (.*) \|$`).FindAllStringSubmatch(string(changelog), -1)
	require.Greater(t, len(rows), 10)
	known := map[string]map[string]bool{} // by package
	for _, row := range rows[1:] {        // the first is the heading
		names := known[row[1]]
		if names == nil {
			names = declared(declarations(t, filepath.Join("..", row[1])))
			known[row[1]] = names
		}
		for _, m := range regexp.MustCompile("`(?:[a-z]+\\.)?([A-Z]\\w*)(?:\\.([A-Z]\\w*))?[^`]*`").FindAllStringSubmatch(row[2], -1) {
			for _, name := range m[1:] {
				if name != "" {
					assert.True(t, names[name], "there is no %s: %s", name, row[0])
				}
			}
		}
	}
}

// declared are the names that a source declares, those of fields and methods too.
func declared(source string) map[string]bool {
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type |var |const |\t)((?:\w+, )*\w+)`).FindAllStringSubmatch(source, -1) {
		for name := range strings.SplitSeq(m[1], ", ") {
			names[name] = true
		}
	}
	return names
}

// declarations returns the source of a package, those below it and truststore.
func declarations(t *testing.T, dir string) string {
	t.Helper()
	var source strings.Builder
	for _, dir := range []string{dir, "../truststore"} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			source.Write(data)
			return err
		}))
	}
	return source.String()
}
