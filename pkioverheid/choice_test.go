package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// fakeClock is one clock for everything in a test.
type fakeClock struct{ atomic.Pointer[time.Time] }

func newClock(at time.Time) *fakeClock {
	c := new(fakeClock)
	c.Store(&at)
	return c
}

func (c *fakeClock) now() time.Time   { return *c.Load() }
func (c *fakeClock) set(at time.Time) { c.Store(&at) }
func (c *fakeClock) trust() (t pkioverheid.Trust) {
	t = fixtureTrust()
	t.Time = c.now
	return t
}

// g1AndG4 are key pairs that last a year.
func g1AndG4(t *testing.T, l pkiotest.Leaf) (g1, g4 *pkioverheid.KeyPair) {
	t.Helper()
	l.NotBefore, l.NotAfter = time.Now().AddDate(0, 0, -1), time.Now().AddDate(1, 0, 0)
	return pkiotest.New(pkioverheid.PrivateG1).KeyPair(l), pkiotest.New(pkioverheid.PrivateG4TLS).KeyPair(l)
}

func TestAServerShowsThePairThatIsPreferredAndThatTheClientCanVerify(t *testing.T) {
	program(t, "openssl")
	now := time.Now()
	day := now.AddDate(0, 2, 0)
	g1, g4 := g1AndG4(t, pkiotest.Leaf{})
	g4.PreferFrom = day
	clock := newClock(now)
	tc := serverConfig(t, pkioverheid.ServerConfig{Trust: clock.trust(), KeyPairs: []*pkioverheid.KeyPair{g1, g4}}, anybody)
	address := strings.TrimPrefix(serve(t, tc), "https://")
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	const noPSS = "RSA+SHA256:RSA+SHA384:RSA+SHA512:ECDSA+SHA256"
	for _, c := range []struct {
		name string
		at   time.Time
		args []string
		want *pkioverheid.KeyPair
	}{
		{"before the day, with PSS and SNI", now, []string{"-servername", "localhost"}, g1},
		{"before the day, without PSS", now, []string{"-tls1_2", "-sigalgs", noPSS, "-noservername"}, g1},
		{"from the day on, with PSS and SNI, TLS 1.3", day, []string{"-servername", "localhost", "-tls1_3"}, g4},
		{"from the day on, with PSS and SNI, TLS 1.2", day, []string{"-servername", "localhost", "-tls1_2"}, g4},
		{"from the day on, without SNI", day, []string{"-noservername"}, g4},
		{"from the day on, for another name", day, []string{"-servername", "other.example"}, g4},
		{"from the day on, without PSS, with SNI", day, []string{"-tls1_2", "-sigalgs", noPSS, "-servername", "localhost"}, g1},
		{"from the day on, without PSS, without SNI", day, []string{"-tls1_2", "-sigalgs", noPSS, "-noservername"}, g1},
		{"from the day on, without PSS, for another name", day, []string{"-tls1_2", "-sigalgs", noPSS, "-servername", "other.example"}, g1},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock.set(c.at)
			args := append([]string{"s_client", "-connect", "127.0.0.1:" + port}, c.args...)
			output, _ := execute(t, "", "openssl", args...)
			issuer := regexp.MustCompile(`issuer=.*`).FindString(output)
			require.NotEmpty(t, issuer, output)
			assert.Contains(t, issuer, c.want.Certificate().Issuer.CommonName)
		})
	}
}

