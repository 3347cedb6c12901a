package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

func TestOpenSSLIsRefusedAsAClientOnceItIsRevoked(t *testing.T) {
	program(t, "openssl")
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		for i, what := range append([]string{"nothing"}, revocable...) {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				t.Run(fmt.Sprintf("%v/%s is revoked/%s", h, what, tls.VersionName(version)), func(t *testing.T) {
					a := pkiotest.New(h)
					pair := a.Issue(pkiotest.Leaf{OIN: someOIN, ClientOnly: true})
					if i > 0 {
						revoke(a, i-1, pair.Leaf)
					}
					dir := folder(t.TempDir())
					cert, key := dir.pair(t, "client", pair)
					server := serverConfig(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Revocation: revocationOf(t, pkiotest.CRLConfig(a))}}, pkioverheid.AllowOIN(someOIN))
					server.MaxVersion = version
					address := strings.TrimPrefix(serve(t, server), "https://")
					ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
					defer cancel()
					cmd := exec.CommandContext(ctx, "openssl", "s_client", "-connect", address, "-cert", cert, "-key", key, "-cert_chain", cert, "-ign_eof", "-quiet")
					cmd.Stdin = strings.NewReader("GET / HTTP/1.0\r\n\r\n")
					out, _ := cmd.CombinedOutput()
					if i == 0 {
						assert.Contains(t, string(out), "hello")
					} else {
						assert.NotContains(t, string(out), "hello")
						assert.Contains(t, string(out), "bad certificate")
					}
				})
			}
		}
	}
}

func TestServersOfOthersAreRefusedOnceTheyAreRevoked(t *testing.T) {
	program(t, "openssl")
	program(t, "nginx")
	for name, start := range map[string]func(own tls.Certificate) string{
		"openssl": func(own tls.Certificate) string { return sServer(t, own) },
		"nginx": func(own tls.Certificate) string {
			trusted := folder(t.TempDir()).root(t, pkiotest.New(pkioverheid.PrivateG1))
			return nginx(t, own, "ssl_client_certificate "+trusted)
		},
	} {
		for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
			a := pkiotest.New(h)
			own, leafOnly := a.Issue(pkiotest.Leaf{}), a.Issue(pkiotest.Leaf{LeafOnly: true})
			urls := []string{start(own), start(leafOnly)}
			ask := func(when string, want chain.Reason) {
				cfg := pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: revocationOf(t, pkiotest.CRLConfig(a))}}
				for _, url := range urls {
					_, _, err := fetch(t, cfg, url)
					if want == "" {
						assert.NoError(t, err, "%s, %v, %s", name, h, when)
						continue
					}
					var e *pkioverheid.ServerCertificateError
					if assert.ErrorAs(t, err, &e, "%s, %v, %s", name, h, when) {
						assert.Equal(t, want, e.Reason, "%s, %v, %s", name, h, when)
					}
				}
			}
			ask("nothing is revoked", "")
			a.Revoke(a.Certificates()[2], crl.CACompromise)
			ask("the TSP CA is revoked", chain.Revoked)
			a.Revoke(a.Certificates()[2], crl.RemoveFromCRL)
			ask("it is not any more", "")
			a.Revoke(own.Leaf, crl.KeyCompromise)
			a.Revoke(leafOnly.Leaf, crl.KeyCompromise)
			ask("the certificates are revoked", chain.Revoked)
		}
	}
}

func TestAResponseStapledByOpenSSLIsChecked(t *testing.T) {
	program(t, "openssl")
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		a, elsewhere := pkiotest.New(h), pkiotest.New(h)
		own := a.Issue(pkiotest.Leaf{})
		elsewhere.Revoke(own.Leaf, crl.Superseded)
		dir := folder(t.TempDir())
		cfg := pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(a.Roots()), Revocation: revocationOf(t, pkiotest.CRLConfig(a))}}

		resp, _, err := fetch(t, cfg, sServer(t, own, "-status_file", dir.put(t, "good.ocsp", a.OCSPResponse(own.Leaf))))
		require.NoError(t, err)
		assert.NotEmpty(t, resp.TLS.OCSPResponse, "it came in the handshake")

		_, _, err = fetch(t, cfg, sServer(t, own, "-status_file", dir.put(t, "revoked.ocsp", elsewhere.OCSPResponse(own.Leaf))))
		var e *pkioverheid.ServerCertificateError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, chain.Revoked, e.Reason)
	}
}
