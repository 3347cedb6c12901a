package main

import (
	"slices"
	"testing"
)

func TestExportedNamesWordsLinesAndFilesAreCounted(t *testing.T) {
	pkgs, err := load("testdata/sample", ".")
	if err != nil {
		t.Fatal(err)
	}
	want := counts{types: 1, functions: 1, methods: 1, constants: 2, words: 4 + 2 + 4 + 3 + 5, lines: 15 + 13, code: 8 + 8}
	if got := measure(pkgs[0]); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	uses := usesOfFiles(pkgs[0])
	if len(uses["a.go"]["b.go"]) == 0 || len(uses["b.go"]["a.go"]) == 0 || len(uses) != 2 {
		t.Errorf("got %v", uses)
	}
}

func TestExportedNamesAreListed(t *testing.T) {
	pkgs, err := load("testdata/sample", ".")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"sample.B", "sample.C", "sample.F", "sample.T", "sample.T.M", "sample.T.A"}
	if got := exported(pkgs[0]); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFilesInCirclesAreFound(t *testing.T) {
	use := map[string]bool{"f uses g": true}
	uses := map[string]map[string]map[string]bool{
		"top.go": {"a.go": use}, "a.go": {"b.go": use, "bottom.go": use}, "b.go": {"c.go": use}, "c.go": {"a.go": use}, "side.go": {"bottom.go": use},
	}
	if got, want := circular(uses), []string{"a.go", "b.go", "c.go"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	delete(uses, "c.go")
	if got := circular(uses); len(got) > 0 {
		t.Errorf("got %q without a circle", got)
	}
}
