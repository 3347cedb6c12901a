package pkioverheid_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// dialAs is what a client library does: it dials, reads, and wraps what it gets.
func dialAs(ctx context.Context, tc *tls.Config, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	d := tls.Dialer{Config: tc}
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return fmt.Errorf("library: failed to connect: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	if _, err = conn.Read(make([]byte, 1)); err != nil { // in TLS 1.3 the refusal comes now
		return fmt.Errorf("library: no greeting: %w", err)
	}
	return nil
}

// explained dials with a config of ClientTLSConfig and explains.
func explained(t *testing.T, cfg pkioverheid.ClientConfig, address string) error {
	t.Helper()
	cfg.AllowUnsuitable = true
	tc, err := pkioverheid.ClientTLSConfig(cfg)
	require.NoError(t, err)
	ctx := pkioverheid.WithHandshake(t.Context())
	return pkioverheid.Explain(ctx, dialAs(ctx, tc, address))
}

func TestExplainSaysOfAServerWhatATransportDoes(t *testing.T) {
	g1, g3 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.G3)
	yesterday := pkiotest.Leaf{NotAfter: time.Now().AddDate(0, 0, -1)}
	tomorrow := pkiotest.Leaf{NotBefore: time.Now().AddDate(0, 0, 1)}
	for _, c := range []struct {
		name   string
		pair   tls.Certificate
		reason chain.Reason
		g3     bool
	}{
		{"under G3", g3.Issue(pkiotest.Leaf{}), chain.RefusedByPolicy, true},
		{"under G3, its own certificate only", g3.Issue(pkiotest.Leaf{LeafOnly: true}), chain.RefusedByPolicy, true},
		{"under G3 and expired", g3.Issue(yesterday), chain.RefusedByPolicy, true},
		{"expired", g1.Issue(yesterday), chain.Expired, false},
		{"not yet valid", g1.Issue(tomorrow), chain.NotYetValid, false},
		{"for another host", g1.Issue(pkiotest.Leaf{DNSNames: []string{"elsewhere.example"}}), chain.WrongName, false},
		{"not for servers", g1.Issue(pkiotest.Leaf{ClientOnly: true}), chain.WrongUsage, false},
		{"of a hierarchy that has ended", pkiotest.New(pkioverheid.EV).Issue(pkiotest.Leaf{}), chain.Expired, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := serve(t, &tls.Config{Certificates: []tls.Certificate{c.pair}})
			cfg := pkioverheid.ClientConfig{Trust: fixtureTrust()}
			_, err := get(t, cfg, address)
			var want, got *pkioverheid.ServerCertificateError
			require.ErrorAs(t, err, &want)
			require.ErrorAs(t, explained(t, cfg, address), &got)
			assert.Equal(t, c.reason, got.Reason)
			assert.Equal(t, "the server", got.Host, "nothing in the error names it")
			assert.Equal(t, want.Reason, got.Reason)
			seconds := regexp.MustCompile(`:\d\d UTC`)
			assert.Equal(t, seconds.ReplaceAllString(want.Problem, ""), seconds.ReplaceAllString(got.Problem, ""))
			assert.Equal(t, want.Advice, got.Advice)
			assert.Equal(t, len(want.Path), len(got.Path))
			var found *pkioverheid.G3Error
			assert.Equal(t, c.g3, errors.As(got, &found))
			if c.g3 {
				assert.Contains(t, got.Advice, "The server's owner must ask the certificate supplier")
			}
			var refused *tls.CertificateVerificationError
			assert.ErrorAs(t, got, &refused)
			assert.False(t, got.Timeout())
		})
	}
}

// What was trusted is not known to Explain. It then goes by what crypto/x509 says.
func TestExplainAboutARootOfTheUsersOwn(t *testing.T) {
	root := selfSigned(t, "Root of our own")
	store := truststore.New(root.Leaf)
	trust := pkioverheid.Trust{OnlyRoots: true, Roots: truststore.NewSource(store)}
	for _, c := range []struct {
		name   string
		end    time.Time
		host   string
		trust  pkioverheid.Trust
		reason chain.Reason
		says   string
	}{
		{"expired", time.Now().Add(-time.Hour), "localhost", trust, chain.Expired, "was valid until"},
		{"for another host", time.Now().Add(time.Hour), "elsewhere.example", trust, chain.WrongName, "elsewhere.example"},
		{"not trusted", time.Now().Add(time.Hour), "localhost", pkioverheid.Trust{}, chain.UnknownAuthority, "is not known here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := serve(t, &tls.Config{Certificates: []tls.Certificate{issuedBy(t, root, c.host, c.end)}})
			err := explained(t, pkioverheid.ClientConfig{Trust: c.trust}, address)
			var got *pkioverheid.ServerCertificateError
			require.ErrorAs(t, err, &got)
			assert.Equal(t, c.reason, got.Reason)
			assert.Contains(t, got.Problem, c.says)
			assert.NotContains(t, got.Error(), "forged")
		})
	}
}

