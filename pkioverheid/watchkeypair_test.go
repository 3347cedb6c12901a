package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/testcert"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// pairOnDisk is a key pair in files that a KeyPair follows.
type pairOnDisk struct {
	folder
	*pkioverheid.KeyPair
	reports chan error
	clock   atomic.Pointer[time.Time]
}

func watchPair(t *testing.T, pair tls.Certificate) *pairOnDisk {
	t.Helper()
	p := &pairOnDisk{folder: folder(t.TempDir()), reports: make(chan error, 100)}
	p.pair(t, "own", pair)
	p.follow(t, pkioverheid.KeyPairFiles{Cert: p.path("own.pem"), Key: p.path("own.key")})
	return p
}

func (p *pairOnDisk) follow(t *testing.T, f pkioverheid.KeyPairFiles) {
	t.Helper()
	f.Time = func() time.Time {
		if at := p.clock.Load(); at != nil {
			return *at
		}
		return time.Time{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	var err error
	p.KeyPair, err = pkioverheid.WatchKeyPair(ctx, f, truststore.WithInterval(10*time.Millisecond),
		truststore.OnReload(func(r truststore.Reload) { p.reports <- r.Err }))
	require.NoError(t, err)
}

// next is the next report, nil for a replacement.
func (p *pairOnDisk) next(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.reports:
		return err
	case <-time.After(20 * time.Second):
		require.Fail(t, "nothing was reported")
		return nil
	}
}

func keyOf(t *testing.T, pair tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	return inPEM("PRIVATE KEY", der)
}

func TestAKeyPairFollowsItsFilesHoweverTheyAreReplaced(t *testing.T) {
	t.Parallel()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	issue := func() tls.Certificate { return g1.Issue(pkiotest.Leaf{ECDSA: true}) }
	one, other := issue(), g1.Issue(pkiotest.Leaf{})
	for _, c := range []struct {
		name   string
		with   tls.Certificate
		change func(t *testing.T, p *pairOnDisk, to tls.Certificate)
	}{
		{"both written in place", issue(), func(t *testing.T, p *pairOnDisk, to tls.Certificate) { p.pair(t, "own", to) }},
		{"by renaming, the key first", other, func(t *testing.T, p *pairOnDisk, to tls.Certificate) {
			p.pair(t, "new", to)
			require.NoError(t, os.Rename(p.path("new.key"), p.path("own.key")))
			assert.ErrorContains(t, p.next(t), "belongs to none of the certificates")
			assert.ErrorContains(t, p.Status().Err, "own.pem")
			require.NoError(t, os.Rename(p.path("new.pem"), p.path("own.pem")))
		}},
		{"by renaming, the certificate first", other, func(t *testing.T, p *pairOnDisk, to tls.Certificate) {
			p.pair(t, "new", to)
			require.NoError(t, os.Rename(p.path("new.pem"), p.path("own.pem")))
			assert.ErrorContains(t, p.next(t), "belongs to none of the certificates")
			require.NoError(t, os.Rename(p.path("new.key"), p.path("own.key")))
		}},
		{"half-written, and then whole", other, func(t *testing.T, p *pairOnDisk, to tls.Certificate) {
			whole := inPEM("CERTIFICATE", to.Certificate...)
			p.put(t, "own.key", keyOf(t, to))
			p.put(t, "own.pem", whole[:len(whole)/5])
			assert.ErrorContains(t, p.next(t), "own.pem")
			p.put(t, "own.pem", whole)
		}},
		{"the folder vanishes and returns", issue(), func(t *testing.T, p *pairOnDisk, to tls.Certificate) {
			require.NoError(t, os.Rename(string(p.folder), string(p.folder)+"-gone"))
			assert.ErrorIs(t, p.next(t), os.ErrNotExist)
			assert.ErrorIs(t, p.Status().Err, os.ErrNotExist)
			require.NoError(t, os.Rename(string(p.folder)+"-gone", string(p.folder)))
			assert.NoError(t, p.next(t))
			p.pair(t, "own", to)
		}},
		{"an ended certificate, and then a good one", other, func(t *testing.T, p *pairOnDisk, to tls.Certificate) {
			p.pair(t, "own", g1.Issue(pkiotest.Leaf{NotAfter: time.Now().AddDate(0, 0, -1)}))
			assert.ErrorContains(t, p.next(t), "has ended")
			p.pair(t, "own", to)
		}},
		{"the clock jumps to and fro", other, func(t *testing.T, p *pairOnDisk, to tls.Certificate) {
			for _, days := range []int{100, -100} {
				at := time.Now().AddDate(0, 0, days)
				p.clock.Store(&at)
				time.Sleep(20 * time.Millisecond)
			}
			p.clock.Store(nil)
			p.pair(t, "own", to)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := watchPair(t, one)
			before := p.Certificate()
			require.Equal(t, one.Certificate[0], before.Raw)
			c.change(t, p, c.with)
			require.Eventually(t, func() bool { return p.Certificate() != before }, 20*time.Second, time.Millisecond)
			assert.Equal(t, c.with.Certificate[0], p.Certificate().Raw)
			require.Eventually(t, func() bool { return p.Status().Err == nil }, 20*time.Second, time.Millisecond)
			require.ErrorContains(t, p.Set(one), "follows files")
		})
	}
}

func TestAKeyPairFollowsALinkAsKubernetesSwapsIt(t *testing.T) {
	t.Parallel()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	one, two := g1.Issue(pkiotest.Leaf{}), g1.Issue(pkiotest.Leaf{})
	p := &pairOnDisk{folder: folder(t.TempDir()), reports: make(chan error, 100)}
	for i, pair := range []tls.Certificate{one, two} {
		sub := folder(p.path([]string{"..1", "..2"}[i]))
		require.NoError(t, os.Mkdir(string(sub), 0o755))
		sub.pair(t, "tls", pair)
	}
	require.NoError(t, os.Symlink("..1", p.path("..data")))
	for _, name := range []string{"tls.pem", "tls.key"} {
		require.NoError(t, os.Symlink(filepath.Join("..data", name), p.path(name)))
	}
	p.follow(t, pkioverheid.KeyPairFiles{Cert: p.path("tls.pem"), Key: p.path("tls.key")})
	require.NoError(t, os.Symlink("..2", p.path("..new")))
	require.NoError(t, os.Rename(p.path("..new"), p.path("..data")))
	require.NoError(t, p.next(t))
	assert.Equal(t, two.Certificate[0], p.Certificate().Raw)
}

func TestAPasswordFileIsReadAgainWithEachReplacement(t *testing.T) {
	t.Parallel()
	program(t, "openssl")
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	p := &pairOnDisk{folder: folder(t.TempDir()), reports: make(chan error, 100)}
	encrypted := func(pair tls.Certificate, password string) {
		_, key := p.pair(t, "plain", pair)
		written(t, "openssl", "pkcs8", "-topk8", "-in", key, "-out", p.path("new.key"), "-passout", "pass:"+password)
		p.put(t, "own.pem", inPEM("CERTIFICATE", pair.Certificate...))
		require.NoError(t, os.Rename(p.path("new.key"), p.path("own.key")))
	}
	one, two := g1.Issue(pkiotest.Leaf{}), g1.Issue(pkiotest.Leaf{})
	encrypted(one, "first-secret")
	p.put(t, "password", []byte("first-secret\n"))
	files := pkioverheid.KeyPairFiles{Cert: p.path("own.pem"), Key: p.path("own.key"), PasswordFile: p.path("password")}
	if _, err := pkioverheid.LoadKeyPair(files); testcert.RefusedByFIPS(t, err) {
		return
	}
	p.follow(t, files)
	encrypted(two, "second-secret")
	var err error
	for err == nil || strings.Contains(err.Error(), "belongs to none") {
		err = p.next(t)
	}
	assert.ErrorContains(t, err, "password")
	assert.NotContains(t, err.Error(), "secret")
	assert.Equal(t, one.Certificate[0], p.Certificate().Raw)
	p.put(t, "password", []byte("second-secret\n"))
	require.NoError(t, p.next(t))
	assert.Equal(t, two.Certificate[0], p.Certificate().Raw)
}

func TestACertificateInTheFilesIsUsedFromWhenItIsValid(t *testing.T) {
	t.Parallel()
	g1, now := pkiotest.New(pkioverheid.PrivateG1), time.Now()
	one := g1.Issue(pkiotest.Leaf{})
	two := g1.Issue(pkiotest.Leaf{NotBefore: now.Add(time.Hour), NotAfter: now.AddDate(1, 0, 0)})
	p := watchPair(t, one)
	p.pair(t, "own", two)
	require.ErrorContains(t, p.next(t), "is not yet valid")
	assert.Equal(t, one.Leaf.Raw, p.Certificate().Raw)
	assert.ErrorContains(t, p.Status().Err, "is not yet valid")
	for i := 0; i < 500 && p.Status().Err != nil; i++ {
		later := now.Add(2*time.Hour + time.Duration(i)*time.Second)
		p.clock.Store(&later)
		time.Sleep(20 * time.Millisecond)
	}
	for err := p.next(t); err != nil; err = p.next(t) {
		require.ErrorContains(t, err, "is not yet valid")
	}
	assert.Equal(t, two.Leaf.Raw, p.Certificate().Raw)
	assert.NoError(t, p.Status().Err)
}

func TestWatchKeyPairRefusesWhatLoadKeyPairRefuses(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	dir := folder(t.TempDir())
	cert, _ := dir.pair(t, "one", g1.Issue(pkiotest.Leaf{}))
	_, key := dir.pair(t, "two", g1.Issue(pkiotest.Leaf{ECDSA: true}))
	for _, f := range []pkioverheid.KeyPairFiles{
		{}, {Cert: dir.path("none")}, {Cert: cert, Key: key},
		{Cert: cert, Password: "a", PasswordFile: "b"}, {Cert: key, Key: cert},
	} {
		_, loaded := pkioverheid.LoadKeyPair(f)
		_, watched := pkioverheid.WatchKeyPair(t.Context(), f)
		require.Error(t, loaded)
		require.Error(t, watched)
		assert.True(t, strings.HasPrefix(watched.Error(), "pkioverheid: "), watched)
	}
	for name, option := range map[string]truststore.Option{
		"WithPassword": truststore.WithPassword("correct horse"), "KeepGoing": truststore.KeepGoing(),
	} {
		_, err := pkioverheid.WatchKeyPair(t.Context(), pkioverheid.KeyPairFiles{Cert: cert, Key: dir.path("one.key")}, option)
		require.ErrorContains(t, err, "does not take "+name)
		assert.NotContains(t, err.Error(), "correct horse")
	}
	_, err := pkioverheid.WatchKeyPair(t.Context(), pkioverheid.KeyPairFiles{Cert: cert, Key: dir.path("one.key")}, truststore.WithLimit(1))
	assert.ErrorContains(t, err, "more than 1 bytes", "a limit counts")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = pkioverheid.WatchKeyPair(ended, pkioverheid.KeyPairFiles{Cert: cert, Key: dir.path("one.key")})
	assert.ErrorIs(t, err, context.Canceled)
}

// serialAt returns the serial number that a server shows.
func serialAt(address, name string) (*big.Int, error) {
	//nolint:gosec // what is shown is what is looked at
	conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: name, InsecureSkipVerify: true, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return new(tls.Certificate), nil
	}})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber, nil
}

