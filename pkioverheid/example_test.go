package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// The lines that most programs need. They are in the README too.
func Example() {
	post := func(url string, body io.Reader) (*http.Response, error) {
		cert, err := pkioverheid.LoadKeyPair("client.p7b", "client.key", "")
		if err != nil {
			return nil, err
		}
		client, err := pkioverheid.NewClient(pkioverheid.Config{Certificate: &cert})
		if err != nil {
			return nil, err
		}
		return client.Post(url, "text/xml; charset=utf-8", body)
	}
	_, err := post("https://soap.machtigen.digid.nl/", strings.NewReader("<Envelope/>"))
	fmt.Println(err)
	// Output: pkioverheid: stat client.p7b: no such file or directory
}

func ExampleNewClient() {
	// A server under Private G4, as package pkiotest makes them.
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	server := g4.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "goedemorgen")
	}))
	defer server.Close()

	// Outside a test, Roots stays out: the hierarchies are built in.
	client, err := pkioverheid.NewClient(pkioverheid.Config{Roots: g4.Roots()})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(string(body))
	// Output: goedemorgen
}

// A SOAP or ebMS library that takes an http.Client or an http.RoundTripper gets
// the transport; what your program has set on its own transport is kept.
func ExampleNewTransport() {
	mine := http.DefaultTransport.(*http.Transport).Clone()
	mine.MaxIdleConnsPerHost = 10
	transport, err := pkioverheid.NewTransport(pkioverheid.Config{Base: mine})
	if err != nil {
		log.Fatal(err)
	}
	client := http.Client{Transport: transport, Timeout: time.Minute}
	_, err = client.Get("http://soap.machtigen.digid.nl/")
	fmt.Println(err)
	// Output: Get "http://soap.machtigen.digid.nl/": pkioverheid: refused to call soap.machtigen.digid.nl over http: PKIoverheid services are called over https only
}

// A server whose certificate was never replaced is refused, and the error says
// what to do about it.
func ExampleG3Error() {
	g3 := pkiotest.New(pkioverheid.G3)
	server := g3.NewServer(http.NotFoundHandler(), pkiotest.LeafOnly())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()

	client, err := pkioverheid.NewClient(pkioverheid.Config{})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Get(server.URL)
	var g3err *pkioverheid.G3Error
	if errors.As(err, &g3err) {
		fmt.Println(g3err.CA)
		fmt.Println("withdrawn:", g3err.Withdrawn, "- ask:", g3err.TSP)
	}
	// Output:
	// KPN BV PKIoverheid Organisatie Server CA - G3
	// withdrawn: true - ask: KPN
}

func ExampleServerCertificateError() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	server := g1.NewServer(http.NotFoundHandler(), pkiotest.DNSNames("soap.example.nl"))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()

	client, err := pkioverheid.NewClient(pkioverheid.Config{Roots: g1.Roots()})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Get(server.URL)
	var refused *pkioverheid.ServerCertificateError
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
		fmt.Println(refused.Cause)
		fmt.Println(refused.Advice)
	}
	// Output:
	// wrong name
	// it is for "soap.example.nl"
	// call the server by that name, or have its owner add the name that you call
}

// Mutual TLS on the side of the server: who may call, and who calls.
func ExampleServerTLSConfig() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	own := g1.Issue()
	config, err := pkioverheid.ServerTLSConfig(pkioverheid.Config{
		Certificate: &own,
		Roots:       g1.Roots(), // in this test only
	}, pkioverheid.AllowOIN("00000003271987420000"))
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := pkioverheid.PeerIdentity(r.TLS)
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, "%s under %s", caller.OIN(), caller.Hierarchy())
	}))
	server.TLS = config
	server.StartTLS()
	defer server.Close()
	url := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)

	cert := g1.Issue(pkiotest.OIN("00000003271987420000"), pkiotest.ClientOnly())
	client, err := pkioverheid.NewClient(pkioverheid.Config{Certificate: &cert, Roots: g1.Roots()})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(string(body))
	// Output: 00000003271987420000 under Private G1
}

func ExampleClientTLSConfig() {
	config, err := pkioverheid.ClientTLSConfig(pkioverheid.Config{
		Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS},
	})
	if err != nil {
		log.Fatal(err)
	}
	// For tls.Dial, gRPC's credentials.NewTLS, a message broker, …
	fmt.Println(tls.VersionName(config.MinVersion))
	// Output: TLS 1.2
}

