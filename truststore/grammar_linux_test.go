package truststore

import (
	"encoding/base64"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hostileTexts makes texts of about n bytes from a grammar: what begins and ends
// something, what is between, the end of a line, and where all that is.
func hostileTexts() iter.Seq2[string, func(n int) []byte] {
	marks := []string{
		"-----BEGIN", "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "-----BEGIN PKCS7-----",
		"\"-----BEGIN PRIVATE KEY-----\\nMI", "-----", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "a: b",
		"<a>", "<!--", "<X509Certificate xmlns='http://www.w3.org/2000/09/xmldsig#'>MII</X509Certificate>",
	}
	fillers := []string{"", strings.Repeat(" ", 256), strings.Repeat("A", 64), "\"", "\\n"}
	ends := []string{"", "\n", "\r"}
	nestings := []string{"%s", "-----BEGIN CERTIFICATE-----\nMII%s\n-----END CERTIFICATE-----\n", "{\"a\": \"%s\"}", "<x>%s</x>"}
	return func(yield func(string, func(int) []byte) bool) {
		for _, mark := range marks {
			for _, filler := range fillers {
				for _, end := range ends {
					over := func(unit string, n int) string { return strings.Repeat(unit, n/(len(unit)+1)+1) }
					name := fmt.Sprintf("%.40q and %.8q", mark, filler+end)
					for _, nesting := range nestings {
						text := func(n int) []byte { return fmt.Appendf(nil, nesting, over(mark+filler+end, n)) }
						if !yield(fmt.Sprintf("%s in %.20q", name, nesting), text) {
							return
						}
					}
					flat := func(n int) []byte { return []byte(over(mark+filler+end, n)) }
					if !yield(name+", the second over and over", func(n int) []byte { return []byte(mark + end + over(filler+end, n)) }) ||
						!yield(name+" in base64", func(n int) []byte { return []byte(base64.StdEncoding.EncodeToString(flat(n))) }) ||
						!yield(name+" in UTF-16", func(n int) []byte { return utf16Of(flat(n)) }) {
						return
					}
				}
			}
		}
	}
}

// utf16Of is ASCII in UTF-16.
func utf16Of(text []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, c := range text {
		out = append(out, c, 0)
	}
	return out
}

// TestHostileTextsTakeLinearTimeAndMemory reads each text with n and with 4n bytes:
// what is linear takes 4 times as much, and what is quadratic 16 times. Time is noisy,
// so that what seems too slow is measured again, on more, until it is not.
func TestHostileTextsTakeLinearTimeAndMemory(t *testing.T) {
	n := 16 << 10
	if thorough {
		n *= 8
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	seen := 0
	for name, text := range hostileTexts() {
		small, large := text(n), text(4*n)
		for what, read := range map[string]func([]byte){
			"Entries": func(data []byte) {
				for range Entries(data) {
				}
			},
			"Decode":    func(data []byte) { _, _ = Decode(data, KeepGoing()) },
			"DecodeKey": func(data []byte) { _, _, _ = DecodeKey(data) },
		} {
			if !costOf(small, read).slower(costOf(large, read), 5.5) {
				continue
			}
			small, large := text(8*n), text(32*n)
			for try := 1; ; try++ {
				runtime.GC()
				a, b := costOf(small, read), costOf(large, read)
				if !a.slower(b, 8) {
					break
				}
				if try == 10 {
					t.Errorf("%s of %s: %d bytes take %v, %d bytes take %v", what, name, len(small), a, len(large), b)
					break
				}
			}
		}
		if seen++; seen%100 == 0 {
			runtime.GC()
		}
	}
	t.Logf("%d texts", seen)
}

// cpuTime is that of this process: of others that run, a longer text would meet more.
func cpuTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// cost is what reading took.
type cost struct {
	time   time.Duration
	memory uint64 // all that was allocated
}

func costOf(data []byte, read func([]byte)) cost {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	before := sample[0].Value.Uint64()
	start := cpuTime()
	read(data)
	took := cpuTime() - start
	metrics.Read(sample)
	return cost{took, sample[0].Value.Uint64() - before}
}

// slower reports whether another cost is more than so many times this one, what is
// too small to be measured aside.
func (c cost) slower(other cost, times float64) bool {
	const least, leastMemory = 20 * time.Microsecond, 32 << 10
	return other.time.Seconds() > times*max(c.time, least).Seconds() ||
		float64(other.memory) > times*float64(max(c.memory, leastMemory))
}
