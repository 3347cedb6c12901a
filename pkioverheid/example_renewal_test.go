package pkioverheid_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// A server whose certificates are replaced on the disk while it runs.
func ExampleWatchKeyPair() {
	start := func(ctx context.Context, handler http.Handler, day time.Time) (*http.Server, error) {
		g1, err := pkioverheid.WatchKeyPair(ctx, pkioverheid.KeyPairFiles{Cert: "g1.pem", Key: "g1.key"})
		if err != nil {
			return nil, err
		}
		g4, err := pkioverheid.WatchKeyPair(ctx, pkioverheid.KeyPairFiles{Cert: "g4.p12", PasswordFile: "g4.password"})
		if err != nil {
			return nil, err
		}
		g4.PreferFrom = day // before that day G1 is shown
		trace := &pkioverheid.Trace{
			Own:    func(e pkioverheid.Event) { slog.Warn(string(e.Problem), "deadline", e.Deadline, "advice", e.Text) },
			Peer:   func(e pkioverheid.Event) { slog.Debug("caller", "oin", e.OIN, "hierarchy", e.Hierarchy) },
			Failed: func(e pkioverheid.Event) { slog.Info("handshake", "peer", e.Peer, "reason", e.Reason) },
		}
		server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{
			Trust:    pkioverheid.Trust{Trace: trace},
			KeyPairs: []*pkioverheid.KeyPair{g1, g4},
		}, pkioverheid.AllowAnySystem())
		if err != nil {
			return nil, err
		}
		return &http.Server{
			Addr:              ":443",
			Handler:           server.Handler(handler),
			TLSConfig:         server.TLSConfigForHandler(),
			ReadHeaderTimeout: 20 * time.Second,
			ErrorLog:          server.ErrorLog(), // so that Trace hears of clients that break off
		}, nil
	}
	_, err := start(context.Background(), http.NotFoundHandler(), time.Date(2027, time.June, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(err != nil) // there is no g1.pem
	// Output: true
}

// The four phases of the move from Private G1 to Private G4, in one client.
func Example_migration() {
	now := time.Now()
	day, g1Ends := now.AddDate(0, 1, 0), now.AddDate(0, 2, 0)
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	year := pkiotest.Leaf{NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(1, 0, 0)}

	// A server that says which hierarchy it was shown.
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claim, _ := pkioverheid.ClaimOf(r.TLS.PeerCertificates[0])
		fmt.Fprint(w, claim.Hierarchy)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{g4.Issue(year)}, ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	defer server.Close()

	// The client. The place of the second pair holds the first certificate, until there
	// is one under G4.
	first := g1.KeyPair(pkiotest.Leaf{NotAfter: g1Ends})
	second := g1.KeyPair(pkiotest.Leaf{NotAfter: g1Ends})
	second.PreferFrom = day
	var clock atomic.Pointer[time.Time]
	clock.Store(&now)
	trust := pkiotest.Trust(g1, g4)
	trust.Time = func() time.Time { return *clock.Load() }
	trust.Logger = slog.New(slog.DiscardHandler)
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{first, second}})
	if err != nil {
		log.Fatal(err)
	}
	show := func(phase string) {
		resp, err := client.Get(strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		shown, _ := io.ReadAll(resp.Body)
		fmt.Printf("%s: %s\n", phase, shown)
	}

	show("G1 alone")
	if err := second.Set(g4.Issue(year)); err != nil {
		log.Fatal(err)
	}
	show("both, G1 first")
	clock.Store(&day)
	show("both, G4 first")
	later := g1Ends.AddDate(0, 0, 1)
	clock.Store(&later)
	show("G1 ended")
	// Output:
	// G1 alone: Private G1
	// both, G1 first: Private G1
	// both, G4 first: Private G4 TLS
	// G1 ended: Private G4 TLS
}

func ExampleKeyPair_Status() {
	s := pkiotest.New(pkioverheid.PrivateG1).KeyPair(pkiotest.Leaf{}).Status()
	fmt.Println(s.Hierarchy, s.Err, s.Deadline.After(pkioverheid.PrivateG1.Plan().ReplaceBy))
	// Output: Private G1 <nil> false
}

func ExampleServer_HandshakeFailed() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	trust := pkiotest.Trust(g1)
	trust.Trace = &pkioverheid.Trace{Failed: func(e pkioverheid.Event) { fmt.Println(e.Reason) }}
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})}}, pkioverheid.AllowAnySystem())
	if err != nil {
		log.Fatal(err)
	}
	// After conn.HandshakeContext returned an error:
	server.HandshakeFailed(nil, io.EOF)
	server.HandshakeFailed(nil, errors.New("something else"))
	// Output:
	// the peer broke off
	// the handshake ended without success
}

func ExampleServer_ErrorLog() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	trust := pkiotest.Trust(g1)
	trust.Logger = slog.New(slog.DiscardHandler)
	trust.Trace = &pkioverheid.Trace{Failed: func(e pkioverheid.Event) { fmt.Println(e.Peer, e.Reason) }}
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})}}, pkioverheid.AllowAnySystem())
	if err != nil {
		log.Fatal(err)
	}
	// net/http writes such lines to http.Server.ErrorLog.
	server.ErrorLog().Print("http: TLS handshake error from 192.0.2.1:50000: remote error: tls: unknown certificate authority")
	// Output: 192.0.2.1:50000 the peer does not know our CA
}

func ExampleFailureReason() {
	fmt.Println(pkioverheid.PeerUnknownCA)
	// Output: the peer does not know our CA
}

func ExampleOwnProblem() {
	fmt.Println(pkioverheid.OwnWrongUse)
	// Output: it is for another use
}