// A policy of your own: this program is to talk to servers of one provider only.
func ExampleConfig() {
	onlyKPN := func(c chain.Chain, at time.Time) error {
		if id, ok := pkioverheid.ClaimOf(c[1]); !ok || id.TSP != pkioverheid.KPN {
			return errors.New("not issued by KPN")
		}
		return nil
	}
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	server := g4.NewServer(http.NotFoundHandler(), pkiotest.TSP("Digidentity"))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()
	client, err := pkioverheid.NewClient(pkioverheid.Config{Policy: onlyKPN, Roots: g4.Roots()})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Get(server.URL)
	var refused *pkioverheid.ServerCertificateError
	fmt.Println(errors.As(err, &refused) && refused.Reason == chain.RefusedByPolicy)
	// Output: true
}

func ExampleClientCertificateError() {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	own := g4.Issue()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{own},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    g4.Roots().CertPool(),
	}
	server.StartTLS()
	defer server.Close()
	url := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)

	cert := g1.Issue() // and the server accepts G4 only
	client, err := pkioverheid.NewClient(pkioverheid.Config{Certificate: &cert, Roots: g4.Roots()})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Get(url)
	var refused *pkioverheid.ClientCertificateError
	if errors.As(err, &refused) {
		fmt.Println("asked for:", refused.AcceptableCAs[0])
		fmt.Println("sent:", refused.Sent)
		fmt.Println(refused.Advice)
	}
	// Output:
	// asked for: "Staat der Nederlanden - G4 Root Priv G-TLS - 2024" (Private G4 TLS)
	// sent: false
	// use a certificate under a CA that the server accepts, or ask the server's owner to accept this one's root
}

// nginx answers with a page where others end the handshake.
func ExampleRefusedCertificate() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	own := g1.Issue()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 0 {
			http.Error(w, "No required SSL certificate was sent", http.StatusBadRequest)
		}
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	defer server.Close()

	client, err := pkioverheid.NewClient(pkioverheid.Config{Roots: g1.Roots()})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Get(strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	var refused *pkioverheid.ClientCertificateError
	if errors.As(pkioverheid.RefusedCertificate(resp), &refused) {
		fmt.Println(refused.Advice)
	}
	// Output: set Config.Certificate, see LoadKeyPair
}

func ExampleClaimOf() {
	for _, cert := range pkioverheid.PrivateG4TLS.Certificates()[:3] {
		if id, ok := pkioverheid.ClaimOf(cert); ok {
			fmt.Printf("%v: %v %v\n", id.Hierarchy, id.TSP, id.Role)
		}
	}
	// Output:
	// Private G4 TLS:  root
	// Private G4 TLS:  domain CA
	// Private G4 TLS: DigiCert TSP CA
}

// In a pool of your own, which trusts more than PKIoverheid.
func ExampleRejectG3() {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	for _, h := range pkioverheid.Hierarchies() {
		pool.AddCertWithConstraint(h.Root(), pkioverheid.RejectG3)
	}
	fmt.Println(pkioverheid.RejectG3(pkioverheid.G3.Certificates()[:1]))
	// Output: pkioverheid: G3 refused: "Staat der Nederlanden Root CA - G3" is a CA that may not be used between machines: what is left of G3 is for persons and signatures; ask the certificate supplier for a certificate under Private G4 (Private G1 ends in November 2028), or, for a public web site, under a CA that browsers trust
}

// caNamed finds an embedded CA certificate by its common name.
func caNamed(h pkioverheid.Hierarchy, name string) *x509.Certificate {
	certs := h.Certificates()
	return certs[slices.IndexFunc(certs, func(c *x509.Certificate) bool { return c.Subject.CommonName == name })]
}

func ExampleRejectWithdrawn() {
	verifiedLongAgo := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
	c := chain.Chain{caNamed(pkioverheid.G3, "KPN BV PKIoverheid Organisatie Server CA - G3")}
	var g3 *pkioverheid.G3Error
	fmt.Println(errors.As(pkioverheid.RejectWithdrawn(c, verifiedLongAgo), &g3))
	// Output: true
}

func ExampleDefaultCertPool() {
	// Whatever takes a pool refuses G3 by itself, without code of yours.
	config := &tls.Config{RootCAs: pkioverheid.DefaultCertPool()}
	fmt.Println(config.RootCAs != nil)
	// Output: true
}

