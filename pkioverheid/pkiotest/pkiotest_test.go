package pkiotest_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-pkioverheid/trust/pkioverheid"
	"github.com/go-pkioverheid/trust/pkioverheid/internal/fixture"
	"github.com/go-pkioverheid/trust/pkioverheid/pkiotest"
)

var all = []pkioverheid.Hierarchy{pkioverheid.EV, pkioverheid.PrivateG1, pkioverheid.PrivateG4TLS, pkioverheid.G3}

// verify verifies as a peer would, with what it was sent and the root.
func verify(a *pkiotest.Authority, pair tls.Certificate, opts x509.VerifyOptions) ([][]*x509.Certificate, error) {
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, err
	}
	opts.Roots = a.Roots().CertPool()
	opts.Intermediates = x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		ca, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		opts.Intermediates.AddCert(ca)
	}
	return leaf.Verify(opts)
}

// tsps are names for TSP of every hierarchy, the default one first.
var tsps = map[pkioverheid.Hierarchy][]string{
	pkioverheid.EV:           {"KPN", "QuoVadis"},
	pkioverheid.PrivateG1:    {"KPN", "QuoVadis"},
	pkioverheid.PrivateG4TLS: {"KPN", "Digidentity"},
	pkioverheid.G3:           {"2019", "2016"},
}

