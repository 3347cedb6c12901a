package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// taker is a kind of server, by whose certificates it takes.
type taker struct {
	name      string
	accepts   []pkioverheid.Hierarchy
	announces bool
}

var takers = []taker{
	{"G1 only", both[:1], true},
	{"both", both, true},
	{"G4 only", both[1:], true},
	{"(not said)", both, false},
}

// phase is one of the move from G1 to G4, and what each taker should be shown in it; an
// empty text is a refusal.
type phase struct {
	name  string
	begin func(*migration) error
	want  [4]string
}

var phases = []phase{
	{"G1 alone", func(*migration) error { return nil }, [4]string{"G1", "G1", "", "G1"}},
	{"both, G1 first", (*migration).addG4, [4]string{"G1", "G1", "G4", "G1"}},
	{"both, G4 first from a date", func(m *migration) error { m.set(m.day); return nil }, [4]string{"G1", "G4", "G4", "G4"}},
	{"G1 has ended", func(m *migration) error { m.set(m.g1Ends.AddDate(0, 0, 1)); return nil }, [4]string{"", "G4", "G4", "G4"}},
}

// migration is a client that is made once, and a clock.
type migration struct {
	now         atomic.Pointer[time.Time]
	day, g1Ends time.Time
	second      *pkioverheid.KeyPair
	g4          tls.Certificate
	client      *http.Client
}

func (m *migration) set(at time.Time) { m.now.Store(&at) }
func (m *migration) time() time.Time  { return *m.now.Load() }

// addG4 is what happens when files are replaced that a KeyPair of WatchKeyPair follows.
func (m *migration) addG4() error { return m.second.Set(m.g4) }

// trust has the clock.
func (m *migration) trust(hierarchies []pkioverheid.Hierarchy) pkioverheid.Trust {
	t := fixtures(hierarchies)
	t.Time, t.Logger = m.time, slog.New(slog.DiscardHandler)
	return t
}

func newMigration() (*migration, error) {
	start := time.Now()
	m := &migration{day: start.AddDate(0, 1, 0), g1Ends: start.AddDate(0, 2, 0)}
	m.set(start)
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	m.g4 = g4.Issue(pkiotest.Leaf{OIN: clientOIN, NotBefore: start.AddDate(0, 0, -1), NotAfter: start.AddDate(1, 0, 0)})
	// In your program: pkioverheid.WatchKeyPair. The second file holds the certificate under
	// G1 until there is one under G4.
	ofG1 := pkiotest.Leaf{OIN: clientOIN, NotAfter: m.g1Ends}
	first := g1.KeyPair(ofG1)
	m.second = g1.KeyPair(ofG1)
	m.second.PreferFrom = m.day
	var err error
	m.client, err = pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: m.trust(both), KeyPairs: []*pkioverheid.KeyPair{first, m.second}})
	return m, err
}

// migrate takes one client through the phases, and prints what each server is shown.
func migrate(w io.Writer) (bool, error) {
	m, err := newMigration()
	if err != nil {
		return false, err
	}
	defer m.client.CloseIdleConnections()
	var urls [4]string
	for i, t := range takers {
		url, stop, err := m.start(t)
		if err != nil {
			return false, err
		}
		defer stop()
		urls[i] = url
	}
	fmt.Fprint(w, "One client, which is never changed, moves from G1 to G4. Servers take clients\nunder G1, both or G4 and say so, or take both and do not say it:\n\n")
	const row = "  %-28s  %-10s  %-10s  %-10s  %s\n"
	fmt.Fprintf(w, row+"\n", "WHAT THE CLIENT HAS", "G1 only", "both", "G4 only", "(not said)")
	asItShould := true
	for _, p := range phases {
		if err := p.begin(m); err != nil {
			return false, err
		}
		var shown [4]any
		for i, url := range urls {
			got := m.call(url)
			shown[i] = got
			if got == "" {
				shown[i] = "refused"
			}
			if got != p.want[i] {
				asItShould, shown[i] = false, fmt.Sprintf("%v (!)", shown[i])
			}
		}
		fmt.Fprintf(w, row, append([]any{p.name}, shown[:]...)...)
	}
	fmt.Fprintln(w)
	return asItShould, nil
}

// call returns the hierarchy of what the server was shown, or nothing if it refused.
func (m *migration) call(url string) string {
	m.client.CloseIdleConnections()
	resp, err := m.client.Get(url)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(said)
}

// start runs a server that answers with the hierarchy of what it was shown.
func (m *migration) start(t taker) (url string, stop func(), err error) {
	trust := m.trust(t.accepts)
	trust.OnlyRoots = true
	own := pkiotest.New(pkioverheid.PrivateG4TLS).KeyPair(pkiotest.Leaf{})
	guard, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{own}}, pkioverheid.AllowOIN(clientOIN))
	if err != nil {
		return "", nil, err
	}
	config := guard.TLSConfig()
	if !t.announces {
		if config, err = silent(config, trust); err != nil {
			return "", nil, err
		}
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claim, _ := pkioverheid.ClaimOf(r.TLS.PeerCertificates[0])
		fmt.Fprint(w, short(claim.Hierarchy))
	}))
	srv.TLS = config
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		srv.Close()
		return "", nil, err
	}
	return "https://localhost:" + port, srv.Close, nil
}

// silent makes a server of others, which announces no CAs and verifies after that, as
// Windows does.
func silent(config *tls.Config, trust pkioverheid.Trust) (*tls.Config, error) {
	v, err := pkioverheid.NewVerifier(trust)
	if err != nil {
		return nil, err
	}
	proved := func(*x509.Certificate) error { return nil } // by the handshake
	return &tls.Config{
		Certificates: config.Certificates, ClientAuth: tls.RequireAnyClientCert, Time: trust.Time,
		VerifyConnection: func(cs tls.ConnectionState) error {
			_, err := v.Verify(cs.PeerCertificates, pkioverheid.SignerOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, proved)
			return err
		},
	}, nil
}