// A policy in a pool comes through crypto/tls as an unknown CA with a hint.
func TestExplainSaysWhatAPolicyInAPoolSays(t *testing.T) {
	own := selfSigned(t, "Root of our own")
	for name, c := range map[string]struct {
		pair  tls.Certificate
		roots *truststore.Store
	}{
		"of PKIoverheid": {pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}), fixtureRoots()},
		"of our own":     {issuedBy(t, own, "localhost", time.Now().Add(time.Hour)), truststore.New(own.Leaf)},
	} {
		t.Run(name, func(t *testing.T) {
			trust := pkioverheid.Trust{
				OnlyRoots: true, Roots: truststore.NewSource(c.roots),
				Policy: func(chain.Chain, time.Time) error { return errors.New("we are done with it") },
			}
			address := serve(t, &tls.Config{Certificates: []tls.Certificate{c.pair}})
			err := explained(t, pkioverheid.ClientConfig{Trust: trust}, address)
			var got *pkioverheid.ServerCertificateError
			require.ErrorAs(t, err, &got)
			assert.Contains(t, got.Problem, "we are done with it")
			assert.NotContains(t, got.Error(), "pkiotest.Trust")
		})
	}
}

func selfSigned(t *testing.T, name string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func issuedBy(t *testing.T, root tls.Certificate, host string, end time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore:   end.AddDate(0, -1, 0), NotAfter: end,
	}, root.Leaf, key.Public(), root.PrivateKey)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestExplainSaysWhatOurSideWasAskedForAndSent(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	pool := func(a *pkiotest.Authority) *x509.CertPool {
		p := x509.NewCertPool()
		p.AddCert(a.Certificates()[0])
		return p
	}
	own, expired := g1.KeyPair(pkiotest.Leaf{}), g1.KeyPair(pkiotest.Leaf{NotAfter: time.Now().AddDate(0, 0, -1)})
	refuses := func([][]byte, [][]*x509.Certificate) error { return errors.New("not this one") }
	for _, c := range []struct {
		name   string
		server *tls.Config
		pairs  []*pkioverheid.KeyPair
		sent   bool
		says   string
	}{
		{"refused by the server", &tls.Config{ClientCAs: pool(g1), ClientAuth: tls.RequireAndVerifyClientCert, VerifyPeerCertificate: refuses}, []*pkioverheid.KeyPair{own}, true, "refused our certificate"},
		{"expired", &tls.Config{ClientCAs: pool(g1), ClientAuth: tls.RequireAndVerifyClientCert}, []*pkioverheid.KeyPair{expired}, true, "it is valid from"},
		{"under a root that the server does not announce", &tls.Config{ClientCAs: pool(g4), ClientAuth: tls.RequireAndVerifyClientCert}, []*pkioverheid.KeyPair{own}, false, "does not accept the CAs above it"},
		{"none to send", &tls.Config{ClientCAs: pool(g1), ClientAuth: tls.RequireAndVerifyClientCert}, nil, false, "there is none to send"},
	} {
		for version, name := range map[uint16]string{tls.VersionTLS12: "TLS 1.2", tls.VersionTLS13: "TLS 1.3"} {
			t.Run(c.name+", "+name, func(t *testing.T) {
				tc := c.server.Clone()
				tc.Certificates, tc.MinVersion, tc.MaxVersion = []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, version, version
				err := explained(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: c.pairs}, serve(t, tc))
				var got *pkioverheid.ClientCertificateError
				require.ErrorAs(t, err, &got)
				assert.True(t, got.Known)
				assert.Equal(t, c.sent, got.Sent)
				require.Len(t, got.AcceptableCAs, 1)
				assert.Contains(t, got.Problem, c.says)
				assert.False(t, got.Timeout())
				assert.NotContains(t, got.Error(), "library: ", "its text may name users")
				assert.ErrorContains(t, got.Err[len(got.Err)-1], "library: ", "and it is there for errors.As")
			})
		}
	}
}

// asked returns a context in which a server asked for a certificate and got one.
func asked(t *testing.T, clock func() time.Time) context.Context {
	t.Helper()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	trust := fixtureTrust()
	trust.Time = clock
	tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})}})
	require.NoError(t, err)
	ctx := pkioverheid.WithHandshake(t.Context())
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{g1.Issue(pkiotest.Leaf{})}, ClientAuth: tls.RequestClientCert, NextProtos: []string{"http/1.1"}})
	u, err := url.Parse(address)
	require.NoError(t, err)
	conn, err := (&tls.Dialer{Config: tc}).DialContext(ctx, "tcp", u.Host)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	return ctx
}