func TestLeavesVerifyUnderEveryTSPOfEveryHierarchy(t *testing.T) {
	for _, h := range all {
		a := pkiotest.New(h)
		certs := a.Certificates()
		for i, name := range tsps[h] {
			t.Run(h.String()+" "+name, func(t *testing.T) {
				pair := a.Issue(pkiotest.Leaf{TSP: name})
				tsp := certs[2+i]
				require.Equal(t, [][]byte{pair.Leaf.Raw, tsp.Raw, certs[1].Raw}, pair.Certificate, "no root: a peer has it")
				assert.Equal(t, tsp.RawSubject, pair.Leaf.RawIssuer)
				assert.Equal(t, tsp.SubjectKeyId, pair.Leaf.AuthorityKeyId)
				assert.Equal(t, tsp.SignatureAlgorithm, pair.Leaf.SignatureAlgorithm)

				for _, at := range []time.Time{a.Time(), pair.Leaf.NotBefore, pair.Leaf.NotAfter} {
					chains, err := verify(a, pair, x509.VerifyOptions{
						DNSName:     "localhost",
						CurrentTime: at,
						KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
					})
					require.NoError(t, err)
					require.Len(t, chains, 1)
					assert.Len(t, chains[0], 4)
				}
				_, err := verify(a, pair, x509.VerifyOptions{CurrentTime: a.Time(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
				assert.NoError(t, err, "a server may act as a client")
			})
		}
	}
}

func TestOpenSSLVerifiesTheChains(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	for _, h := range all {
		t.Run(h.String(), func(t *testing.T) {
			a := pkiotest.New(h)
			pair := a.Issue(pkiotest.Leaf{OIN: "00000099000000001000"})
			dir := t.TempDir()
			write := func(name string, ders ...[]byte) string {
				var text []byte
				for _, der := range ders {
					text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
				}
				path := filepath.Join(dir, name)
				require.NoError(t, os.WriteFile(path, text, 0o600))
				return path
			}
			for _, purpose := range []string{"sslserver", "sslclient"} {
				out, err := exec.Command(openssl, "verify", "-x509_strict", "-purpose", purpose, "-verify_hostname", "localhost",
					"-attime", strconv.FormatInt(a.Time().Unix(), 10),
					"-no-CApath", "-CAfile", write("root.pem", a.Certificates()[0].Raw),
					"-untrusted", write("intermediates.pem", pair.Certificate[1:]...),
					write("leaf.pem", pair.Certificate[0])).CombinedOutput()
				assert.NoError(t, err, "%s: %s", purpose, out)
			}
		})
	}
}

func TestALeafLooksLikeOneOfItsHierarchy(t *testing.T) {
	subject := map[pkioverheid.Hierarchy]string{
		pkioverheid.EV:           "2.5.4.6=19:NL 2.5.4.10=12:Testgemeente 2.5.4.5=19:00000099000000001000 2.5.4.3=12:a.example",
		pkioverheid.PrivateG1:    "2.5.4.6=19:NL 2.5.4.10=12:Testgemeente 2.5.4.5=19:00000099000000001000 2.5.4.3=12:a.example",
		pkioverheid.PrivateG4TLS: "2.5.4.6=19:NL 2.5.4.10=12:Testgemeente 2.5.4.5=19:00000099000000001000 2.5.4.3=12:a.example 2.5.4.97=12:NTRNL-00000000",
		pkioverheid.G3:           "2.5.4.6=19:NL 2.5.4.10=12:Testgemeente 2.5.4.5=19:00000099000000001000 2.5.4.3=12:a.example",
	}
	policies := map[pkioverheid.Hierarchy][]string{
		pkioverheid.EV:           {"2.16.528.1.1003.1.2.5.9", "2.23.140.1.2.2"},
		pkioverheid.PrivateG1:    {"2.16.528.1.1003.1.2.8.6"},
		pkioverheid.PrivateG4TLS: {"2.16.528.1.1003.1.2.44.15.35.11"},
		pkioverheid.G3:           {"2.16.528.1.1003.1.2.5.6"},
	}
	for _, h := range all {
		t.Run(h.String(), func(t *testing.T) {
			a := pkiotest.New(h)
			pair := a.Issue(pkiotest.Leaf{DNSNames: []string{"a.example", "b.example"}, OIN: "00000099000000001000"})
			leaf := pair.Leaf
			assert.Equal(t, subject[h], attributes(t, leaf.RawSubject), "each with the tag of its string type")
			assert.Equal(t, policies[h], policyStrings(leaf))
			assert.Equal(t, x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment, leaf.KeyUsage)
			assert.ElementsMatch(t, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, leaf.ExtKeyUsage)
			assert.Equal(t, []string{"a.example", "b.example"}, leaf.DNSNames)
			assert.Empty(t, leaf.IPAddresses)
			assert.Len(t, leaf.SubjectKeyId, 20)
			assert.Len(t, leaf.CRLDistributionPoints, 1)
			assert.Len(t, leaf.IssuingCertificateURL, 1)
			assert.False(t, leaf.IsCA)
			for _, e := range leaf.Extensions {
				assert.Equal(t, e.Id.String() == "2.5.29.15", e.Critical, "only keyUsage is critical, not %v", e.Id)
			}
			bits := 2048
			if h == pkioverheid.PrivateG4TLS {
				bits = 3072
			}
			assert.Equal(t, bits, leaf.PublicKey.(*rsa.PublicKey).N.BitLen())
			assert.True(t, leaf.PublicKey.(*rsa.PublicKey).Equal(pair.PrivateKey.(*rsa.PrivateKey).Public()))
		})
	}
}

func TestSerialNumbersArePositiveShortAndNeverTheSame(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	seen := make(map[string]bool)
	for range 20 {
		serial := a.Issue(pkiotest.Leaf{}).Leaf.SerialNumber
		assert.Equal(t, 1, serial.Sign())
		assert.Less(t, serial.BitLen(), 160, "20 octets, of which the first bit is the sign")
		seen[serial.String()] = true
	}
	assert.Len(t, seen, 20)
}

func TestTheDefaultValidityIsInsideTheLifeOfTheTSP(t *testing.T) {
	for _, h := range all {
		t.Run(h.String(), func(t *testing.T) {
			a := pkiotest.New(h)
			leaf, tsp := a.Issue(pkiotest.Leaf{}).Leaf, a.Certificates()[2]
			assert.False(t, leaf.NotBefore.Before(tsp.NotBefore))
			assert.False(t, leaf.NotAfter.After(tsp.NotAfter))
			assert.False(t, a.Time().Before(leaf.NotBefore))
			assert.False(t, a.Time().After(leaf.NotAfter))
			if now := time.Now(); now.After(tsp.NotBefore) && now.Before(tsp.NotAfter) {
				assert.WithinDuration(t, now, a.Time(), time.Minute)
			}
		})
	}

	ev := pkiotest.New(pkioverheid.EV).Issue(pkiotest.Leaf{}).Leaf
	assert.Equal(t, time.Date(2022, 12, 5, 0, 0, 0, 0, time.UTC), ev.NotAfter)
	assert.Equal(t, time.Date(2021, 12, 5, 0, 0, 0, 0, time.UTC), ev.NotBefore)
}

func TestEachFieldChangesTheCertificate(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1)
	from, to := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2020, 2, 1, 0, 0, 0, 0, time.UTC)
	own, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)

	for _, test := range []struct {
		name string
		leaf pkiotest.Leaf
		want func(t *testing.T, pair tls.Certificate)
	}{
		{"client only", pkiotest.Leaf{ClientOnly: true}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, pair.Leaf.ExtKeyUsage)
			_, err := verify(g1, pair, x509.VerifyOptions{CurrentTime: g1.Time()})
			var invalid x509.CertificateInvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, x509.IncompatibleUsage, invalid.Reason)
		}},
		{"server only", pkiotest.Leaf{ServerOnly: true}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, pair.Leaf.ExtKeyUsage)
			_, err := verify(g1, pair, x509.VerifyOptions{CurrentTime: g1.Time()})
			require.NoError(t, err)
			_, err = verify(g1, pair, x509.VerifyOptions{CurrentTime: g1.Time(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
			var invalid x509.CertificateInvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, x509.IncompatibleUsage, invalid.Reason)
		}},
		{"no DNS names", pkiotest.Leaf{DNSNames: []string{}}, func(t *testing.T, pair tls.Certificate) {
			assert.Empty(t, pair.Leaf.DNSNames)
			assert.Equal(t, "Testgemeente", pair.Leaf.Subject.CommonName)
		}},
		{"organisation and common name", pkiotest.Leaf{Organization: "Gemeente Súdwest-Fryslân", CommonName: "koppelvlak"}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, []string{"Gemeente Súdwest-Fryslân"}, pair.Leaf.Subject.Organization)
			assert.Equal(t, "koppelvlak", pair.Leaf.Subject.CommonName)
			assert.Equal(t, []string{"localhost"}, pair.Leaf.DNSNames)
		}},
		{"no OIN", pkiotest.Leaf{}, func(t *testing.T, pair tls.Certificate) {
			assert.Empty(t, pair.Leaf.Subject.SerialNumber)
		}},
		{"a serial number that is not an OIN", pkiotest.Leaf{OIN: "CRT-42"}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, "CRT-42", pair.Leaf.Subject.SerialNumber)
		}},
		{"a validity of the past", pkiotest.Leaf{NotBefore: from, NotAfter: to}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, from, pair.Leaf.NotBefore)
			assert.Equal(t, to, pair.Leaf.NotAfter)
			_, err := verify(g1, pair, x509.VerifyOptions{CurrentTime: g1.Time()})
			var invalid x509.CertificateInvalidError
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, x509.Expired, invalid.Reason)
			_, err = verify(g1, pair, x509.VerifyOptions{CurrentTime: from})
			assert.NoError(t, err)
		}},
		{"a person's policy", pkiotest.Leaf{Policies: []string{"2.16.528.1.1003.1.2.8.1"}}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, []string{"2.16.528.1.1003.1.2.8.1"}, policyStrings(pair.Leaf))
		}},
		{"no policy", pkiotest.Leaf{Policies: []string{}}, func(t *testing.T, pair tls.Certificate) {
			assert.Empty(t, pair.Leaf.Policies)
		}},
		{"the leaf alone", pkiotest.Leaf{LeafOnly: true}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, [][]byte{pair.Leaf.Raw}, pair.Certificate)
			_, err := verify(g1, pair, x509.VerifyOptions{CurrentTime: g1.Time()})
			assert.ErrorAs(t, err, new(x509.UnknownAuthorityError))
		}},
		{"the package's ECDSA key", pkiotest.Leaf{ECDSA: true}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, elliptic.P256(), pair.Leaf.PublicKey.(*ecdsa.PublicKey).Curve)
			assert.Equal(t, x509.KeyUsageDigitalSignature, pair.Leaf.KeyUsage)
			_, err := verify(g1, pair, x509.VerifyOptions{CurrentTime: g1.Time()})
			assert.NoError(t, err)
		}},
		{"a key of one's own", pkiotest.Leaf{Key: own}, func(t *testing.T, pair tls.Certificate) {
			assert.Same(t, own, pair.PrivateKey)
			assert.True(t, own.PublicKey.Equal(pair.Leaf.PublicKey))
		}},
		{"a CRL of one's own", pkiotest.Leaf{CRLDistributionPoints: []string{"http://crl.example/own.crl"}}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, []string{"http://crl.example/own.crl"}, pair.Leaf.CRLDistributionPoints)
		}},
		{"no CRL", pkiotest.Leaf{CRLDistributionPoints: []string{}}, func(t *testing.T, pair tls.Certificate) {
			assert.Empty(t, pair.Leaf.CRLDistributionPoints)
		}},
		{"an end alone", pkiotest.Leaf{NotAfter: to}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, to.AddDate(-1, 0, 0), pair.Leaf.NotBefore)
			assert.Equal(t, to, pair.Leaf.NotAfter)
		}},
		{"a start alone", pkiotest.Leaf{NotBefore: from}, func(t *testing.T, pair tls.Certificate) {
			assert.Equal(t, from, pair.Leaf.NotBefore)
			assert.Equal(t, from.AddDate(1, 0, 0), pair.Leaf.NotAfter)
		}},
	} {
		t.Run(test.name, func(t *testing.T) { test.want(t, g1.Issue(test.leaf)) })
	}
}

