package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/truststore"
)

// A request may wait long for its connection. What is replaced meanwhile counts in its
// handshake.
func TestWhatIsReplacedWhileARequestWaitsForItsConnection(t *testing.T) {
	root := testRoot(t, "A")
	client := func(name string) tls.Certificate {
		return sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, &root)
	}
	server := testLeaf(t, root)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAnyClientCert}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	url := "https://localhost" + srv.URL[strings.LastIndex(srv.URL, ":"):]

	for _, c := range []struct {
		name    string
		replace func(roots *truststore.Source, d *pkioverheid.Distrusted, pair *pkioverheid.KeyPair) error
		refused string
		shown   string
	}{
		{"the server's key is distrusted", func(_ *truststore.Source, d *pkioverheid.Distrusted, _ *pkioverheid.KeyPair) error {
			return d.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(server.Leaf), Reason: "stolen"})
		}, "is distrusted here", ""},
		{"its root is taken away", func(roots *truststore.Source, _ *pkioverheid.Distrusted, _ *pkioverheid.KeyPair) error {
			return roots.Set(truststore.New(testRoot(t, "B").Leaf))
		}, "trusted", ""},
		{"our key pair is replaced", func(_ *truststore.Source, _ *pkioverheid.Distrusted, pair *pkioverheid.KeyPair) error {
			return pair.Set(client("new"))
		}, "", "new"},
	} {
		for _, before := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, %d connections before", c.name, before), func(t *testing.T) {
				roots, distrusted := truststore.NewSource(truststore.New(root.Leaf)), new(pkioverheid.Distrusted)
				pair, err := pkioverheid.NewKeyPair(client("old"))
				require.NoError(t, err)
				dialled := 0
				trust := pkioverheid.Trust{Roots: roots, Distrusted: distrusted}
				trust.Logger, _ = lines()
				hc := newClient(t, pkioverheid.ClientConfig{
					Trust: trust, KeyPairs: []*pkioverheid.KeyPair{pair},
					Base: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
						if dialled++; dialled == before+1 {
							assert.NoError(t, c.replace(roots, distrusted, pair))
						}
						return new(net.Dialer).DialContext(ctx, network, addr)
					}},
				})
				get := func() (string, error) {
					resp, err := hc.Get(url)
					if err != nil {
						return "", err
					}
					defer resp.Body.Close()
					body, err := io.ReadAll(resp.Body)
					return string(body), err
				}
				for range before {
					said, err := get()
					require.NoError(t, err)
					require.Equal(t, "old", said)
				}
				said, err := get()
				if c.refused != "" {
					var refused *pkioverheid.ServerCertificateError
					assert.ErrorAs(t, err, &refused)
					assert.ErrorContains(t, err, c.refused)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, c.shown, said)
			})
		}
	}
}
