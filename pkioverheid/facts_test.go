package pkioverheid

import (
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
	citedFile = regexp.MustCompile(`[^\s(:"]*facts\.md(?: §\d+(?:(?:,| and) §\d+)*)?`)
	// citedSection is one of the sections in it.
	citedSection = regexp.MustCompile(`§(\d+)`)
	// wrapped is where a comment goes on in the next line.
	wrapped = regexp.MustCompile(`\n\s*//\s*`)
)

// A citation leads a reader to a section that is there, by a path from the top of the
// module; in this package and below it the name of the file is enough.
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
		for _, m := range citedFile.FindAllString(wrapped.ReplaceAllString(string(data), " "), -1) {
			file, _, _ := strings.Cut(m, " ")
			if !strings.HasPrefix(path, "pkioverheid/") || file != "facts.md" {
				assert.Equal(t, "pkioverheid/facts.md", strings.Trim(file, "`"), path)
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