func TestG3LeavesVerifyUnderBothReissues(t *testing.T) {
	a := pkiotest.New(pkioverheid.G3)
	leaf := a.Issue(pkiotest.Leaf{TSP: "2016"}).Leaf
	for _, tsp := range a.Certificates()[2:] {
		assert.NoError(t, leaf.CheckSignatureFrom(tsp))
	}
}

func TestWhatMakesNoSensePanicsInWords(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG4TLS)
	_, other, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for _, test := range []struct {
		name, words string
		do          func()
	}{
		{"the zero hierarchy", "pkiotest: New: no fixture for \"\"", func() { pkiotest.New("") }},
		{"a hierarchy that does not exist", "pkiotest: New: no fixture for \"g5\"", func() { pkiotest.New("g5") }},
		{"a TSP that is not there", `pkiotest: TSP: Private G4 TLS has none whose name contains "QuoVadis", only KPN - G4 PKIo Priv G-TLS SYS - 2025 (2025) and Digidentity - G4 PKIo Priv G-TLS SYS - 2025 (2025)`, func() { a.Issue(pkiotest.Leaf{TSP: "QuoVadis"}) }},
		{"a policy that is not an OID", `pkiotest: Issue: field Policies: "server" is not an object identifier`, func() { a.Issue(pkiotest.Leaf{Policies: []string{"server"}}) }},
		{"an end before the start", "pkiotest: Issue: NotAfter: ", func() { a.Issue(pkiotest.Leaf{NotBefore: time.Now(), NotAfter: time.Now().Add(-time.Hour)}) }},
		{"for clients only and for servers only", "pkiotest: Issue: ClientOnly and ServerOnly: ", func() { a.Issue(pkiotest.Leaf{ClientOnly: true, ServerOnly: true}) }},
		{"two keys", "pkiotest: Issue: ECDSA: ", func() { a.Issue(pkiotest.Leaf{ECDSA: true, Key: a.PrivateKey(a.Certificates()[0])}) }},
		{"a key that no TSP would certify", "pkiotest: Issue: field Key: a TSP issues no certificate for a ed25519.PublicKey", func() { a.Issue(pkiotest.Leaf{Key: other}) }},
		{"a DNS name that is none", "pkiotest: Issue: x509: ", func() { a.Issue(pkiotest.Leaf{DNSNames: []string{"süd.example"}}) }},
		{"the key of a leaf", "pkiotest: PrivateKey: that is not a CA certificate of Private G4 TLS", func() { a.PrivateKey(a.Issue(pkiotest.Leaf{}).Leaf) }},
		{"the key of a real CA", "pkiotest: PrivateKey: that is not a CA certificate of Private G4 TLS", func() { a.PrivateKey(nil) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func() { assert.Contains(t, fmt.Sprint(recover()), test.words) }()
			test.do()
		})
	}
}

