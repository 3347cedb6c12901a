package pkiotest_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/chain/crl"
	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

// newChecker returns a Checker of which the end of the test makes sure that it
// leaves no goroutines behind.
func newChecker(t *testing.T, cfg crl.Config) *crl.Checker {
	t.Helper()
	others := checkers()
	cfg.Logger = slog.New(slog.DiscardHandler)
	checker, err := crl.NewChecker(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		checker.Close()
		// Close returns when they are done, which is a moment before they are gone.
		assert.Eventually(t, func() bool { return checkers() <= others }, 20*time.Second, 5*time.Millisecond, "a goroutine of the Checker is left")
	})
	return checker
}

// checkers counts the goroutines of Checkers.
func checkers() int {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Count(string(stacks), "created by github.com/go-pkioverheid/trust/chain/crl.")
}

// path is the chain of a certificate of the Authority.
func path(a *pkiotest.Authority, leaf *x509.Certificate) chain.Chain {
	for _, tsp := range a.Certificates()[2:] {
		if leaf.CheckSignatureFrom(tsp) == nil {
			return chain.Chain{leaf, tsp, a.Certificates()[1], a.Certificates()[0]}
		}
	}
	return nil
}

func reasonOf(err error) chain.Reason {
	var refused *chain.Error
	if errors.As(err, &refused) {
		return refused.Reason
	}
	return ""
}

func TestWhatIsRevokedIsOnTheListOfItsIssuerAndNothingElse(t *testing.T) {
	for _, h := range all {
		t.Run(h.String(), func(t *testing.T) {
			for i, name := range []string{"nothing", "the certificate", "its TSP CA", "its domain CA"} {
				a := pkiotest.New(h)
				victim, other := a.Issue(pkiotest.Leaf{}).Leaf, a.Issue(pkiotest.Leaf{}).Leaf
				switch i {
				case 1:
					a.Revoke(victim, crl.KeyCompromise)
				case 2, 3:
					a.Revoke(path(a, victim)[i-1], crl.CACompromise)
				}
				checker := newChecker(t, pkiotest.CRLConfig(a))
				err := checker.Policy(path(a, victim), a.Time())
				if i == 0 {
					assert.NoError(t, err, name)
				} else {
					var refused *chain.Error
					require.ErrorAs(t, err, &refused, name)
					assert.Equal(t, chain.Revoked, refused.Reason, name)
					assert.Same(t, path(a, victim)[i-1], refused.Cert, name)
				}
				err = checker.Policy(path(a, other), a.Time())
				if i < 2 {
					assert.NoError(t, err, name)
				} else {
					assert.Equal(t, chain.Revoked, reasonOf(err), name)
				}
				if h == pkioverheid.G3 {
					continue // its second TSP CA has the name and the key of the first
				}
				elsewhere := a.Issue(pkiotest.Leaf{TSP: second[h]}).Leaf
				err = checker.Policy(path(a, elsewhere), a.Time())
				if i < 3 {
					assert.NoError(t, err, name)
				} else {
					assert.Equal(t, chain.Revoked, reasonOf(err), name)
				}
			}
		})
	}
}

var second = map[pkioverheid.Hierarchy]string{
	pkioverheid.EV: "QuoVadis", pkioverheid.PrivateG1: "QuoVadis", pkioverheid.PrivateG4TLS: "Digidentity",
}

func TestACRLLooksLikeOneOfItsHierarchy(t *testing.T) {
	for _, h := range all {
		a := pkiotest.New(h)
		a.Revoke(a.Issue(pkiotest.Leaf{}).Leaf, crl.Superseded)
		for i, ca := range a.Certificates() {
			der := a.CRL(ca, time.Time{}, time.Time{})
			list, err := x509.ParseRevocationList(der)
			require.NoError(t, err)
			assert.NoError(t, list.CheckSignatureFrom(ca))
			assert.Equal(t, ca.SignatureAlgorithm, list.SignatureAlgorithm)
			assert.Equal(t, ca.SubjectKeyId, list.AuthorityKeyId)
			assert.Equal(t, 48*time.Hour, list.NextUpdate.Sub(list.ThisUpdate))
			assert.WithinDuration(t, a.Time().Add(-time.Minute), list.ThisUpdate, 30*time.Second)
			switch {
			case h == pkioverheid.G3 && i == 3: // shares its list with the other certificate
				assert.Len(t, list.RevokedCertificateEntries, 1)
			case i == 2:
				require.Len(t, list.RevokedCertificateEntries, 1)
				assert.Equal(t, int(crl.Superseded), list.RevokedCertificateEntries[0].ReasonCode)
			default:
				assert.Empty(t, list.RevokedCertificateEntries)
			}
			next, err := x509.ParseRevocationList(a.CRL(ca, time.Time{}, time.Time{}))
			require.NoError(t, err)
			assert.Positive(t, next.Number.Cmp(list.Number))
		}
	}
}

