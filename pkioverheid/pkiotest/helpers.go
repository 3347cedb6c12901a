package pkiotest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testidentity"
)

// Advice returns what advice.For says about a certificate of an Authority as if it were
// real, for tests of alerts: advice.For itself says that its key is public.
func Advice(cert *x509.Certificate, use advice.Use, at time.Time) advice.Advice {
	return testidentity.Advice(cert, use, at).(advice.Advice)
}

// Files writes a key pair into a folder of the test, for pkioverheid.LoadKeyPair and
// WatchKeyPair: the certificates and the key in PEM.
func Files(t testing.TB, pair tls.Certificate) pkioverheid.KeyPairFiles {
	t.Helper()
	dir := t.TempDir()
	f := pkioverheid.KeyPairFiles{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	var certs []byte
	for _, der := range pair.Certificate {
		certs = append(certs, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatalf("pkiotest: the private key cannot be written: %v", err)
	}
	for path, text := range map[string][]byte{f.Cert: certs, f.Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// Serve starts a server with the TLS of s and its Handler before h, as a program does, and
// returns its URL, https://localhost:port. The server ends with the test. It speaks HTTP/2
// and HTTP/1.1; Trust.Logger gets what net/http logs.
func Serve(t testing.TB, s *pkioverheid.Server, h http.Handler) (url string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(s.Handler(h))
	srv.EnableHTTP2, srv.TLS = true, s.TLSConfigForHandler()
	srv.TLS.NextProtos = []string{"h2", "http/1.1"}
	srv.Config.ErrorLog = s.ErrorLog()
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "https://" + net.JoinHostPort("localhost", port)
}
