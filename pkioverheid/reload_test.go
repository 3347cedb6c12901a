package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// rootsOnDisk is a file of roots that a Source watches.
type rootsOnDisk struct {
	path   string
	source *truststore.Source
}

func watchRoots(t *testing.T, certs ...*x509.Certificate) rootsOnDisk {
	t.Helper()
	r := rootsOnDisk{path: filepath.Join(t.TempDir(), "roots.pem")}
	require.NoError(t, truststore.New(certs...).WriteFile(r.path, truststore.PEM))
	source, err := truststore.Watch(t.Context(), r.path, truststore.WithInterval(100*time.Millisecond), truststore.OnReload(func(truststore.Reload) {}))
	require.NoError(t, err)
	r.source = source
	return r
}

func (r rootsOnDisk) write(t *testing.T, certs ...*x509.Certificate) {
	t.Helper()
	before := r.source.Store()
	require.NoError(t, truststore.New(certs...).WriteFile(r.path, truststore.PEM))
	require.Eventually(t, func() bool { return r.source.Store() != before }, 20*time.Second, 10*time.Millisecond)
}

func testRoot(t *testing.T, name string) tls.Certificate {
	return sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
}

func testLeaf(t *testing.T, root tls.Certificate) tls.Certificate {
	return sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, &root)
}

func TestARunningClientFollowsItsRoots(t *testing.T) {
	a, b := testRoot(t, "A"), testRoot(t, "B")
	underA := serve(t, &tls.Config{Certificates: []tls.Certificate{testLeaf(t, a)}})
	underB := serve(t, &tls.Config{Certificates: []tls.Certificate{testLeaf(t, b)}})
	roots := watchRoots(t, a.Leaf)
	client := newClient(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: roots.source}})
	tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: roots.source}})
	require.NoError(t, err)
	reach := func(url string) error {
		resp, err := client.Get(url)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	dial := func(url string) error {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), tc)
		if err == nil {
			conn.Close()
		}
		return err
	}
	assert.NoError(t, reach(underA))
	assert.Error(t, reach(underB))
	assert.NoError(t, dial(underA))

	roots.write(t, a.Leaf, b.Leaf)
	assert.NoError(t, reach(underA))
	assert.NoError(t, reach(underB))

	roots.write(t, b.Leaf)
	assert.NoError(t, reach(underB))
	assert.Error(t, reach(underA), "an idle connection is not used again either")
	assert.Error(t, dial(underA), "what was removed is refused at once")

	roots.write(t, a.Leaf, pkioverheid.G3.Root())
	assert.NoError(t, reach(underB), "contents with G3 in them are not used, those from before are")
	assert.Error(t, reach(underA))

	roots.write(t, a.Leaf)
	assert.NoError(t, reach(underA), "and it recovers")
}

func TestARunningServerFollowsItsRoots(t *testing.T) {
	a, b := testRoot(t, "A"), testRoot(t, "B")
	roots := watchRoots(t, a.Leaf)
	own := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Roots: roots.source}, KeyPairs: pairs(own)}, anybody)
	require.NoError(t, err)
	tc := server.TLSConfig()
	tc.NextProtos = []string{"h2", "http/1.1"}
	address := serve(t, tc)
	underA, underB := testLeaf(t, a), testLeaf(t, b)
	var proto int
	reach := func(cert tls.Certificate) error {
		client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: &tls.Config{
			RootCAs:              pkiotest.New(pkioverheid.PrivateG1).Roots().CertPool(),
			GetClientCertificate: shown(cert),
		}}}
		resp, err := client.Get(address)
		if err == nil {
			proto = resp.ProtoMajor
			resp.Body.Close()
		}
		return err
	}
	assert.NoError(t, reach(underA))
	assert.Equal(t, 2, proto, "what is set on the config counts")
	assert.Error(t, reach(underB))
	roots.write(t, a.Leaf, b.Leaf)
	assert.NoError(t, reach(underB))
	roots.write(t, b.Leaf)
	assert.NoError(t, reach(underB))
	assert.Error(t, reach(underA))
}

func TestARefusalOfNewRootsHasAPlaceToGo(t *testing.T) {
	a := testRoot(t, "A")
	roots := watchRoots(t, a.Leaf)
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{testLeaf(t, a)}})
	var told []string
	var client *http.Client
	logger := slog.New(logFunc(func(line slog.Record) {
		assert.Equal(t, slog.LevelError, line.Level)
		told = append(told, line.Message)
		resp, err := client.Get(address) // whoever listens may use the client
		if assert.NoError(t, err) {
			resp.Body.Close()
		}
	}))
	client = newClient(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: roots.source, Logger: logger}})
	roots.write(t, pkioverheid.G3.Root())
	for range 2 {
		resp, err := client.Get(address)
		require.NoError(t, err)
		resp.Body.Close()
	}
	require.Len(t, told, 1, "once for each contents")
	assert.Contains(t, told[0], "G3")
	assert.Contains(t, told[0], "Trust.Roots")
}

// logFunc is a slog.Handler.
type logFunc func(slog.Record)

func (f logFunc) Enabled(_ context.Context, l slog.Level) bool  { return l >= slog.LevelWarn }
func (f logFunc) Handle(_ context.Context, r slog.Record) error { f(r); return nil }
func (f logFunc) WithAttrs([]slog.Attr) slog.Handler            { return f }
func (f logFunc) WithGroup(string) slog.Handler                 { return f }

func TestNewRootsBringInNothingElse(t *testing.T) {
	a, b := testRoot(t, "A"), testRoot(t, "B")
	roots := watchRoots(t, a.Leaf, b.Leaf)
	underA := serve(t, &tls.Config{Certificates: []tls.Certificate{testLeaf(t, a)}})
	base := &http.Transport{TLSClientConfig: &tls.Config{}}
	hierarchies := []pkioverheid.Hierarchy{pkioverheid.PrivateG1}
	cert := pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{})
	refused := false
	client := newClient(t, pkioverheid.ClientConfig{Trust: pkioverheid.Trust{
		Roots: roots.source, Hierarchies: hierarchies, Logger: slog.New(logFunc(func(slog.Record) { refused = true })),
	}, KeyPairs: pairs(cert), Base: base})
	// The caller's own, changed since: it would be refused now.
	base.TLSClientConfig.InsecureSkipVerify = true
	hierarchies[0] = pkioverheid.G3
	cert.Certificate[0] = nil
	roots.write(t, b.Leaf)
	_, err := client.Get(underA)
	assert.Error(t, err, "what was removed is not trusted any more")
	assert.False(t, refused)
}

func TestRootsOnDiskAreCheckedAsRootsAre(t *testing.T) {
	roots := watchRoots(t, pkioverheid.G3.Root())
	_, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: roots.source}})
	var g3 *pkioverheid.G3Error
	assert.ErrorAs(t, err, &g3)

	roots = watchRoots(t, pkiotest.New(pkioverheid.PrivateG1).Certificates()[0])
	_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: roots.source}})
	assert.ErrorContains(t, err, "is public")

	_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: new(truststore.Source), OnlyRoots: true}})
	assert.ErrorContains(t, err, "no roots")
}
