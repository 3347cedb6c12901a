package pkiotest

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

const (
	// crlLife is how long a CRL is good: TSPs renew theirs within 48 hours
	// (facts.md §7).
	crlLife = 48 * time.Hour
	// crlFresh is how long one list is served before the next is made.
	crlFresh = time.Hour
	// before is how far revocations and lists lie back, so that they count in a
	// test that read its clock first.
	before = time.Minute
)

// revocations are the lists of an Authority.
type revocations struct {
	mu    sync.Mutex
	lists []*list
}

// list is the CRL of a CA: of a name and a key, which certificates can share.
type list struct {
	url     string
	ca      int // its first certificate in Authority.certs
	entries []x509.RevocationListEntry
	number  int64
	der     []byte // the last one made, nil if there is a reason for another
	made    time.Time
	instead []byte // served in its place, if not nil
}

func newRevocations(certs []*x509.Certificate, cas []ca) *revocations {
	r := new(revocations)
	for i := range certs {
		address := cas[i].crl
		if i < 2 { // the root and the domain CA, which have one of every CA below
			address = certs[i+1].CRLDistributionPoints[0]
		}
		if !slices.ContainsFunc(r.lists, func(l *list) bool { return l.url == address }) {
			r.lists = append(r.lists, &list{url: address, ca: i})
		}
	}
	return r
}

// Revoke puts a certificate on the CRL of the CA that issued it: one from Issue, or the
// domain CA or a TSP CA of [Authority.Certificates]. A second reason replaces the first;
// crl.RemoveFromCRL takes the certificate off the list. Revoke panics on a root and on a
// certificate that is not the Authority's.
func (a *Authority) Revoke(cert *x509.Certificate, reason crl.Reason) {
	if cert == nil {
		panic("pkiotest: Revoke: no certificate")
	}
	a.revocations.mu.Lock()
	defer a.revocations.mu.Unlock()
	l := a.listOn(cert)
	if l == nil {
		panic(fmt.Sprintf("pkiotest: Revoke: %q was not issued by a CA of %v, or is its root, which no CRL is about", cert.Subject.CommonName, a.hierarchy))
	}
	l.entries = slices.DeleteFunc(l.entries, func(e x509.RevocationListEntry) bool { return e.SerialNumber.Cmp(cert.SerialNumber) == 0 })
	if reason != crl.RemoveFromCRL {
		l.entries = append(l.entries, x509.RevocationListEntry{
			SerialNumber:   cert.SerialNumber,
			RevocationTime: a.Time().Add(-before).UTC().Truncate(time.Second),
			ReasonCode:     int(reason),
		})
	}
	l.der = nil
}

// listOn returns the list on which cert would be, or nil.
func (a *Authority) listOn(cert *x509.Certificate) *list {
	if bytes.Equal(cert.RawSubject, cert.RawIssuer) {
		return nil
	}
	for _, l := range a.revocations.lists {
		if ca := a.certs[l.ca]; bytes.Equal(ca.RawSubject, cert.RawIssuer) && cert.CheckSignatureFrom(ca) == nil {
			return l
		}
	}
	return nil
}

// listOf returns the list of a CA, and panics where there is none.
func (a *Authority) listOf(ca *x509.Certificate, caller string) *list {
	for _, l := range a.revocations.lists {
		if own := a.certs[l.ca]; ca != nil && bytes.Equal(own.RawSubject, ca.RawSubject) && chain.KeyHash(own) == chain.KeyHash(ca) {
			return l
		}
	}
	panic(fmt.Sprintf("pkiotest: %s: that is not a CA certificate of %v: see Authority.Certificates", caller, a.hierarchy))
}

// CRL returns the list of what a CA of the Authority revoked, in DER, with the next number.
// A zero thisUpdate is a minute before [Authority.Time], a zero nextUpdate 48 hours after
// thisUpdate. CRL panics on a certificate that is not a CA of the Authority.
func (a *Authority) CRL(ca *x509.Certificate, thisUpdate, nextUpdate time.Time) []byte {
	a.revocations.mu.Lock()
	defer a.revocations.mu.Unlock()
	return a.sign(a.listOf(ca, "CRL"), thisUpdate, nextUpdate)
}

func (a *Authority) sign(l *list, thisUpdate, nextUpdate time.Time) []byte {
	if thisUpdate.IsZero() {
		thisUpdate = a.Time().Add(-before)
	}
	if nextUpdate.IsZero() {
		nextUpdate = thisUpdate.Add(crlLife)
	}
	// Numbers go up from one run of a program to the next: it may have a cache.
	l.number = max(l.number+1, time.Now().UnixNano())
	issuer := a.certs[l.ca]
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		SignatureAlgorithm:        issuer.SignatureAlgorithm,
		Number:                    big.NewInt(l.number),
		ThisUpdate:                thisUpdate.UTC().Truncate(time.Second),
		NextUpdate:                nextUpdate.UTC().Truncate(time.Second),
		RevokedCertificateEntries: l.entries,
	}, issuer, a.PrivateKey(issuer))
	if err != nil {
		panic("pkiotest: CRL: " + err.Error())
	}
	return der
}

