package pkioverheid_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// These tests meet TLS and key files as other programs make them: openssl, nginx,
// curl and GnuTLS. Everything listens on 127.0.0.1 only.

// program finds a program that is not ours. A test that lacks it skips; in CI it fails.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		// Where Debian puts servers, which is not in everybody's PATH.
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and in CI no test may skip", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// longest bounds the life of every program that is started here, should a test
// not end it.
const longest = time.Minute

// execute runs a program until it ends by itself, and returns what it wrote and
// whether it was content.
func execute(t testing.TB, input, name string, args ...string) (output string, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, name), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	require.NoError(t, ctx.Err(), "%s does not end:\n%s", name, out)
	return string(out), err == nil
}

// written runs a program that writes a file.
func written(t testing.TB, name string, args ...string) {
	t.Helper()
	out, ok := execute(t, "", name, args...)
	require.True(t, ok, "%s %s\n%s", name, strings.Join(args, " "), out)
}

// record collects what a program writes while it runs.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// background starts a server and ends it with the test, which logs what the server
// wrote if it failed.
func background(t testing.TB, change func(*exec.Cmd), name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	cmd := exec.CommandContext(ctx, program(t, name), args...)
	cmd.WaitDelay = 5 * time.Second
	said := new(record)
	cmd.Stdout, cmd.Stderr = said, said
	change(cmd)
	if err := cmd.Start(); err != nil {
		cancel()
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // "signal: killed"
		if t.Failed() {
			t.Logf("%s %s wrote:\n%s", name, strings.Join(args, " "), said)
		}
	})
}

// folder is where a test keeps what other programs read.
type folder string

// put writes a file and returns its path. nginx's worker may be somebody else, and
// the keys in it are public anyway.
func (f folder) put(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := f.path(name)
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return path
}

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

func inPEM(kind string, ders ...[]byte) []byte {
	var text []byte
	for _, der := range ders {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	return text
}

// root writes the root of an authority, as an administrator would give it to a server.
func (f folder) root(t testing.TB, a *pkiotest.Authority) string {
	t.Helper()
	return f.put(t, fmt.Sprintf("root-%d.pem", a.Certificates()[0].SerialNumber), inPEM("CERTIFICATE", a.Certificates()[0].Raw))
}

// pair writes a key pair: the certificate with its chain, and the key.
func (f folder) pair(t testing.TB, name string, pair tls.Certificate) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	return f.put(t, name+".pem", inPEM("CERTIFICATE", pair.Certificate...)), f.put(t, name+".key", inPEM("PRIVATE KEY", der))
}

// protocols are the versions of TLS, in everybody's words.
var protocols = []struct {
	version uint16
	name    string
	openssl string
	curl    string
	nginx   string
	gnutls  string
}{
	{tls.VersionTLS12, "TLS 1.2", "-tls1_2", "1.2", "TLSv1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.2"},
	{tls.VersionTLS13, "TLS 1.3", "-tls1_3", "1.3", "TLSv1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3"},
}

// fetch is get for servers that say more than hello.
func fetch(t testing.TB, cfg pkioverheid.ClientConfig, url string) (*http.Response, string, error) {
	t.Helper()
	cfg.AllowUnsuitable = true // what is shown to a server is for it to refuse
	client, err := pkioverheid.NewClient(cfg)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	client.Timeout = 20 * time.Second
	resp, err := client.Get(url)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body), nil
}

// clientPair is the key pair of a client that has what its supplier delivered: its
// certificate and no more. The CAs are for the library to add.
func clientPair(a *pkiotest.Authority, l pkiotest.Leaf) *tls.Certificate {
	l.OIN = cmp.Or(l.OIN, someOIN)
	l.CommonName, l.ClientOnly, l.LeafOnly = "client.example", true, true
	return ptr(a.Issue(l))
}

// sServer starts "openssl s_server", which shows own and answers every request with
// a page about the connection, and returns its URL.
func sServer(t testing.TB, own tls.Certificate, args ...string) string {
	t.Helper()
	dir := folder(t.TempDir())
	leaf := own
	leaf.Certificate = own.Certificate[:1]
	cert, key := dir.pair(t, "own", leaf)
	args = append([]string{"s_server", "-accept", "127.0.0.1:0", "-www", "-cert", cert, "-key", key}, args...)
	if len(own.Certificate) > 1 {
		args = append(args, "-cert_chain", dir.put(t, "chain.pem", inPEM("CERTIFICATE", own.Certificate[1:]...)))
	}
	r, w := io.Pipe()
	background(t, func(cmd *exec.Cmd) { cmd.Stdout = w }, "openssl", args...)
	port := make(chan string, 1)
	go func() {
		defer close(port)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			if address, found := strings.CutPrefix(lines.Text(), "ACCEPT 127.0.0.1:"); found {
				port <- address
			}
		}
	}()
	t.Cleanup(func() { r.Close() })
	select {
	case p := <-port:
		require.NotEmpty(t, p)
		return "https://" + net.JoinHostPort("localhost", p)
	case <-time.After(20 * time.Second):
		require.Fail(t, "openssl s_server does not listen")
		return ""
	}
}

