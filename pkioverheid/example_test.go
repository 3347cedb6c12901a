package pkioverheid_test

import (
	"crypto/tls"
	"crypto/x509"
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
	"github.com/go-pkioverheid/trust/truststore"
)

// The lines that most programs need. They are in the README too.
func Example() {
	post := func(url string, body io.Reader) (*http.Response, error) {
		own, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: "client.p7b", Key: "client.key"})
		if err != nil {
			return nil, err
		}
		client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{KeyPairs: []*pkioverheid.KeyPair{own}})
		if err != nil {
			return nil, err
		}
		return client.Post(url, "text/xml; charset=utf-8", body)
	}
	_, err := post("https://soap.machtigen.digid.nl/", strings.NewReader("<Envelope/>"))
	fmt.Println(err)
	// Output: pkioverheid: truststore: stat client.p7b: no such file or directory
}

func ExampleNewClient() {
	// A server under Private G4, as package pkiotest makes them.
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	server := g4.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "goedemorgen")
	}), pkiotest.Leaf{})
	defer server.Close()

	// Outside a test, Roots stays out: the hierarchies are built in.
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g4)})
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
	transport, err := pkioverheid.NewTransport(pkioverheid.ClientConfig{Base: mine})
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
	server := g3.NewServer(http.NotFoundHandler(), pkiotest.Leaf{LeafOnly: true})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()

	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{})
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
	server := g1.NewServer(http.NotFoundHandler(), pkiotest.Leaf{DNSNames: []string{"soap.example.nl"}})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()

	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Get(server.URL)
	var refused *pkioverheid.ServerCertificateError
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
		fmt.Println(refused.Problem)
		fmt.Println(refused.Advice)
	}
	// Output:
	// wrong name
	// The certificate "soap.example.nl" is for the host "soap.example.nl", not for "localhost".
	// Connect by a name that is in the certificate, or ask its holder for a certificate that names this host.
}

func ExampleClientTLSConfig() {
	config, err := pkioverheid.ClientTLSConfig(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Hierarchies: []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS}}})
	if err != nil {
		log.Fatal(err)
	}
	// For tls.Dial, gRPC's credentials.NewTLS, a message broker, …
	fmt.Println(tls.VersionName(config.MinVersion))
	// Output: TLS 1.2
}

// A policy of your own: this program is to talk to servers of one provider only.
func ExampleTrust() {
	onlyKPN := func(c chain.Chain, at time.Time) error {
		if id, ok := pkioverheid.ClaimOf(c[1]); !ok || id.TSP != pkioverheid.KPN {
			return errors.New("not issued by KPN")
		}
		return nil
	}
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	server := g4.NewServer(http.NotFoundHandler(), pkiotest.Leaf{TSP: "Digidentity"})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Policy: onlyKPN, Roots: truststore.NewSource(g4.Roots())}})
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
	own := g4.Issue(pkiotest.Leaf{})
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

	cert := g1.KeyPair(pkiotest.Leaf{}) // and the server accepts G4 only
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g4), KeyPairs: []*pkioverheid.KeyPair{cert}})
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
	// Use a certificate under a CA that the server accepts, or ask the server's owner to accept this one's root.
}

// nginx answers with a page where others end the handshake.
func ExampleRefusedCertificate() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	own := g1.Issue(pkiotest.Leaf{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 0 {
			http.Error(w, "No required SSL certificate was sent", http.StatusBadRequest)
		}
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	defer server.Close()

	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1)})
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
	// Output: Set ClientConfig.KeyPairs, see LoadKeyPair.
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
	// Output: pkioverheid: G3 refused: "Staat der Nederlanden Root CA - G3" is a CA that may not be used between machines: what is left of G3 is for persons and signatures. Ask the certificate supplier for a certificate under Private G4 (Private G1 ends in November 2028), or, for a public web site, under a CA that browsers trust
}

