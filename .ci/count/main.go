// Command count measures packages: their exported names, their lines, the words of
// their doc comments, and which of their files use each other.
//
//	count [-C FOLDER] [-files PACKAGE,... [-why] [-downwards]] [-words N] PATTERN...
//	count [-C FOLDER] -names PATTERN...
//
// It prints a row a package, or with -names each exported name: compare the names of
// two commits with diff. Package main and internal packages have lines, but
// no exported names. Tests are left out.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"text/tabwriter"

	"golang.org/x/tools/go/packages"
)

func main() {
	dir := flag.String("C", ".", "the `folder` of the module")
	files := flag.String("files", "", "`packages`, by the end of their path and with commas between, of which to list the files that use each other")
	why := flag.Bool("why", false, "with -files: list which declarations make two files use each other")
	downwards := flag.Bool("downwards", false, "with -files: the exit status is 1 if two files use each other, or more in a circle")
	list := flag.Bool("names", false, "list the exported names, and nothing else")
	words := flag.Float64("words", 0, "the exit status is 1 if a package has more than `N` words of doc comment a symbol on average")
	flag.Parse()
	pkgs, err := load(*dir, flag.Args()...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "count:", err)
		os.Exit(2)
	}
	if *list {
		for _, pkg := range pkgs {
			for _, name := range exported(pkg) {
				fmt.Println(name)
			}
		}
		return
	}
	long := table(os.Stdout, pkgs, *words)
	var circles int
	for _, name := range strings.FieldsFunc(*files, func(r rune) bool { return r == ',' }) {
		for _, pkg := range pkgs {
			if strings.HasSuffix(pkg.PkgPath, "/"+name) {
				circles += printFiles(os.Stdout, pkg, *why)
			}
		}
	}
	if len(long) > 0 {
		fmt.Fprintf(os.Stderr, "count: more than %g words of doc comment a symbol: %s\n", *words, strings.Join(long, ", "))
		os.Exit(1)
	}
	if *downwards && circles > 0 {
		fmt.Fprintln(os.Stderr, "count: files use each other: -why lists which declarations do. Move what both need into a file below them")
		os.Exit(1)
	}
}

func load(dir string, patterns ...string) ([]*packages.Package, error) {
	pkgs, err := packages.Load(&packages.Config{
		Dir: dir,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedExportFile | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedModule,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	if len(pkgs) == 0 || packages.PrintErrors(pkgs) > 0 {
		return nil, errors.New("the packages cannot be loaded")
	}
	return pkgs, nil
}

// table prints a row a package and the sum, and returns the packages with more words
// a symbol than the limit.
func table(w io.Writer, pkgs []*packages.Package, limit float64) (long []string) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer out.Flush()
	fmt.Fprint(out, "types\tfunctions\tmethods\tall three\tconstants\tvariables\twords a symbol\tlines\tof code\t  package\n")
	var sum counts
	for _, pkg := range pkgs {
		c := measure(pkg)
		sum.add(c)
		name := short(pkg)
		row(out, c, name)
		if limit > 0 && c.average() > limit {
			long = append(long, path.Base(name))
		}
	}
	row(out, sum, "sum")
	return long
}

// short is the path of a package in its module.
func short(pkg *packages.Package) string {
	if pkg.Module == nil || pkg.PkgPath == pkg.Module.Path {
		return pkg.Name
	}
	return strings.TrimPrefix(pkg.PkgPath, pkg.Module.Path+"/")
}

func row(w io.Writer, c counts, name string) {
	fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t%.0f\t%d\t%d\t  %s\n",
		c.types, c.functions, c.methods, c.types+c.functions+c.methods, c.constants, c.variables, c.average(), c.lines, c.code, name)
}

// printFiles returns how many files are in circles or between them.
func printFiles(w io.Writer, pkg *packages.Package, why bool) (circles int) {
	uses := usesOfFiles(pkg)
	var pairs int
	fmt.Fprintf(w, "\n%s: files and what they use (= where both use each other)\n", pkg.PkgPath)
	for _, from := range sortedKeys(uses) {
		fmt.Fprintf(w, "  %s:", from)
		for _, to := range sortedKeys(uses[from]) {
			mark := ""
			if uses[to][from] != nil {
				mark = "="
				if from < to {
					pairs++
				}
			}
			fmt.Fprintf(w, " %s%s", mark, to)
		}
		fmt.Fprintln(w)
	}
	if why {
		printPairs(w, uses)
	}
	fmt.Fprintf(w, "%s: %d pairs of files that use each other\n", pkg.PkgPath, pairs)
	inCircles := circular(uses)
	if len(inCircles) > 0 {
		fmt.Fprintf(w, "%s: files in circles or between them: %s\n", pkg.PkgPath, strings.Join(inCircles, ", "))
	}
	return len(inCircles)
}

func printPairs(w io.Writer, uses map[string]map[string]map[string]bool) {
	for _, a := range sortedKeys(uses) {
		for _, b := range sortedKeys(uses[a]) {
			if a > b || uses[b][a] == nil {
				continue
			}
			for _, pair := range [][2]string{{a, b}, {b, a}} {
				fmt.Fprintf(w, "  %s uses %s:\n", pair[0], pair[1])
				for _, use := range sortedKeys(uses[pair[0]][pair[1]]) {
					fmt.Fprintf(w, "    %s\n", use)
				}
			}
		}
	}
}