func TestOurClientReachesServersOfOpenSSL(t *testing.T) {
	t.Parallel()
	program(t, "openssl")
	for _, h := range fixtures {
		authority := pkiotest.New(h)
		dir := folder(t.TempDir())
		for _, protocol := range protocols {
			for _, p := range presentations {
				switch p.name {
				case "leaf only", "whole chain", "with the root":
				default:
					continue
				}
				t.Run(fmt.Sprintf("%v/%s/%s", h, protocol.name, p.name), func(t *testing.T) {
					own := present(authority, p)
					url := sServer(t, own, protocol.openssl, "-Verify", "4", "-verify_return_error", "-CAfile", dir.root(t, authority),
						"-attime", strconv.FormatInt(authority.Time().Unix(), 10))
					resp, page, err := fetch(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(authority.Roots()), Time: authority.Time}, KeyPairs: pairs(*clientPair(authority, pkiotest.Leaf{}))}, url)
					require.NoError(t, err)
					assert.Equal(t, protocol.version, resp.TLS.Version)
					assert.Len(t, resp.TLS.PeerCertificates, len(own.Certificate), "openssl adds nothing to it")
					_, about, found := strings.Cut(page, "Client certificate")
					require.True(t, found, page)
					assert.Contains(t, about, "client.example")
					assert.Contains(t, about, string(someOIN))
				})
			}
		}
	}
}

func TestOurClientSaysWhyOpenSSLRefusesItsCertificate(t *testing.T) {
	t.Parallel()
	program(t, "openssl")
	g1, g3, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3), pkiotest.New(pkioverheid.PrivateG4TLS)
	dir := folder(t.TempDir())
	// With -CAfile openssl announces what it trusts, with -verifyCAfile it does not.
	announced := func(a *pkiotest.Authority) []string { return []string{"-CAfile", dir.root(t, a)} }
	unannounced := func(a *pkiotest.Authority) []string {
		return []string{"-no-CAfile", "-no-CApath", "-verifyCAfile", dir.root(t, a)}
	}
	yesterday := pkiotest.Leaf{NotAfter: time.Now().AddDate(0, 0, -1)}
	cases := []struct {
		name  string
		trust []string
		cert  *tls.Certificate
		sent  bool
		words []string
	}{
		{"there is no client certificate", announced(g1), nil, false,
			[]string{`certificates under "Staat der Nederlanden Private Root CA - G1" (Private G1)`, "there is none to send", "ClientConfig.KeyPairs"}},
		{"it announces a root that is not ours", announced(g4), clientPair(g1, pkiotest.Leaf{}), false,
			[]string{`certificates under "Staat der Nederlanden - G4 Root Priv G-TLS - 2024" (Private G4 TLS)`, `"client.example"`, "was not sent", "(Private G1)", "Use a certificate under a CA that the server accepts"}},
		{"it trusts another root and announces none", unannounced(g4), clientPair(g1, pkiotest.Leaf{}), true,
			[]string{"refused our certificate", "Ask the server's owner to trust the root"}},
		{"a certificate under G4 where G1 is trusted", unannounced(g1), clientPair(g4, pkiotest.Leaf{}), true,
			[]string{"(Private G4 TLS)", "Ask the server's owner to trust the root"}},
		{"the certificate has expired", announced(g1), clientPair(g1, yesterday), true,
			[]string{"Replace it, or check the clocks"}},
		{"the certificate is under G3", unannounced(g1), clientPair(g3, pkiotest.Leaf{}), true,
			[]string{"G3 is no longer accepted", "Private G4"}},
	}
	for _, protocol := range protocols {
		for _, c := range cases {
			t.Run(protocol.name+"/"+c.name, func(t *testing.T) {
				url := sServer(t, g1.Issue(pkiotest.Leaf{}), append([]string{protocol.openssl, "-Verify", "4", "-verify_return_error"}, c.trust...)...)
				// In TLS 1.3 the alert comes after the handshake, and may be lost.
				told := false
				for attempt := 0; attempt < 20 && !told; attempt++ {
					_, _, err := fetch(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairsOf(c.cert)}, url)
					var refused *pkioverheid.ClientCertificateError
					require.ErrorAs(t, err, &refused)
					assert.Equal(t, c.sent, refused.Sent)
					assert.Equal(t, c.cert == nil, refused.Certificate == nil)
					if told = strings.Contains(err.Error(), "remote error"); told {
						for _, w := range c.words {
							assert.Contains(t, err.Error(), w)
						}
					}
				}
				assert.True(t, told, "the alert was never seen")
			})
		}
	}
}

func TestOurClientRefusesServersOfOpenSSLUnderG3(t *testing.T) {
	t.Parallel()
	program(t, "openssl")
	g3 := pkiotest.New(pkioverheid.G3)
	for _, protocol := range protocols {
		for _, p := range presentations {
			switch p.name {
			case "leaf only", "whole chain", "with the root":
			default:
				continue
			}
			t.Run(protocol.name+"/"+p.name, func(t *testing.T) {
				url := sServer(t, present(g3, p), protocol.openssl)
				_, _, err := fetch(t, pkioverheid.ClientConfig{Trust: fixtureTrust()}, url)
				var refused *pkioverheid.G3Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, "KPN BV PKIoverheid Organisatie Server CA - G3", refused.CA)
				assert.True(t, refused.Withdrawn)
			})
		}
	}
}

// listening returns a socket for a server to take over. So the port is never free for
// somebody else, and whoever connects waits until the server is there.
func listening(t testing.TB) (socket *os.File, port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	socket, err = listener.(*net.TCPListener).File()
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	_, port, err = net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return socket, port
}

// nginx starts an nginx that shows own, asks for a client certificate and answers
// with what it made of that.
func nginx(t testing.TB, own tls.Certificate, directives ...string) string {
	t.Helper()
	return nginxWith(t, own, `return 200 "$ssl_client_verify|$ssl_client_s_dn|$ssl_protocol";`, directives...)
}