// To verify what was signed under a hierarchy that has ended, ask at its time.
func ExampleCertPool() {
	kpn := caNamed(pkioverheid.EV, "KPN PKIoverheid Server CA 2020")
	_, err := kpn.Verify(x509.VerifyOptions{
		Roots:       pkioverheid.CertPool(pkioverheid.EV),
		CurrentTime: time.Date(2021, 6, 1, 0, 0, 0, 0, time.UTC),
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleIntermediates() {
	roots := x509.NewCertPool()
	roots.AddCert(pkioverheid.PrivateG1.Root())
	kpn := caNamed(pkioverheid.PrivateG1, "KPN PKIoverheid Private Services CA - G1")
	chains, err := kpn.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: pkioverheid.Intermediates(pkioverheid.PrivateG1),
		CurrentTime:   time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
	})
	fmt.Println(len(chains[0]), err)
	// Output: 3 <nil>
}

func ExampleEmbeddedVersion() {
	fmt.Println(pkioverheid.EmbeddedVersion() >= "2026-11-28")
	// Output: true
}

func ExampleHierarchies() {
	for _, h := range pkioverheid.Hierarchies()[:3] {
		fmt.Printf("%-15s ends %s\n", h, h.Root().NotAfter.Format("January 2006"))
	}
	// Output:
	// EV              ends December 2022
	// Private G1      ends November 2028
	// Private G4 TLS  ends May 2039
}

func ExampleHierarchy_UnmarshalText() {
	var h pkioverheid.Hierarchy
	err := h.UnmarshalText([]byte("g4"))
	text, _ := h.MarshalText()
	fmt.Println(h, string(text), err)
	// Output: Private G4 TLS private-g4-tls <nil>
}

func ExampleHierarchy_Certificates() {
	tsps := 0
	for _, c := range pkioverheid.PrivateG1.Certificates() {
		if id, _ := pkioverheid.ClaimOf(c); id.Role == pkioverheid.TSPCA {
			tsps++
		}
	}
	fmt.Println(tsps)
	// Output: 5
}

func ExampleLoadKeyPair() {
	// As a supplier delivers it: the certificate alone, and your key.
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cert, key := filepath.Join(dir, "client.cer"), filepath.Join(dir, "client.key")
	writeKeyPair(pkiotest.New(pkioverheid.PrivateG1).Issue(), cert, key)

	pair, err := pkioverheid.LoadKeyPair(cert, key, "")
	fmt.Println(pair.Leaf.Subject.CommonName, err)
	// Output: localhost <nil>
}

func ExampleParseKeyPair() {
	_, err := pkioverheid.ParseKeyPair([]byte("<html>404 not found</html>"), []byte("…"), "")
	fmt.Println(err != nil)
	// Output: true
}

func ExamplePeerIdentity() {
	_, err := pkioverheid.PeerIdentity(&tls.ConnectionState{})
	fmt.Println(err)
	// Output: pkioverheid: the peer showed no certificate that was verified
}

func ExampleIdentifyCallers() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	identify, err := pkioverheid.IdentifyCallers(pkioverheid.Config{Roots: g1.Roots()}) // the Config of ServerTLSConfig
	if err != nil {
		log.Fatal(err)
	}
	// In a handler of gRPC the state is in the AuthInfo of peer.FromContext. This is
	// as crypto/tls fills it in.
	leaf, cas := g1.Issue(pkiotest.OIN("00000003271987420000")).Leaf, g1.Certificates()
	state := tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf, cas[2], cas[1], cas[0]}}}
	id, err := identify(&state)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.OIN(), "under", id.Hierarchy())
	fmt.Println(pkioverheid.AllowOIN("00000001002220647000")(id))
	// Output:
	// 00000003271987420000 under Private G1
	// pkioverheid: OIN 00000003271987420000 is not on the list
}

func ExampleAllowAnySystem() {
	allow := pkioverheid.AllowAnySystem()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, policy := range []string{"2.16.528.1.1003.1.2.8.6", "2.16.528.1.1003.1.2.8.4"} {
		id := g1.Identity(pkiotest.Policy(policy))
		fmt.Println(id.Kind(), allow(id))
	}
	// Output:
	// system <nil>
	// organisation pkioverheid: not the certificate of a system: it has none of the policies that PKIoverheid gives to systems
}

