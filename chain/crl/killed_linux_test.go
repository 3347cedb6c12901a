package crl_test

import (
	"bufio"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
)

// TestKilledChecker is the process that TestAKilledCheckerLeavesWholeLists kills. Until
// then it fetches newer and newer lists, and says after each that it is in the cache.
func TestKilledChecker(t *testing.T) {
	dir := os.Getenv("CRL_TEST_KILLED")
	if dir == "" {
		return
	}
	s := newSite(t)
	l := newLayers(s.URL)
	var many []x509.RevocationListEntry // so that a file is some 70 KB
	for serial := range int64(2000) {
		many = append(many, revoked(1000+serial, hourAgo, crl.KeyCompromise))
	}
	for i := 1; ; i++ {
		for path, a := range map[string]authority{"/root.crl": l.root, "/domain.crl": l.domain, "/issuing.crl": l.issuing} {
			s.serve(path, a.list(numbered(int64(i)), revoking(many...)))
		}
		c := newChecker(t, s, func(cfg *crl.Config) { cfg.Cache = dir })
		for statusOf(c, "/issuing.crl").Number != strconv.Itoa(i) {
			require.NoError(t, c.Policy(l.chain(), now))
			time.Sleep(time.Millisecond)
		}
		require.NoError(t, c.Close())
		fmt.Println(i)
	}
}

func TestAKilledCheckerLeavesWholeLists(t *testing.T) {
	kills := 5
	switch os.Getenv("THOROUGH") {
	case "":
	case "all":
		kills = 1000
	default:
		kills = 50
	}
	var lists, left int
	for range kills {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChecker$")
		cmd.Env = append(os.Environ(), "CRL_TEST_KILLED="+dir, "GORACE=atexit_sleep_ms=0")
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		assert.True(t, lines.Scan())
		first := time.Now()
		assert.True(t, lines.Scan())
		time.Sleep(rand.N(time.Since(first))) // some moment of the next lists, on a slow machine too
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() {
		}
		require.Error(t, cmd.Wait())
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			if matched, _ := filepath.Match(".truststore-*.tmp", e.Name()); matched {
				left++
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			require.NoError(t, err)
			_, err = crl.Parse(data)
			assert.NoError(t, err, e.Name())
			lists++
		}
	}
	t.Logf("%d kills: %d whole lists, %d temporary files left", kills, lists, left)
	assert.NotZero(t, lists)
	if kills >= 1000 {
		assert.NotZero(t, left, "no kill hit a write: the test proves nothing")
	}
}
