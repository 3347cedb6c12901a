package pkioverheid_test

import (
	"bufio"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// lateServer is openssl's server, set to ask for a certificate only when it has
// read a request, as IIS and Apache do, and to answer after that.
func lateServer(t *testing.T) (address string) {
	t.Helper()
	openssl := program(t, "openssl")
	dir := t.TempDir()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	pair := g1.Issue(pkiotest.Leaf{})
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	var certs []byte
	for _, der := range pair.Certificate {
		certs = append(certs, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g1.Certificates()[0].Raw})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	for name, data := range map[string][]byte{"cert.pem": certs, "key.pem": keyPEM, "root.pem": root} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = free.Addr().String()
	require.NoError(t, free.Close())

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	server := exec.CommandContext(ctx, openssl, "s_server", "-accept", address, "-tls1_2", "-naccept", "1",
		"-cert", "cert.pem", "-key", "key.pem", "-cert_chain", "cert.pem", "-CAfile", "root.pem", "-verify_return_error")
	server.Dir = dir
	stdin, err := server.StdinPipe()
	require.NoError(t, err)
	stdout, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() { cancel(); _ = server.Wait() })

	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "ACCEPT") {
	}
	go func() {
		for lines.Scan() {
			if lines.Text() == "" { // the end of the request's header
				fmt.Fprint(stdin, "R\n") // renegotiate, and ask for a certificate
				time.Sleep(300 * time.Millisecond)
				fmt.Fprint(stdin, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
				time.Sleep(300 * time.Millisecond)
				fmt.Fprint(stdin, "\nQ\n")
				break
			}
		}
		_, _ = io.Copy(io.Discard, stdout)
	}()
	return "localhost:" + address[strings.LastIndex(address, ":")+1:]
}

func TestAServerMayAskForTheCertificateLateIfThatIsAllowed(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cert := g1.Issue(pkiotest.Leaf{ClientOnly: true})
	for _, allowed := range []bool{true, false} {
		t.Run(fmt.Sprintf("RenegotiateHosts %v", allowed), func(t *testing.T) {
			signed := new(counting)
			signed.Signer = cert.PrivateKey.(crypto.Signer)
			own := cert
			own.PrivateKey = signed
			var late []string
			if allowed {
				late = []string{"localhost"}
			}
			client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), RenegotiateHosts: late, KeyPairs: pairs(own)})
			require.NoError(t, err)
			client.Timeout = 20 * time.Second
			resp, err := client.Get("https://" + lateServer(t) + "/")
			if allowed {
				require.NoError(t, err)
				assert.Equal(t, http.StatusOK, resp.StatusCode)
				resp.Body.Close()
				assert.Equal(t, 1, signed.times)
				return
			}
			var refused *pkioverheid.ClientCertificateError
			require.ErrorAs(t, err, &refused)
			assert.Contains(t, err.Error(), "ClientConfig.RenegotiateHosts")
			assert.Zero(t, signed.times)
		})
	}
}

// counting is a key that counts its signatures.
type counting struct {
	crypto.Signer
	times int
}

func (k *counting) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.times++
	return k.Signer.Sign(rand, digest, opts)
}
