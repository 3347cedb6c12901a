package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAKilledAuditLeavesWholeFiles kills audits while they write the saved run, the report
// and the metrics over those of the run before.
func TestAKilledAuditLeavesWholeFiles(t *testing.T) {
	kills := 50
	switch os.Getenv("THOROUGH") {
	case "":
		t.Skip("THOROUGH is not set")
	case "all":
		kills = 1000
	}
	pkio, err := exec.LookPath("pkio") // the test itself, as scripts have it
	require.NoError(t, err)
	dir := t.TempDir()
	audit := func() *exec.Cmd {
		return exec.Command(pkio, "audit", "../../pkioverheid/certs",
			"--save", filepath.Join(dir, "run.json"), "--html", filepath.Join(dir, "report.html"), "--prometheus", filepath.Join(dir, "pkio.prom"))
	}
	began := time.Now()
	_ = audit().Run() // its status says what must be replaced
	took := time.Since(began)
	before := map[string][]byte{}
	for _, name := range []string{"run.json", "report.html", "pkio.prom"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		before[name] = data
	}

	var replaced, left int
	for range kills {
		cmd := audit()
		require.NoError(t, cmd.Start())
		time.Sleep(took/2 + rand.N(took))
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		for name, old := range before {
			data, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			if !bytes.Equal(data, old) {
				replaced++
				before[name] = data
			}
			switch name {
			case "run.json":
				assert.True(t, json.Valid(data), "%d bytes of JSON", len(data))
			case "report.html":
				assert.True(t, strings.HasSuffix(strings.TrimSpace(string(data)), "</html>"), "%d bytes of HTML", len(data))
			case "pkio.prom":
				assert.Equal(t, strings.Count(string(old), "\n"), strings.Count(string(data), "\n"), "lines of metrics")
			}
		}
		temps, err := filepath.Glob(filepath.Join(dir, ".*.tmp"))
		require.NoError(t, err)
		for _, temp := range temps {
			left++
			require.NoError(t, os.Remove(temp))
		}
	}
	t.Logf("%d kills of an audit of %v: %d files replaced, %d temporary files left", kills, took.Round(time.Millisecond), replaced, left)
	assert.NotZero(t, replaced, "every kill came too early: the test proves nothing")
}