func TestAPairThatIsNotYetValidIsShownAfterThoseThatAre(t *testing.T) {
	g1, now := pkiotest.New(pkioverheid.PrivateG1), time.Now()
	first, second := g1.KeyPair(pkiotest.Leaf{NotBefore: now.AddDate(0, 0, 30), NotAfter: now.AddDate(1, 0, 0)}), g1.KeyPair(pkiotest.Leaf{NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(0, 2, 0)})
	both := []*pkioverheid.KeyPair{first, second}
	clock := newClock(now)
	url := serve(t, serverConfig(t, pkioverheid.ServerConfig{Trust: clock.trust(), KeyPairs: both}, anybody))
	client := newClient(t, pkioverheid.ClientConfig{Trust: clock.trust(), KeyPairs: both})
	for _, c := range []struct {
		name string
		days int
		want *pkioverheid.KeyPair
	}{
		{"before the first is valid", 0, second},
		{"when both are valid", 31, first},
		{"when the second has ended", 63, first},
	} {
		clock.set(now.AddDate(0, 0, c.days))
		client.CloseIdleConnections()
		resp, err := client.Get(url)
		require.NoError(t, err, c.name)
		resp.Body.Close()
		assert.Equal(t, c.want.Certificate().Raw, resp.TLS.PeerCertificates[0].Raw, c.name)
	}
}

// takes serves G1 and takes clients under some hierarchies, or announces none.
func takes(t *testing.T, announces bool, hierarchies ...pkioverheid.Hierarchy) string {
	t.Helper()
	pool := x509.NewCertPool()
	for _, h := range hierarchies {
		pool.AddCert(pkiotest.New(h).Certificates()[0])
	}
	tc := &tls.Config{Certificates: []tls.Certificate{ownPair()}, ClientAuth: tls.RequireAnyClientCert, ClientCAs: pool}
	if !announces {
		tc.ClientCAs = nil
	}
	tc.VerifyConnection = func(cs tls.ConnectionState) error {
		intermediates := x509.NewCertPool()
		for _, c := range cs.PeerCertificates[1:] {
			intermediates.AddCert(c)
		}
		_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: pool, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		return err
	}
	return serveFunc(t, tc, func(w http.ResponseWriter, r *http.Request) {
		claim, _ := pkioverheid.ClaimOf(r.TLS.PeerCertificates[0])
		_, _ = w.Write([]byte(claim.Hierarchy.String()))
	})
}

func TestAClientShowsThePairThatTheServerTakes(t *testing.T) {
	g1, g4 := g1AndG4(t, pkiotest.Leaf{ClientOnly: true})
	day := time.Now().AddDate(0, 2, 0)
	g4.PreferFrom = day
	clock := newClock(time.Now())
	client := newClient(t, pkioverheid.ClientConfig{Trust: clock.trust(), KeyPairs: []*pkioverheid.KeyPair{g1, g4}})
	onlyG1, onlyG4 := takes(t, true, pkioverheid.PrivateG1), takes(t, true, pkioverheid.PrivateG4TLS)
	both, none := takes(t, true, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS), takes(t, false, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS)
	for _, c := range []struct {
		name               string
		at                 time.Time
		onlyG1, onlyG4     string
		both, announceNone string
	}{
		{"before the day", time.Now(), "Private G1", "Private G4 TLS", "Private G1", "Private G1"},
		{"from the day on", day, "Private G1", "Private G4 TLS", "Private G4 TLS", "Private G4 TLS"},
		{"the clock goes back", time.Now(), "Private G1", "Private G4 TLS", "Private G1", "Private G1"},
	} {
		clock.set(c.at)
		for range 2 {
			assert.Equal(t, c.onlyG1, body(t, client, onlyG1), c.name)
			assert.Equal(t, c.onlyG4, body(t, client, onlyG4), c.name)
			assert.Equal(t, c.both, body(t, client, both), c.name)
			assert.Equal(t, c.announceNone, body(t, client, none), c.name)
		}
	}
}

