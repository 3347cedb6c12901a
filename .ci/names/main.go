// Command names fails where a program lets the standard library write a
// distinguished name or an object identifier as text: the cost of
// pkix.Name.String, pkix.RDNSequence.String and x509.OID.String grows with the
// square of what a stranger may send. Package safetext writes them instead.
//
//	names [-C FOLDER] PATTERN...
//
// Tests are not looked at.
package main

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	dir := flag.String("C", ".", "the folder of the module")
	flag.Parse()
	found, err := look(*dir, flag.Args()...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "names:", err)
		os.Exit(2)
	}
	for _, line := range found {
		fmt.Println(line)
	}
	if len(found) > 0 {
		fmt.Fprintf(os.Stderr, "names: %d places: use safetext.Name or safetext.OID, and compare OIDs with Equal\n", len(found))
		os.Exit(1)
	}
}

// look returns a line for each place in the packages.
func look(dir string, patterns ...string) ([]string, error) {
	pkgs, err := packages.Load(&packages.Config{
		Dir: dir,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedExportFile | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	if len(pkgs) == 0 || packages.PrintErrors(pkgs) > 0 {
		return nil, errors.New("the packages cannot be loaded")
	}
	var found []string
	for _, pkg := range pkgs {
		c := checker{fset: pkg.Fset, info: pkg.TypesInfo}
		for _, file := range pkg.Syntax {
			c.file(file)
		}
		found = append(found, c.found...)
	}
	return found, nil
}

// costly are the types, and textual the methods, of which nobody may make text.
var (
	costly  = []string{"crypto/x509/pkix.Name", "crypto/x509/pkix.RDNSequence", "crypto/x509.OID"}
	textual = []string{"String", "MarshalText", "AppendText"}
)

// printers are packages that find out by reflection what a value holds.
var printers = []string{"fmt", "log", "log/slog", "encoding/json", "text/template", "html/template"}

type checker struct {
	fset  *token.FileSet
	info  *types.Info
	found []string
}

func (c *checker) report(at ast.Node, format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf("%s: ", c.fset.Position(at.Pos()))+fmt.Sprintf(format, args...))
}

func (c *checker) file(file *ast.File) {
	var results []*types.Tuple // of the functions around the node
	var stack []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			switch stack[len(stack)-1].(type) {
			case *ast.FuncDecl, *ast.FuncLit:
				results = results[:len(results)-1]
			}
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		switch n := n.(type) {
		case *ast.FuncDecl:
			results = append(results, c.info.Defs[n.Name].Type().(*types.Signature).Results())
		case *ast.FuncLit:
			results = append(results, c.info.TypeOf(n).(*types.Signature).Results())
		case *ast.SelectorExpr:
			c.selector(n)
		case *ast.CallExpr:
			c.call(n)
		case *ast.AssignStmt:
			if len(n.Lhs) == len(n.Rhs) {
				for i, value := range n.Rhs {
					c.given(value, c.info.TypeOf(n.Lhs[i]))
				}
			}
		case *ast.ValueSpec:
			for _, value := range n.Values {
				if n.Type != nil {
					c.given(value, c.info.TypeOf(n.Type))
				}
			}
		case *ast.ReturnStmt:
			if want := results[len(results)-1]; len(n.Results) == want.Len() {
				for i, value := range n.Results {
					c.given(value, want.At(i).Type())
				}
			}
		case *ast.SendStmt:
			if channel, ok := c.info.TypeOf(n.Chan).Underlying().(*types.Chan); ok {
				c.given(n.Value, channel.Elem())
			}
		case *ast.CompositeLit:
			c.literal(n)
		case *ast.Ident:
			c.instance(n)
		}
		return true
	})
}

// selector finds calls of the methods, also of promoted ones, and their values.
func (c *checker) selector(n *ast.SelectorExpr) {
	selection := c.info.Selections[n]
	if selection == nil {
		return
	}
	method, ok := selection.Obj().(*types.Func)
	if !ok || !slices.Contains(textual, method.Name()) {
		return
	}
	if receiver := method.Signature().Recv(); receiver != nil && isCostly(receiver.Type()) {
		c.report(n.Sel, "%s of %s has a quadratic cost", method.Name(), receiver.Type())
	}
}

// call finds values that a function takes as an interface.
func (c *checker) call(n *ast.CallExpr) {
	if kind := c.info.Types[n.Fun]; kind.IsType() {
		for _, value := range n.Args {
			c.given(value, kind.Type)
		}
		return
	}
	signature, ok := c.info.TypeOf(n.Fun).Underlying().(*types.Signature)
	if !ok {
		return // a built-in function
	}
	from := c.packageOf(n.Fun)
	if from == "encoding/asn1" {
		return // writes DER
	}
	for i, value := range n.Args {
		want := parameter(signature, i, n.Ellipsis.IsValid())
		if want == nil {
			continue
		}
		if slices.Contains(printers, from) && mayHoldAny(want) && holdsCostly(c.info.TypeOf(value), nil) {
			c.report(value, "%s writes the names or OIDs in a %s at a quadratic cost", from, c.info.TypeOf(value))
			continue
		}
		c.given(value, want)
	}
}