// pkioverheid accepts a fixture root by its pointer.
func TestTheRootIsTheFixturePointerAndAloneInItsStore(t *testing.T) {
	for _, h := range all {
		want := fixture.Certificates(string(h))
		for range 2 {
			a := pkiotest.New(h)
			roots := slices.Collect(a.Roots().All())
			require.Len(t, roots, 1)
			assert.Same(t, want[0], roots[0])
			for i, cert := range a.Certificates() {
				assert.Same(t, want[i], cert)
			}
		}
	}

	a := pkiotest.New(pkioverheid.PrivateG1)
	a.Roots().Add(a.Certificates()[1])
	clear(a.Certificates())
	assert.Equal(t, 1, a.Roots().Len(), "a Store is the caller's")
	assert.NotNil(t, a.Certificates()[0], "a slice is the caller's")
}

func TestEveryKeyBelongsToItsCertificate(t *testing.T) {
	for _, h := range all {
		a := pkiotest.New(h)
		for _, ca := range a.Certificates() {
			assert.True(t, ca.PublicKey.(*rsa.PublicKey).Equal(a.PrivateKey(ca).Public()), ca.Subject.CommonName)
		}
	}
}

func TestEveryKeyFileSaysThatItIsPublic(t *testing.T) {
	count := 0
	require.NoError(t, fs.WalkDir(os.DirFS("keys"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		count++
		data, err := os.ReadFile(filepath.Join("keys", path))
		assert.True(t, bytes.HasPrefix(data, []byte("# test key, public: never trust\n-----BEGIN PRIVATE KEY-----\n")), path)
		return err
	}))
	assert.Equal(t, 15+7, count)
}

