package crl_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/truststore"
)

// exampleSite is a site with the CRLs of a hierarchy, on one of which is the
// certificate with the serial number 13.
func exampleSite() (*site, layers) {
	s := newSite(nil)
	l := newLayers(s.URL)
	s.publish(l)
	s.serve("/issuing.crl", l.issuing.list(revoking(revoked(serialLeaf, now.AddDate(0, 0, -1), crl.KeyCompromise))))
	return s, l
}

// A verifier that refuses what is revoked: so do the pool that it makes for a
// tls.Config, and its Check for sessions that are resumed.
func ExampleChecker_Policy() {
	site, l := exampleSite()
	defer site.Close()

	checker, err := crl.NewChecker(crl.Config{
		Hosts:        []string{site.host()}, // such as "crl.example"
		AllowPrivate: true,                  // only because this site is on loopback
		Time:         func() time.Time { return now },
	})
	if err != nil {
		panic(err)
	}
	defer checker.Close()
	verifier, err := chain.NewVerifier(
		truststore.New(l.root.Certificate),
		truststore.New(l.domain.Certificate, l.issuing.Certificate),
		chain.WithPolicy(checker.Policy),
	)
	if err != nil {
		panic(err)
	}
	options := chain.VerifyOptions{Time: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	_, err = verifier.Verify(l.leafWith(99), options)
	fmt.Println(err)

	_, err = verifier.Verify(l.leaf, options)
	var refused *chain.Error
	var why *crl.RevokedError
	if errors.As(err, &refused) && errors.As(err, &why) {
		fmt.Println(refused.Reason, why.RevokedAt.Format(time.DateOnly), why.Reason)
	}
	// Output:
	// <nil>
	// revoked 2026-11-22 keyCompromise
}

// A system from which no CRL can be fetched: something else puts files there.
func ExampleNewChecker_folder() {
	l := newLayers("http://crl.example")
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	for name, list := range map[string][]byte{
		"root.crl":   l.root.list(),
		"domain.crl": l.domain.list(),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), list, 0o644); err != nil {
			panic(err)
		}
	}
	checker, err := crl.NewChecker(crl.Config{Folder: folder, Time: func() time.Time { return now }})
	if err != nil {
		panic(err)
	}
	defer checker.Close()
	fmt.Println(checker.Policy(l.chain()[1:], now))
	fmt.Println(checker.Policy(l.chain(), now))
	// Output:
	// <nil>
	// chain: revocation unknown: "host.example": crl: no CRL says whether it is revoked: there is none in the folder by "Issuing CA", but 2 by "Domain CA", "Root"; no host is allowed to be asked
}

// Going on where a CRL is out of reach, and saying so. What is revoked is refused
// anyway.
func ExampleNewChecker_softFail() {
	site, l := exampleSite()
	defer site.Close()
	checker, err := crl.NewChecker(crl.Config{
		Hosts:        []string{site.host()},
		AllowPrivate: true,
		Time:         func() time.Time { return now },
		Logger:       slog.New(slog.DiscardHandler),
		SoftFail: func(err error) {
			var e *chain.Error
			if errors.As(err, &e) {
				fmt.Println("not checked:", e.Cert.Subject.CommonName, "-", e.Reason)
			}
		},
	})
	if err != nil {
		panic(err)
	}
	defer checker.Close()
	site.handle("/domain.crl", nil)
	fmt.Println(checker.Policy(l.chainOf(l.leafWith(99)), now))
	fmt.Println(checker.Policy(l.chain(), now) != nil)
	// Output:
	// not checked: Issuing CA - revocation unknown
	// <nil>
	// true
}

// At the start of a program, so that its first connection does not wait. With a
// cache the CRLs are available at the next start, whatever has become of the servers.
func ExampleChecker_Prefetch() {
	site, l := exampleSite()
	defer site.Close()
	cache, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(cache)
	checker, err := crl.NewChecker(crl.Config{
		Hosts:        []string{site.host()},
		AllowPrivate: true,
		Cache:        cache,
		Time:         func() time.Time { return now },
	})
	if err != nil {
		panic(err)
	}
	defer checker.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	hierarchy := []*x509.Certificate{l.root.Certificate, l.domain.Certificate, l.issuing.Certificate}
	fmt.Println(checker.Prefetch(ctx, hierarchy))
	fmt.Println(site.visited("/root.crl"), site.visited("/domain.crl"))
	// Output:
	// <nil>
	// 1 1
}

// For a health endpoint; json.Marshal of it works too.
func ExampleChecker_Status() {
	site, l := exampleSite()
	defer site.Close()
	checker, err := crl.NewChecker(crl.Config{
		Hosts:        []string{site.host()},
		AllowPrivate: true,
		Time:         func() time.Time { return now },
	})
	if err != nil {
		panic(err)
	}
	defer checker.Close()
	if err := checker.Prefetch(context.Background(), l.chain()); err != nil {
		panic(err)
	}
	for _, s := range checker.Status() {
		fmt.Println(s.Issuer, s.Number, s.NextUpdate.Sub(now), s.Age, s.Err)
	}
	// Output:
	// CN=Domain CA,O=Test,C=NL 7 24h0m0s 0s <nil>
	// CN=Issuing CA,O=Test,C=NL 7 24h0m0s 0s <nil>
	// CN=Root,O=Test,C=NL 7 24h0m0s 0s <nil>
}

// In tls.Config.VerifyConnection, after the chain was verified.
func ExampleChecker_CheckOCSPResponse() {
	l := newLayers("http://crl.example")
	response, err := ocsp.CreateResponse(l.issuing.Certificate, l.issuing.Certificate, ocsp.Response{
		Status: ocsp.Revoked, SerialNumber: l.leaf.SerialNumber, RevokedAt: now.AddDate(0, 0, -1), IssuerHash: crypto.SHA256,
		ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour),
	}, l.issuing.key)
	if err != nil {
		panic(err)
	}
	checker, err := crl.NewChecker(crl.Config{Hosts: []string{"crl.example"}, Time: func() time.Time { return now }})
	if err != nil {
		panic(err)
	}
	defer checker.Close()
	fmt.Println(checker.CheckOCSPResponse(nil, l.chain(), now)) // many servers have none
	fmt.Println(checker.CheckOCSPResponse(response, l.chain(), now))
	// Output:
	// <nil>
	// chain: revoked: "host.example": crl: OCSP response: certificate d was revoked on 2026-11-22 12:00:00Z (unspecified), says the responder of "Issuing CA" at 2026-11-23 11:00:00Z
}