// caNamed finds an embedded CA certificate by its common name.
func caNamed(h pkioverheid.Hierarchy, name string) *x509.Certificate {
	certs := h.Certificates()
	return certs[slices.IndexFunc(certs, func(c *x509.Certificate) bool { return c.Subject.CommonName == name })]
}

func ExampleDefaultCertPool() {
	// Whatever takes a pool refuses G3 by itself. Resumed sessions, which ask no pool, need
	// the function.
	config := &tls.Config{
		RootCAs:            pkioverheid.DefaultCertPool(),
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
		VerifyConnection:   func(cs tls.ConnectionState) error { return pkioverheid.RejectG3(cs.PeerCertificates) },
	}
	resumed := tls.ConnectionState{DidResume: true, PeerCertificates: pkioverheid.G3.Certificates()[:1]}
	var g3 *pkioverheid.G3Error
	fmt.Println(errors.As(config.VerifyConnection(resumed), &g3))
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

func ExampleHierarchy() {
	h := pkioverheid.Hierarchy("private-g4-tls") // as a file has it
	fmt.Println(h, h == pkioverheid.PrivateG4TLS)
	// Output: Private G4 TLS true
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
	writeKeyPair(pkiotest.New(pkioverheid.PrivateG1).Issue(pkiotest.Leaf{}), cert, key)

	pair, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: cert, Key: key})
	fmt.Println(pair.Certificate().Subject.CommonName, err)
	// Output: localhost <nil>
}

func ExampleAllowAnySystem() {
	allow := pkioverheid.AllowAnySystem()
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, policy := range []string{"2.16.528.1.1003.1.2.8.6", "2.16.528.1.1003.1.2.8.4"} {
		id := g1.Identity(pkiotest.Leaf{Policies: []string{policy}})
		fmt.Println(id.Kind(), allow(id))
	}
	// Output:
	// system <nil>
	// organisation pkioverheid: this is not the certificate of a system: it has none of the policies that PKIoverheid gives to systems
}

func ExampleAllowOIN() {
	allow := pkioverheid.AllowOIN("00000003271987420000", "00000001002220647000")
	fmt.Println(allow(pkioverheid.Identity{}))
	// Output: pkioverheid: this is not the certificate of a system: it has none of the policies that PKIoverheid gives to systems
}

func ExampleOIN() {
	oin := pkioverheid.OIN("00000003271987420000")
	fmt.Println(oin.Register(), oin.IsTest(), oin.Validate())
	// Output: KVK-nummer false <nil>
}

func ExampleHierarchy_Plan() {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.G3, pkioverheid.PrivateG1} {
		fmt.Println(h, h.Plan().ReplaceBy.Format(time.DateOnly))
	}
	fmt.Println(pkioverheid.PrivateG4TLS.Plan().ReplaceBy.IsZero())
	// Output:
	// G3 2020-12-31
	// Private G1 2027-12-31
	// true
}

func ExampleOINOf() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	for _, cert := range []tls.Certificate{g1.Issue(pkiotest.Leaf{OIN: "00000003271987420000"}), g1.Issue(pkiotest.Leaf{})} {
		oin, err := pkioverheid.OINOf(cert.Leaf)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(oin)
	}
	// Output:
	// 00000003271987420000
	// pkioverheid: the subject has no serialNumber, which should be the OIN. Order a certificate with one
}

func ExampleIdentity_UZI() {
	id := pkiotest.New(pkioverheid.PrivateG1).Identity(pkiotest.Leaf{}) // KPN's
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
			return &pkioverheid.AccessError{Problem: "The certificate is not KPN's."}
		}
		return nil
	})
	fmt.Println(allow(pkiotest.New(pkioverheid.PrivateG1).Identity(pkiotest.Leaf{OIN: "00000099000000001000"})))
	// Output: pkioverheid: OIN 00000099000000001000 is not on the list
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
	// pkioverheid: the list of OINs stays as it was: pkioverheid: "27198742" is not an OIN: it has 8 characters, not 20
}

