package pkiotest_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// The TSP CA of a server is revoked.
func ExampleAuthority_Revoke() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	root, domain, tsp := g1.Certificates()[0], g1.Certificates()[1], g1.Certificates()[2]
	leaf := g1.Issue(pkiotest.Leaf{}).Leaf
	g1.Revoke(tsp, crl.CACompromise)

	checker, err := crl.NewChecker(pkiotest.CRLConfig(g1))
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	err = checker.Policy(chain.Chain{leaf, tsp, domain, root}, g1.Time())
	var refused *chain.Error
	var why *crl.RevokedError
	if errors.As(err, &refused) && errors.As(err, &why) {
		fmt.Println(refused.Cert.Subject.CommonName, "is", refused.Reason, "for", why.Reason)
	}
	// Output: KPN PKIoverheid Private Services CA - G1 is revoked for cACompromise
}

// A system from which no CRL can be fetched has them in a folder.
func ExampleAuthority_CRL() {
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS)
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	for i, ca := range g4.Certificates() {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".crl")), g4.CRL(ca, time.Time{}, time.Time{}), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	checker, err := crl.NewChecker(crl.Config{Folder: folder, Time: g4.Time})
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	for _, s := range checker.Status() {
		fmt.Println(filepath.Base(s.File), s.Entries, s.Err)
	}
	// Unordered output:
	// 3.crl 0 <nil>
	// 2.crl 0 <nil>
	// 1.crl 0 <nil>
	// 0.crl 0 <nil>
}

// A TSP that has not renewed its CRL.
func ExampleAuthority_ServeCRL() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	root, domain, tsp := g1.Certificates()[0], g1.Certificates()[1], g1.Certificates()[2]
	leaf := g1.Issue(pkiotest.Leaf{}).Leaf
	now := g1.Time()
	g1.ServeCRL(tsp, g1.CRL(tsp, now.AddDate(0, 0, -3), now.AddDate(0, 0, -1)))

	cfg := pkiotest.CRLConfig(g1)
	cfg.Logger = slog.New(slog.DiscardHandler) // it warns of this
	checker, err := crl.NewChecker(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	err = checker.Policy(chain.Chain{leaf, tsp, domain, root}, now)
	var refused *chain.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
	}
	// Output: revocation unknown
}

// A server of CRLs for a program that is not this one.
func ExampleCRLHandler() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	srv := httptest.NewServer(pkiotest.CRLHandler(g1))
	defer srv.Close()
	const path = "/KPNBVPKIoverheidPrivateServicesCAG1/LatestCRL.crl" // the real one's
	leaf := g1.Issue(pkiotest.Leaf{CRLDistributionPoints: []string{srv.URL + path}}).Leaf

	res, err := http.Get(leaf.CRLDistributionPoints[0])
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	der, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(list.Issuer.CommonName)
	// Output: KPN PKIoverheid Private Services CA - G1
}

// A checker for the tests of a program that trusts both hierarchies.
func ExampleCRLConfig() {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	checker, err := crl.NewChecker(pkiotest.CRLConfig(g1, g4))
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	for _, a := range []*pkiotest.Authority{g1, g4} {
		root, domain, tsp := a.Certificates()[0], a.Certificates()[1], a.Certificates()[2]
		fmt.Println(checker.Policy(chain.Chain{a.Issue(pkiotest.Leaf{}).Leaf, tsp, domain, root}, a.Time()))
	}
	// Output:
	// <nil>
	// <nil>
}

// A server that sends an OCSP response.
func ExampleAuthority_OCSPResponse() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	root, domain, tsp := g1.Certificates()[0], g1.Certificates()[1], g1.Certificates()[2]
	cert := g1.Issue(pkiotest.Leaf{})
	cert.OCSPStaple = g1.OCSPResponse(cert.Leaf)

	checker, err := crl.NewChecker(pkiotest.CRLConfig(g1))
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	fmt.Println(checker.CheckOCSPResponse(cert.OCSPStaple, chain.Chain{cert.Leaf, tsp, domain, root}, g1.Time()))
	// Output: <nil>
}