func TestAServerShowsTheNewCertificateWithAndWithoutSNI(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	one, two := g1.Issue(pkiotest.Leaf{}), g1.Issue(pkiotest.Leaf{ECDSA: true})
	own, err := pkioverheid.NewKeyPair(one)
	require.NoError(t, err)
	address := strings.TrimPrefix(serve(t, serverConfig(t, pkioverheid.ServerConfig{KeyPairs: []*pkioverheid.KeyPair{own}}, anybody)), "https://")
	for i, pair := range []tls.Certificate{one, two, one} {
		if i > 0 {
			require.NoError(t, own.Set(pair))
		}
		for _, name := range []string{"", "localhost", "another.example"} {
			serial, err := serialAt(address, name)
			require.NoError(t, err)
			assert.Equal(t, pair.Leaf.SerialNumber, serial, name)
		}
	}
	ended := g1.Issue(pkiotest.Leaf{NotAfter: time.Now().AddDate(0, 0, -1)})
	assert.ErrorContains(t, own.Set(ended), "has ended")
	mixed := two
	mixed.PrivateKey = one.PrivateKey
	assert.ErrorContains(t, own.Set(mixed), "private key of another certificate")
	assert.Error(t, own.Set(tls.Certificate{}))
	assert.Equal(t, one.Certificate[0], own.Certificate().Raw)
}