func ExampleAllowOIN() {
	allow := pkioverheid.AllowOIN("00000003271987420000", "00000001002220647000")
	fmt.Println(allow(pkioverheid.Identity{}))
	// Output: pkioverheid: not the certificate of a system: it has none of the policies that PKIoverheid gives to systems
}

func ExampleOIN() {
	oin := pkioverheid.OIN("00000003271987420000")
	fmt.Println(oin.Prefix(), oin.Register(), oin.Validate())
	// Output: 00000003 KVK-nummer <nil>
}

// What a certificate of Private G1 is told in late 2026. Who keeps a table of many
// sorts it by Advice.Compare.
func ExampleAdvise() {
	g1 := pkioverheid.PrivateG1.Root()
	advice := pkioverheid.Advise(g1, pkioverheid.MachineToMachine, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	fmt.Println(advice.Status, advice.Urgency, advice.Deadline.Format(time.DateOnly), advice.Replacement)
	fmt.Println(advice.Text)
	for _, source := range advice.Sources {
		fmt.Println("-", source)
	}
	// Output:
	// ending later 2028-11-12 Private G4 TLS
	// "Staat der Nederlanden Private Root CA - G1" (stamcertificaat of Private G1): no certificate under it verifies after 2028-11-12. Trust Private G4 TLS (stamcertificaat "Staat der Nederlanden - G4 Root Priv G-TLS - 2024") beside it: whoever has moved to it is refused otherwise.
	// - Logius: everyone must have moved before 2028, when G3 and Private G1 end
}

func ExampleHierarchy_ReplaceBy() {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.G3, pkioverheid.PrivateG1} {
		fmt.Println(h, h.ReplaceBy().Format(time.DateOnly))
	}
	fmt.Println(pkioverheid.PrivateG4TLS.ReplaceBy().IsZero())
	// Output:
	// G3 2020-12-31
	// Private G1 2027-12-31
	// true
}

func ExampleAdvice_Compare() {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	var table []pkioverheid.Advice
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG4TLS, pkioverheid.PrivateG1, pkioverheid.EV, pkioverheid.G3} {
		table = append(table, pkioverheid.Advise(h.Certificates()[2], 0, at))
	}
	slices.SortFunc(table, pkioverheid.Advice.Compare)
	for _, a := range table {
		fmt.Println(a.Urgency, a.Deadline.Format(time.DateOnly), a.Status)
	}
	// Output:
	// now 2020-12-31 withdrawn
	// now 2022-12-05 ended
	// later 2028-11-12 ending
	// none 2039-05-18 fine
}

func ExampleParseOIN() {
	oin, err := pkioverheid.ParseOIN("00000003271987420000")
	fmt.Println(oin.Register(), oin.MainNumber(), oin.Suffix(), oin.IsTest(), err)
	_, err = pkioverheid.ParseOIN("0000000327198742000")
	fmt.Println(err)
	// Output:
	// KVK-nummer 27198742 0000 false <nil>
	// pkioverheid: "0000000327198742000" is no OIN: it has 19 characters, not 20
}

func ExampleOINOf() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, cert := range []tls.Certificate{g1.Issue(pkiotest.OIN("00000003271987420000")), g1.Issue()} {
		oin, err := pkioverheid.OINOf(cert.Leaf)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(oin)
	}
	// Output:
	// 00000003271987420000
	// pkioverheid: the subject has no serialNumber, where the OIN should stand: order a certificate with one
}

func ExampleOINFromKvK() {
	fmt.Println(pkioverheid.OINFromKvK("27198742"))
	// Output: 00000003271987420000 <nil>
}

func ExampleOINFromRSIN() {
	fmt.Println(pkioverheid.OINFromRSIN("002220647"))
	// Output: 00000001002220647000 <nil>
}

func ExampleValidRSIN() {
	fmt.Println(pkioverheid.ValidRSIN("002220647"), pkioverheid.ValidRSIN("123456789"))
	// Output: true false
}

func ExampleOIN_UnmarshalText() {
	var config struct{ Allow []pkioverheid.OIN }
	err := json.Unmarshal([]byte(`{"Allow": ["00000003271987420000", "27198742"]}`), &config)
	fmt.Println(err)
	// Output: pkioverheid: "27198742" is no OIN: it has 8 characters, not 20
}

func ExampleIdentity_UZI() {
	id := pkiotest.New(pkioverheid.PrivateG1).Identity() // KPN's
	if uzi, ok := id.UZI(); ok {
		fmt.Println(uzi.URA, uzi.Number)
	} else {
		fmt.Println("not of the UZI-register")
	}
	// Output: not of the UZI-register
}

