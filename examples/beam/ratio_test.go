package main

import (
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// manyFiles makes files in folders, a tenth of them with certificates of servers, each of
// which is in ten places.
func manyFiles(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	pki := pkiotest.New(pkioverheid.PrivateG4TLS)
	var chains [][]byte
	for range n / 100 {
		chains = append(chains, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki.Issue().Leaf.Raw}))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		folder := filepath.Join(dir, fmt.Sprintf("server%03d", i/1000))
		if i%1000 == 0 {
			require.NoError(t, os.Mkdir(folder, 0o700))
		}
		text := []byte(strings.Repeat(fmt.Sprintf("key%d = value%d\n", random.IntN(1000), i), 40+random.IntN(100)))
		if i%10 == 0 {
			text = chains[i/10%len(chains)]
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, fmt.Sprintf("file%d.conf", i)), text, 0o600))
	}
	return dir
}

// With two CPUs the inventory of 100,000 files takes at most 0.7 of the time with one. It is
// measured in turns, on a machine that does nothing else: RATIO=1.
func TestTwoCPUsAreFasterThanOne(t *testing.T) {
	taskset, err := exec.LookPath("taskset")
	if os.Getenv("RATIO") == "" || err != nil {
		t.Skip("RATIO=1 measures it, with taskset")
	}
	const files = 100_000
	dir := manyFiles(t, files)
	took := map[string][]time.Duration{}
	for range 5 {
		for _, cpus := range []string{"0", "0,1"} {
			start := time.Now()
			out := beamRunOn(t, []string{taskset, "-c", cpus}, filepath.Join(dir, "**"))
			took[cpus] = append(took[cpus], time.Since(start))
			all, notRead := findings(t, out)
			assert.Len(t, all, files/100)
			assert.Empty(t, notRead)
		}
	}
	for cpus, all := range took {
		slices.Sort(all)
		t.Logf("CPUs %s: median %.2f s of %v", cpus, all[2].Seconds(), all)
	}
	load, _ := os.ReadFile("/proc/loadavg")
	ratio := took["0,1"][2].Seconds() / took["0"][2].Seconds()
	t.Logf("ratio %.2f, load %s", ratio, load)
	assert.LessOrEqual(t, ratio, 0.7)
}
