package main

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
)

// Text of any size is read with bounded memory, from a file and from standard input, and
// a certificate across the border of two parts of it is found.
func TestALogOf300MBIsRead(t *testing.T) {
	if !thorough {
		t.Skip("set THOROUGH=1 to read 300 MB")
	}
	const size, part = 300 << 20, 16 << 20
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pkioverheid.G3.Certificates()[2].Raw})
	line := "2026-11-28 12:00:00 INFO nothing happened here"
	line += strings.Repeat(".", 63-len(line)) + "\n"
	path := filepath.Join(t.TempDir(), "app.log")
	f, err := os.Create(path)
	require.NoError(t, err)
	write := func(data []byte, times int) { // not all at once: the child's memory begins with ours
		for range times {
			_, err := f.Write(data)
			require.NoError(t, err)
		}
	}
	lines := []byte(strings.Repeat(line, 1<<10))
	write(lines, part/len(lines)-1)
	write([]byte(line), (len(lines)-len(cert)/2)/len(line))
	write(cert, 1)
	write(lines, (size-part)/len(lines))
	write(cert, 1)
	require.NoError(t, f.Close())
	for name, args := range map[string][]string{"a file": {"audit", path, "--all"}, "standard input": {"audit", "-", "--all"}} {
		t.Run(name, func(t *testing.T) {
			in, err := os.Open(path)
			require.NoError(t, err)
			defer in.Close()
			forgetMemory(t)
			cmd := exec.Command("pkio", args...)
			cmd.Stdin = in
			out, err := cmd.Output()
			require.ErrorContains(t, err, "exit status 1")
			assert.Contains(t, string(out), "1 certificate in 2 places", "%s", out)
			used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			require.True(t, ok)
			t.Logf("%d MB, %v", used.Maxrss>>10, cmd.ProcessState.UserTime())
			assert.Less(t, used.Maxrss>>10, int64(150), "MB of memory")
		})
	}
}

// forgetMemory gives memory back and has Linux forget how much there was (proc(5),
// clear_refs): the peak of a child process begins with that of its parent.
func forgetMemory(t testing.TB) {
	t.Helper()
	debug.FreeOSMemory()
	require.NoError(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
}
