package initcost

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Two programs that fetch a page, with net/http alone and with this module.
const (
	plain = `package main

import "net/http"

func main() { http.Get("https://service.example") }
`
	withOurs = `package main

import "github.com/go-pkioverheid/trust/pkioverheid"

func main() {
	client, _ := pkioverheid.NewClient(pkioverheid.ClientConfig{})
	client.Get("https://service.example")
}
`
)

// size builds a program in a package of this module, so that it has its dependencies.
func size(t testing.TB, source string) int64 {
	t.Helper()
	dir, err := os.MkdirTemp(".", "program")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", program, "./"+dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func BenchmarkBinarySize(b *testing.B) {
	for b.Loop() {
		before, after := size(b, plain), size(b, withOurs)
		b.ReportMetric(float64(before)/1e6, "MB-net/http")
		b.ReportMetric(float64(after-before)/1e6, "MB-more")
	}
	b.ReportMetric(0, "ns/op")
}