func TestARevocationIsReplacedAndTakenBack(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	tsp := a.Certificates()[2]
	leaf := a.Issue(pkiotest.Leaf{}).Leaf
	entries := func() []x509.RevocationListEntry {
		list, err := x509.ParseRevocationList(a.CRL(tsp, time.Time{}, time.Time{}))
		require.NoError(t, err)
		return list.RevokedCertificateEntries
	}
	a.Revoke(leaf, crl.CertificateHold)
	a.Revoke(leaf, crl.KeyCompromise)
	require.Len(t, entries(), 1)
	assert.Equal(t, int(crl.KeyCompromise), entries()[0].ReasonCode)
	a.Revoke(leaf, crl.RemoveFromCRL)
	assert.Empty(t, entries())

	other := pkiotest.New(pkioverheid.PrivateG1)
	other.Revoke(leaf, crl.KeyCompromise) // the CAs are the same
	assert.Empty(t, entries(), "each Authority revokes for itself")
}

func TestFaultyCRLsAreServedAsTold(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	domain, tsp := a.Certificates()[1], a.Certificates()[2]
	leaf := a.Issue(pkiotest.Leaf{}).Leaf
	for name, body := range map[string][]byte{
		"one that has ended":      a.CRL(tsp, a.Time().AddDate(0, 0, -3), a.Time().AddDate(0, 0, -1)),
		"one of the future":       a.CRL(tsp, a.Time().AddDate(0, 0, 1), time.Time{}),
		"that of another CA":      a.CRL(domain, time.Time{}, time.Time{}),
		"half of one":             a.CRL(tsp, time.Time{}, time.Time{})[:300],
		"a page":                  []byte("<html>Gone fishing</html>"),
		"nothing, and status 404": {},
	} {
		a.ServeCRL(tsp, body)
		checker := newChecker(t, pkiotest.CRLConfig(a))
		assert.Equal(t, chain.RevocationUnknown, reasonOf(checker.Policy(path(a, leaf), a.Time())), name)
	}
	a.ServeCRL(tsp, nil)
	assert.NoError(t, newChecker(t, pkiotest.CRLConfig(a)).Policy(path(a, leaf), a.Time()))
}

func TestCRLsComeOverHTTPFromALoopbackServer(t *testing.T) {
	g1, g4 := pkiotest.New(pkioverheid.PrivateG1), pkiotest.New(pkioverheid.PrivateG4TLS)
	srv := httptest.NewServer(pkiotest.CRLHandler(g1, g4))
	defer srv.Close()
	toServer := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
	}}
	defer toServer.CloseIdleConnections()
	cfg := pkiotest.CRLConfig(g1, g4)
	cfg.Client, cfg.AllowPrivate = &http.Client{Transport: toServer}, true

	for _, a := range []*pkiotest.Authority{g1, g4} {
		good, bad := a.Issue(pkiotest.Leaf{}).Leaf, a.Issue(pkiotest.Leaf{}).Leaf
		a.Revoke(bad, crl.KeyCompromise)
		checker, err := crl.NewChecker(cfg)
		require.NoError(t, err)
		assert.NoError(t, checker.Policy(path(a, good), a.Time()))
		assert.Equal(t, chain.Revoked, reasonOf(checker.Policy(path(a, bad), a.Time())))
		checker.Close()

		// An address of the test's own.
		own := a.Issue(pkiotest.Leaf{CRLDistributionPoints: []string{srv.URL + parsedPath(t, good)}}).Leaf
		assert.Contains(t, own.CRLDistributionPoints[0], srv.URL)
		res, err := http.Get(own.CRLDistributionPoints[0])
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		require.NoError(t, err)
		list, err := crl.Parse(body)
		require.NoError(t, err)
		assert.NoError(t, list.CheckSignatureFrom(path(a, own)[1]))

		// The same list is not sent twice, and the next one is, in the same second too.
		again := func() int {
			req, err := http.NewRequest(http.MethodGet, own.CRLDistributionPoints[0], nil)
			require.NoError(t, err)
			req.Header.Set("If-None-Match", res.Header.Get("ETag"))
			req.Header.Set("If-Modified-Since", res.Header.Get("Last-Modified"))
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			res.Body.Close()
			return res.StatusCode
		}
		assert.Equal(t, http.StatusNotModified, again())
		a.Revoke(own, crl.KeyCompromise)
		assert.Equal(t, http.StatusOK, again())
	}
	res, err := http.Get(srv.URL + "/other.crl")
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, http.StatusNotFound, res.StatusCode)
	http.DefaultClient.CloseIdleConnections()
}

func parsedPath(t *testing.T, leaf *x509.Certificate) string {
	req, err := http.NewRequest(http.MethodGet, leaf.CRLDistributionPoints[0], nil)
	require.NoError(t, err)
	return req.URL.Path
}

