package pkioverheid_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// renewalProgram is what is around the README's code in a program of its own. As a server
// it takes over a socket; as a client it says what came of each request.
const renewalProgram = `package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func fixtures(trace *pkioverheid.Trace) pkioverheid.Trust {
	trust := pkiotest.Trust(pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS))
	trust.Trace = trace
	return trust
}

func start(ctx context.Context, handler http.Handler, day time.Time) (*http.Server, error) {
%s
}

func main() {
	ctx := context.Background()
	if os.Args[1] == "server" {
		server, err := start(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}), time.Now().Add(time.Hour))
		if err != nil {
			log.Fatal(err)
		}
		listener, err := net.FileListener(os.NewFile(3, "socket"))
		if err != nil {
			log.Fatal(err)
		}
		log.Fatal(server.ServeTLS(listener, "", ""))
	}
	if os.Args[1] == "rest" {
		files := pkioverheid.KeyPairFiles{Cert: "g1.pem", Key: "g1.key", PasswordFile: "password"}
		if _, err := pkioverheid.WatchKeyPair(ctx, files, truststore.WithInterval(100*time.Millisecond)); err != nil {
			log.Fatal(err)
		}
		time.Sleep(time.Hour)
	}
	g1, err := pkioverheid.WatchKeyPair(ctx, pkioverheid.KeyPairFiles{Cert: "g1.pem", Key: "g1.key"})
	if err != nil {
		log.Fatal(err)
	}
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: fixtures(nil), KeyPairs: []*pkioverheid.KeyPair{g1}})
	if err != nil {
		log.Fatal(err)
	}
	for {
		resp, err := client.Get(os.Args[2])
		if err != nil {
			fmt.Printf("lost %%v\n", err)
			continue
		}
		shown, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 {
			fmt.Printf("lost %%s %%v\n", resp.Status, err)
			continue
		}
		fmt.Printf("%%s\n", shown)
		time.Sleep(2 * time.Millisecond)
	}
}
`

// buildRenewalProgram makes a program of the README's code, which trusts fixtures.
func buildRenewalProgram(t *testing.T) (path string) {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(readme), "\n## Renewal and alerts\n")
	require.True(t, found)
	code := string(regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(section)[1])
	const trust = "pkioverheid.Trust{Trace: trace}"
	require.Equal(t, 1, strings.Count(code, trust))
	code = strings.Replace(code, trust, "fixtures(trace)", 1)
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(source, fmt.Appendf(nil, renewalProgram, code), 0o600))
	path = filepath.Join(dir, "renewal")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, source).CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// renewed is the folder of a program whose files are replaced.
type renewed struct{ folder }

// newRenewed lays the files out as Kubernetes does.
func newRenewed(t *testing.T, a *pkiotest.Authority, l pkiotest.Leaf) (*renewed, *big.Int) {
	t.Helper()
	r := &renewed{folder(t.TempDir())}
	first := a.Issue(l)
	r.version(t, "..1", first)
	require.NoError(t, os.Symlink("..1", r.path("..data")))
	for _, name := range []string{"g1.pem", "g1.key"} {
		require.NoError(t, os.Symlink(filepath.Join("..data", name), r.path(name)))
	}
	return r, first.Leaf.SerialNumber
}

func (r *renewed) version(t *testing.T, name string, pair tls.Certificate) {
	t.Helper()
	sub := folder(r.path(name))
	require.NoError(t, os.Mkdir(string(sub), 0o755))
	sub.pair(t, "g1", pair)
}

// replacements are ways to replace the files, in this order.
var replacements = []struct {
	name string
	by   func(t *testing.T, r *renewed, pair tls.Certificate)
}{
	{"a Kubernetes link", func(t *testing.T, r *renewed, pair tls.Certificate) {
		r.version(t, "..2", pair)
		require.NoError(t, os.Symlink("..2", r.path("..new")))
		require.NoError(t, os.Rename(r.path("..new"), r.path("..data")))
	}},
	{"mv", func(t *testing.T, r *renewed, pair tls.Certificate) {
		r.pair(t, "next", pair)
		for _, name := range []string{"key", "pem"} {
			written(t, "mv", r.path("next."+name), r.path("g1."+name))
		}
	}},
	{"a copy that is half-written for two seconds", func(t *testing.T, r *renewed, pair tls.Certificate) {
		whole := inPEM("CERTIFICATE", pair.Certificate...)
		r.put(t, "g1.pem", whole[:len(whole)/3])
		time.Sleep(2 * time.Second)
		r.put(t, "g1.key", keyOf(t, pair))
		r.put(t, "g1.pem", whole)
	}},
}