// given finds values that become an interface, through which anybody may print them.
func (c *checker) given(value ast.Expr, want types.Type) {
	have := c.info.TypeOf(value)
	if have == nil || want == nil || !types.IsInterface(want) || isTypeParameter(want) {
		return
	}
	for {
		if isCostly(have) {
			c.report(value, "a %s becomes a %s, which may be printed at a quadratic cost", have, want)
			return
		}
		switch t := have.(type) {
		case *types.Slice:
			have = t.Elem()
		case *types.Array:
			have = t.Elem()
		case *types.Pointer:
			have = t.Elem()
		default:
			return
		}
	}
}

func (c *checker) literal(n *ast.CompositeLit) {
	of := c.info.TypeOf(n).Underlying()
	if p, ok := of.(*types.Pointer); ok { // {…} for &T{…} in a list
		of = p.Elem().Underlying()
	}
	switch t := of.(type) {
	case *types.Struct:
		for i, e := range n.Elts {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				c.given(pair.Value, c.info.TypeOf(pair.Key))
			} else {
				c.given(e, t.Field(i).Type())
			}
		}
	case *types.Map:
		for _, e := range n.Elts {
			pair := e.(*ast.KeyValueExpr)
			c.given(pair.Key, t.Key())
			c.given(pair.Value, t.Elem())
		}
	case interface{ Elem() types.Type }:
		for _, e := range n.Elts {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				e = pair.Value
			}
			c.given(e, t.Elem())
		}
	}
}

// instance finds generic functions that may call the methods.
func (c *checker) instance(n *ast.Ident) {
	instance, ok := c.info.Instances[n]
	if !ok {
		return
	}
	var parameters *types.TypeParamList
	switch t := c.info.ObjectOf(n).Type().(type) {
	case *types.Signature:
		parameters = t.TypeParams()
	case *types.Named:
		parameters = t.TypeParams()
	}
	for i := range parameters.Len() {
		needs := parameters.At(i).Constraint().Underlying().(*types.Interface)
		if arg := instance.TypeArgs.At(i); isCostly(arg) && needs.NumMethods() > 0 {
			c.report(n, "a %s becomes a type whose methods are called, at a quadratic cost", arg)
		}
	}
}

// packageOf is the package of a function that is called by its name.
func (c *checker) packageOf(fun ast.Expr) string {
	var name *ast.Ident
	switch f := ast.Unparen(fun).(type) {
	case *ast.Ident:
		name = f
	case *ast.SelectorExpr:
		name = f.Sel
	default:
		return ""
	}
	if object := c.info.Uses[name]; object != nil && object.Pkg() != nil {
		return object.Pkg().Path()
	}
	return ""
}

func parameter(s *types.Signature, i int, spread bool) types.Type {
	n := s.Params().Len()
	if s.Variadic() && i >= n-1 {
		last := s.Params().At(n - 1).Type()
		if slice, ok := last.(*types.Slice); ok && !spread {
			return slice.Elem()
		}
		return last
	}
	if i >= n { // f(g()), where g has several results
		return nil
	}
	return s.Params().At(i).Type()
}

func mayHoldAny(t types.Type) bool {
	if slice, ok := t.(*types.Slice); ok {
		t = slice.Elem()
	}
	return types.IsInterface(t)
}

func isTypeParameter(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.TypeParam)
	return ok
}

// isCostly takes the types and pointers to them.
func isCostly(t types.Type) bool {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	named, ok := t.(*types.Named)
	return ok && named.Obj().Pkg() != nil && slices.Contains(costly, named.Obj().Pkg().Path()+"."+named.Obj().Name())
}

// holdsCostly reports whether what prints a value by reflection meets one of
// the types. It does not look into what has words of its own.
func holdsCostly(t types.Type, seen []types.Type) bool {
	if t == nil || slices.ContainsFunc(seen, func(s types.Type) bool { return types.Identical(s, t) }) {
		return false
	}
	if isCostly(t) {
		return true
	}
	if len(seen) > 0 || !types.IsInterface(t) {
		for _, name := range []string{"Error", "String", "Format", "LogValue", "MarshalText", "MarshalJSON"} {
			if o, _, _ := types.LookupFieldOrMethod(t, false, nil, name); o != nil {
				if method, ok := o.(*types.Func); ok && !isCostly(method.Signature().Recv().Type()) {
					return false
				}
			}
		}
	}
	seen = append(seen, t)
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return holdsCostly(u.Elem(), seen)
	case *types.Slice:
		return holdsCostly(u.Elem(), seen)
	case *types.Array:
		return holdsCostly(u.Elem(), seen)
	case *types.Map:
		return holdsCostly(u.Key(), seen) || holdsCostly(u.Elem(), seen)
	case *types.Struct:
		for field := range u.Fields() {
			// Of fields that are not exported fmt calls no method.
			if (field.Exported() || field.Embedded()) && !strings.HasPrefix(field.Name(), "_") && holdsCostly(field.Type(), seen) {
				return true
			}
		}
	}
	return false
}