// nginxWith starts an nginx that does something else with what it is asked.
func nginxWith(t testing.TB, own tls.Certificate, location string, directives ...string) string {
	t.Helper()
	dir := folder(t.TempDir())
	cert, key := dir.pair(t, "own", own)
	// nginx takes over the listening socket, as it does from its predecessor in
	// an upgrade.
	socket, port := listening(t)
	defer socket.Close()

	var conf strings.Builder
	fmt.Fprintf(&conf, "daemon off; worker_processes 1; pid %s; error_log stderr info;\n", dir.path("pid"))
	fmt.Fprintf(&conf, "events { worker_connections 64; }\nhttp {\n access_log off;\n")
	for _, of := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&conf, " %s_temp_path %s;\n", of, dir.path(of))
	}
	fmt.Fprintf(&conf, " server {\n  listen 127.0.0.1:%s ssl http2;\n  server_name localhost;\n", port)
	fmt.Fprintf(&conf, "  ssl_certificate %s;\n  ssl_certificate_key %s;\n", cert, key)
	if !slices.ContainsFunc(directives, func(d string) bool { return strings.HasPrefix(d, "ssl_verify_client ") }) {
		directives = append(directives, "ssl_verify_client on")
	}
	for _, d := range directives {
		fmt.Fprintf(&conf, "  %s;\n", d)
	}
	fmt.Fprintf(&conf, "  location / { %s }\n }\n}\n", location)
	path := dir.put(t, "nginx.conf", []byte(conf.String()))
	background(t, func(cmd *exec.Cmd) {
		cmd.ExtraFiles = []*os.File{socket}
		cmd.Env = append(os.Environ(), "NGINX=3;")
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // so that its worker ends too
	}, "nginx", "-p", string(dir), "-c", path)
	return "https://" + net.JoinHostPort("localhost", port)
}

func TestOurClientReachesNginx(t *testing.T) {
	t.Parallel()
	program(t, "nginx")
	dir := folder(t.TempDir())
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		authority := pkiotest.New(h)
		for _, protocol := range protocols {
			for name, own := range map[string]tls.Certificate{
				"its whole chain":       authority.Issue(pkiotest.Leaf{}),
				"its certificate alone": authority.Issue(pkiotest.Leaf{LeafOnly: true}),
			} {
				t.Run(fmt.Sprintf("%v/%s/%s", h, protocol.name, name), func(t *testing.T) {
					url := nginx(t, own, "ssl_protocols "+protocol.nginx, "ssl_verify_depth 2", "ssl_client_certificate "+dir.root(t, authority))
					resp, said, err := fetch(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(authority), KeyPairs: pairs(*clientPair(authority, pkiotest.Leaf{}))}, url)
					require.NoError(t, err)
					assert.Equal(t, http.StatusOK, resp.StatusCode)
					assert.Equal(t, protocol.version, resp.TLS.Version)
					assert.Equal(t, 2, resp.ProtoMajor, "HTTP/2 stays on")
					assert.Len(t, resp.TLS.PeerCertificates, len(own.Certificate), "nginx adds nothing to it")
					fields := strings.Split(said, "|")
					require.Len(t, fields, 3, said)
					assert.Equal(t, "SUCCESS", fields[0])
					assert.Contains(t, fields[1], "CN=client.example")
					assert.Contains(t, fields[1], string(someOIN))
					assert.Equal(t, protocol.nginx, fields[2])
				})
			}
		}
	}
}

// nginx completes the handshake with everybody, and refuses in HTTP: the caller
// gets a response with status 400 and no error, so that no *ClientCertificateError
// comes of it. Whether a certificate was sent shows in nginx's page only.
func TestNginxRefusesInAResponseAndNotInTheHandshake(t *testing.T) {
	t.Parallel()
	program(t, "nginx")
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	dir := folder(t.TempDir())
	deep := "ssl_verify_depth 2"
	yesterday := pkiotest.Leaf{NotAfter: time.Now().AddDate(0, 0, -1)}
	const none, bad = "No required SSL certificate was sent", "The SSL certificate error"
	cases := []struct {
		name  string
		trust []string
		cert  *tls.Certificate
		page  string
	}{
		{"there is no client certificate", []string{deep, "ssl_client_certificate " + dir.root(t, g1)}, nil, none},
		{"it announces a root that is not ours, so that none is sent", []string{deep, "ssl_client_certificate " + dir.root(t, g4)}, clientPair(g1, pkiotest.Leaf{}), none},
		{"the certificate has expired", []string{deep, "ssl_client_certificate " + dir.root(t, g1)}, clientPair(g1, yesterday), bad},
		{"ssl_verify_depth is left at 1, less than PKIoverheid needs", []string{"ssl_client_certificate " + dir.root(t, g1)}, clientPair(g1, pkiotest.Leaf{}), bad},
	}
	for _, protocol := range protocols {
		for _, c := range cases {
			t.Run(protocol.name+"/"+c.name, func(t *testing.T) {
				url := nginx(t, g1.Issue(pkiotest.Leaf{}), append(c.trust, "ssl_protocols "+protocol.nginx)...)
				resp, page, err := fetch(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairsOf(c.cert)}, url)
				require.NoError(t, err)
				assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
				assert.Contains(t, page, c.page)
				var refused *pkioverheid.ClientCertificateError
				require.ErrorAs(t, pkioverheid.RefusedCertificate(resp), &refused)
				assert.Equal(t, c.page == bad, refused.Sent)
				assert.Equal(t, c.cert != nil, refused.Certificate != nil)
				assert.Len(t, refused.AcceptableCAs, 1)
			})
		}
	}
}

