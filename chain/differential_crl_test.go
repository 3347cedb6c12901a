package chain_test

import (
	"bytes"
	cryptorand "crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
)

// revocations are the CRLs of a world, as crypto/x509 reads them, and a verifier that asks
// a Checker with them in its folder.
type revocations struct {
	lists []*x509.RevocationList
	asks  *chain.Verifier // with memory

	checker *crl.Checker
}

// revoke makes CRLs of most CAs of a world, of which each lists some of what it issued.
func (w *world) revoke(t testing.TB, dir string) *revocations {
	r := new(revocations)
	all := slices.Concat(w.cas, w.leaves)
	for i, e := range w.entities {
		same := func(o entity) bool { return o.name == e.name && bytes.Equal(o.key.id, e.key.id) }
		if w.oneIn(10) || slices.ContainsFunc(w.entities[:i], same) {
			continue // of two lists by one key, the newer one decides
		}
		list := &x509.RevocationList{Number: big.NewInt(int64(i + 1)), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}
		if w.oneIn(20) {
			list.NextUpdate = now.Add(-30 * time.Minute)
		}
		for _, c := range all {
			if c.Issuer.CommonName == e.name && w.oneIn(12) {
				list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: now.Add(-2 * time.Hour)})
			}
		}
		ca := &x509.Certificate{Subject: pkix.Name{CommonName: e.name}, SubjectKeyId: e.key.id, KeyUsage: x509.KeyUsageCRLSign}
		der, err := x509.CreateRevocationList(cryptorand.Reader, list, ca, e.key.Signer)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.crl", i)), der, 0o600); err != nil {
			t.Fatal(err)
		}
		r.lists = append(r.lists, must(x509.ParseRevocationList(der)))
	}
	checker, err := crl.NewChecker(crl.Config{Folder: dir, Time: clock, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r.checker = checker
	r.asks = mustVerifier(w.heldRoots, w.held, chain.WithPolicy(checker.Policy))
	return r
}

// status is what crypto/x509 makes of a certificate: revoked by a list of its issuer's key;
// certainly good, because a list of that key is current and none of that name has it.
func (r *revocations) status(cert, issuer *x509.Certificate) (revoked, good bool) {
	listed := false
	for _, l := range r.lists {
		if !bytes.Equal(l.RawIssuer, cert.RawIssuer) {
			continue
		}
		on := slices.ContainsFunc(l.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool { return e.SerialNumber.Cmp(cert.SerialNumber) == 0 })
		listed = listed || on
		ofKey := len(l.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0 || bytes.Equal(l.AuthorityKeyId, issuer.SubjectKeyId)
		if ofKey && l.CheckSignatureFrom(issuer) == nil {
			revoked = revoked || on
			good = good || now.Before(l.NextUpdate)
		}
	}
	return revoked, good && !listed
}

// compare never lets a chain through that a list of an issuer in it refuses, and refuses
// none of crypto/x509's that all lists speak for.
func (r *revocations) compare(w *world, q question, opts chain.VerifyOptions, theirs [][]*x509.Certificate, n *tally) error {
	each := func(c []*x509.Certificate, is func(revoked, good bool) bool) bool {
		for i := range len(c) - 1 {
			if is(r.status(c[i], c[i+1])) {
				return true
			}
		}
		return false
	}
	ours, err := r.asks.Verify(q.leaf, opts)
	if err == nil {
		n.current++
		if each(ours, func(revoked, _ bool) bool { return revoked }) {
			return fmt.Errorf("a chain with a certificate that is revoked: %s", names(ours))
		}
		return w.notLenient(q, ours, theirs, new(tally))
	}
	for _, c := range theirs {
		if !each(c, func(_, good bool) bool { return !good }) {
			return fmt.Errorf("stricter than the CRLs, which say that %s is good: %w", names(c), err)
		}
	}
	var e *chain.Error
	if errors.As(err, &e) && e.Reason == chain.Revoked {
		n.revoked++
	}
	return w.wellFormed(err, q.leaf)
}