func ExampleIdentityFromContext() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := pkioverheid.IdentityFromContext(r.Context()); ok {
			fmt.Fprint(w, id.OIN())
		} else {
			fmt.Fprint(w, "nobody: no Server let the caller in")
		}
	})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Body)
	// Output: nobody: no Server let the caller in
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
			return &pkioverheid.AccessError{Problem: "There is no contract with OIN " + string(id.OIN()) + "."}
		}
		return nil
	}
	fmt.Println(allow(pkioverheid.Identity{}))
	// Output: pkioverheid: this is not the certificate of a system: it has none of the policies that PKIoverheid gives to systems
}

// A server that ends TLS itself lets in every system in the handshake, and says to who
// is not on the list why.
func ExampleNewServer() {
	g1 := pkiotest.New(pkioverheid.PrivateG1) // in your program LoadKeyPair
	var list pkioverheid.OINList
	if err := list.Set("00000003271987420000"); err != nil {
		log.Fatal(err)
	}
	trust := pkiotest.Trust(g1) // and no Trust
	trust.Logger = slog.New(slog.DiscardHandler)
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})}}, list.Allow)
	if err != nil {
		log.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(server.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _ := pkioverheid.IdentityFromContext(r.Context())
		fmt.Fprintf(w, "welcome, %s under %s", caller.OIN(), caller.Hierarchy())
	})))
	srv.TLS = server.TLSConfigForHandler()
	srv.StartTLS()
	defer srv.Close()

	for _, oin := range []pkioverheid.OIN{"00000003271987420000", "00000001002220647000"} {
		own := g1.KeyPair(pkiotest.Leaf{OIN: oin})
		client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkiotest.Trust(g1), KeyPairs: []*pkioverheid.KeyPair{own}})
		if err != nil {
			log.Fatal(err)
		}
		resp, err := client.Get(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(resp.StatusCode, strings.TrimSpace(string(body)))
	}
	// Output:
	// 200 welcome, 00000003271987420000 under Private G1
	// 403 pkioverheid: OIN 00000001002220647000 is not on the list
}

// A server of net/http. The lines are in the README too.
func ExampleNewServer_hTTP() {
	start := func(handler http.Handler) (*http.Server, error) {
		own, err := pkioverheid.LoadKeyPair(pkioverheid.KeyPairFiles{Cert: "server.p7b", Key: "server.key"})
		if err != nil {
			return nil, err
		}
		server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{KeyPairs: []*pkioverheid.KeyPair{own}},
			pkioverheid.AllowOIN("00000003271987420000"))
		if err != nil {
			return nil, err
		}
		return &http.Server{
			Addr:              ":443",
			Handler:           server.Handler(handler), // pkioverheid.IdentityFromContext says who calls
			TLSConfig:         server.TLSConfigForHandler(),
			ReadHeaderTimeout: 20 * time.Second, // for the handshake too, which may wait for a CRL
		}, nil
	}
	_, err := start(http.NotFoundHandler())
	fmt.Println(err)
	// Output: pkioverheid: truststore: stat server.p7b: no such file or directory
}

// exampleServer lets in OIN 00000003271987420000.
func exampleServer(g1 *pkiotest.Authority) *pkioverheid.Server {
	trust := pkiotest.Trust(g1)
	trust.Logger = slog.New(slog.DiscardHandler)
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, KeyPairs: []*pkioverheid.KeyPair{g1.KeyPair(pkiotest.Leaf{})}},
		pkioverheid.AllowOIN("00000003271987420000"))
	if err != nil {
		log.Fatal(err)
	}
	return server
}

// For gRPC, a message broker and other servers that take a tls.Config.
func ExampleServer_TLSConfig() {
	config := exampleServer(pkiotest.New(pkioverheid.PrivateG1)).TLSConfig()
	fmt.Println(config.ClientAuth)
	// Output: RequireAndVerifyClientCert
}

