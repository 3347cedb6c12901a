// Package initcost measures what importing the library costs at start-up, beside
// golang.org/x/crypto/x509roots/fallback, which parses its roots in init. It is a
// module of its own, so that the library does not depend on its peer.
package initcost

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	_ "golang.org/x/crypto/x509roots/fallback"

	_ "github.com/go-pkioverheid/trust/pkioverheid"
)

// initTime starts this program once more and adds up the milliseconds that the
// runtime reports for the initialisation of packages.
func initTime(t testing.TB, prefix string) (ms float64, packages int) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, line := range strings.Split(string(out), "\n") {
		// init golang.org/x/… @4.6 ms, 0.83 ms clock, 563784 bytes, 6402 allocs
		f := strings.Fields(line)
		if len(f) < 6 || f[0] != "init" || !strings.HasPrefix(f[1], prefix) {
			continue
		}
		v, err := strconv.ParseFloat(f[4], 64)
		if err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		ms += v
		packages++
	}
	return ms, packages
}

const (
	ours = "github.com/go-pkioverheid/trust/"
	peer = "golang.org/x/crypto/x509roots/fallback"
)

func BenchmarkImport(b *testing.B) {
	var a, p float64
	n := 0
	for b.Loop() {
		ms, _ := initTime(b, ours)
		a += ms
		ms, found := initTime(b, peer)
		if found == 0 {
			b.Fatal("the peer was not initialised")
		}
		p += ms
		n++
	}
	b.ReportMetric(1000*a/float64(n), "µs-ours")
	b.ReportMetric(1000*p/float64(n), "µs-fallback")
	b.ReportMetric(a/p, "ours/fallback")
	b.ReportMetric(0, "ns/op")
}

// The runtime lists a package only if it has something to initialise. A slow machine
// takes longer for the peer too.
func TestImportingCostsNextToNothing(t *testing.T) {
	least, peers := 1e9, 1e9
	for range 5 {
		ms, _ := initTime(t, ours)
		least = min(least, ms)
		ms, found := initTime(t, peer)
		if found == 0 {
			t.Fatal("the peer was not initialised")
		}
		peers = min(peers, ms)
	}
	fmt.Printf("initialising the library's packages: %.3f ms, of %s: %.3f ms\n", least, peer, peers)
	if limit := max(0.1, peers/4); least > limit {
		t.Errorf("%.3f ms, want at most %.3f", least, limit)
	}
}
