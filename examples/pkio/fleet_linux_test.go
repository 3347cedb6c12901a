package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	model "github.com/go-pkioverheid/trust/examples/internal/audit"
)

// writeRuns writes the runs of so many machines, each with so many certificates, of which
// each is on forty machines.
func writeRuns(t testing.TB, dir string, machines, each int) (paths []string) {
	t.Helper()
	const on = 40
	distinct := machines * each / on
	for m := range machines {
		a := &audit{Audit: model.Audit{Version: formatVersion, Run: auditRun{Machine: fmt.Sprintf("web%04d.example", m), Tool: "v0.9.0", CAs: "2026-11-01",
			Start: time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC), At: time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC), Targets: []string{"/"}}}}
		for i := range each {
			n := (m/on*each + i) % distinct
			hash := sha256.Sum256(fmt.Append(nil, n))
			a.Certificates = append(a.Certificates, &certificate{
				SHA256: hex.EncodeToString(hash[:]), Do: classLater, Deadline: "2027-12-31",
				Name:    fmt.Sprintf("service%d.example", n),
				Subject: fmt.Sprintf("SERIALNUMBER=00000003271987420000,CN=service%d.example,O=Voorbeeld B.V.,L='s-Gravenhage,C=NL", n),
				Issuer:  "CN=KPN PKIoverheid Private Services CA - G1,O=KPN B.V.,C=NL", Serial: hex.EncodeToString(hash[:16]),
				NotBefore: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC),
				DNSNames: []string{fmt.Sprintf("service%d.example", n)}, KeyType: "RSA", KeyBits: 4096, SignatureAlgorithm: "SHA256-RSA",
				Hierarchy: "private-g1", Role: "end-entity", TSP: "KPN", OIN: "00000003271987420000", RecognisedBy: "issuer",
				Status: "ending", State: model.Trusted, Replacement: "private-g4-tls", Supplier: "KPN",
				Advice: "Ask KPN for a certificate under Private G4, and replace it before 2028: no certificate of Private G1 verifies after 12 November 2028.",
				Places: []place{{Target: "/", Path: fmt.Sprintf("/etc/ssl/services/service%d.example/fullchain.pem", n), Place: "line 1", Format: "pem", Use: "certificate file"}},
			})
		}
		path := filepath.Join(dir, a.Run.Machine+".json")
		require.NoError(t, os.WriteFile(path, a.json(), 0o600))
		paths = append(paths, path)
	}
	return paths
}

// TestAReportOfAThousandRuns bounds its time and memory.
func TestAReportOfAThousandRuns(t *testing.T) {
	machines, each := 100, 100
	if thorough {
		machines, each = 1000, 1000
	}
	pkio, err := exec.LookPath("pkio") // the test itself, as scripts have it
	require.NoError(t, err)
	dir := t.TempDir()
	paths := writeRuns(t, dir, machines, each)
	var total int64
	for _, p := range paths {
		info, err := os.Stat(p)
		require.NoError(t, err)
		total += info.Size()
	}
	forgetMemory(t)
	cmd := exec.Command(pkio, append([]string{"report", "--json"}, paths...)...)
	cmd.Dir = dir
	out, err := os.Create(filepath.Join(dir, "report"))
	require.NoError(t, err)
	defer out.Close()
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &errs
	start := time.Now()
	err = cmd.Run()
	took := time.Since(start)
	require.NotNil(t, cmd.ProcessState, err)
	assert.Equal(t, statusFinding, cmd.ProcessState.ExitCode(), errs.String())
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	t.Logf("%d runs of %d certificates, %d MB: %v, %v of CPU, %d MB of memory", machines, each, total>>20, took.Round(time.Millisecond), cpu.Round(time.Millisecond), usage.Maxrss>>10)
	assert.Less(t, usage.Maxrss>>10, int64(300), "MB")
	assert.Less(t, cpu, 40*time.Second, "20 s on two cores")
	data, err := os.ReadFile(filepath.Join(dir, "report"))
	require.NoError(t, err)
	assert.Equal(t, machines*each/40, bytes.Count(data, []byte(`{"sha256":`)))
	assert.Equal(t, machines*each, bytes.Count(data, []byte(`{"machine":"web`))-machines)
}