func ExampleAllOf() {
	var list pkioverheid.OINList // which may change
	allow := pkioverheid.AllOf(list.Allow, func(id pkioverheid.Identity) error {
		if id.TSP() != pkioverheid.KPN {
			return &pkioverheid.AccessError{Reason: "the certificate is not KPN's"}
		}
		return nil
	})
	fmt.Println(allow(pkiotest.New(pkioverheid.PrivateG1).Identity(pkiotest.OIN("00000099000000001000"))))
	// Output: pkioverheid: OIN 00000099000000001000 is not on the list
}

func ExampleRefuseTestOIN() {
	allow := pkioverheid.RefuseTestOIN(pkioverheid.AllowAnySystem())
	fmt.Println(allow(pkiotest.New(pkioverheid.PrivateG1).Identity(pkiotest.OIN("00000099000000001000"))))
	// Output: pkioverheid: OIN 00000099000000001000 is a number for tests, which anyone may use
}

// The list can be set again at any time, on a signal or by whoever maintains it.
func ExampleOINList() {
	var list pkioverheid.OINList
	if err := list.Set("00000003271987420000"); err != nil {
		log.Fatal(err)
	}
	var allow pkioverheid.Authorizer = list.Allow
	fmt.Println(allow(pkioverheid.Identity{}) != nil)
	fmt.Println(list.Set("00000003271987420000", "27198742"))
	// Output:
	// true
	// pkioverheid: the list of OINs stays as it was: pkioverheid: "27198742" is no OIN: it has 8 characters, not 20
}

// A server that ends TLS itself lets in every system in the handshake, and tells who
// is not on the list why.
func ExampleRequireIdentity() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	own := g1.Issue()
	config := pkioverheid.Config{Roots: g1.Roots(), Certificate: &own}

	var list pkioverheid.OINList
	if err := list.Set("00000003271987420000"); err != nil {
		log.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := pkioverheid.IdentityFromContext(r.Context())
		fmt.Fprint(w, "welcome, ", id.OIN())
	})
	handler, err := pkioverheid.RequireIdentity(hello, pkioverheid.Access{
		Config: config,
		Allow:  list.Allow,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.TLS, err = pkioverheid.ServerTLSConfig(config, pkioverheid.AllowAnySystem())
	if err != nil {
		log.Fatal(err)
	}
	server.StartTLS()
	defer server.Close()

	for _, oin := range []pkioverheid.OIN{"00000003271987420000", "00000001002220647000"} {
		mine := g1.Issue(pkiotest.OIN(oin))
		client, err := pkioverheid.NewClient(pkioverheid.Config{Roots: g1.Roots(), Certificate: &mine})
		if err != nil {
			log.Fatal(err)
		}
		resp, err := client.Get(strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(resp.StatusCode, strings.TrimSpace(string(body)))
	}
	// Output:
	// 200 welcome, 00000003271987420000
	// 403 pkioverheid: OIN 00000001002220647000 is not on the list
}

func ExampleIdentityFromContext() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := pkioverheid.IdentityFromContext(r.Context()); ok {
			fmt.Fprint(w, id.OIN())
		} else {
			fmt.Fprint(w, "nobody: this handler is not behind RequireIdentity")
		}
	})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Body)
	// Output: nobody: this handler is not behind RequireIdentity
}