func ExampleServer_TLSConfigForHandler() {
	server := exampleServer(pkiotest.New(pkioverheid.PrivateG1))
	srv := &http.Server{Handler: server.Handler(http.NotFoundHandler()), TLSConfig: server.TLSConfigForHandler()}
	fmt.Println(srv.TLSConfig.ClientAuth) // and then srv.ListenAndServeTLS("", "")
	// Output: RequireAndVerifyClientCert
}

func ExampleServer_Handler() {
	handler := exampleServer(pkiotest.New(pkioverheid.PrivateG1)).Handler(http.NotFoundHandler())
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "http://service.example/", nil))
	fmt.Print(w.Code, " ", w.Body)
	// Output: 403 pkioverheid: the request did not come over TLS, so nobody is known to call
}

// A route that one TSP's customers may call.
func ExampleServer_HandlerFor() {
	onlyKPN, err := exampleServer(pkiotest.New(pkioverheid.PrivateG1)).HandlerFor(pkioverheid.AllowTSP(pkioverheid.KPN))
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/kpn", onlyKPN(http.NotFoundHandler()))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/kpn", nil))
	fmt.Println(w.Code)
	// Output: 403
}

func ExampleServer_Identify() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	server := exampleServer(g1)
	// In a handler of gRPC the state is in the AuthInfo of peer.FromContext. This is
	// as crypto/tls fills it in.
	id, err := server.Identify(connectionOf(g1, g1.Issue(pkiotest.Leaf{OIN: "00000003271987420000"}).Leaf))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.OIN(), "under", id.Hierarchy())
	// Output: 00000003271987420000 under Private G1
}

func connectionOf(authority *pkiotest.Authority, leaf *x509.Certificate) *tls.ConnectionState {
	cas := authority.Certificates()
	return &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf, cas[2], cas[1], cas[0]}}}
}

func ExampleAllowTSP() {
	allow := pkioverheid.AllOf(pkioverheid.AllowOIN("00000003271987420000"), pkioverheid.AllowTSP(pkioverheid.DigiCert))
	fmt.Println(allow(pkiotest.New(pkioverheid.PrivateG1).Identity(pkiotest.Leaf{OIN: "00000003271987420000"})))
	// Output: pkioverheid: the certificate was issued by KPN, which is not on the list
}

// The key may be in a token: any crypto.Signer.
func ExampleNewKeyPair() {
	_, err := pkioverheid.NewKeyPair(tls.Certificate{})
	fmt.Println(err)
	// Output: pkioverheid: the key pair holds no certificate, or no private key that is a crypto.Signer
}

// A client that runs shows the new certificate in its next handshakes.
func ExampleKeyPair_Set() {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	own := g1.KeyPair(pkiotest.Leaf{})
	if err := own.Set(g4.Issue(pkiotest.Leaf{})); err != nil {
		log.Fatal(err)
	}
	claim, _ := pkioverheid.ClaimOf(own.Certificate())
	fmt.Println(claim.Hierarchy)
	// Output: Private G4 TLS
}

// Behind nginx with
//
//	ssl_verify_client on;
//	ssl_verify_depth 3;
//	proxy_set_header X-Client-Cert $ssl_client_escaped_cert;
func ExampleProxy() {
	trust := pkiotest.Trust(pkiotest.New(pkioverheid.PrivateG1))
	trust.Logger = slog.New(slog.DiscardHandler)
	proxy := &pkioverheid.Proxy{
		Format: pkioverheid.NginxEscapedPEM,
		Header: "X-Client-Cert",
		From:   []netip.Prefix{netip.MustParsePrefix("10.20.0.0/28")}, // where nginx connects from
	}
	server, err := pkioverheid.NewServer(pkioverheid.ServerConfig{Trust: trust, Proxy: proxy}, pkioverheid.AllowOIN("00000003271987420000"))
	if err != nil {
		log.Fatal(err)
	}
	// Somebody who is not nginx, with a certificate that is public.
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Client-Cert", "-----BEGIN%20CERTIFICATE-----…")
	w := httptest.NewRecorder()
	server.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output: 403 pkioverheid: the header X-Client-Cert came from an address that is not the proxy's
}
