package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

const (
	g3 = pkioverheid.G3
	g1 = pkioverheid.PrivateG1
	g4 = pkioverheid.PrivateG4TLS
)

func TestEveryOutcomeIsAsItShouldBe(t *testing.T) {
	var out strings.Builder
	require.NoError(t, demonstrate(&out))
	parts := strings.Split(out.String(), ":\n\n")
	require.Len(t, parts, 7, out.String())
	for i, want := range [][]string{
		1: {"client: Unavailable", "which was withdrawn", "under Private G4"},
		2: {"oin=" + string(listed), `hierarchy="Private G1"`, "client: SERVING"},
		3: {"oin=" + string(listed), `hierarchy="Private G1"`, "client: SERVING"},
		4: {"oin=" + string(listed), `hierarchy="Private G4 TLS"`, "client: SERVING"},
		5: {"client: PermissionDenied", "OIN " + string(other) + " is not on the list"},
		6: {"not the certificate of a system", "client: Unavailable"},
	} {
		for _, text := range want {
			assert.Contains(t, parts[i], text)
		}
	}
	assert.NotContains(t, parts[1], "SERVING")
	assert.NotContains(t, parts[5], "called")
	assert.NotContains(t, parts[6], "called")
}

// webServer is not a gRPC server. It answers 404 to a connection that was trusted.
func webServer(t *testing.T, h pkioverheid.Hierarchy, l pkiotest.Leaf) (target string) {
	srv := pkiotest.New(h).NewServer(nil, l)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "https://")
}

// target starts a server that lets in listed.
func target(t *testing.T, cfg pkioverheid.ServerConfig) string {
	addr, stop, err := serve(io.Discard, cfg)
	require.NoError(t, err)
	t.Cleanup(stop)
	return addr
}

// check calls once with a client of its own.
func check(t *testing.T, target string, cfg pkioverheid.ClientConfig) error {
	conn, err := dial(target, cfg)
	require.NoError(t, err)
	defer conn.Close()
	_, err = call(conn)
	return err
}

func TestAG3ServerIsRefusedInOurWordsWhateverItSends(t *testing.T) {
	for name, l := range map[string]pkiotest.Leaf{
		"the chain":           {},
		"the reissue of 2016": {TSP: "2016"},
		"its own only":        {LeafOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			err := check(t, webServer(t, g3, l), issue(g1, listed))
			assert.Equal(t, codes.Unavailable, status.Code(err))
			assert.ErrorContains(t, err, "which was withdrawn")
		})
	}
	t.Run("with the root", func(t *testing.T) {
		authority := pkiotest.New(g3)
		cert := authority.Issue(pkiotest.Leaf{})
		cert.Certificate = append(cert.Certificate, authority.Certificates()[0].Raw)
		srv := httptest.NewUnstartedServer(nil)
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}}
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.StartTLS()
		defer srv.Close()
		_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
		require.NoError(t, err)
		err = check(t, net.JoinHostPort("localhost", port), issue(g1, listed))
		assert.Equal(t, codes.Unavailable, status.Code(err))
		assert.ErrorContains(t, err, "which was withdrawn")
	})
}

func TestAPoolIsEnoughForAServerThatAsksForNoCertificate(t *testing.T) {
	v, err := pkioverheid.NewVerifier(fixtures())
	require.NoError(t, err)
	ask := func(h pkioverheid.Hierarchy, pool *x509.CertPool) error {
		conn, err := dialPool(webServer(t, h, pkiotest.Leaf{}), pool)
		require.NoError(t, err)
		defer conn.Close()
		_, err = call(conn)
		return err
	}
	for _, h := range []pkioverheid.Hierarchy{g1, g4} {
		assert.Equal(t, codes.Unimplemented, status.Code(ask(h, v.Chains().CertPool(nil))), h)
	}
	err = ask(g3, v.Chains().CertPool(nil))
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.ErrorContains(t, err, "which was withdrawn")
	assert.ErrorContains(t, ask(g1, pkioverheid.DefaultCertPool()), "whose private key is public", "the keys of fixtures are public")
}

func TestCallersThatMayNotComeInDoNot(t *testing.T) {
	addr := target(t, serverOf(g1))
	require.NoError(t, check(t, addr, issue(g1, listed)), "who may come in does")

	for name, tc := range map[string]struct {
		cfg  pkioverheid.ClientConfig
		code codes.Code
	}{
		"another OIN":             {issue(g4, other), codes.PermissionDenied},
		"no OIN":                  {issue(g1, ""), codes.PermissionDenied},
		"a person":                {issueLeaf(g1, pkiotest.Leaf{OIN: listed, Policies: []string{"2.16.528.1.1003.1.2.8.1"}}), codes.Unavailable},
		"a certificate under G3":  {issue(g3, listed), codes.Unavailable},
		"no certificate":          {pkioverheid.ClientConfig{Trust: fixtures()}, codes.Unavailable},
		"an expired certificate":  {issueLeaf(g1, pkiotest.Leaf{OIN: listed, NotAfter: time.Now().AddDate(0, 0, -1)}), codes.Unavailable},
		"an EV certificate, ours": {issue(pkioverheid.EV, listed), codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			tc.cfg.AllowUnsuitable = true // the server is to refuse it
			err := check(t, addr, tc.cfg)
			assert.Equal(t, tc.code, status.Code(err), "%v", err)
		})
	}
}

// Private G4 G-Other is for certificates of clients without a domain name. Its root is
// named in ServerConfig.ClientRoots; here that of G1 takes its place.
func TestCallersUnderClientRootsAreIdentified(t *testing.T) {
	cfg := serverOf(g4)
	cfg.Trust, cfg.ClientRoots = pkiotest.Trust(pkiotest.New(g4)), truststore.NewSource(pkiotest.New(g1).Roots())
	addr := target(t, cfg)
	assert.NoError(t, check(t, addr, issue(g1, listed)))
	assert.Equal(t, codes.PermissionDenied, status.Code(check(t, addr, issue(g1, other))))
}