func TestAnAuthorityRevokesAndServesAtTheSameTime(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	leaves := []*x509.Certificate{a.Issue(pkiotest.Leaf{}).Leaf, a.Issue(pkiotest.Leaf{}).Leaf, a.Issue(pkiotest.Leaf{}).Leaf}
	handler := pkiotest.CRLHandler(a)
	var wg sync.WaitGroup
	for _, leaf := range leaves {
		wg.Go(func() { a.Revoke(leaf, crl.KeyCompromise) })
		wg.Go(func() {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, leaf.CRLDistributionPoints[0], nil))
			_, err := crl.Parse(w.Body.Bytes())
			assert.NoError(t, err)
			assert.NotEmpty(t, a.OCSPResponse(leaf))
		})
	}
	wg.Wait()
	list, err := x509.ParseRevocationList(a.CRL(a.Certificates()[2], time.Time{}, time.Time{}))
	require.NoError(t, err)
	assert.Len(t, list.RevokedCertificateEntries, len(leaves))
}

func TestAnOCSPResponseSaysWhatTheCRLDoes(t *testing.T) {
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		a := pkiotest.New(h)
		checker := newChecker(t, pkiotest.CRLConfig(a))
		good, bad := a.Issue(pkiotest.Leaf{}).Leaf, a.Issue(pkiotest.Leaf{}).Leaf
		a.Revoke(bad, crl.Superseded)
		assert.NoError(t, checker.CheckOCSPResponse(a.OCSPResponse(good), path(a, good), a.Time()))
		err := checker.CheckOCSPResponse(a.OCSPResponse(bad), path(a, bad), a.Time())
		assert.Equal(t, chain.Revoked, reasonOf(err))
		var why *crl.RevokedError
		require.ErrorAs(t, err, &why)
		assert.Equal(t, crl.Superseded, why.Reason)
		assert.Equal(t, chain.RevocationUnknown, reasonOf(checker.CheckOCSPResponse(a.OCSPResponse(bad), path(a, good), a.Time())))
	}
}

func TestRevocationOfWhatMakesNoSensePanicsInWords(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	root, foreign := g1.Certificates()[0], pkiotest.New(pkioverheid.PrivateG4TLS).Issue(pkiotest.Leaf{}).Leaf
	for name, f := range map[string]func(){
		"nothing to revoke":                  func() { g1.Revoke(nil, crl.KeyCompromise) },
		"a root":                             func() { g1.Revoke(root, crl.KeyCompromise) },
		"a certificate of another Authority": func() { g1.Revoke(foreign, crl.KeyCompromise) },
		"a CRL of what is not a CA":          func() { g1.CRL(foreign, time.Time{}, time.Time{}) },
		"a CRL of nobody":                    func() { g1.CRL(nil, time.Time{}, time.Time{}) },
		"to serve a CRL of what is not a CA": func() { g1.ServeCRL(foreign, nil) },
		"an answer about another's":          func() { g1.OCSPResponse(foreign) },
		"an answer about nothing":            func() { g1.OCSPResponse(nil) },
	} {
		assert.Panics(t, f, name)
	}
	assert.PanicsWithValue(t, `pkiotest: Revoke: "localhost" was not issued by a CA of Private G4 TLS, or is its root, which no CRL is about`, func() {
		pkiotest.New(pkioverheid.PrivateG4TLS).Revoke(g1.Issue(pkiotest.Leaf{}).Leaf, crl.KeyCompromise)
	})
}

func TestOpenSSLRefusesWhatIsRevoked(t *testing.T) {
	openssl := program(t, "openssl")
	for _, h := range []pkioverheid.Hierarchy{pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS} {
		a := pkiotest.New(h)
		good, bad := a.Issue(pkiotest.Leaf{}).Leaf, a.Issue(pkiotest.Leaf{}).Leaf
		a.Revoke(bad, crl.KeyCompromise)
		dir := t.TempDir()
		write := func(name string, blocks ...[]byte) string {
			file := filepath.Join(dir, name)
			var data []byte
			for _, b := range blocks {
				data = append(data, b...)
			}
			require.NoError(t, os.WriteFile(file, data, 0o600))
			return file
		}
		certs := a.Certificates()
		var lists [][]byte
		for _, ca := range certs[:3] {
			lists = append(lists, pemOf("X509 CRL", a.CRL(ca, time.Time{}, time.Time{})))
		}
		args := []string{"verify", "-crl_check_all", "-CAfile", write("root.pem", pemOf("CERTIFICATE", certs[0].Raw)),
			"-untrusted", write("cas.pem", pemOf("CERTIFICATE", certs[1].Raw), pemOf("CERTIFICATE", certs[2].Raw)),
			"-CRLfile", write("crls.pem", lists...)}
		out, err := exec.Command(openssl, append(args, write("good.pem", pemOf("CERTIFICATE", good.Raw)))...).CombinedOutput()
		assert.NoError(t, err, "%s", out)
		out, err = exec.Command(openssl, append(args, write("bad.pem", pemOf("CERTIFICATE", bad.Raw)))...).CombinedOutput()
		assert.Error(t, err)
		assert.Contains(t, string(out), "certificate revoked")
	}
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// program finds a program of others that a test runs. In CI every one is installed.
func program(t *testing.T, name string) string {
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", name)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}