func TestExplainReadsEachAlert(t *testing.T) {
	var later atomic.Int64
	seen := asked(t, func() time.Time { return time.Now().Add(time.Duration(later.Load())) })
	for _, c := range []struct {
		alert         tls.AlertError
		alone, inTime bool // explained without and with a handshake
		muchLater     bool
	}{
		{10, false, false, false}, // unexpected message
		{22, false, false, false}, // record overflow
		{40, false, true, false},
		{42, true, true, true},
		{43, true, true, true},
		{44, true, true, true},
		{45, true, true, true},
		{46, true, true, true},
		{48, true, true, true},
		{49, false, true, false},
		{51, false, true, false},
		{70, false, false, false}, // protocol version
		{80, false, true, false},
		{116, true, true, true},
	} {
		err := fmt.Errorf("library: %w", &net.OpError{Op: "remote error", Err: c.alert})
		ours := &net.OpError{Op: "local error", Err: c.alert}
		for _, tried := range []struct {
			name  string
			ctx   context.Context
			later time.Duration
			want  bool
		}{
			{"alone", t.Context(), 0, c.alone},
			{"with a context in which nothing was dialled", pkioverheid.WithHandshake(t.Context()), 0, c.alone},
			{"right after a handshake", seen, 0, c.inTime},
			{"long after a handshake", seen, time.Minute, c.muchLater},
		} {
			later.Store(int64(tried.later))
			got := pkioverheid.Explain(tried.ctx, err)
			var refused *pkioverheid.ClientCertificateError
			assert.Equal(t, tried.want, errors.As(got, &refused), "%v, %s", c.alert, tried.name)
			if !tried.want {
				assert.Same(t, err, got)
				continue
			}
			assert.Equal(t, tried.ctx == seen, refused.Known)
			assert.ErrorIs(t, got, err)
			assert.Same(t, got, pkioverheid.Explain(tried.ctx, got), "not once more")
			assert.Same(t, ours, pkioverheid.Explain(tried.ctx, ours), "an alert of our own")
		}
	}
}

func TestExplainReadsALostConnectionAsAGuess(t *testing.T) {
	var later atomic.Int64
	seen := asked(t, func() time.Time { return time.Now().Add(time.Duration(later.Load())) })
	for _, lost := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		err := fmt.Errorf("library, user=secret: %w", lost)
		var refused *pkioverheid.ClientCertificateError
		later.Store(0)
		require.ErrorAs(t, pkioverheid.Explain(seen, err), &refused)
		assert.True(t, refused.Guess)
		assert.NotContains(t, refused.Error(), "secret")
		assert.Same(t, err, pkioverheid.Explain(t.Context(), err), "nobody asked")
		later.Store(int64(time.Minute))
		assert.Same(t, err, pkioverheid.Explain(seen, err), "it had worked for a minute")
	}
}

func TestExplainLeavesWhatConcernsNoCertificate(t *testing.T) {
	seen := asked(t, nil)
	assert.NoError(t, pkioverheid.Explain(seen, nil))
	for name, err := range map[string]error{
		"a plain error":            errors.New("remote error: tls: bad certificate"),
		"a timeout":                fmt.Errorf("library: %w", context.DeadlineExceeded),
		"a deadline":               &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded},
		"a call that was given up": fmt.Errorf("library: %w", context.Canceled),
		"closed by ourselves":      &net.OpError{Op: "read", Err: net.ErrClosed},
		"a refused connection":     &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"no such host":             &net.DNSError{Err: "no such host", Name: "elsewhere.example", IsNotFound: true},
		"explained already":        fmt.Errorf("library: %w", &pkioverheid.ServerCertificateError{Host: "elsewhere.example"}),
	} {
		assert.Same(t, err, pkioverheid.Explain(seen, err), name)
		assert.Same(t, err, pkioverheid.Explain(context.Background(), err), name)
	}
}

// A library on net/http names the URL, and a Transport has explained already.
func TestExplainNamesTheHostOfAnHTTPRequest(t *testing.T) {
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{pkiotest.New(pkioverheid.G3).Issue(pkiotest.Leaf{})}})
	tc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: fixtureTrust()})
	require.NoError(t, err)
	plain := &http.Transport{TLSClientConfig: tc}
	defer plain.CloseIdleConnections()
	_, err = (&http.Client{Transport: plain}).Get(address)
	err = pkioverheid.Explain(t.Context(), err)
	var refused *pkioverheid.ServerCertificateError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "localhost", refused.Host)

	ours, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: fixtureTrust()})
	require.NoError(t, err)
	_, err = ours.Get(address)
	require.Error(t, err)
	assert.Same(t, err, pkioverheid.Explain(t.Context(), err))
}

// A server may send a root and nothing else, for which it needs no key: libraries that
// verify without a host name get an error of crypto/x509 about that alone.
func TestExplainOfARootAlone(t *testing.T) {
	for _, h := range pkioverheid.Hierarchies() {
		root := h.Root()
		_, cause := root.Verify(x509.VerifyOptions{Roots: x509.NewCertPool()})
		require.Error(t, cause)
		for _, certs := range [][]*x509.Certificate{{root}, {root, nil}, {root, root}} {
			err := pkioverheid.Explain(t.Context(), &tls.CertificateVerificationError{UnverifiedCertificates: certs, Err: cause})
			var refused *pkioverheid.ServerCertificateError
			require.ErrorAs(t, err, &refused)
			assert.Contains(t, refused.Error(), h.String())
		}
	}
	for _, made := range []*tls.CertificateVerificationError{{}, {UnverifiedCertificates: []*x509.Certificate{nil}}} {
		assert.Same(t, made, pkioverheid.Explain(t.Context(), made), "it says nothing")
	}
}