func TestOurClientRefusesNginxUnderG3(t *testing.T) {
	t.Parallel()
	program(t, "nginx")
	g1, g3 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3)
	dir := folder(t.TempDir())
	for _, protocol := range protocols {
		t.Run(protocol.name, func(t *testing.T) {
			url := nginx(t, g3.Issue(pkiotest.Leaf{}), "ssl_protocols "+protocol.nginx, "ssl_client_certificate "+dir.root(t, g1))
			_, _, err := fetch(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(*clientPair(g1, pkiotest.Leaf{}))}, url)
			var refused *pkioverheid.G3Error
			require.ErrorAs(t, err, &refused)
			assert.True(t, refused.Withdrawn)
		})
	}
}

// mutualServer is a Go server made with a Server, which is given nothing but
// its certificate, and answers with who called.
func mutualServer(t testing.TB, own tls.Certificate, version uint16, allow pkioverheid.Authorizer) (port string) {
	t.Helper()
	server := newServer(t, pkioverheid.ServerConfig{KeyPairs: pairs(own)}, allow)
	tc := server.TLSConfig()
	tc.MinVersion, tc.MaxVersion = version, version
	srv := httptest.NewUnstartedServer(server.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := pkioverheid.IdentityFromContext(r.Context())
		fmt.Fprintf(w, "welcome, %s of %v", id.OIN(), id.Hierarchy())
	})))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.EnableHTTP2 = true
	srv.TLS = tc
	tc.NextProtos = []string{"h2", "http/1.1"}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	require.NoError(t, err)
	return port
}

const request = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"

// strangers call a server on 127.0.0.1 as localhost, with a certificate or, if cert
// is empty, without, and return what they wrote.
var strangers = []struct {
	name string
	call func(t testing.TB, port, root, cert, key string, protocol int) (output string, ok bool)
}{
	{"openssl", func(t testing.TB, port, root, cert, key string, protocol int) (string, bool) {
		args := []string{"s_client", "-connect", "127.0.0.1:" + port, "-servername", "localhost", "-verify_hostname", "localhost",
			"-CAfile", root, "-no-CApath", "-verify_return_error", protocols[protocol].openssl, "-showcerts", "-ign_eof"}
		if cert != "" {
			args = append(args, "-cert", cert, "-key", key, "-cert_chain", cert)
		}
		return execute(t, request, "openssl", args...)
	}},
	{"curl", func(t testing.TB, port, root, cert, key string, protocol int) (string, bool) {
		version := protocols[protocol].curl
		args := []string{"--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--resolve", "localhost:" + port + ":127.0.0.1",
			"--tlsv" + version, "--tls-max", version, "--cacert", root, "https://localhost:" + port + "/"}
		if cert != "" {
			args = append(args, "--cert", cert, "--key", key)
		}
		return execute(t, "", "curl", args...)
	}},
	{"gnutls-cli", func(t testing.TB, port, root, cert, key string, protocol int) (string, bool) {
		args := []string{"--x509cafile", root, "--sni-hostname", "localhost", "--verify-hostname", "localhost",
			"--priority", protocols[protocol].gnutls, "--port", port, "127.0.0.1"}
		if cert != "" {
			args = append(args, "--x509certfile", cert, "--x509keyfile", key)
		}
		return execute(t, request, "gnutls-cli", args...)
	}},
}

func TestOurServerAnswersProgramsThatItKnows(t *testing.T) {
	t.Parallel()
	g1, g3, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3), pkiotest.New(pkioverheid.PrivateG4TLS)
	now := time.Now()
	clients := []struct {
		name    string
		cert    tls.Certificate
		welcome string // what the server answers, if it does
	}{
		{"a certificate under G1", g1.Issue(pkiotest.Leaf{OIN: someOIN, ClientOnly: true}), "of Private G1"},
		{"a certificate under G4", g4.Issue(pkiotest.Leaf{OIN: someOIN, ClientOnly: true}), "of Private G4 TLS"},
		{"a certificate under G1 without its CAs", g1.Issue(pkiotest.Leaf{OIN: someOIN, LeafOnly: true}), "of Private G1"},
		{"a certificate under G4 without its CAs", g4.Issue(pkiotest.Leaf{OIN: someOIN, LeafOnly: true}), "of Private G4 TLS"},
		{"no certificate", tls.Certificate{}, ""},
		{"another OIN", g4.Issue(pkiotest.Leaf{OIN: "00000001002220647000"}), ""},
		{"a person with the OIN", g1.Issue(pkiotest.Leaf{OIN: someOIN, Policies: []string{"2.16.528.1.1003.1.2.8.1"}}), ""},
		{"a certificate under G3", g3.Issue(pkiotest.Leaf{OIN: someOIN}), ""},
		{"an expired certificate", g4.Issue(pkiotest.Leaf{OIN: someOIN, NotAfter: now.Add(-24 * time.Hour)}), ""},
	}
	dir := folder(t.TempDir())
	for _, server := range []*pkiotest.Authority{g1, g4} {
		root := dir.root(t, server)
		for protocol, p := range protocols {
			port := mutualServer(t, server.Issue(pkiotest.Leaf{LeafOnly: true}), p.version, pkioverheid.AllowOIN("00000004194049711000", someOIN))
			for _, stranger := range strangers {
				t.Run(fmt.Sprintf("%s/%s/%s", server.Certificates()[0].Subject.CommonName, p.name, stranger.name), func(t *testing.T) {
					program(t, stranger.name)
					t.Parallel()
					dir := folder(t.TempDir())
					for _, c := range clients {
						t.Run(c.name, func(t *testing.T) {
							var cert, key string
							if c.cert.PrivateKey != nil {
								cert, key = dir.pair(t, strings.ReplaceAll(c.name, " ", "-"), c.cert)
							}
							said, ok := stranger.call(t, port, root, cert, key, protocol)
							if c.welcome != "" {
								assert.True(t, ok, said)
								assert.Contains(t, said, "welcome, "+string(someOIN)+" "+c.welcome)
							} else {
								assert.False(t, ok, said)
								assert.NotContains(t, said, "welcome")
							}
						})
					}
				})
			}
		}
	}
}