func TestAClientShowsTheNewCertificateOnItsNextRequest(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		url := mutual(t, version, true, whoAmI)
		g1 := pkiotest.New(pkioverheid.PrivateG1)
		first, second := pkioverheid.OIN("00000099000000001000"), pkioverheid.OIN("00000099000000002000")
		own := g1.KeyPair(pkiotest.Leaf{OIN: first})
		client := newClient(t, pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: []*pkioverheid.KeyPair{own}})
		assert.Equal(t, string(first), body(t, client, url))
		require.NoError(t, own.Set(g1.Issue(pkiotest.Leaf{OIN: second})))
		assert.Equal(t, string(second), body(t, client, url), "neither an idle connection nor a session of the old one is used")
	}
}

func body(t testing.TB, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	var b strings.Builder
	_, err = io.Copy(&b, resp.Body)
	require.NoError(t, err)
	return b.String()
}

func TestReplacementsUnderHandshakesLoseNoneAndMixNothing(t *testing.T) {
	t.Parallel()
	replacements, handshakes := 100, 200
	if thorough {
		replacements, handshakes = 10000, 20000
	}
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	known := make(map[string]bool)
	var issued []tls.Certificate
	for range 16 {
		pair := g1.Issue(pkiotest.Leaf{ECDSA: true, OIN: someOIN})
		issued = append(issued, pair)
		known[pair.Leaf.SerialNumber.String()] = true
	}
	server, client := g1.KeyPair(pkiotest.Leaf{}), g1.KeyPair(pkiotest.Leaf{OIN: someOIN})
	require.NoError(t, server.Set(issued[0]))
	require.NoError(t, client.Set(issued[0]))
	var seen sync.Map
	tc := serverConfig(t, pkioverheid.ServerConfig{KeyPairs: []*pkioverheid.KeyPair{server}}, func(id pkioverheid.Identity) error {
		seen.Store(id.Certificate().SerialNumber.String(), true)
		return nil
	})
	cc, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: fixtureTrust(), KeyPairs: []*pkioverheid.KeyPair{client}})
	require.NoError(t, err)
	cc.ServerName = "localhost"
	done := make(chan struct{})
	var left atomic.Int64
	left.Store(int64(handshakes))
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				serial, err := handshake(tc, cc)
				if !assert.NoError(t, err) {
					return
				}
				assert.True(t, known[serial.String()])
			}
		})
	}
	go func() { workers.Wait(); close(done) }()
	for i := range replacements {
		next := issued[i%len(issued)]
		require.NoError(t, server.Set(next))
		require.NoError(t, client.Set(next))
		if pause := time.Duration(i%3) * 100 * time.Microsecond; pause > 0 {
			time.Sleep(pause)
		}
	}
	<-done
	count := 0
	seen.Range(func(serial, _ any) bool {
		if known[serial.(string)] {
			count++
		}
		return true
	})
	assert.Greater(t, count, 1, "clients showed several certificates")
}

