package pkioverheid_test

import (
	"errors"
	"flag"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

var soakFor = flag.Duration("pkioverheid.soak", 0, "how long TestSoak keeps a server and its clients under load; 0: three seconds, with THOROUGH set only")

// usage is what must stay flat.
type usage struct {
	heap              uint64
	goroutines, files int
}

func usageNow(t *testing.T) usage {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return usage{m.HeapAlloc, runtime.NumGoroutine(), len(files)}
}

// TestSoak replaces key pairs, roots, distrusted entries and CRLs of a server and its
// clients under load, each every second. No request may be lost, nobody whose certificate
// is always among the distrusted may get in, and memory, goroutines and files must stay what
// they were after a third of the time.
func TestSoak(t *testing.T) {
	lasting := *soakFor
	if lasting == 0 {
		if !thorough {
			t.Skip("THOROUGH or -pkioverheid.soak is not set")
		}
		lasting = 3 * time.Second
	}
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	other := pkiotest.New(pkioverheid.PrivateG4TLS)
	one, both := g1.Roots(), g1.Roots()
	for cert := range other.Roots().All() {
		both.Add(cert)
	}
	checker, err := crl.NewChecker(pkiotest.CRLConfig(g1, other))
	require.NoError(t, err)
	defer checker.Close()
	quiet := slog.New(slog.DiscardHandler)
	distrusted := new(pkioverheid.Distrusted)
	strange := g1.Issue(pkiotest.Leaf{OIN: someOIN})
	always := pkioverheid.DistrustedEntry{Certificate: truststore.FingerprintOf(strange.Leaf)}
	require.NoError(t, distrusted.Set(always))
	serverRoots, clientRoots := truststore.NewSource(one), truststore.NewSource(one)
	serverPair, clientPair := g1.KeyPair(pkiotest.Leaf{}), g1.KeyPair(pkiotest.Leaf{OIN: someOIN})
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{
		Trust:    pkioverheid.Trust{Roots: serverRoots, Distrusted: distrusted, Revocation: checker, Time: g1.Time, Logger: quiet},
		KeyPairs: []*pkioverheid.KeyPair{serverPair},
	}, pkioverheid.AllowOIN(someOIN))
	require.NoError(t, err)
	ts := httptest.NewUnstartedServer(server.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	})))
	ts.TLS = server.TLSConfigForHandler()
	ts.EnableHTTP2 = true
	ts.Config.ErrorLog = log.New(io.Discard, "", 0)
	ts.StartTLS()
	defer ts.Close()
	url := strings.Replace(ts.URL, "127.0.0.1", "localhost", 1)

	end := time.Now().Add(lasting)
	var requests, lost atomic.Int64
	var work sync.WaitGroup
	for i := range 4 {
		client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{
			Trust:    pkioverheid.Trust{Roots: clientRoots, Distrusted: distrusted, Revocation: checker, Time: g1.Time, Logger: quiet},
			KeyPairs: []*pkioverheid.KeyPair{clientPair},
		})
		require.NoError(t, err)
		defer client.CloseIdleConnections()
		work.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				if err := askHello(client, url); err != nil {
					lost.Add(1)
					t.Errorf("request %d of client %d: %v", n, i, err)
				}
				requests.Add(1)
				if n%20 == 0 {
					client.CloseIdleConnections()
				}
				time.Sleep(time.Millisecond) // so that the machine does other things too
			}
		})
	}

	strangePair, err := pkioverheid.NewKeyPair(strange)
	require.NoError(t, err)
	stranger, err := pkioverheid.NewClient(pkioverheid.ClientConfig{
		Trust:    pkioverheid.Trust{Roots: clientRoots, Time: g1.Time, Logger: quiet},
		KeyPairs: []*pkioverheid.KeyPair{strangePair},
	})
	require.NoError(t, err)
	defer stranger.CloseIdleConnections()
	refused := 0

	var early usage
	replacements := 0
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for time.Now().Before(end) {
		<-every.C
		replacements++
		assert.NoError(t, serverPair.Set(g1.Issue(pkiotest.Leaf{})))
		assert.NoError(t, clientPair.Set(g1.Issue(pkiotest.Leaf{OIN: someOIN})))
		roots := one
		if replacements%2 == 0 {
			roots = both
		}
		assert.NoError(t, serverRoots.Set(roots))
		assert.NoError(t, clientRoots.Set(roots))
		g1.Revoke(g1.Issue(pkiotest.Leaf{}).Leaf, crl.KeyCompromise)
		assert.NoError(t, distrusted.Set(always, pkioverheid.DistrustedEntry{Certificate: truststore.FingerprintOf(g1.Issue(pkiotest.Leaf{}).Leaf)}))
		if assert.Error(t, askHello(stranger, url), "whose certificate is distrusted") {
			refused++
		}
		if early.heap == 0 && time.Until(end) < lasting*2/3 {
			early = usageNow(t)
		}
	}
	work.Wait()
	late := usageNow(t)
	t.Logf("%d requests, %d lost, %d replacements of each kind and as many refused in %v; after a third of the time and at the end: heap %d and %d KiB, goroutines %d and %d, files %d and %d",
		requests.Load(), lost.Load(), refused, lasting, early.heap>>10, late.heap>>10, early.goroutines, late.goroutines, early.files, late.files)
	assert.Zero(t, lost.Load())
	assert.Equal(t, replacements, refused)
	assert.Less(t, late.heap, early.heap+early.heap/2+8<<20)
	assert.LessOrEqual(t, late.goroutines, early.goroutines+8)
	assert.LessOrEqual(t, late.files, early.files+8)
}

func askHello(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && string(body) != "hello" {
		err = errors.New(resp.Status + ": " + string(body))
	}
	return err
}