// commonNames finds the CN in names as openssl prints them, before 3.2 and since.
var commonNames = regexp.MustCompile(`CN ?= ?([^,\n]+)`)

func TestOpenSSLSeesWhatOurServerAnnouncesAndItsWholeChain(t *testing.T) {
	t.Parallel()
	program(t, "openssl")
	dir := folder(t.TempDir())
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		authority := pkiotest.New(h)
		for protocol, p := range protocols {
			t.Run(h.String()+"/"+p.name, func(t *testing.T) {
				own := authority.Issue(pkiotest.Leaf{LeafOnly: true})
				port := mutualServer(t, own, p.version, pkioverheid.AllowOIN(someOIN))
				cert, key := dir.pair(t, "client", authority.Issue(pkiotest.Leaf{OIN: someOIN}))
				said, ok := strangers[0].call(t, port, dir.root(t, authority), cert, key, protocol)
				require.True(t, ok, said)
				assert.Contains(t, said, "Verify return code: 0 (ok)")

				_, list, found := strings.Cut(said, "Acceptable client certificate CA names\n")
				require.True(t, found, said)
				list, _, _ = strings.Cut(list, "\n---")
				var announced []string
				for _, match := range commonNames.FindAllStringSubmatch(list, -1) {
					announced = append(announced, match[1])
				}
				for _, trusted := range pkioverheid.Hierarchies() {
					for _, ca := range trusted.Certificates() {
						if claim, _ := pkioverheid.ClaimOf(ca); claim.Role != pkioverheid.DomainCA {
							lasts := time.Now().Before(ca.NotAfter)
							assert.Equal(t, lasts, slices.Contains(announced, ca.Subject.CommonName), ca.Subject.CommonName)
						}
					}
				}
				for _, ca := range pkioverheid.G3.Certificates() {
					assert.NotContains(t, announced, ca.Subject.CommonName)
				}

				// the KeyPair had the first of these only.
				var sent [][]byte
				for rest := []byte(said); ; {
					var block *pem.Block
					if block, rest = pem.Decode(rest); block == nil {
						break
					}
					if block.Type == "CERTIFICATE" {
						sent = append(sent, block.Bytes)
					}
				}
				cas := authority.Certificates()
				want := [][]byte{own.Certificate[0], cas[2].Raw, cas[1].Raw}
				require.GreaterOrEqual(t, len(sent), len(want), said)
				assert.Equal(t, namesIn(t, want), namesIn(t, sent[:len(want)]))
				for _, again := range sent[len(want):] {
					assert.True(t, bytes.Equal(own.Certificate[0], again), "s_client prints the server's own once more, and no other")
				}
			})
		}
	}
}

// delivery is how a key pair reaches a user: the files, and their password.
type delivery struct{ cert, key, password string }

// The password looks like nothing else, so that a message that holds it is found.
// One letter is outside ASCII, which PKCS#12 and PKCS#8 write in different ways.
const secret = "Geheim-één-2026!"

// delivered writes what the other programs start from.
type delivered struct {
	folder
	leaf, cas, chain, key string // PEM; chain is leaf and cas
}

func deliver(t testing.TB, pair tls.Certificate) delivered {
	t.Helper()
	d := delivered{folder: folder(t.TempDir())}
	d.chain, d.key = d.pair(t, "given", pair)
	d.leaf = d.put(t, "leaf.pem", inPEM("CERTIFICATE", pair.Certificate[0]))
	d.cas = d.put(t, "cas.pem", inPEM("CERTIFICATE", pair.Certificate[1:]...))
	return d
}

