package pgx_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/examples/libraries/pgx"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

var (
	g1 = pkiotest.New(pkioverheid.PrivateG1)
	g4 = pkiotest.New(pkioverheid.PrivateG4TLS)
)

// postgres is Debian's, which runs as any user but root.
type postgres struct {
	bin, dir, port string
	as             *syscall.SysProcAttr
}

func newPostgres(t *testing.T) *postgres {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	require.NoError(t, err)
	if len(found) == 0 {
		t.Skip("postgresql is not installed")
	}
	dir, err := os.MkdirTemp("", "pg") // short, for its socket
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	p := &postgres{bin: filepath.Dir(found[len(found)-1]), dir: filepath.Join(dir, "data"), as: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("postgresql does not run as root, and there is no user postgres")
		}
		uid, err := strconv.Atoi(u.Uid)
		require.NoError(t, err)
		gid, err := strconv.Atoi(u.Gid)
		require.NoError(t, err)
		require.NoError(t, os.Chown(dir, uid, gid))
		p.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	out, err := p.command("initdb", "-D", p.dir, "-U", "user", "-A", "trust", "--no-sync", "--no-instructions").CombinedOutput()
	require.NoError(t, err, string(out))
	return p
}

func (p *postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.SysProcAttr, cmd.Dir = p.as, filepath.Dir(p.dir)
	return cmd
}

// write makes a file that postgres may read and nobody else.
func (p *postgres) write(t *testing.T, name, content string) {
	path := filepath.Join(p.dir, name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	if c := p.as.Credential; c != nil {
		require.NoError(t, os.Chown(path, int(c.Uid), int(c.Gid)))
	}
}

// start runs it with a certificate, asking for one under the root of clients.
func (p *postgres) start(t *testing.T, own tls.Certificate, clients *x509.Certificate, version string) (url string) {
	var chain string
	for _, der := range own.Certificate {
		chain += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	require.NoError(t, err)
	p.write(t, "server.crt", chain)
	p.write(t, "server.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	p.write(t, "clients.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: clients.Raw})))
	p.write(t, "pg_hba.conf", "hostssl all all 127.0.0.1/32 trust clientcert=verify-ca\n")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, p.port, err = net.SplitHostPort(ln.Addr().String())
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	p.write(t, "postgresql.conf", fmt.Sprintf(`
listen_addresses = '127.0.0.1'
port = %s
unix_socket_directories = ''
fsync = off
ssl = on
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
ssl_ca_file = 'clients.crt'
ssl_min_protocol_version = '%[2]s'
ssl_max_protocol_version = '%[2]s'
`, p.port, version))
	cmd := p.command("postgres", "-D", p.dir)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGQUIT)) // at once
		_ = cmd.Wait()                                          // its status is that of the signal
	})
	require.Eventually(t, func() bool {
		return p.command("pg_isready", "-q", "-h", "127.0.0.1", "-p", p.port).Run() == nil
	}, 20*time.Second, 20*time.Millisecond)
	return "postgres://user@localhost:" + p.port + "/postgres?sslmode=verify-full"
}

func TestPostgreSQLItself(t *testing.T) {
	p := newPostgres(t)
	yesterday := pkiotest.Leaf{NotAfter: time.Now().AddDate(0, 0, -1)}
	refused := func(sent bool) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			var refused *pkioverheid.ClientCertificateError
			require.ErrorAs(t, err, &refused)
			assert.True(t, refused.Known)
			assert.Equal(t, sent, refused.Sent)
			assert.Len(t, refused.AcceptableCAs, 1)
		}
	}
	for _, c := range []struct {
		name    string
		own     tls.Certificate
		clients *pkiotest.Authority
		ours    *pkioverheid.KeyPair
		check   func(*testing.T, error)
	}{
		{"that accepts us", g1.Issue(pkiotest.Leaf{}), g1, g1.KeyPair(pkiotest.Leaf{}), func(t *testing.T, err error) { assert.NoError(t, err) }},
		{"under G3", pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{}), g1, g1.KeyPair(pkiotest.Leaf{}), func(t *testing.T, err error) {
			var g3 *pkioverheid.G3Error
			assert.ErrorAs(t, err, &g3)
		}},
		{"that has expired", g1.Issue(yesterday), g1, g1.KeyPair(pkiotest.Leaf{}), func(t *testing.T, err error) {
			var refused *pkioverheid.ServerCertificateError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, chain.Expired, refused.Reason)
		}},
		{"to which our certificate has expired", g1.Issue(pkiotest.Leaf{}), g1, g1.KeyPair(yesterday), refused(true)},
		{"that does not know our CA", g1.Issue(pkiotest.Leaf{}), g4, g1.KeyPair(pkiotest.Leaf{}), refused(false)},
	} {
		for _, version := range []string{"TLSv1.2", "TLSv1.3"} {
			t.Run(c.name+", "+version, func(t *testing.T) {
				url := p.start(t, c.own, c.clients.Certificates()[0], version)
				conn, err := pgx.Connect(t.Context(), url, pkioverheid.ClientConfig{
					Trust: pkiotest.Trust(g1), KeyPairs: []*pkioverheid.KeyPair{c.ours}, AllowUnsuitable: true,
				})
				if err == nil {
					assert.NoError(t, conn.Close(t.Context()))
				}
				c.check(t, err)
			})
		}
	}
}

func TestWhatConcernsNoCertificateStaysAsItIs(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(ln.Addr().String())
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	_, err = pgx.Connect(t.Context(), "postgres://user@localhost:"+port+"/db?sslmode=verify-full", pkioverheid.ClientConfig{})
	var op *net.OpError
	assert.True(t, errors.As(err, &op) && errors.Is(err, syscall.ECONNREFUSED), "%v", err)
	var server *pkioverheid.ServerCertificateError
	assert.False(t, errors.As(err, &server))
}
