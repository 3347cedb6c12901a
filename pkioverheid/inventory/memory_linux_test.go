//go:build !race

package inventory_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
)

// memoryChild names the file that a child process of the test reads.
const memoryChild = "INVENTORY_TEST_MEMORY"

// TestALargeTextTakesTwiceItsLimitAtMost reads texts of nearly MaxFileSize, each in a
// process of its own: what it takes at most is known of a process only.
func TestALargeTextTakesTwiceItsLimitAtMost(t *testing.T) {
	if path := os.Getenv(memoryChild); path != "" {
		before := peakMemory(t)
		found := 0
		for r := range inventory.Scan(t.Context(), inventory.Config{Parallel: 1}, path) {
			if r.Certificate != nil {
				found++
			}
		}
		fmt.Printf("found %d, peak %d\n", found, peakMemory(t)-before)
		return
	}
	const size, most = 60 << 20, 2 * 64 << 20
	cert := pemOf(pkioverheid.PrivateG1.Root())
	line := strings.Repeat("x", 63) + "\n"
	inBase64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	short := []string{"UTF-16", "text that speaks of PEM", "PEM in base64, on one line"} // all of them with THOROUGH
	for name, c := range map[string]struct {
		begin, over, end string
		wide             bool
		found            int
	}{
		"UTF-16":                               {"", line, cert, true, 1},
		"UTF-16, of three bytes each in UTF-8": {"", strings.Repeat("証", 63) + "\n", cert, true, 1},
		"UTF-16 with nothing in it":            {"", line, "", true, 0},
		"UTF-16 of PEM":                        {"", cert, "", true, -1},
		"UTF-16 of HTML":                       {"<html>\n", line, strings.ReplaceAll(cert, "\n", "&#10;"), true, 1},
		"text":                                 {"", line, cert, false, 1},
		"text that speaks of PEM":              {"-----BEGIN \n", line, "", false, 0},
		"one block of PEM":                     {"-----BEGIN CERTIFICATE-----\n", line, "-----END CERTIFICATE-----\n", false, 0},
		"base64 alone":                         {"MIIB\n", line, "", false, 0},
		"one block of PEM with blanks":         {"-----BEGIN CERTIFICATE-----\n", "  " + line, "-----END CERTIFICATE-----\n", false, 0},
		"base64 alone, with blanks":            {"MIIB\n", "  " + line, "", false, 0},
		"PEM in base64, in lines with blanks":  {"x:\n  " + inBase64("-----BEGIN CERTIFICATE-----\n"+line[:29]) + "\n", "  " + inBase64(line[:57]) + "\n", "", false, 0},
		"PEM in base64, on one line":           {"x: " + inBase64(cert+"  "[:(3-len(cert)%3)%3]), inBase64(line + "##"), inBase64(cert), false, 2},
		"HTML with numbers for ends of lines":  {"<html>\n" + strings.ReplaceAll(cert, "\n", "&#10;"), "<br>&#13;&#10;", "", false, 1},
	} {
		if !thorough && !slices.Contains(short, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a")
			writeLarge(t, path, size, c.begin, c.over, c.end, c.wide)
			cmd := exec.Command(os.Args[0], "-test.run=^TestALargeTextTakesTwiceItsLimitAtMost$")
			cmd.Env = append(os.Environ(), memoryChild+"="+path)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			var found, peak int
			_, err = fmt.Sscanf(string(out), "found %d, peak %d\n", &found, &peak)
			require.NoError(t, err, "%s", out)
			t.Logf("found %d, %d MiB", found, peak>>20)
			if c.found >= 0 {
				assert.Equal(t, c.found, found)
			}
			assert.LessOrEqual(t, peak, most)
		})
	}
}

// writeLarge writes a text of a size in which a part is over and over.
func writeLarge(t *testing.T, path string, size int, begin, over, end string, wide bool) {
	encoded := func(s string) []byte { return []byte(s) }
	mark := ""
	if wide {
		encoded = func(s string) []byte { return utf16Of(s)[len("\xff\xfe"):] }
		mark = "\xff\xfe"
	}
	f, err := os.Create(path)
	require.NoError(t, err)
	w := bufio.NewWriter(f)
	_, _ = w.WriteString(mark)
	_, _ = w.Write(encoded(begin))
	part := encoded(over)
	if wide && over[0] > 0x80 {
		size = size / 3 * 2
	}
	for n := len(encoded(begin)) + len(encoded(end)); n+len(part) <= size; n += len(part) {
		_, _ = w.Write(part)
	}
	_, _ = w.Write(encoded(end))
	require.NoError(t, w.Flush())
	require.NoError(t, f.Close())
}

// peakMemory is the most that this process has had, in bytes.
func peakMemory(t *testing.T) int {
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	require.True(t, ok)
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return kilobytes << 10
}