// ways are the ways to deliver a key pair; withCAs names those that bring the
// TSP's CA and the domain CA along.
var ways = []struct {
	name    string
	withCAs bool
	program string
	make    func(t testing.TB, d delivered) delivery
}{
	{"a PKCS#12 with its CAs", true, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs12", "-export", "-in", d.leaf, "-inkey", d.key, "-certfile", d.cas, "-name", "client", "-out", d.path("x.p12"), "-passout", "pass:"+secret)
		return delivery{d.path("x.p12"), "", secret}
	}},
	{"a PKCS#12 without CAs", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs12", "-export", "-in", d.leaf, "-inkey", d.key, "-out", d.path("x.pfx"), "-passout", "pass:"+secret)
		return delivery{d.path("x.pfx"), "", secret}
	}},
	{"a PKCS#12 with the encryption of old and its CAs", true, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs12", "-export", "-legacy", "-in", d.leaf, "-inkey", d.key, "-certfile", d.cas, "-out", d.path("x.p12"), "-passout", "pass:"+secret)
		return delivery{d.path("x.p12"), "", secret}
	}},
	{"a PKCS#12 with the encryption of old and without CAs", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs12", "-export", "-legacy", "-in", d.leaf, "-inkey", d.key, "-out", d.path("x.p12"), "-passout", "pass:"+secret)
		return delivery{d.path("x.p12"), "", secret}
	}},
	{"a PKCS#12 whose certificates are in clear", true, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs12", "-export", "-certpbe", "NONE", "-in", d.leaf, "-inkey", d.key, "-certfile", d.cas, "-out", d.path("x.p12"), "-passout", "pass:"+secret)
		return delivery{d.path("x.p12"), "", secret}
	}},
	{"a PKCS#12 with an empty password", true, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs12", "-export", "-in", d.leaf, "-inkey", d.key, "-certfile", d.cas, "-out", d.path("x.p12"), "-passout", "pass:")
		return delivery{d.path("x.p12"), "", ""}
	}},
	{"a PKCS#12 of GnuTLS", true, "certtool", func(t testing.TB, d delivered) delivery {
		written(t, "certtool", "--to-p12", "--load-certificate", d.chain, "--load-privkey", d.key,
			"--p12-name", "client", "--password", secret, "--outder", "--outfile", d.path("x.p12"))
		return delivery{d.path("x.p12"), "", secret}
	}},
	{"a PKCS#12 of GnuTLS with triple DES", true, "certtool", func(t testing.TB, d delivered) delivery {
		written(t, "certtool", "--to-p12", "--pkcs-cipher", "3des-pkcs12", "--load-certificate", d.chain, "--load-privkey", d.key,
			"--p12-name", "client", "--password", secret, "--outder", "--outfile", d.path("x.p12"))
		return delivery{d.path("x.p12"), "", secret}
	}},
	{"a P7B and its key", true, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "crl2pkcs7", "-nocrl", "-certfile", d.leaf, "-certfile", d.cas, "-outform", "DER", "-out", d.path("x.p7b"))
		return delivery{d.path("x.p7b"), d.key, ""}
	}},
	{"a P7B in PEM, its CAs first, and its key", true, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "crl2pkcs7", "-nocrl", "-certfile", d.cas, "-certfile", d.leaf, "-out", d.path("x.p7b"))
		return delivery{d.path("x.p7b"), d.key, ""}
	}},
	{"a .cer in DER and its key", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "x509", "-in", d.leaf, "-outform", "DER", "-out", d.path("x.cer"))
		return delivery{d.path("x.cer"), d.key, ""}
	}},
	{"a .cer in base64 without armour and its key", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "x509", "-in", d.leaf, "-outform", "DER", "-out", d.path("x.der"))
		written(t, "openssl", "base64", "-in", d.path("x.der"), "-out", d.path("x.cer"))
		return delivery{d.path("x.cer"), d.key, ""}
	}},
	{"a .cer with openssl's text before it, and its key", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "x509", "-in", d.leaf, "-text", "-out", d.path("x.cer"))
		return delivery{d.path("x.cer"), d.key, ""}
	}},
	{"PEM and a key in DER", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs8", "-topk8", "-nocrypt", "-in", d.key, "-outform", "DER", "-out", d.path("x.key"))
		return delivery{d.leaf, d.path("x.key"), ""}
	}},
	{"PEM and an encrypted key", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", d.key, "-out", d.path("x.key"), "-passout", "pass:"+secret)
		return delivery{d.leaf, d.path("x.key"), secret}
	}},
	{"PEM and an encrypted key in DER", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", d.key, "-outform", "DER", "-out", d.path("x.key"), "-passout", "pass:"+secret)
		return delivery{d.leaf, d.path("x.key"), secret}
	}},
	{"PEM and a traditional key", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "rsa", "-traditional", "-in", d.key, "-out", d.path("x.key"))
		return delivery{d.leaf, d.path("x.key"), ""}
	}},
	{"PEM and a traditional key, encrypted", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "rsa", "-traditional", "-aes256", "-in", d.key, "-out", d.path("x.key"), "-passout", "pass:"+secret)
		return delivery{d.leaf, d.path("x.key"), secret}
	}},
	{"PEM and a key encrypted as PKCS#12 did of old", false, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-in", d.key, "-out", d.path("x.key"), "-passout", "pass:"+secret)
		return delivery{d.leaf, d.path("x.key"), secret}
	}},
	{"PEM and a key encrypted by GnuTLS", false, "certtool", func(t testing.TB, d delivered) delivery {
		written(t, "certtool", "--to-p8", "--load-privkey", d.key, "--password", secret, "--outfile", d.path("x.key"))
		return delivery{d.leaf, d.path("x.key"), secret}
	}},
	{"a PKCS#12 turned into one PEM file", true, "openssl", func(t testing.TB, d delivered) delivery {
		written(t, "openssl", "pkcs12", "-export", "-in", d.leaf, "-inkey", d.key, "-certfile", d.cas, "-name", "client", "-out", d.path("x.p12"), "-passout", "pass:"+secret)
		written(t, "openssl", "pkcs12", "-in", d.path("x.p12"), "-passin", "pass:"+secret, "-passout", "pass:"+secret, "-out", d.path("x.pem"))
		return delivery{d.path("x.pem"), "", secret}
	}},
}

func TestLoadKeyPairReadsWhatOtherProgramsWrite(t *testing.T) {
	t.Parallel()
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		authority := pkiotest.New(h)
		url := asksFor(t, authority, time.Now, pkiotest.Leaf{})
		for _, way := range ways {
			if h == pkioverheid.PrivateG1 && way.program == "certtool" {
				continue // its 600,000 iterations take their time, and once is enough
			}
			t.Run(h.String()+"/"+way.name, func(t *testing.T) {
				program(t, way.program)
				t.Parallel()
				issued := authority.Issue(pkiotest.Leaf{OIN: someOIN, ClientOnly: true})
				files := way.make(t, deliver(t, issued))
				pair, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: files.cert, Key: files.key, Password: files.password})
				if testcert.RefusedByFIPS(t, err) {
					return
				}
				require.NoError(t, err)
				want := issued.Certificate
				if !way.withCAs {
					// LoadKeyPair knows the CAs of the real hierarchies; those of a
					// fixture are added by NewClient, which is set to trust it.
					want = want[:1]
				}
				assertKeyPair(t, want, pkioverheid.PairOf(pair))
				_, err = get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(authority), KeyPairs: []*pkioverheid.KeyPair{pair}}, url)
				assert.NoError(t, err)
			})
		}
	}
}

