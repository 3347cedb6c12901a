package main

import (
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
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
		chains = append(chains, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki.Issue(pkiotest.Leaf{}).Leaf.Raw}))
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

// With two CPUs the inventory of 100,000 files takes at most 0.7 of the time with one:
// medians of five in turns. Where other programs take the CPUs, it says so, and the ratio
// is not judged.
func TestTwoCPUsAreFasterThanOne(t *testing.T) {
	if os.Getenv("THOROUGH") == "" {
		t.Skip("THOROUGH=1 runs it: it takes some minutes, and a machine that does nothing else")
	}
	taskset, err := exec.LookPath("taskset")
	require.NoError(t, err)
	require.GreaterOrEqual(t, runtime.NumCPU(), 2)
	const files = 100_000
	dir := manyFiles(t, files)
	one := turns{cpus: "0"}
	two := turns{cpus: "0,1"}
	for range 5 {
		for _, these := range []*turns{&one, &two} {
			busy, start := busyTime(t), time.Now()
			out, own := beamRunOn(t, []string{taskset, "-c", these.cpus}, filepath.Join(dir, "**"))
			these.took = append(these.took, time.Since(start))
			these.others += busyTime(t) - busy - own
			all, notRead := findings(t, out)
			assert.Len(t, all, files/100)
			assert.Empty(t, notRead)
		}
	}
	ratio := float64(two.median()) / float64(one.median())
	others := float64(one.others+two.others) / float64(2*(one.sum()+two.sum()))
	t.Logf("one CPU %v of %v, two %v of %v: %.2f; others took %.0f%% of the CPUs", one.median(), one.took, two.median(), two.took, ratio, 100*others)
	if others > 0.1 {
		t.Log("the machine is busy: the ratio is not judged")
		return
	}
	assert.LessOrEqual(t, ratio, 0.7)
}

// turns are runs on some CPUs.
type turns struct {
	cpus   string
	took   []time.Duration
	others time.Duration // CPU time that other programs took
}

func (r *turns) median() time.Duration { return slices.Sorted(slices.Values(r.took))[len(r.took)/2] }

func (r *turns) sum() (sum time.Duration) {
	for _, d := range r.took {
		sum += d
	}
	return sum
}

// busyTime is how long the first two CPUs were not idle since the start, other guests of
// the machine among it: proc(5), in hundredths of a second.
func busyTime(t testing.TB) (busy time.Duration) {
	t.Helper()
	stat, err := os.ReadFile("/proc/stat")
	require.NoError(t, err)
	for line := range strings.Lines(string(stat)) {
		f := strings.Fields(line)
		if f[0] != "cpu0" && f[0] != "cpu1" {
			continue
		}
		for i, field := range f[1:9] { // user nice system idle iowait irq softirq steal
			n, err := strconv.Atoi(field)
			require.NoError(t, err)
			if i != 3 && i != 4 {
				busy += time.Duration(n) * 10 * time.Millisecond
			}
		}
	}
	return busy
}
