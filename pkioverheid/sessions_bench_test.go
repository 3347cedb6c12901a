package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// Reconnecting over TCP on loopback, with one small request: our client and server, with
// policies and revocation, whose session is resumed, against plain clients. One of them
// makes a whole handshake each time, for the time; one resumes too, for the bytes
// allocated.
func BenchmarkReconnect(b *testing.B) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			b.Run(h.String()+"/"+tls.VersionName(version), func(b *testing.B) {
				a := pkiotest.New(h)
				trust, own := pkiotest.Trust(a), a.Issue(pkiotest.Leaf{OIN: someOIN})
				trust.Revocation = revocationOf(b, pkiotest.CRLConfig(a))
				tc := serverConfig(b, pkioverheid.ServerConfig{Trust: trust, KeyPairs: pairs(a.Issue(pkiotest.Leaf{}))}, pkioverheid.AllowOIN(someOIN))
				tc.MaxVersion, tc.NextProtos = version, []string{"http/1.1"}
				url := serve(b, tc)

				var wire atomic.Int64
				dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
					conn, err := new(net.Dialer).DialContext(ctx, network, loopback(url))
					return wired{conn, &wire}, err
				}
				ours := newClient(b, pkioverheid.ClientConfig{Trust: trust, KeyPairs: pairs(own), Base: &http.Transport{DisableKeepAlives: true, DialContext: dial}})
				plain := func(cache tls.ClientSessionCache) *http.Client {
					return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial, TLSClientConfig: &tls.Config{
						RootCAs: a.Roots().CertPool(), Certificates: []tls.Certificate{own}, ClientSessionCache: cache,
					}}}
				}
				reconnect := func(client *http.Client, resumes bool) func() {
					first := true
					return func() {
						resp, err := client.Get(url)
						if err != nil {
							b.Fatal(err)
						}
						_, _ = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
						if !first && resp.TLS.DidResume != resumes {
							b.Fatal("resumed: ", resp.TLS.DidResume)
						}
						first = false
					}
				}
				us, whole := reconnect(ours, true), reconnect(plain(nil), false)
				resumes := reconnect(plain(tls.NewLRUClientSessionCache(0)), true)
				speed, _ := compare(b, us, whole)
				_, bytes := compare(b, us, resumes)
				onWire := func(f func()) float64 {
					before := wire.Load()
					f()
					return float64(wire.Load() - before)
				}
				for b.Loop() {
					us()
				}
				b.ReportMetric(speed, "time/whole-handshake")
				b.ReportMetric(bytes, "bytes/plain-resumption")
				b.ReportMetric(onWire(us), "wire-bytes")
				b.ReportMetric(onWire(whole), "wire-bytes-of-a-whole-handshake")
			})
		}
	}
}

// wired counts the bytes of a connection.
type wired struct {
	net.Conn
	bytes *atomic.Int64
}

func (w wired) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.bytes.Add(int64(n))
	return n, err
}

func (w wired) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.bytes.Add(int64(n))
	return n, err
}