func TestLoadKeyPairReadsECKeysOfOpenSSL(t *testing.T) {
	t.Parallel()
	program(t, "openssl")
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	url := asksFor(t, g4, time.Now, pkiotest.Leaf{})
	issued := g4.Issue(pkiotest.Leaf{ECDSA: true})
	d := deliver(t, issued)
	written(t, "openssl", "ec", "-in", d.key, "-out", d.path("plain.key"))
	written(t, "openssl", "ec", "-in", d.key, "-aes256", "-out", d.path("encrypted.key"), "-passout", "pass:"+secret)
	written(t, "openssl", "ecparam", "-name", "prime256v1", "-out", d.path("parameters.pem"))
	parameters, err := os.ReadFile(d.path("parameters.pem"))
	require.NoError(t, err)
	key, err := os.ReadFile(d.path("plain.key"))
	require.NoError(t, err)
	for name, file := range map[string]string{
		"as it is":        d.path("plain.key"),
		"encrypted":       d.path("encrypted.key"),
		"after its curve": d.put(t, "both.key", append(parameters, key...)), // as "openssl ecparam -genkey" writes it
	} {
		t.Run(name, func(t *testing.T) {
			pair, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: d.chain, Key: file, Password: secret})
			if testcert.RefusedByFIPS(t, err) {
				return
			}
			require.NoError(t, err)
			assertKeyPair(t, issued.Certificate, pkioverheid.PairOf(pair))
			_, err = get(t, pkioverheid.ClientConfig{Trust: pkiotest.Trust(g4), KeyPairs: []*pkioverheid.KeyPair{pair}}, url)
			assert.NoError(t, err)
		})
	}
}

// asksFor starts a server that trusts the root of a and knows no other CA, so that
// a client is let in only if it sends all of its chain.
func asksFor(t testing.TB, a *pkiotest.Authority, clock func() time.Time, l pkiotest.Leaf) string {
	t.Helper()
	return serve(t, &tls.Config{
		Certificates: []tls.Certificate{a.Issue(l)},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    a.Roots().CertPool(),
		Time:         clock,
	})
}

func namesIn(t testing.TB, ders [][]byte) []string {
	t.Helper()
	var names []string
	for _, der := range ders {
		cert, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		names = append(names, cert.Subject.String())
	}
	return names
}

func assertKeyPair(t testing.TB, want [][]byte, pair tls.Certificate) {
	t.Helper()
	assert.Equal(t, namesIn(t, want), namesIn(t, pair.Certificate))
	assert.True(t, slices.EqualFunc(want, pair.Certificate, bytes.Equal), "the same names, and other certificates")
	require.NotNil(t, pair.Leaf)
	assert.True(t, bytes.Equal(want[0], pair.Leaf.Raw))
	key, ok := pair.PrivateKey.(crypto.Signer)
	require.True(t, ok, "%T", pair.PrivateKey)
	assert.Equal(t, pair.Leaf.PublicKey, key.Public())
}

// The file was written by keytool 17 with -importkeystore -deststoretype PKCS12,
// from a PKCS#12 of openssl; Java puts the key first. The certificate is one of
// pkiotest, and its key is public.
func TestLoadKeyPairReadsWhatJavaWrites(t *testing.T) {
	t.Parallel()
	then := func() time.Time { return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) }
	loaded, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: "testdata/interop/keytool.p12", Password: "changeit", Time: then})
	require.NoError(t, err)
	pair := pkioverheid.PairOf(loaded)
	authority := pkiotest.New(pkioverheid.PrivateG4TLS)
	cas := authority.Certificates()
	assertKeyPair(t, [][]byte{pair.Leaf.Raw, cas[2].Raw, cas[1].Raw}, pair)
	_, err = get(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(authority.Roots()), Time: then}, KeyPairs: pairs(pair)}, asksFor(t, authority, then, pkiotest.Leaf{NotBefore: pair.Leaf.NotBefore, NotAfter: pair.Leaf.NotAfter}))
	assert.NoError(t, err)
}

func TestLoadKeyPairTakesTheKeyThatItIsGiven(t *testing.T) {
	t.Parallel()
	d := deliver(t, pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}))
	leaf, err := os.ReadFile(d.leaf)
	require.NoError(t, err)
	key, err := os.ReadFile(d.key)
	require.NoError(t, err)
	both := d.put(t, "both.pem", append(leaf, key...))
	for _, files := range [][2]string{{both, d.key}, {both, both}, {both, ""}} {
		pair, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: files[0], Key: files[1]})
		require.NoError(t, err)
		assert.NotNil(t, pair.Certificate())
	}
}

