// Command phrases finds odd English in Go's comments and strings and in Markdown,
// also where a phrase is broken over two lines. It prints FILE:LINE and the phrase,
// and then how often each occurs.
//
//	phrases [-ceiling FILE [-lower]] FOLDER
//
// With -ceiling it fails if there are more than the number in that file; -lower
// writes the present number into it if that is smaller. Test data is left out, and so
// is code in Markdown.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// odd lists the phrases. A space stands for any white space. What follows a phrase,
// in its group "ok", makes it good English.
var odd = []struct{ name, pattern string }{
	{`is no X`, `(?:there )?(?:is|are|was|were|be) no (?P<ok>longer|more|less|fewer|doubt|one)?`},
	{`behind`, `behind (?P<ok>(?:(?:a|an|the|its|such|another|this) )?(?:reverse |TLS |trusted )?(?:prox|load balancer|nginx|haproxy|gateway|firewall))?`},
	{`stands`, `stands?\b(?P<ok>-)?`},
	{`tells`, `(?:tells?|telling|told)\b`},
	{`at hand`, `at hand`},
	{`in so many words`, `in so many words`},
	{`against nothing`, `against nothing`},
	{`for want of`, `for want of`},
	{`no matter`, `(?:is|are) no matter|not? a? ?matter of`},
	{`held`, `held`},
	{`judge`, `judg\w+`},
	{`climb`, `climb\w*`},
	{`door`, `doors?`},
	{`feed`, `feed(?:s|ing)?\b(?P<ok>back)?`},
	{`staple`, `stapl\w+`},
	{`denial`, `denials?\b(?P<ok> of service)?`},
	{`advised`, `advised`},
	{`noting`, `noting`},
	{`come upon`, `(?:comes?|came|coming) upon`},
	{`in its stead`, `in (?:its|their) stead`},
	{`has no need of`, `has no need of|have no need of`},
	{`passes over`, `pass(?:es|ed)? over`},
	{`says of`, `sa(?:ys?|id) of`},
	{`has against`, `(?:has|have|had) against`},
	{`nothing to speak of`, `nothing to speak of`},
	{`to be had`, `(?:to|can|cannot|could|could not) be had`},
	{`all the same`, `all the same`},
	{`knows of nothing`, `knows? of nothing`},
	{`nobody`, `nobody (?:has|reads|knows|can) (?:no|nothing|of)`},
	{`lets X in`, `lets? \w+ in\b(?P<ok>to)?`},
}

type phrase struct {
	name string
	re   *regexp.Regexp
}

func phrases() (list []phrase) {
	for _, o := range odd {
		pattern := `(?i)\b(?:` + strings.ReplaceAll(o.pattern, " ", `\s+`) + `)`
		if !strings.Contains(pattern, "<ok>") {
			pattern += `\b`
		}
		list = append(list, phrase{o.name, regexp.MustCompile(pattern)})
	}
	return list
}

type place struct {
	file         string
	line         int
	name, phrase string
}

func main() {
	ceiling := flag.String("ceiling", "", "`file` with the number that may not be exceeded")
	lower := flag.Bool("lower", false, "write the number into it, if it is smaller")
	quiet := flag.Bool("q", false, "print the sums only")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	places, err := look(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "phrases:", err)
		os.Exit(2)
	}
	sums := map[string]int{}
	for _, p := range places {
		sums[p.name]++
		if !*quiet {
			fmt.Printf("%s:%d: %s (%s)\n", p.file, p.line, p.phrase, p.name)
		}
	}
	for _, name := range slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(sums[b]-sums[a], strings.Compare(a, b))
	}) {
		fmt.Printf("%5d %s\n", sums[name], name)
	}
	fmt.Printf("%5d in all\n", len(places))
	if *ceiling == "" {
		return
	}
	if err := compare(*ceiling, len(places), *lower); err != nil {
		fmt.Fprintln(os.Stderr, "phrases:", err)
		os.Exit(1)
	}
}

// compare fails if n exceeds the number in a file.
func compare(file string, n int, lower bool) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", file, err)
	case n > limit:
		return fmt.Errorf("%d odd phrases, where %s allows %d: write them in plain English, as CONTRIBUTING.md has it", n, file, limit)
	case n < limit && lower:
		return os.WriteFile(file, []byte(strconv.Itoa(n)+"\n"), 0o644)
	case n < limit:
		fmt.Printf("%d fewer than %s allows: lower it with -lower\n", limit-n, file)
	}
	return nil
}

func look(root string) (places []place, err error) {
	list := phrases()
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		if name == "dutch.go" { // texts in Dutch
			return nil
		}
		if e.IsDir() && (name == "testdata" || name == ".git" || path == filepath.Join(root, ".ci", "phrases")) {
			return filepath.SkipDir
		}
		var english func([]byte) ([]byte, error)
		switch filepath.Ext(name) {
		case ".go":
			english = ofGo
		case ".md":
			english = ofMarkdown
		default:
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if text, err = english(text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, p := range list {
			ok := p.re.SubexpIndex("ok")
			for _, m := range p.re.FindAllSubmatchIndex(text, -1) {
				if strings.HasPrefix(strings.ToLower(string(text[m[0]:m[1]])), "there") {
					continue // "there is no X" is good English
				}
				if ok > 0 && m[2*ok] >= 0 && m[2*ok] < m[2*ok+1] {
					continue
				}
				places = append(places, place{path, 1 + strings.Count(string(text[:m[0]]), "\n"), p.name, around(text, m[0], m[1])})
			}
		}
		return nil
	})
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Or(strings.Compare(a.file, b.file), a.line-b.line) })
	return places, err
}

// around returns the phrase with some text after it.
func around(text []byte, from, to int) string {
	after, _, _ := strings.Cut(string(text[to:min(to+25, len(text))]), "|")
	return strings.Join(strings.Fields(string(text[from:to])+after), " ")
}

// ofGo returns a text of the same length, in which all but comments and strings is
// white space.
func ofGo(text []byte) ([]byte, error) {
	out := blank(text)
	var errs scanner.ErrorList
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, errs.Add, scanner.ScanComments)
	for {
		pos, tok, literal := s.Scan()
		at := file.Offset(pos)
		switch tok {
		case token.EOF:
			return out, errors.Join(errs.Err())
		case token.COMMENT, token.STRING:
			copy(out[at:], literal)
			if tok == token.COMMENT { // the marks, between the lines of one sentence
				copy(out[at:], "  ")
			} else {
				out[at], out[at+len(literal)-1] = '|', '|'
			}
		default:
			if tok.IsKeyword() || tok.IsLiteral() || tok.IsOperator() && literal != "\n" {
				out[at] = '|' // no phrase goes on beyond code
			}
		}
	}
}

var code = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")

// ofMarkdown is the same with all but code.
func ofMarkdown(text []byte) ([]byte, error) {
	return code.ReplaceAllFunc(text, blank), nil
}

// blank keeps the ends of lines.
func blank(text []byte) []byte {
	out := make([]byte, len(text))
	for i, b := range text {
		out[i] = ' '
		if b == '\n' {
			out[i] = b
		}
	}
	return out
}
