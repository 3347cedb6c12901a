package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPhrasesAreFoundInCommentsStringsAndMarkdownOnly(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.go"), `package a

// F is, when all is said, is
// no good. It is no longer here. G is a stand-in behind a proxy.
func F(held int, door string) string {
	return "the list stands behind it" + "is" + "no" /* judge of it */
}
`)
	write(t, filepath.Join(dir, "b.md"), "It tells `denial` apart.\n\n```\nheld\n```\n\nIn so many\nwords.\n")
	write(t, filepath.Join(dir, "testdata", "c.md"), "held\n")
	places, err := look(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range places {
		got = append(got, strings.TrimPrefix(p.file, dir+"/")+":"+string(rune('0'+p.line))+" "+p.name)
	}
	want := []string{"a.go:3 is no X", "a.go:6 behind", "a.go:6 stands", "a.go:6 judge", "b.md:1 tells", "b.md:7 in so many words"}
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheCeilingMayOnlyFall(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ceiling")
	write(t, file, "10\n")
	if compare(file, 11, true) == nil {
		t.Error("more than the ceiling was let pass")
	}
	if err := compare(file, 9, true); err != nil {
		t.Error(err)
	}
	if compare(file, 10, true) == nil {
		t.Error("the ceiling was not lowered")
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