// handshake returns the serial number that the server showed.
func handshake(server, client *tls.Config) (*big.Int, error) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	deadline := time.Now().Add(time.Minute)
	_ = a.SetDeadline(deadline)
	_ = b.SetDeadline(deadline)
	failed := make(chan error, 1)
	go func() {
		conn := tls.Server(b, server)
		_, err := conn.Read(make([]byte, 1))
		failed <- err
	}()
	conn := tls.Client(a, client)
	if _, err := conn.Write([]byte{1}); err != nil {
		return nil, err
	}
	return conn.ConnectionState().PeerCertificates[0].SerialNumber, <-failed
}

func TestWatchingEndsWithItsContext(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	dir := folder(t.TempDir())
	cert, key := dir.pair(t, "own", g1.Issue(pkiotest.Leaf{}))
	files := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("there is no /proc")
		}
		return len(entries)
	}
	goroutines, open := watchers(), files()
	ctx, cancel := context.WithCancel(t.Context())
	for range 20 {
		_, err := pkioverheid.WatchKeyPair(ctx, pkioverheid.KeyPairFiles{Cert: cert, Key: key}, truststore.WithInterval(10*time.Millisecond), truststore.OnReload(func(truststore.Reload) {}))
		require.NoError(t, err)
	}
	dir.pair(t, "own", g1.Issue(pkiotest.Leaf{}))
	require.Equal(t, goroutines+20, watchers())
	cancel()
	require.Eventually(t, func() bool { return watchers() == goroutines }, 20*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return files() <= open }, 20*time.Second, 10*time.Millisecond)
}