func TestAPrivateKeySignsACRLForItsCA(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG4TLS)
	domain, tsp := a.Certificates()[1], a.Certificates()[2]
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		SignatureAlgorithm:        domain.SignatureAlgorithm,
		Number:                    big.NewInt(1),
		ThisUpdate:                a.Time(),
		NextUpdate:                a.Time().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: tsp.SerialNumber, RevocationTime: a.Time()}},
	}, domain, a.PrivateKey(domain))
	require.NoError(t, err)
	crl, err := x509.ParseRevocationList(der)
	require.NoError(t, err)
	assert.NoError(t, crl.CheckSignatureFrom(domain))
}

func TestAnAuthorityIsSafeForConcurrentUse(t *testing.T) {
	shared := pkiotest.New(pkioverheid.PrivateG4TLS)
	var wg sync.WaitGroup
	for range 4 {
		for _, h := range all {
			wg.Go(func() {
				a := pkiotest.New(h)
				_, err := verify(a, a.Issue(pkiotest.Leaf{}), x509.VerifyOptions{CurrentTime: a.Time()})
				assert.NoError(t, err)
				_, err = verify(shared, shared.Issue(pkiotest.Leaf{TSP: "Digidentity", DNSNames: []string{"a.example"}}), x509.VerifyOptions{CurrentTime: shared.Time()})
				assert.NoError(t, err)
			})
		}
	}
	wg.Wait()
}

func TestServersOfEveryHierarchyAnswerTheirClient(t *testing.T) {
	for _, h := range all {
		t.Run(h.String(), func(t *testing.T) {
			a := pkiotest.New(h)
			srv := a.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }), pkiotest.Leaf{})
			defer srv.Close()
			u, err := url.Parse(srv.URL)
			require.NoError(t, err)
			assert.Equal(t, "https", u.Scheme)
			assert.Equal(t, "localhost", u.Hostname())
			assert.NotEmpty(t, u.Port())

			res, err := srv.Client().Get(srv.URL)
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			require.NoError(t, err)
			assert.Equal(t, "HTTP/2.0", string(body))
			require.Len(t, res.TLS.PeerCertificates, 3)
			assert.Equal(t, srv.Certificate().Raw, res.TLS.PeerCertificates[0].Raw)
		})
	}
}

func TestAServerSpeaksHTTP1Too(t *testing.T) {
	srv := pkiotest.New(pkioverheid.PrivateG1).NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }), pkiotest.Leaf{})
	defer srv.Close()
	tr := srv.Client().Transport.(*http.Transport)
	tr.ForceAttemptHTTP2 = false
	tr.TLSClientConfig.NextProtos = []string{"http/1.1"}
	res, err := srv.Client().Get(srv.URL)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1", string(body))
}