// ServeCRL has [CRLHandler] answer with body in place of the CRL of a CA: a list that has
// ended, one of another CA, or no list at all. An empty body that is not nil is answered
// with status 404; with nil the CA's own list is served again. It panics as CRL does.
func (a *Authority) ServeCRL(ca *x509.Certificate, body []byte) {
	a.revocations.mu.Lock()
	defer a.revocations.mu.Unlock()
	l := a.listOf(ca, "ServeCRL")
	l.instead = bytes.Clone(body)
	l.der = nil // its number may be lower than that of body
}

// current returns what to serve at the path of an address, and when it was made;
// false if that is none of the Authority's.
func (a *Authority) current(path string) (body []byte, made time.Time, found bool) {
	a.revocations.mu.Lock()
	defer a.revocations.mu.Unlock()
	for _, l := range a.revocations.lists {
		if parsed(l.url).Path != path {
			continue
		}
		if l.instead != nil {
			return l.instead, time.Time{}, true
		}
		if now := a.Time(); l.der == nil || now.Sub(l.made) >= crlFresh {
			l.der, l.made = a.sign(l, time.Time{}, time.Time{}), now
		}
		return l.der, l.made, true
	}
	return nil, time.Time{}, false
}

func parsed(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		panic("pkiotest: " + err.Error())
	}
	return u
}

// CRLHandler serves the CRLs of Authorities at the paths that their certificates
// name under CRLDistributionPoints, whatever the host: to httptest.NewServer, say, for
// programs that do not use [CRLConfig].
func CRLHandler(authorities ...*Authority) http.Handler {
	authorities = slices.Clone(authorities)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, a := range authorities {
			body, made, found := a.current(r.URL.Path)
			if !found {
				continue
			}
			if len(body) == 0 {
				break
			}
			// With only a date, a list would hide the next of the same second.
			w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(body)))
			w.Header().Set("Content-Type", "application/pkix-crl") // RFC 5280 section 4.2.1.13
			http.ServeContent(w, r, "", made, bytes.NewReader(body))
			return
		}
		http.NotFound(w, r)
	})
}

// CRLConfig returns the Config of a crl.Checker that has the CRLs of Authorities,
// and asks nobody else. Its clock is the [Authority.Time] of the first.
//
//	checker, err := crl.NewChecker(pkiotest.CRLConfig(authority))
//	…
//	defer checker.Close()
//	trust := pkiotest.Trust(authority)
//	trust.Revocation = checker
func CRLConfig(authorities ...*Authority) crl.Config {
	cfg := crl.Config{Client: &http.Client{Transport: direct{CRLHandler(authorities...)}}}
	for _, a := range authorities {
		for _, l := range a.revocations.lists {
			if host := parsed(l.url).Host; !slices.Contains(cfg.Hosts, host) {
				cfg.Hosts = append(cfg.Hosts, host)
			}
		}
	}
	if len(authorities) > 0 {
		cfg.Time = authorities[0].Time
	}
	return cfg
}

// direct is a http.RoundTripper to a handler.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		req.Body.Close()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, req)
	res := w.Result()
	res.Request = req
	return res, nil
}

// OCSPResponse returns what an OCSP responder of the Authority says about a certificate,
// for tls.Certificate.OCSPStaple: revoked if [Authority.Revoke] was called for it, and else
// good. OCSPResponse panics where Revoke would.
func (a *Authority) OCSPResponse(cert *x509.Certificate) []byte {
	if cert == nil {
		panic("pkiotest: OCSPResponse: no certificate")
	}
	a.revocations.mu.Lock()
	defer a.revocations.mu.Unlock()
	l := a.listOn(cert)
	if l == nil {
		panic(fmt.Sprintf("pkiotest: OCSPResponse: %q was not issued by a CA of %v, or is its root", cert.Subject.CommonName, a.hierarchy))
	}
	made := a.Time().Add(-before).UTC().Truncate(time.Second)
	res := ocsp.Response{Status: ocsp.Good, SerialNumber: cert.SerialNumber, ThisUpdate: made, NextUpdate: made.AddDate(0, 0, 1)}
	for _, e := range l.entries {
		if e.SerialNumber.Cmp(cert.SerialNumber) == 0 {
			res.Status, res.RevokedAt, res.RevocationReason = ocsp.Revoked, e.RevocationTime, e.ReasonCode
		}
	}
	issuer := a.certs[l.ca]
	if fips140.Enforced() {
		res.IssuerHash = crypto.SHA256 // and not SHA-1, as others write
	}
	der, err := ocsp.CreateResponse(issuer, issuer, res, a.PrivateKey(issuer))
	if err != nil {
		panic("pkiotest: OCSPResponse: " + err.Error())
	}
	return der
}
