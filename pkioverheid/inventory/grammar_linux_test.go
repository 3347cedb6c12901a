package inventory_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// hostileTexts makes texts of about n bytes from a grammar: what begins and ends
// something, what is between, the end of a line, and how all that is written. PEM
// as truststore reads it has such a test there.
func hostileTexts() iter.Seq2[string, func(n int) []byte] {
	marks := []string{
		"-----BEGIN", "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----",
		"\"-----BEGIN PRIVATE KEY-----\" + 'MI", "LS0tLS1CRUdJTi", "LS0t", "MII", "&#10;", "&#", "<ds:X509Certificate>MII</ds:X509Certificate>", "<!--",
	}
	fillers := []string{"", strings.Repeat(" ", 256), strings.Repeat("A", 64), "\\\"", "&#xD;"}
	ends := []string{"", "\n", "&#10;"}
	in64 := func(text []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(text)) }
	const begin = "-----BEGIN CERTIFICATE-----\n"
	writings := []struct {
		name string
		as   func(text []byte) []byte
	}{
		{"in HTML", func(text []byte) []byte { return slices.Concat([]byte("<html>"), text) }},
		{"in a signed document", func(text []byte) []byte {
			return slices.Concat([]byte("<x xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:X509Certificate>"), text)
		}},
		{"in UTF-16", func(text []byte) []byte { return utf16Of(string(text)) }},
		{"in a string of JSON in UTF-16", func(text []byte) []byte { return utf16Of("{\"" + begin + string(text)) }},
		{"in base64", func(text []byte) []byte {
			return slices.Concat([]byte("x: "), in64(slices.Concat([]byte(begin), text)))
		}},
		{"in base64, in lines", func(text []byte) []byte {
			var lines bytes.Buffer
			for line := range slices.Chunk(in64(slices.Concat([]byte(begin), text)), 76) {
				fmt.Fprintf(&lines, "  %s\t \r\n", line)
			}
			return lines.Bytes()
		}},
		{"in base64, in UTF-16", func(text []byte) []byte { return utf16Of("x: " + string(in64(slices.Concat([]byte(begin), text)))) }},
		{"in base64 in base64", func(text []byte) []byte { return in64(in64(slices.Concat([]byte(begin), text))) }},
	}
	return func(yield func(string, func(int) []byte) bool) {
		for _, mark := range marks {
			for _, filler := range fillers {
				for _, end := range ends {
					over := func(unit string, n int) []byte { return bytes.Repeat([]byte(unit), n/(len(unit)+1)+1) }
					name := fmt.Sprintf("%.40q and %.8q", mark, filler+end)
					for _, w := range writings {
						if !yield(name+" "+w.name, func(n int) []byte { return w.as(over(mark+filler+end, n)) }) {
							return
						}
					}
					once := func(n int) []byte { return slices.Concat([]byte("<a>"+mark+end), over(filler+end+" ", n)) }
					if !yield(name+" in XML, the second over and over", once) {
						return
					}
				}
			}
		}
	}
}

// TestHostileTextsTakeLinearTimeAndMemory scans each text with n and with 4n bytes:
// what is linear takes 4 times as much, and what is quadratic 16 times. Time is noisy,
// so that what seems too slow is measured again, on more, until it is not.
func TestHostileTextsTakeLinearTimeAndMemory(t *testing.T) {
	n := 64 << 10 // below what is read at first, and more than that when it seems slow
	if thorough {
		n *= 2
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	seen := 0
	every := 8 // all of them with THOROUGH
	if thorough {
		every = 1
	}
	all := 0
	for name, text := range hostileTexts() {
		if all++; all%every != 0 {
			continue
		}
		if !scanCost(t, text(n)).slower(scanCost(t, text(4*n)), 5.5) {
			if seen++; seen%50 == 0 {
				runtime.GC()
			}
			continue
		}
		takesLinearTime(t, name, text(8*n), text(32*n))
	}
	t.Logf("%d texts", seen)
}

// takesLinearTime measures again what seems too slow: others run beside it.
func takesLinearTime(t *testing.T, name string, small, large []byte) {
	t.Helper()
	for try := 1; ; try++ {
		runtime.GC()
		a, b := scanCost(t, small), scanCost(t, large)
		if !a.slower(b, 2*float64(len(large))/float64(len(small))) {
			return
		}
		if try == 10 {
			t.Errorf("%s: %d bytes take %v, %d bytes take %v", name, len(small), a, len(large), b)
			return
		}
	}
}

// cpuTime is that of this process: of others that run, a longer text would meet more.
func cpuTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// cost is what a scan took.
type cost struct {
	time   time.Duration
	memory uint64 // all that was allocated
}

func scanCost(t *testing.T, data []byte) cost {
	cfg := inventory.Config{FS: fstest.MapFS{"a": {Data: data}}, Parallel: 1}
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	before := sample[0].Value.Uint64()
	start := cpuTime()
	for r := range inventory.Scan(t.Context(), cfg, "a") {
		if r.Err != nil {
			_ = r.Err.Error()
		}
	}
	took := cpuTime() - start
	metrics.Read(sample)
	return cost{took, sample[0].Value.Uint64() - before}
}

// slower reports whether another cost is more than so many times this one, what any
// scan takes aside.
func (c cost) slower(other cost, times float64) bool {
	const least, leastMemory = 100 * time.Microsecond, 512 << 10
	return other.time.Seconds() > times*max(c.time, least).Seconds() ||
		float64(other.memory) > times*float64(max(c.memory, leastMemory))
}

// What is found deep in XML costs little more than what is not.
func TestDepthOfXMLCostsLittle(t *testing.T) {
	const unit = "<b><BinarySecurityToken>MIGAMIIBAAAA</BinarySecurityToken></b>"
	deep := func(depth int) cost {
		begin := "<x><X509Certificate>" + inBase64(pkioverheid.PrivateG1.Root()) + "</X509Certificate>"
		text := begin + strings.Repeat("<a use='signing'>", depth) + strings.Repeat(unit, 128<<10/len(unit)) + strings.Repeat("</a>", depth) + "</x>"
		return scanCost(t, []byte(text))
	}
	flat, deepest := deep(10), deep(120)
	t.Log(flat, deepest)
	if flat.memory*2 < deepest.memory {
		t.Errorf("120 deep allocates %d KiB, 10 deep %d KiB", deepest.memory>>10, flat.memory>>10)
	}
}