func TestLoadKeyPairNamesTheFileThatItCannotUse(t *testing.T) {
	t.Parallel()
	program(t, "openssl")
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	d := deliver(t, g1.Issue(pkiotest.Leaf{OIN: someOIN}))
	p12 := d.path("client.p12")
	written(t, "openssl", "pkcs12", "-export", "-in", d.leaf, "-inkey", d.key, "-certfile", d.cas, "-out", p12, "-passout", "pass:"+secret)
	legacy := d.path("legacy.p12")
	written(t, "openssl", "pkcs12", "-export", "-legacy", "-in", d.leaf, "-inkey", d.key, "-out", legacy, "-passout", "pass:"+secret)
	keyless := d.path("keyless.p12")
	written(t, "openssl", "pkcs12", "-export", "-nokeys", "-in", d.leaf, "-certfile", d.cas, "-out", keyless, "-passout", "pass:"+secret)
	encrypted := d.path("encrypted.key")
	written(t, "openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", d.key, "-out", encrypted, "-passout", "pass:"+secret)
	traditional := d.path("traditional.key")
	written(t, "openssl", "rsa", "-traditional", "-aes128", "-in", d.key, "-out", traditional, "-passout", "pass:"+secret)
	scrypt := d.path("scrypt.key")
	written(t, "openssl", "pkcs8", "-topk8", "-scrypt", "-in", d.key, "-out", scrypt, "-passout", "pass:"+secret)
	other := d.path("other.key")
	written(t, "openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", other)
	request := d.path("client.csr")
	written(t, "openssl", "req", "-new", "-key", d.key, "-subj", "/CN=localhost", "-out", request)

	contents := func(paths ...string) []byte {
		var all []byte
		for _, p := range paths {
			data, err := os.ReadFile(p)
			require.NoError(t, err)
			all = append(all, data...)
		}
		return all
	}
	both := d.put(t, "both.pem", contents(d.leaf, d.key))
	twoKeys := d.put(t, "two.pem", contents(d.leaf, d.key, other))
	empty := d.put(t, "nothing.cer", nil)
	html := d.put(t, "page.cer", []byte("<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>Your session has expired.</body></html>\n"))
	half := d.put(t, "half.p12", contents(p12)[:1000])
	garbled := d.put(t, "garbled.cer", []byte(base64.StdEncoding.EncodeToString([]byte("not a certificate, though it is base64"))))

	cases := []struct {
		name  string
		files delivery
		file  string // the one to name
		words string
	}{
		{"a PKCS#12 and a wrong password", delivery{p12, "", "wrong-" + secret}, p12, "the password given does not fit"},
		{"a PKCS#12 and no password", delivery{p12, "", ""}, p12, "no password was given"},
		{"a PKCS#12 of old and a wrong password", delivery{legacy, "", "wrong-" + secret}, legacy, "the password given does not fit"},
		{"a PKCS#12 without a key", delivery{keyless, "", secret}, keyless, "no private key"},
		{"a PKCS#12 that was cut off", delivery{half, "", secret}, half, ""},
		{"an encrypted key and a wrong password", delivery{d.leaf, encrypted, "wrong-" + secret}, encrypted, "the password given does not fit"},
		{"an encrypted key and no password", delivery{d.leaf, encrypted, ""}, encrypted, "no password was given"},
		{"an encrypted traditional key and a wrong password", delivery{d.leaf, traditional, "wrong-" + secret}, traditional, "the password given does not fit"},
		{"a key encrypted by scrypt", delivery{d.leaf, scrypt, secret}, scrypt, "not supported"},
		{"two keys in a PEM file", delivery{twoKeys, "", ""}, twoKeys, "two or more private keys"},
		{"the key of another certificate", delivery{d.leaf, other, ""}, d.leaf, "belongs to none of the certificates"},
		{"a certificate in place of the key", delivery{d.leaf, d.leaf, ""}, d.leaf, "no private key"},
		{"a certificate and no key", delivery{d.leaf, "", ""}, d.leaf, "no private key"},
		{"the CAs in place of the key", delivery{d.leaf, d.cas, ""}, d.cas, "no private key"},
		{"a key and no certificate", delivery{d.key, "", ""}, d.key, "no certificate"},
		{"a key in place of the certificate", delivery{d.key, other, ""}, d.key, "private key"},
		{"the request in place of the certificate", delivery{request, d.key, ""}, request, "CERTIFICATE REQUEST"},
		{"an empty certificate file", delivery{empty, d.key, ""}, empty, "it is empty"},
		{"an empty key file", delivery{d.leaf, empty, ""}, empty, "no private key"},
		{"an empty key file beside a certificate with its key", delivery{both, empty, ""}, empty, "no private key"},
		{"an empty file", delivery{empty, "", ""}, empty, "it is empty"},
		{"a web page saved as .cer", delivery{html, d.key, ""}, html, "HTML"},
		{"a web page saved as the key", delivery{d.leaf, html, ""}, html, "HTML"},
		{"base64 of something else", delivery{garbled, d.key, ""}, garbled, ""},
		{"a folder", delivery{string(d.folder), d.key, ""}, string(d.folder), "not a regular file"},
		{"a folder as the key", delivery{d.leaf, string(d.folder), ""}, string(d.folder), "not a regular file"},
		{"a file that is not there", delivery{d.path("missing.p12"), "", secret}, d.path("missing.p12"), "no such file"},
		{"a key file that is not there", delivery{d.leaf, d.path("missing.key"), ""}, d.path("missing.key"), "no such file"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			pair, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: c.files.cert, Key: c.files.key, Password: c.files.password})
			require.Error(t, err)
			t.Log(strings.ReplaceAll(err.Error(), string(d.folder), "…"))
			assert.Contains(t, err.Error(), c.file)
			if !testcert.RefusedByFIPS(t, err) {
				assert.Contains(t, strings.ReplaceAll(err.Error(), c.file, "…"), c.words)
			}
			assert.NotContains(t, err.Error(), secret)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, len(err.Error())-len(c.file), 400, "it can be read")
			assert.True(t, strings.HasPrefix(err.Error(), "pkioverheid: "))
			assert.Nil(t, pair, "nothing half done")
		})
	}
}
