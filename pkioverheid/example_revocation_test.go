package pkioverheid_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
	"github.com/go-pkioverheid/trust/truststore"
)

// How a program turns revocation on. The lines are in the README too.
func ExampleTrust_revocation() {
	start := func(ctx context.Context, own *pkioverheid.KeyPair, cache string, work func(context.Context, *http.Client) error) error {
		checker, err := crl.NewChecker(crl.Config{Hosts: pkioverheid.CRLHosts(), RefreshEvery: pkioverheid.CRLRefresh, Cache: cache})
		if err != nil {
			return err
		}
		defer checker.Close() // at the end of the program
		// A TSP's CRL is named in what the TSP issued, such as the program's own certificate.
		g1 := append(pkioverheid.PrivateG1.Certificates(), own.Certificate())
		if err := checker.Prefetch(ctx, g1, pkioverheid.PrivateG4TLS.Certificates()); err != nil {
			log.Print(err) // it is tried again in the background
		}
		client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{
			Trust:    pkioverheid.Trust{Revocation: checker},
			KeyPairs: []*pkioverheid.KeyPair{own},
		})
		if err != nil {
			return err
		}
		return work(ctx, client)
	}
	err := start(context.Background(), nil, "no folder\x00", nil)
	fmt.Println(err != nil)
	// Output: true
}

// A server whose TSP CA was revoked is refused, although it sends its own certificate
// only, and that one is on no list.
func ExampleServerCertificateError_revoked() {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	server := g1.NewServer(http.NotFoundHandler(), pkiotest.Leaf{LeafOnly: true})
	defer server.Close()
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	g1.Revoke(g1.Certificates()[2], crl.CACompromise)

	checker, err := crl.NewChecker(pkiotest.CRLConfig(g1))
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	client, err := pkioverheid.NewClient(pkioverheid.ClientConfig{Trust: pkioverheid.Trust{Roots: truststore.NewSource(g1.Roots()), Revocation: checker}})
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections()
	_, err = client.Get(server.URL)
	var refused *pkioverheid.ServerCertificateError
	var why *crl.RevokedError
	if errors.As(err, &refused) && errors.As(err, &why) {
		fmt.Println(refused.Reason == chain.Revoked, why.Reason)
		fmt.Println(refused.Advice)
	}
	// Output:
	// true cACompromise
	// The server's owner needs a certificate under another CA.
}

// The hosts of your own certificate's TSP and of your peers', if they are others, come
// on top.
func ExampleCRLHosts() {
	hosts := append(pkioverheid.CRLHosts(), "crl.tsp.example")
	for _, host := range hosts {
		fmt.Println(host)
	}
	// Output:
	// crl.pkioverheid.nl
	// crl.managedpki.com
	// crl.quovadisglobal.com
	// crl.tsp.example
}
