package inventory_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/inventory"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// presented is what a server at a target presents.
func presented(t *testing.T, target string, patience time.Duration) (certs []*x509.Certificate, trouble error) {
	t.Helper()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cfg := inventory.Config{Verifier: verifierOf(t, pkioverheid.PrivateG1), Time: g1.Time(), Timeout: patience}
	for r := range inventory.Scan(t.Context(), cfg, target) {
		if r.Err != nil {
			trouble = r.Err
			continue
		}
		certs = append(certs, r.Certificate)
	}
	return certs, trouble
}

// freePort is one on which nobody listens, of those that the system gives to nobody by
// itself: other tests run at the same time.
func freePort(t *testing.T) string {
	t.Helper()
	for {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
}

// serverAs runs a server of Debian's as one of its users, in a folder that this user
// owns, with server.pem and server.key in it.
func serverAs(t *testing.T, username string, files map[string]string, pair tls.Certificate, commands ...[]string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can start a server as another user")
	}
	account, err := user.Lookup(username)
	require.NoError(t, err)
	uid, err := strconv.Atoi(account.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(account.Gid)
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "starttls") // t.TempDir is in a folder that others may not enter
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	var chain bytes.Buffer
	for _, der := range pair.Certificate {
		require.NoError(t, pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	files["server.pem"] = chain.String()
	files["server.key"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(text, "DIR", dir)), 0o600))
		require.NoError(t, os.Chown(path, uid, gid))
	}
	require.NoError(t, os.Chown(dir, uid, gid))
	for i, command := range commands {
		for j := range command {
			command[j] = strings.ReplaceAll(command[j], "DIR", dir)
		}
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, Pdeathsig: syscall.SIGKILL}
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if i < len(commands)-1 {
			require.NoError(t, cmd.Run(), out.String())
			continue
		}
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
			if t.Failed() {
				t.Log(out.String())
			}
		})
	}
}

// waitFor waits until somebody listens.
func waitFor(t *testing.T, address string) {
	t.Helper()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
}

func TestServersThatBeginInClearShowTheirCertificates(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	pair := g1.Issue(pkiotest.Leaf{})
	for protocol, start := range map[string]func(t *testing.T, port string){
		"smtp": func(t *testing.T, port string) {
			exim := program(t, "exim4")
			serverAs(t, "Debian-exim", map[string]string{"exim.conf": `
spool_directory = DIR
log_file_path = DIR/%slog
pid_file_path = DIR/pid
tls_advertise_hosts = *
tls_certificate = DIR/server.pem
tls_privatekey = DIR/server.key
host_lookup =
never_users =
exim_user = Debian-exim
exim_group = Debian-exim
`}, pair, []string{exim, "-C", "DIR/exim.conf", "-bdf", "-oX", "127.0.0.1." + port})
		},
		"ldap": func(t *testing.T, port string) {
			slapd := program(t, "slapd")
			serverAs(t, "openldap", map[string]string{"slapd.conf": `
TLSCertificateFile DIR/server.pem
TLSCertificateKeyFile DIR/server.key
pidfile DIR/pid
`}, pair, []string{slapd, "-d", "0", "-f", "DIR/slapd.conf", "-h", "ldap://127.0.0.1:" + port})
		},
		"postgres": func(t *testing.T, port string) {
			bin, err := filepath.Glob("/usr/lib/postgresql/*/bin")
			require.NoError(t, err)
			if len(bin) == 0 {
				program(t, "postgres") // which says so, and fails in CI
			}
			serverAs(t, "postgres", map[string]string{}, pair,
				[]string{bin[0] + "/initdb", "-D", "DIR/data", "-A", "trust", "-N"},
				[]string{bin[0] + "/postgres", "-D", "DIR/data", "-h", "127.0.0.1", "-p", port, "-k", "DIR", "-F",
					"-c", "ssl=on", "-c", "ssl_cert_file=DIR/server.pem", "-c", "ssl_key_file=DIR/server.key"})
		},
	} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			if protocol == "postgres" && !thorough {
				t.Skip("initdb takes seconds: THOROUGH is not set")
			}
			port := freePort(t)
			start(t, port)
			waitFor(t, "127.0.0.1:"+port)
			var certs []*x509.Certificate
			var trouble error
			for range 5 { // a server that has just begun to listen may not answer yet
				if certs, trouble = presented(t, protocol+"://localhost:"+port, 20*time.Second); trouble == nil {
					break
				}
				time.Sleep(200 * time.Millisecond)
			}
			require.NoError(t, trouble)
			require.NotEmpty(t, certs)
			assert.True(t, pair.Leaf.Equal(certs[0]))

			_, trouble = presented(t, "localhost:"+port, time.Second)
			assert.Error(t, trouble, "without the scheme it is not TLS")
		})
	}
}

