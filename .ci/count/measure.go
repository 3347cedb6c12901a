package main

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

type counts struct {
	types, functions, methods, constants, variables int // exported
	words                                           int // of doc comment of these
	lines, code                                     int // code: without comments and empty lines
}

func (c *counts) add(d counts) {
	c.types += d.types
	c.functions += d.functions
	c.methods += d.methods
	c.constants += d.constants
	c.variables += d.variables
	c.words += d.words
	c.lines += d.lines
	c.code += d.code
}

// average is the number of words of doc comment an exported name.
func (c counts) average() float64 {
	n := c.types + c.functions + c.methods + c.constants + c.variables
	if n == 0 {
		return 0
	}
	return float64(c.words) / float64(n)
}

func isAPI(pkg *packages.Package) bool {
	return pkg.Name != "main" && !slices.Contains(strings.Split(pkg.PkgPath, "/"), "internal")
}

// exported returns the exported names of a package, with those of methods and fields.
func exported(pkg *packages.Package) (names []string) {
	if !isAPI(pkg) {
		return nil
	}
	for _, name := range pkg.Types.Scope().Names() {
		object := pkg.Types.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		full := short(pkg) + "." + name
		names = append(names, full)
		named, ok := object.Type().(*types.Named)
		if _, isType := object.(*types.TypeName); !ok || !isType {
			continue
		}
		for method := range named.Methods() {
			if method.Exported() {
				names = append(names, full+"."+method.Name())
			}
		}
		if s, ok := named.Underlying().(*types.Struct); ok {
			for field := range s.Fields() {
				if field.Exported() {
					names = append(names, full+"."+field.Name())
				}
			}
		}
	}
	return names
}

func measure(pkg *packages.Package) counts {
	var c counts
	for _, name := range slices.Concat(pkg.GoFiles, pkg.IgnoredFiles) {
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			c.countLines(name)
		}
	}
	if !isAPI(pkg) {
		return c
	}
	for _, file := range pkg.Syntax {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				c.function(d)
			case *ast.GenDecl:
				c.general(d)
			}
		}
	}
	return c
}

func (c *counts) function(d *ast.FuncDecl) {
	if !d.Name.IsExported() {
		return
	}
	if d.Recv == nil {
		c.functions++
	} else if receiver(d.Recv.List[0].Type).IsExported() {
		c.methods++
	} else {
		return
	}
	c.words += words(d.Doc)
}

// general counts a declaration of types, constants or variables. The comment of a
// group belongs to its names.
func (c *counts) general(d *ast.GenDecl) {
	var exported bool
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				exported = true
				c.types++
				c.words += words(s.Doc) + words(s.Comment) + c.fields(s.Type)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if !name.IsExported() {
					continue
				}
				exported = true
				if d.Tok == token.CONST {
					c.constants++
				} else {
					c.variables++
				}
				c.words += words(s.Doc) + words(s.Comment)
			}
		}
	}
	if exported {
		c.words += words(d.Doc)
	}
}

// fields counts the words at a type's exported fields and methods, and methods of an
// interface as methods.
func (c *counts) fields(t ast.Expr) (n int) {
	var list *ast.FieldList
	switch t := t.(type) {
	case *ast.StructType:
		list = t.Fields
	case *ast.InterfaceType:
		list = t.Methods
	default:
		return 0
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			if name.IsExported() {
				n += words(field.Doc) + words(field.Comment)
				break
			}
		}
		if _, ok := field.Type.(*ast.FuncType); ok && len(field.Names) == 1 && field.Names[0].IsExported() {
			if _, ok := t.(*ast.InterfaceType); ok {
				c.methods++
			}
		}
	}
	return n
}

func receiver(t ast.Expr) *ast.Ident {
	for {
		switch r := t.(type) {
		case *ast.StarExpr:
			t = r.X
		case *ast.IndexExpr:
			t = r.X
		case *ast.IndexListExpr:
			t = r.X
		default:
			return r.(*ast.Ident)
		}
	}
}

func words(g *ast.CommentGroup) int { return len(strings.Fields(g.Text())) }

func (c *counts) countLines(name string) {
	text, err := os.ReadFile(name)
	if err != nil {
		return
	}
	c.lines += strings.Count(string(text), "\n")
	fset := token.NewFileSet()
	file := fset.AddFile(name, -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	last := 0
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return
		}
		if tok == token.SEMICOLON && literal != ";" { // the scanner's own, at the end of a line
			continue
		}
		from := file.Line(pos)
		to := from + strings.Count(literal, "\n") // a raw string
		c.code += to - max(from, last+1) + 1
		last = max(last, to)
	}
}

// usesOfFiles reports for each file of a package which of its others it uses, and in
// which declarations: "A.M uses B".
func usesOfFiles(pkg *packages.Package) map[string]map[string]map[string]bool {
	uses := map[string]map[string]map[string]bool{}
	fileOf := func(pos token.Pos) string { return filepath.Base(pkg.Fset.Position(pos).Filename) }
	for name, object := range pkg.TypesInfo.Uses {
		if object.Pkg() != pkg.Types {
			continue
		}
		from, to := fileOf(name.Pos()), fileOf(object.Pos())
		if from == to {
			continue
		}
		if uses[from] == nil {
			uses[from] = map[string]map[string]bool{}
		}
		if uses[from][to] == nil {
			uses[from][to] = map[string]bool{}
		}
		uses[from][to][declarationAt(pkg, name.Pos())+" uses "+fullName(object)] = true
	}
	return uses
}

// circular returns the files from which the way down comes back, and those between two such
// circles.
func circular(uses map[string]map[string]map[string]bool) []string {
	left := maps.Clone(uses) // those that use a file
	isLeft := func(file string) bool { return left[file] != nil }
	for {
		before := len(left)
		for from, of := range left {
			used := func(by string) bool { return uses[by][from] != nil }
			if !slices.ContainsFunc(sortedKeys(of), isLeft) || !slices.ContainsFunc(sortedKeys(left), used) {
				delete(left, from)
			}
		}
		if len(left) == before {
			return sortedKeys(left)
		}
	}
}

// declarationAt names the declaration of the package level around a position.
func declarationAt(pkg *packages.Package, pos token.Pos) string {
	around := func(n ast.Node) bool { return n.Pos() <= pos && pos < n.End() }
	for _, file := range pkg.Syntax {
		if !around(file) {
			continue
		}
		for _, decl := range file.Decls {
			if !around(decl) {
				continue
			}
			if f, ok := decl.(*ast.FuncDecl); ok {
				return fullName(pkg.TypesInfo.Defs[f.Name])
			}
			for _, spec := range decl.(*ast.GenDecl).Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if around(s) {
						return s.Name.Name
					}
				case *ast.ValueSpec:
					if around(s) {
						return s.Names[0].Name
					}
				}
			}
		}
	}
	return "?"
}

// fullName is the name of an object, after that of its receiver if it is a method.
func fullName(object types.Object) string {
	if f, ok := object.(*types.Func); ok && f.Signature().Recv() != nil {
		t := f.Signature().Recv().Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		if named, ok := t.(*types.Named); ok {
			return named.Obj().Name() + "." + f.Name()
		}
	}
	return object.Name()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
