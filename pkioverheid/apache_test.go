package pkioverheid_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// apache starts an Apache that asks for a certificate in /secret/ only. Its answers name
// the client in a field of the header.
func apache(t *testing.T, own tls.Certificate, root, protocols string) (url string) {
	t.Helper()
	program(t, "apache2")
	dir := folder(t.TempDir())
	cert, key := dir.pair(t, "own", own)
	pages, err := os.MkdirTemp("", "apache") // which its user can read
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(pages) })
	require.NoError(t, os.Chmod(pages, 0o755))
	require.NoError(t, os.Mkdir(pages+"/secret", 0o755))
	for _, page := range []string{"/open.txt", "/secret/page.txt"} {
		require.NoError(t, os.WriteFile(pages+page, []byte("hello"), 0o644))
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())

	var conf strings.Builder
	for _, module := range []string{"mpm_event", "authz_core", "headers", "http2", "socache_shmcb", "ssl"} {
		fmt.Fprintf(&conf, "LoadModule %s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", module)
	}
	fmt.Fprintf(&conf, `
ServerRoot %[1]s
DefaultRuntimeDir %[1]s
PidFile %[1]s/pid
ErrorLog /dev/stderr
LogLevel ssl:info
User www-data
Group www-data
ServerName localhost
Listen %[2]s
DocumentRoot %[3]s
<Directory %[3]s>
	Require all granted
</Directory>
SSLSessionCache shmcb:%[1]s/sessions(512000)
<VirtualHost *:*>
	Protocols h2 http/1.1
	SSLEngine on
	SSLProtocol %[4]s
	SSLCertificateFile %[5]s
	SSLCertificateKeyFile %[6]s
	SSLCACertificateFile %[7]s
	SSLVerifyDepth 4
	Header always set Client "%%{SSL_CLIENT_S_DN}s"
	<Location /secret>
		SSLVerifyClient require
	</Location>
</VirtualHost>
`, dir, address, pages, protocols, cert, key, root)
	path := dir.put(t, "apache.conf", []byte(conf.String()))
	background(t, func(cmd *exec.Cmd) {}, "apache2", "-X", "-f", path)
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
	return "https://localhost:" + address[strings.LastIndex(address, ":")+1:]
}

func TestApacheMayAskForTheCertificateLate(t *testing.T) {
	t.Parallel()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	root := folder(t.TempDir()).root(t, g1)
	const late = "ClientConfig.RenegotiateHosts"
	for _, c := range []struct {
		protocols string
		listed    bool
		http2     bool
		status    int // of /secret/page.txt; 0 for an error
		explained []string
	}{
		{"TLSv1.2", true, true, http.StatusOK, nil},
		{"TLSv1.2 TLSv1.3", true, true, http.StatusOK, nil},
		{"TLSv1.3", true, true, 0, []string{"protocol version"}},
		{"TLSv1.2", false, true, 0, []string{late, "HTTP/2"}},
		{"TLSv1.2 TLSv1.3", false, true, 0, []string{late, "HTTP/2"}},
		{"TLSv1.3", false, true, 0, []string{late, "HTTP/2"}},
		{"TLSv1.2", false, false, 0, []string{late, "renegotiation"}},
		{"TLSv1.2 TLSv1.3", false, false, http.StatusForbidden, []string{late, "TLS 1.3"}},
		{"TLSv1.3", false, false, http.StatusForbidden, []string{late, "TLS 1.3"}},
	} {
		t.Run(fmt.Sprintf("%s, listed %v, HTTP2 %v", c.protocols, c.listed, c.http2), func(t *testing.T) {
			url := apache(t, g1.Issue(pkiotest.Leaf{}), root, "-all +"+strings.ReplaceAll(c.protocols, " ", " +"))
			cfg := pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: pairs(g1.Issue(pkiotest.Leaf{OIN: someOIN}))}
			if c.listed {
				cfg.RenegotiateHosts = []string{"LOCALHOST"}
			}
			for _, keepAlive := range []bool{true, false} { // on one connection, and on resumed sessions
				cfg.Base = &http.Transport{DisableKeepAlives: !keepAlive}
				if !c.http2 {
					cfg.Base.Protocols = new(http.Protocols)
					cfg.Base.Protocols.SetHTTP1(true)
				}
				client := newClient(t, cfg)
				for range 3 {
					if c.protocols != "TLSv1.3" || !c.listed {
						resp, err := client.Get(url + "/open.txt")
						require.NoError(t, err)
						_, _ = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
						assert.Equal(t, http.StatusOK, resp.StatusCode)
					}
					resp, err := client.Get(url + "/secret/page.txt")
					if c.status == 0 {
						for _, words := range c.explained {
							require.ErrorContains(t, err, words)
						}
						continue
					}
					require.NoError(t, err)
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					require.Equal(t, c.status, resp.StatusCode)
					if c.status == http.StatusOK {
						assert.Contains(t, resp.Header.Get("Client"), string(someOIN))
						assert.Equal(t, "HTTP/1.1", resp.Proto)
						continue
					}
					why := pkioverheid.RefusedCertificate(resp)
					for _, words := range c.explained {
						assert.ErrorContains(t, why, words)
					}
				}
			}
		})
	}
}

// In a renegotiation crypto/tls does not pass on for which host it is.
func TestInARenegotiationToApacheThePairIsThatOfTheHost(t *testing.T) {
	t.Parallel()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	url := apache(t, g1.Issue(pkiotest.Leaf{}), folder(t.TempDir()).root(t, g1), "-all +TLSv1.2")
	bound := func(oin pkioverheid.OIN, hosts ...string) *pkioverheid.KeyPair {
		pair := g1.KeyPair(pkiotest.Leaf{OIN: oin})
		pair.Hosts = hosts
		return pair
	}
	const ours, theirs = pkioverheid.OIN("00000099000000001000"), pkioverheid.OIN("00000099000000002000")
	for _, c := range []struct {
		name  string
		pairs []*pkioverheid.KeyPair
		shown pkioverheid.OIN // empty for none
	}{
		{"the pair of the host, and one for all", []*pkioverheid.KeyPair{bound(ours, "localhost"), bound(theirs)}, ours},
		{"the pair of another host, and one of the host", []*pkioverheid.KeyPair{bound(theirs, "other.example"), bound(ours, "localhost")}, ours},
		{"the pair of another host alone", []*pkioverheid.KeyPair{bound(theirs, "other.example")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := newClient(t, pkioverheid.ClientConfig{
				Trust: pkiotest.Trust(g1), KeyPairs: c.pairs, RenegotiateHosts: []string{"other.example", url[len("https://"):]},
			})
			resp, err := client.Get(url + "/secret/page.txt")
			if c.shown == "" {
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			resp.Body.Close()
			assert.Contains(t, resp.Header.Get("Client"), string(c.shown))
		})
	}
}
