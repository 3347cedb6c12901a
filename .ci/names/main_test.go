package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Each line of the example that ends in "found" must be reported, and no other.
func TestWhatIsFound(t *testing.T) {
	dir := t.TempDir()
	source, err := os.ReadFile("testdata/example.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": "module example\n\ngo 1.26.0\n", "example.go": string(source)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := look(dir, "./...")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, line := range found {
		got = append(got, regexp.MustCompile(`example\.go:(\d+)`).FindStringSubmatch(line)[1])
	}
	for i, line := range strings.Split(string(source), "\n") {
		if strings.HasSuffix(line, "// found") {
			want = append(want, strconv.Itoa(i+1))
		}
	}
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("found lines %v, want %v:\n%s", got, want, strings.Join(found, "\n"))
	}
}

func TestWhatCannotBeLoadedIsNotPassedOver(t *testing.T) {
	if _, err := look(t.TempDir(), "./..."); err == nil {
		t.Error("an empty folder was skipped")
	}
}