// watchInterval is how often the program looks, with what it waits for a file to be whole
// and room for a machine under load.
const watchInterval = 10*time.Second + 250*time.Millisecond + 2*time.Second

// run starts the program in the folder.
func (r *renewed) run(t *testing.T, program string, change func(*exec.Cmd), args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = string(r.folder)
	said := new(record)
	cmd.Stderr = said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what strace runs outlives it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	change(cmd)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the program wrote:\n%s", said)
		}
	})
}

func TestTheREADMEsServerIsRenewedBehindNginxAndLosesNothing(t *testing.T) {
	if !thorough {
		t.Skip("THOROUGH is not set")
	}
	t.Parallel()
	program(t, "nginx")
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	r, serial := newRenewed(t, g1, pkiotest.Leaf{OIN: someOIN})
	cert, key := r.pair(t, "g4", g4.Issue(pkiotest.Leaf{}))
	r.put(t, "g4.password", []byte("secret\n"))
	written(t, "openssl", "pkcs12", "-export", "-in", cert, "-inkey", key, "-out", r.path("g4.p12"), "-passout", "pass:secret")
	socket, port := listening(t)
	r.run(t, buildRenewalProgram(t), func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{socket} }, "server")
	require.NoError(t, socket.Close())

	// nginx calls it, with a connection and a handshake for each request.
	files := folder(t.TempDir())
	callerCert, callerKey := files.pair(t, "caller", g1.Issue(pkiotest.Leaf{OIN: someOIN}))
	front := nginxWith(t, g1.Issue(pkiotest.Leaf{}), fmt.Sprintf(`proxy_pass https://127.0.0.1:%s; proxy_ssl_verify on; proxy_ssl_verify_depth 4;
		proxy_ssl_trusted_certificate %s; proxy_ssl_certificate %s; proxy_ssl_certificate_key %s; proxy_ssl_name localhost; proxy_ssl_server_name on;`,
		port, files.root(t, g1), callerCert, callerKey), "ssl_verify_client off")
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: g1.Roots().CertPool()}}}
	var requests, lost atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				requests.Add(1)
				resp, err := client.Get(front)
				if err != nil {
					lost.Add(1)
					t.Log(err)
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					lost.Add(1)
					t.Log(resp.Status)
				}
			}
		})
	}
	address := "127.0.0.1:" + port
	resuming := &tls.Config{
		RootCAs: g1.Roots().CertPool(), ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(1),
		Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{OIN: someOIN})},
	}
	shown := func(name string, resume bool) *big.Int {
		if !resume {
			serial, err := serialAt(address, name)
			require.NoError(t, err)
			return serial
		}
		conn, err := tls.Dial("tcp", address, resuming)
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, conn)
		return conn.ConnectionState().PeerCertificates[0].SerialNumber
	}
	all := func(serial *big.Int) bool {
		return shown("localhost", false).Cmp(serial) == 0 && shown("", false).Cmp(serial) == 0 && shown("localhost", true).Cmp(serial) == 0
	}
	require.Eventually(t, func() bool { return all(serial) }, 20*time.Second, 50*time.Millisecond)
	for _, c := range replacements {
		next := g1.Issue(pkiotest.Leaf{OIN: someOIN})
		c.by(t, r, next)
		begun := time.Now()
		require.Eventually(t, func() bool { return all(next.Leaf.SerialNumber) }, watchInterval, 50*time.Millisecond, c.name)
		t.Logf("%s: the new certificate is shown after %v, %d requests, %d lost", c.name, time.Since(begun).Round(time.Millisecond), requests.Load(), lost.Load())
	}
	close(stop)
	callers.Wait()
	assert.Zero(t, lost.Load())
	assert.Greater(t, requests.Load(), int64(1000))
}