// What ended after the handshake does not stay in on its connection.
func TestACallerIsJudgedAtEachCall(t *testing.T) {
	var later atomic.Bool
	cfg := serverOf(g1)
	cfg.Trust.Time = func() time.Time {
		if later.Load() {
			return time.Now().AddDate(1, 0, 0)
		}
		return time.Now()
	}
	conn, err := dial(target(t, cfg), issueLeaf(g1, pkiotest.Leaf{OIN: listed, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}))
	require.NoError(t, err)
	defer conn.Close()
	_, err = call(conn)
	require.NoError(t, err)
	later.Store(true)
	_, err = call(conn)
	assert.Equal(t, codes.Unauthenticated, status.Code(err))
	assert.ErrorContains(t, err, "expired")
}

func TestStreamsAskWhoCallsToo(t *testing.T) {
	addr := target(t, serverOf(g1))
	watch := func(cfg pkioverheid.ClientConfig) error {
		conn, err := dial(addr, cfg)
		require.NoError(t, err)
		defer conn.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		stream, err := healthpb.NewHealthClient(conn).Watch(ctx, &healthpb.HealthCheckRequest{})
		if err != nil {
			return err
		}
		_, err = stream.Recv()
		return err
	}
	assert.NoError(t, watch(issue(g1, listed)))
	assert.Equal(t, codes.PermissionDenied, status.Code(watch(issue(g1, other))))
}

// A stream that was open when its caller's key was stolen.
func TestAStreamEndsWhoseCallerIsDistrusted(t *testing.T) {
	before := asksEvery
	asksEvery = 10 * time.Millisecond
	t.Cleanup(func() { asksEvery = before })
	var emergency pkioverheid.Distrusted
	cfg, client := serverOf(g1), issue(g1, listed)
	cfg.Trust.Distrusted = &emergency
	conn, err := dial(target(t, cfg), client)
	require.NoError(t, err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stream, err := healthpb.NewHealthClient(conn).Watch(ctx, &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)

	require.NoError(t, emergency.Set(pkioverheid.DistrustedEntry{Key: chain.KeyHash(client.KeyPairs[0].Certificate()), Reason: "stolen"}))
	_, err = stream.Recv()
	assert.Equal(t, codes.Unauthenticated, status.Code(err), "%v", err)
	assert.ErrorContains(t, err, "distrusted")
}

func TestThePolicyOfAConfigCountsInGRPC(t *testing.T) {
	cfg := issue(g1, listed)
	addr := target(t, serverOf(g1))
	require.NoError(t, check(t, addr, cfg))
	cfg.Trust.Policy = func(c chain.Chain, _ time.Time) error {
		if c.Root().Equal(pkiotest.New(g1).Certificates()[0]) {
			return errors.New("we are done with G1")
		}
		return nil
	}
	err := check(t, addr, cfg)
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.ErrorContains(t, err, "we are done with G1")
	assert.NoError(t, check(t, target(t, serverOf(g4)), cfg))
}

// gRPC works on copies of a tls.Config. What they must keep shows on a resumed session,
// for which crypto/tls builds no chain: only VerifyConnection asks the policy then.
func TestAResumedSessionIsVerifiedToo(t *testing.T) {
	addr := target(t, serverOf(g1))
	cfg := issue(g1, listed)
	var done atomic.Bool
	cfg.Trust.Policy = func(chain.Chain, time.Time) error {
		if done.Load() {
			return errors.New("we are done with G1")
		}
		return nil
	}
	config, err := pkioverheid.ClientTLSConfig(cfg)
	require.NoError(t, err)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	again := func() (resumed bool, err error) {
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(explained{credentials.NewTLS(config)}))
		require.NoError(t, err)
		defer conn.Close()
		var p peer.Peer
		_, err = healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{}, grpc.Peer(&p))
		info, _ := p.AuthInfo.(credentials.TLSInfo)
		return info.State.DidResume, err
	}
	_, err = again()
	require.NoError(t, err)
	resumed, err := again()
	require.NoError(t, err)
	require.True(t, resumed, "or this test would show nothing")
	done.Store(true)
	_, err = again()
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.ErrorContains(t, err, "we are done with G1")
}

// After a replacement each handshake of a server has a config of its own, which must
// have what gRPC needs and what the library checks.
func TestAServerGoesOnWithOtherRootsAndAnotherKeyPair(t *testing.T) {
	roots := truststore.NewSource(pkiotest.New(g1).Roots())
	own := pkiotest.New(g1).KeyPair(pkiotest.Leaf{})
	addr := target(t, pkioverheid.ServerConfig{Trust: pkioverheid.Trust{Roots: roots}, KeyPairs: []*pkioverheid.KeyPair{own}})
	require.NoError(t, check(t, addr, issue(g1, listed)))
	require.Error(t, check(t, addr, issue(g4, listed)))

	both := pkiotest.New(g1).Roots()
	both.Add(pkiotest.New(g4).Certificates()[0])
	require.NoError(t, roots.Set(both))
	require.NoError(t, own.Set(pkiotest.New(g4).Issue(pkiotest.Leaf{})))
	assert.NoError(t, check(t, addr, issue(g4, listed)))
	assert.Equal(t, codes.PermissionDenied, status.Code(check(t, addr, issue(g4, other))))
	person := issueLeaf(g1, pkiotest.Leaf{OIN: listed, Policies: []string{"2.16.528.1.1003.1.2.8.1"}})
	assert.Equal(t, codes.Unavailable, status.Code(check(t, addr, person)))
}
