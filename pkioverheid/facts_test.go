package pkioverheid

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	// citedFile is the path of the file in a comment, with what is cited of it.
	citedFile = regexp.MustCompile(`[^\s(:"[]*facts\.md(?: §\d+(?:(?:,| and) §\d+)*)?`)
	// citedSection is one of the sections in it.
	citedSection = regexp.MustCompile(`§(\d+)`)
	// wrapped is where a comment goes on in the next line.
	wrapped = regexp.MustCompile(`\n\s*//\s*`)
)

// What the facts list is in the table of CAs: certificates and keys.
func TestTheTableOfCAsHasWhatTheFactsList(t *testing.T) {
	facts, err := os.ReadFile("facts.md")
	require.NoError(t, err)
	rows := map[string]knownCA{}
	for _, k := range knownCAs {
		rows[k.file] = k
	}
	files := regexp.MustCompile("(?m)^\\| `(\\S+\\.pem)` \\| ([^|]+) \\|.*\\| `(\\w{64})` \\| `(\\w{64})` \\|$").FindAllStringSubmatch(string(facts), -1)
	require.NotEmpty(t, files)
	for _, f := range files {
		k := rows[f[1]]
		assert.Equal(t, f[2:], []string{k.cn, k.sha256, k.key}, f[1])
	}

	keys := regexp.MustCompile("(?m)^\\| (.+ CA(?: - )? ?G3) \\| \\d{4} \\| `(\\w{64})` \\|$").FindAllStringSubmatch(string(facts), -1)
	require.NotEmpty(t, keys)
	for _, name := range []string{"", "SPKI "} { // in §2 and §10, where a name comes before its key
		keys = append(keys, regexp.MustCompile("([A-Z][^,:;`(]* - G2) "+name+"`(\\w{64})`").FindAllStringSubmatch(string(facts), -1)...)
	}
	keys = append(keys, regexp.MustCompile("([A-Z][^,:;`(]* - G3) \\([^)`]*SPKI `(\\w{64})`").FindAllStringSubmatch(string(facts), -1)...)
	assert.Greater(t, len(keys), 30)
	for _, k := range keys {
		a := recognised().byKey[decodeKey(t, k[2])]
		if assert.NotNil(t, a, k[1]) {
			assert.True(t, strings.HasSuffix(k[1], a.name.cn), "%s, and the table says %s", k[1], a.name.cn)
		}
	}
}

func decodeKey(t testing.TB, text string) [sha256.Size]byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	require.NoError(t, err)
	return [sha256.Size]byte(b)
}

// A citation leads a reader to a section that is there, by a path from the top of the
// module, or a link to it; in this package and below it the name of the file is enough.
func TestEveryCitationOfTheFactsLeadsToASection(t *testing.T) {
	facts, err := os.ReadFile("facts.md")
	require.NoError(t, err)
	sections := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^## (\d+)\. `).FindAllStringSubmatch(string(facts), -1) {
		sections[m[1]] = true
	}
	require.NotEmpty(t, sections)

	cited := map[string]bool{}
	require.NoError(t, fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".md") ||
			path == "pkioverheid/facts_test.go" {
			return err
		}
		data, err := os.ReadFile("../" + path)
		if err != nil {
			return err
		}
		if !strings.Contains(string(data), "facts.md") {
			return nil
		}
		for _, m := range citedFile.FindAllString(wrapped.ReplaceAllString(string(data), " "), -1) {
			file, _, _ := strings.Cut(m, " ")
			file = strings.TrimPrefix(file, "../") // a link in .github
			if !strings.HasPrefix(path, "pkioverheid/") || file != "facts.md" {
				assert.Equal(t, "pkioverheid/facts.md", strings.TrimPrefix(strings.Trim(file, "`"), "../"), path)
			}
			for _, s := range citedSection.FindAllStringSubmatch(m, -1) {
				assert.True(t, sections[s[1]], "%s cites %s, and there is no such section", path, m)
				cited[s[1]] = true
			}
		}
		return nil
	}))
	assert.Greater(t, len(cited), 5, "sections that are cited")
}
