package advice

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every text is there in both languages, with the same verbs.
func TestEveryTextIsInBothLanguages(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "texts.go", nil, 0)
	require.NoError(t, err)
	verb := regexp.MustCompile(`%(\[\d\])?[sd]`)
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		value, ok := n.(*ast.ValueSpec)
		if !ok || len(value.Values) != 1 {
			return true
		}
		composite, ok := value.Values[0].(*ast.CompositeLit)
		if !ok {
			return true
		}
		if name, ok := composite.Type.(*ast.Ident); !ok || name.Name != "text" {
			return true
		}
		found++
		name := value.Names[0].Name
		if !assert.Len(t, composite.Elts, 2, name) {
			return true
		}
		var verbs [2][]string
		for i, e := range composite.Elts {
			literal, ok := e.(*ast.BasicLit)
			if !ok {
				continue // a constant, of package phrase
			}
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			assert.NotEmpty(t, text, name)
			verbs[i] = verb.FindAllString(text, -1)
			slices.Sort(verbs[i])
		}
		if len(verbs[0]) == 0 || verbs[0][0] != "%[1]s" { // of the problem of G3, Dutch is made of its parts
			assert.Equal(t, verbs[0], verbs[1], name)
		}
		return true
	})
	assert.Greater(t, found, 50)
}