// watchers counts the goroutines that follow files.
func watchers() int {
	var b strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&b, 2)
	return strings.Count(b.String(), "truststore.(*watcher).run(")
}

// Who watches the files and all who use the key pair write one line a day between them, into
// the Logger of those.
func TestTheDeadlineOfAKeyPairIsLoggedOnceADay(t *testing.T) {
	own, clock, others, looked := endingPair(t)
	start := clock.now()
	var seen traced
	var logged *record
	trust := clock.trust()
	trust.Trace = seen.trace()
	trust.Logger, logged = lines()
	s := newServer(t, pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{own}}, anybody)
	_ = newClient(t, pkioverheid.ClientConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{own}})
	warned := func() int { return strings.Count(logged.String(), "its deadline is near") }
	already := strings.Count(others.String(), "its deadline is near") // the watcher may have been first
	looked()
	assert.Equal(t, 1, warned())
	assert.Equal(t, 2, seen.ending(), "Trace hears of each side's")

	clock.set(start.AddDate(0, 0, 1))
	_, err := s.TLSConfig().GetConfigForClient(new(tls.ClientHelloInfo))
	require.NoError(t, err)
	looked()
	assert.Equal(t, 2, warned(), "the first handshake of the day")
	assert.Equal(t, 3, seen.ending())

	clock.set(start.AddDate(0, 0, 2))
	looked()
	assert.Equal(t, 3, warned(), "nobody called on this day")
	_, err = s.TLSConfig().GetConfigForClient(new(tls.ClientHelloInfo))
	require.NoError(t, err)
	assert.Equal(t, 3, warned(), "the first look was before it")
	assert.Equal(t, 4, seen.ending())
	assert.Equal(t, already, strings.Count(others.String(), "its deadline is near"), "slog.Default is for when nobody uses the pair")
	assert.LessOrEqual(t, already, 1)
}

// endingPair is a key pair of files whose deadline is near, with the lines of slog.Default,
// and what waits until its files were looked at.
func endingPair(t *testing.T) (own *pkioverheid.KeyPair, clock *fakeClock, others *record, looked func()) {
	t.Helper()
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	clock = newClock(start)
	byDefault, others := lines()
	before := slog.Default()
	slog.SetDefault(byDefault)
	t.Cleanup(func() { slog.SetDefault(before) })
	f := folder(t.TempDir())
	f.pair(t, "own", pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{OIN: someOIN, NotBefore: start.AddDate(0, 0, -2), NotAfter: start.AddDate(0, 0, 80)}))
	var looks atomic.Int64
	own, err := pkioverheid.WatchKeyPair(t.Context(), pkioverheid.KeyPairFiles{Cert: f.path("own.pem"), Key: f.path("own.key"), Time: clock.now},
		truststore.WithInterval(10*time.Millisecond), truststore.OnLook(func(time.Time) { looks.Add(1) }))
	require.NoError(t, err)
	return own, clock, others, func() {
		from := looks.Load()
		require.Eventually(t, func() bool {
			clock.set(clock.now().Add(time.Second)) // the watcher waits by this clock
			return looks.Load() > from+2
		}, 20*time.Second, time.Millisecond)
	}
}

// A client that was made later with another logger takes no line from the others.
func TestEachLoggerGetsTheDeadlineOfAnIdleProgram(t *testing.T) {
	own, clock, others, looked := endingPair(t)
	start := clock.now()
	trust := clock.trust()
	var logged *record
	trust.Logger, logged = lines()
	_ = newServer(t, pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{own}}, anybody)
	probe := trust
	probe.Logger = slog.New(slog.DiscardHandler) // a short-lived probe, made last
	_ = newClient(t, pkioverheid.ClientConfig{Trust: probe, KeyPairs: []*pkioverheid.KeyPair{own}})
	n := strings.Count(logged.String()+others.String(), "its deadline is near")
	for day := 1; day < 4; day++ {
		clock.set(start.AddDate(0, 0, day))
		looked()
	}
	assert.Equal(t, n+3, strings.Count(logged.String()+others.String(), "its deadline is near"), "a line a day in an idle program")
}