func TestAClientIsRenewedAtNginxAndLosesNothing(t *testing.T) {
	if !thorough {
		t.Skip("THOROUGH is not set")
	}
	t.Parallel()
	program(t, "nginx")
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	r, _ := newRenewed(t, g1, pkiotest.Leaf{OIN: someOIN})
	url := nginxWith(t, g1.Issue(pkiotest.Leaf{}), `return 200 "$ssl_client_verify $ssl_client_serial $ssl_session_reused";`,
		"ssl_client_certificate "+r.root(t, g1), "ssl_verify_depth 4", "ssl_session_cache shared:s:1m", "keepalive_requests 3")
	var mu sync.Mutex
	var answers, lost int
	var last string
	reused := make(map[string]int)
	r.run(t, buildRenewalProgram(t), func(cmd *exec.Cmd) {
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		go func() {
			for lines := bufio.NewScanner(out); lines.Scan(); {
				mu.Lock()
				answers++
				verified, rest, _ := strings.Cut(lines.Text(), " ")
				serial, resumed, _ := strings.Cut(rest, " ")
				if verified != "SUCCESS" {
					lost++
					t.Log(lines.Text())
				} else {
					last = strings.ToLower(serial)
					reused[resumed]++
				}
				mu.Unlock()
			}
		}()
	}, "client", url)
	for _, c := range replacements {
		next := g1.Issue(pkiotest.Leaf{OIN: someOIN})
		c.by(t, r, next)
		begun, want := time.Now(), strings.TrimLeft(next.Leaf.SerialNumber.Text(16), "0")
		require.Eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.TrimLeft(last, "0") == want
		}, watchInterval, 10*time.Millisecond, c.name)
		mu.Lock()
		t.Logf("%s: the new certificate is shown after %v, %d requests, %d lost, resumed: %v", c.name, time.Since(begun).Round(time.Millisecond), answers, lost, reused)
		mu.Unlock()
	}
	mu.Lock()
	defer mu.Unlock()
	assert.Zero(t, lost)
	assert.Greater(t, answers, 500)
	assert.Greater(t, reused["r"], 10, "sessions are resumed, and not with the old certificate")
}

// strace counts what the program asks of the system.
func TestAKeyPairAtRestCostsThreeStatsAnInterval(t *testing.T) {
	if !thorough {
		t.Skip("THOROUGH is not set")
	}
	t.Parallel()
	strace := program(t, "strace")
	r, _ := newRenewed(t, pkiotest.New(pkioverheid.PrivateG1), pkiotest.Leaf{})
	r.put(t, "password", []byte("secret"))
	trace := r.path("trace")
	r.run(t, strace, func(*exec.Cmd) {}, "-f", "-ttt", "-e", "trace=%file", "-o", trace, buildRenewalProgram(t), "rest")
	const window = 5
	time.Sleep(5*time.Second + window*time.Second) // after the first looks
	text, err := os.ReadFile(trace)
	require.NoError(t, err)
	calls := regexp.MustCompile(`(?m)^\d+ +(\d+\.\d+) (\w+)\((.*)$`).FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, calls)
	last, err := strconv.ParseFloat(calls[len(calls)-1][1], 64)
	require.NoError(t, err)
	counts, looks := make(map[string]int), 0
	for _, c := range calls {
		at, err := strconv.ParseFloat(c[1], 64)
		require.NoError(t, err)
		if at < last-window {
			continue
		}
		name := c[2]
		if strings.Contains(name, "stat") {
			name = "stat"
		}
		counts[name]++
		if strings.Contains(c[3], "g1.pem") {
			looks++
		}
	}
	t.Log(counts, looks)
	assert.InDelta(t, window*10, looks, window*4, "it looks every tenth of a second")
	assert.LessOrEqual(t, counts["stat"], 3*looks+3)
	for name, n := range counts {
		if name != "stat" {
			assert.Less(t, n, looks/2, "%s: nothing else is asked at each look", name)
		}
	}
}