func TestTheClientOfAServerChecksWhatCryptoX509Checks(t *testing.T) {
	a := pkiotest.New(pkioverheid.PrivateG1)
	past := a.Time().AddDate(-1, 0, 0)
	for _, test := range []struct {
		name string
		leaf pkiotest.Leaf
		want any // nil: it answers
	}{
		{"a server that sends its leaf only", pkiotest.Leaf{LeafOnly: true}, nil},
		{"another name", pkiotest.Leaf{DNSNames: []string{"a.example"}}, new(x509.HostnameError)},
		{"an expired certificate", pkiotest.Leaf{NotBefore: past, NotAfter: past.Add(time.Hour)}, new(x509.CertificateInvalidError)},
		{"a client's certificate", pkiotest.Leaf{ClientOnly: true}, new(x509.CertificateInvalidError)},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := a.NewServer(http.NotFoundHandler(), test.leaf)
			defer srv.Close()
			var lines lockedBuffer
			srv.Config.ErrorLog = log.New(&lines, "", 0)
			res, err := srv.Client().Get(srv.URL)
			if test.want == nil {
				require.NoError(t, err)
				res.Body.Close()
				return
			}
			require.ErrorAs(t, err, test.want)
			assert.Eventually(t, func() bool { return strings.Contains(lines.String(), "TLS handshake error") }, 5*time.Second, time.Millisecond, "in the log that the test has set")
		})
	}
}

func TestAServerOfAnotherAuthorityIsRefused(t *testing.T) {
	g1 := pkiotest.New(pkioverheid.PrivateG1).NewServer(http.NotFoundHandler(), pkiotest.Leaf{})
	defer g1.Close()
	g4 := pkiotest.New(pkioverheid.PrivateG4TLS).NewServer(http.NotFoundHandler(), pkiotest.Leaf{})
	defer g4.Close()
	g4.Config.ErrorLog = log.New(io.Discard, "", 0)
	_, err := g1.Client().Get(g4.URL)
	assert.ErrorAs(t, err, new(x509.UnknownAuthorityError))
}

// The signatures of G4 are RSASSA-PSS in certificates; a handshake of TLS 1.2 has
// a signature algorithm of its own, and both ends must cope.
func TestHandshakesSucceedInBothVersionsOfTLSWithClientCertificates(t *testing.T) {
	for _, h := range all {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(h.String()+" "+tls.VersionName(version), func(t *testing.T) {
				a := pkiotest.New(h)
				clientCert := a.Issue(pkiotest.Leaf{ClientOnly: true, OIN: "00000099000000001000"})
				ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
					Certificates: []tls.Certificate{a.Issue(pkiotest.Leaf{})},
					ClientAuth:   tls.RequireAndVerifyClientCert,
					ClientCAs:    a.Roots().CertPool(),
					Time:         a.Time,
				})
				require.NoError(t, err)
				defer ln.Close()
				done := make(chan error, 1)
				go func() {
					conn, err := ln.Accept()
					if err == nil {
						err = conn.(*tls.Conn).HandshakeContext(context.Background())
						conn.Close()
					}
					done <- err
				}()
				raw, err := net.Dial("tcp", ln.Addr().String())
				require.NoError(t, err)
				client := tls.Client(raw, &tls.Config{
					ServerName:   "localhost",
					Certificates: []tls.Certificate{clientCert},
					RootCAs:      a.Roots().CertPool(),
					Time:         a.Time,
					MaxVersion:   version,
				})
				defer client.Close()
				require.NoError(t, client.Handshake())
				assert.NoError(t, <-done)
			})
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func policyStrings(cert *x509.Certificate) []string {
	var s []string
	for _, p := range cert.Policies {
		s = append(s, p.String())
	}
	return s
}

// attributes writes a name as "OID=tag:value …".
func attributes(t *testing.T, raw []byte) string {
	t.Helper()
	var name []asn1.RawValue
	_, err := asn1.Unmarshal(raw, &name)
	require.NoError(t, err)
	var s []string
	for _, set := range name {
		var attribute struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		rest, err := asn1.Unmarshal(set.Bytes, &attribute)
		require.NoError(t, err)
		require.Empty(t, rest)
		s = append(s, fmt.Sprintf("%v=%d:%s", attribute.Type, attribute.Value.Tag, attribute.Value.Bytes))
	}
	return strings.Join(s, " ")
}