// Behind nginx with
//
//	ssl_verify_client on;
//	ssl_verify_depth 2;
//	proxy_set_header X-Client-Cert $ssl_client_escaped_cert;
func ExampleProxy() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	handler, err := pkioverheid.RequireIdentity(http.NotFoundHandler(), pkioverheid.Access{
		Config: pkioverheid.Config{Roots: g1.Roots()},
		Allow:  pkioverheid.AllowOIN("00000003271987420000"),
		Proxy: &pkioverheid.Proxy{
			Format: pkioverheid.NginxEscapedPEM,
			Header: "X-Client-Cert",
			From:   []netip.Prefix{netip.MustParsePrefix("10.20.0.0/28")},
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	// Somebody who is not nginx, with a certificate that is public.
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Client-Cert", "-----BEGIN%20CERTIFICATE-----…")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output: 403 pkioverheid: the header X-Client-Cert came from an address that is not the proxy's
}

func ExampleCheckDigikoppeling() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	leaf := g1.Issue().Leaf // ordered without an OIN
	for _, r := range pkioverheid.CheckDigikoppeling(leaf, time.Time{}, pkioverheid.DigikoppelingOptions{
		Config: pkioverheid.Config{Roots: g1.Roots()},
	}) {
		if r.Verdict != pkioverheid.NotChecked {
			fmt.Println(r.Rule, r.Verdict)
		}
	}
	// Output:
	// PKI001 broken
	// PKI004 met
	// PKI005 met
}

func ExampleCheckDigikoppelingConnection() {
	state := &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS12, CipherSuite: tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	for _, r := range pkioverheid.CheckDigikoppelingConnection(state, time.Time{}, pkioverheid.DigikoppelingOptions{Port: 443}) {
		if strings.HasPrefix(r.Rule, "TLS") {
			fmt.Println(r.Rule, r.Verdict, "-", r.Reason)
		}
	}
	// Output:
	// TLS001 broken - the other side showed no certificate
	// TLS002 broken - the other side showed no certificate
	// TLS003 met - TLS 1.2
	// TLS004 met - TLS 1.2; TLS 1.3 is strongly advised
	// TLS005 met - port 443
	// TLS006 broken - TLS_RSA_WITH_AES_128_CBC_SHA is not rated good or sufficient by the NCSC
	// TLSCIPH001 broken - TLS_RSA_WITH_AES_128_CBC_SHA is not rated good or sufficient by the NCSC
}

// A server or client that refuses certificates that break a rule.
func ExampleDigikoppelingPolicy() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	cas := g1.Certificates()
	policy := pkioverheid.DigikoppelingPolicy(nil) // or with a policy of package chain/crl
	withoutOIN := chain.Chain{g1.Issue().Leaf, cas[2], cas[1], cas[0]}
	fmt.Println(policy(withoutOIN, time.Now()))
	// Output: chain: refused by policy: "localhost": pkioverheid: Digikoppeling PKI001: the subject has no serialNumber, where the OIN should stand: order a certificate with one
}

// What goes into a report.
func ExampleAdvice() {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	advice := pkioverheid.Advise(pkioverheid.EV.Root(), pkioverheid.MachineToMachine, at)
	advice.Text, advice.Sources = "…", nil
	data, err := json.Marshal(advice)
	fmt.Println(string(data), err)
	// Output: {"status":"ended","urgency":"now","deadline":"2022-12-05T00:00:00Z","replacement":"private-g4-tls","text":"…"} <nil>
}

// As a flag of a command may have it.
func ExampleUse_UnmarshalText() {
	var use pkioverheid.Use
	fmt.Println(use.UnmarshalText([]byte("client-only")), use)
	// Output: <nil> client-only
}

func ExampleOIN_MainNumber() {
	kvk, rsin := pkioverheid.OIN("00000003271987420000"), pkioverheid.OIN("00000001002220647000")
	fmt.Println(kvk.MainNumber(), kvk.Suffix())
	fmt.Println(rsin.MainNumber(), rsin.Suffix())
	// Output:
	// 27198742 0000
	// 002220647 000
}

func ExampleOIN_IsTest() {
	fmt.Println(pkioverheid.OIN("00000099000000001000").IsTest())
	// Output: true
}

// An Authorizer of your own says with an AccessError what the caller may read; what it
// says otherwise is logged only.
func ExampleAccessError() {
	contracts := map[pkioverheid.OIN]bool{}
	allow := func(id pkioverheid.Identity) error {
		if err := pkioverheid.AllowAnySystem()(id); err != nil {
			return err
		}
		if !contracts[id.OIN()] {
			return &pkioverheid.AccessError{Reason: "there is no contract with OIN " + string(id.OIN())}
		}
		return nil
	}
	fmt.Println(allow(pkioverheid.Identity{}))
	// Output: pkioverheid: not the certificate of a system: it has none of the policies that PKIoverheid gives to systems
}

func ExampleProxyFormat_UnmarshalText() {
	var format pkioverheid.ProxyFormat
	fmt.Println(format.UnmarshalText([]byte("envoy-xfcc")), format)
	// Output: <nil> envoy-xfcc
}

func ExampleVerdict_MarshalText() {
	text, err := pkioverheid.Met.MarshalText()
	fmt.Println(string(text), err)
	// Output: met <nil>
}
