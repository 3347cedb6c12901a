package pkioverheid_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever reads the JSON of one package of this module reads that of the others: names are
// in lowerCamelCase, and no name is written in two ways.
func TestJSONNamesHaveOneSpelling(t *testing.T) {
	names := map[string]string{} // where each was found first
	set := token.NewFileSet()
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			field, ok := n.(*ast.Field)
			if !ok || field.Tag == nil {
				return true
			}
			tag, err := strconv.Unquote(field.Tag.Value)
			require.NoError(t, err)
			name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
			if _, known := names[name]; name != "" && name != "-" && !known {
				names[name] = set.Position(field.Pos()).String()
			}
			return true
		})
		return nil
	}))
	require.Greater(t, len(names), 50, "the structs were not found")
	camel := regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)
	spelling := map[string]string{}
	for name, at := range names {
		if name == "x5t#S256" { // RFC 8705 section 3.1
			continue
		}
		assert.Regexp(t, camel, name, at)
		same := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
		if other, found := spelling[same]; found {
			assert.Equal(t, other, name, "%s, and %s", at, names[other])
		}
		spelling[same] = name
	}
}