func TestWhatBeginsInClearAndDoesNotOfferTLS(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	pair := g1.Issue(pkiotest.Leaf{})
	says := func(answers ...string) func(net.Conn) {
		return func(c net.Conn) {
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			for i, answer := range answers {
				if i > 0 || answer == "" || !strings.HasPrefix(answers[0], "220 ") {
					if _, err := c.Read(make([]byte, 512)); err != nil {
						return
					}
				}
				_, _ = io.WriteString(c, answer)
			}
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}}).Handshake()
		}
	}
	for name, c := range map[string]struct {
		protocol string
		server   func(net.Conn)
		trouble  string // empty: the certificate is there
	}{
		"SMTP that offers it":                       {"smtp", says("220 mail\r\n", "250-mail\r\n250-SIZE\r\n250 starttls\r\n", "220 go\r\n"), ""},
		"SMTP that does not offer it":               {"smtp", says("220 mail\r\n", "250-mail\r\n250 SIZE\r\n"), "it does not offer TLS"},
		"SMTP that refuses it":                      {"smtp", says("220 mail\r\n", "250 STARTTLS\r\n", "454 secret text\r\n"), "it refuses with the SMTP code 454"},
		"SMTP that says more before the handshake":  {"smtp", says("220 mail\r\n", "250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"), "it sent more in clear after it agreed to TLS"},
		"SMTP whose greeting does not end":          {"smtp", says("220 " + strings.Repeat("x", 200_000)), "it closed the connection"},
		"not SMTP":                                  {"smtp", says("220 mail\r\n", "hello\r\n"), "it does not speak SMTP"},
		"LDAP with long lengths, as Windows writes": {"ldap", says("\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"), ""},
		"LDAP that refuses it":                      {"ldap", says("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x35\x04\x00\x04\x00"), "it refuses with the LDAP result code 53"},
		"LDAP that promises four gigabytes":         {"ldap", says("\x30\x84\xff\xff\xff\xff"), "it does not speak LDAP"},
		"not LDAP":                                  {"ldap", says("HTTP/1.1 400 Bad Request\r\n\r\n"), "it does not speak LDAP"},
		"PostgreSQL that offers it":                 {"postgres", says("S"), ""},
		"PostgreSQL that does not":                  {"postgres", says("N"), "it does not offer TLS"},
		"not PostgreSQL":                            {"postgres", says("HTTP/1.1 400 Bad Request\r\n\r\n"), "it does not speak PostgreSQL's protocol"},
		"a server that says nothing":                {"smtp", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, "it did not answer within 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := 20 * time.Second
			if strings.HasPrefix(name, "a server that says nothing") {
				patience = 300 * time.Millisecond
			}
			certs, trouble := presented(t, c.protocol+"://"+serve(t, c.server), patience)
			if c.trouble == "" {
				require.NoError(t, trouble)
				assert.True(t, pair.Leaf.Equal(certs[0]))
				return
			}
			assert.ErrorContains(t, trouble, c.trouble)
			assert.NotContains(t, trouble.Error(), "secret")
			assert.Empty(t, certs)
		})
	}
}

func TestOtherProtocolsAreNamedAsNotSupported(t *testing.T) {
	_, trouble := presented(t, "imap://mail.example:143", time.Second)
	assert.ErrorContains(t, trouble, "imap:// is not supported: of the protocols that begin in clear ldap, postgres and smtp are")
	_, trouble = presented(t, "no/such://path", time.Second)
	assert.ErrorIs(t, trouble, os.ErrNotExist)
}