func TestAPairThatHasEndedIsShownLast(t *testing.T) {
	now := time.Now()
	old := pkiotest.New(pkioverheid.PrivateG1).KeyPair(pkiotest.Leaf{NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(0, 1, 0)})
	_, g4 := g1AndG4(t, pkiotest.Leaf{})
	clock := newClock(now)
	both := takes(t, true, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS)
	client := newClient(t, pkioverheid.ClientConfig{Trust: clock.trust(), KeyPairs: []*pkioverheid.KeyPair{old, g4}})
	address := strings.TrimPrefix(serve(t, serverConfig(t, pkioverheid.ServerConfig{Trust: clock.trust(), KeyPairs: []*pkioverheid.KeyPair{old, g4}}, anybody)), "https://")
	assert.Equal(t, "Private G1", body(t, client, both))
	serial, err := serialAt(address, "")
	require.NoError(t, err)
	assert.Equal(t, old.Certificate().SerialNumber, serial)
	clock.set(now.AddDate(0, 2, 0))
	serial, err = serialAt(address, "")
	require.NoError(t, err)
	assert.Equal(t, g4.Certificate().SerialNumber, serial)
}

func TestAPairCanBeBoundToHosts(t *testing.T) {
	g1, g4 := g1AndG4(t, pkiotest.Leaf{})
	url := takes(t, false, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS)
	for _, c := range []struct {
		hosts []string
		want  string
	}{
		{nil, "Private G4 TLS"},
		{[]string{"LOCALHOST"}, "Private G4 TLS"},
		{[]string{"sub.localhost", "other.example"}, "Private G1"},
	} {
		_, g4 = g1AndG4(t, pkiotest.Leaf{})
		g4.Hosts = c.hosts
		client := newClient(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: []*pkioverheid.KeyPair{g4, g1}})
		assert.Equal(t, c.want, body(t, client, url), c.hosts)
	}
	g4.Hosts = []string{"localhost"}
	_, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: []*pkioverheid.KeyPair{g4}})
	assert.ErrorContains(t, err, "KeyPair.Hosts")
	_, err = pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: fixtureTrust(), KeyPairs: []*pkioverheid.KeyPair{g4}}, anybody)
	assert.ErrorContains(t, err, "Hosts")
	for _, host := range []string{"", "*.example", "https://a.example", "a.example/", "münchen.example", "a.example:", "localhost:443"} {
		g4.Hosts = []string{host}
		_, err = pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: []*pkioverheid.KeyPair{g4}})
		assert.ErrorContains(t, err, "KeyPair.Hosts", host)
	}
}

func TestAHierarchyIsRefusedFromADateOnResumedSessionsToo(t *testing.T) {
	now := time.Now()
	day := now.AddDate(0, 0, 3)
	clock := newClock(now)
	trust := clock.trust()
	trust.RefuseFrom = map[pkioverheid.Hierarchy]time.Time{pkioverheid.PrivateG1: day}
	g1, g4 := g1AndG4(t, pkiotest.Leaf{})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		clock.set(now)
		tc := serverConfig(t, pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g4}}, anybody)
		tc.MaxVersion = version
		url := serve(t, tc)
		for _, c := range []struct {
			own  *pkioverheid.KeyPair
			then bool
		}{{g1, false}, {g4, true}} {
			clock.set(now)
			base := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(8)}}
			client := newClient(t, pkioverheid.ClientConfig{Trust: clock.trust(), KeyPairs: []*pkioverheid.KeyPair{c.own}, Base: base})
			_ = body(t, client, url)
			resp, err := client.Get(url)
			require.NoError(t, err)
			assert.True(t, resp.TLS.DidResume)
			resp.Body.Close()
			clock.set(day)
			resp, err = client.Get(url)
			if err == nil {
				resp.Body.Close()
			}
			assert.Equal(t, c.then, err == nil, err)
		}
	}
	trust.RefuseFrom = map[pkioverheid.Hierarchy]time.Time{"": day}
	_, err := pkioverheid.NewVerifier(trust)
	assert.ErrorContains(t, err, "RefuseFrom")
	trust.RefuseFrom = map[pkioverheid.Hierarchy]time.Time{pkioverheid.PrivateG1: {}}
	_, err = pkioverheid.NewVerifier(trust)
	assert.ErrorContains(t, err, "RefuseFrom")
}
