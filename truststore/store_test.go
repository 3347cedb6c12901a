package truststore

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// realFiles are the CA certificates of PKIoverheid: a path and a certificate each.
var realFiles = sync.OnceValue(func() (files []struct {
	path string
	cert *x509.Certificate
}) {
	err := filepath.WalkDir(filepath.Join("..", "pkioverheid", "certs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".pem" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		block, _ := pem.Decode(text)
		if block == nil {
			return fmt.Errorf("%s: no PEM", path)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		files = append(files, struct {
			path string
			cert *x509.Certificate
		}{path, cert})
		return nil
	})
	if err != nil {
		panic(err)
	}
	return files
})

func realCerts(t testing.TB) []*x509.Certificate {
	t.Helper()
	var certs []*x509.Certificate
	for _, f := range realFiles() {
		certs = append(certs, f.cert)
	}
	require.NotEmpty(t, certs)
	return certs
}

var testKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

// newCert makes a self-signed certificate.
func newCert(t testing.TB, name pkix.Name) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: name,
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA:      true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, testKey().Public(), testKey())
	require.NoError(t, err)
	return parse(t, der)
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

// standIns are n certificates that were never parsed, at the cost of their
// bytes only: what a Store looks at is there, a third of them to a subject.
func standIns(n int) []*x509.Certificate {
	certs := make([]*x509.Certificate, n)
	for i := range certs {
		raw := bytes.Repeat([]byte("certificate "), 120)
		raw = fmt.Appendf(raw, "%d", i)
		certs[i] = &x509.Certificate{Raw: raw, RawSubject: fmt.Appendf(nil, "subject %d", i/3)}
	}
	return certs
}

func list(s *Store) []*x509.Certificate { return slices.Collect(s.All()) }

func TestStoreKeepsOrderAndPointersAndNoDuplicates(t *testing.T) {
	certs := realCerts(t)
	s := New(certs...)
	assert.Equal(t, len(certs), s.Len())
	assert.Equal(t, 0, s.Add(certs...), "none of them is new")
	again := parse(t, certs[3].Raw)
	assert.Equal(t, 0, s.Add(again, nil, &x509.Certificate{}), "the same DER, nil, and never parsed")
	assert.True(t, s.Contains(again))
	require.Equal(t, len(certs), s.Len())
	for i, cert := range list(s) {
		assert.Same(t, certs[i], cert)
	}
}

func TestZeroAndNilStoresAreEmpty(t *testing.T) {
	cert := realCerts(t)[0]
	for name, s := range map[string]*Store{"nil": nil, "zero": {}, "new": New(), "new with nil": New(nil)} {
		t.Run(name, func(t *testing.T) {
			assert.Zero(t, s.Len())
			assert.Empty(t, list(s))
			assert.False(t, s.Contains(cert))
			assert.False(t, s.Contains(nil))
			assert.Empty(t, slices.Collect(s.BySubject(cert.RawSubject)))
			assert.Empty(t, slices.Collect(s.BySubject(nil)))
			assert.Zero(t, s.Filter(func(*x509.Certificate) bool { return true }).Len())
			assert.Zero(t, s.SelfSigned().Len())
			assert.True(t, s.CertPool().Equal(x509.NewCertPool()))
			assert.Empty(t, Diff(s, s))
			assert.Equal(t, Changes{Added: []*x509.Certificate{cert}}, Diff(s, New(cert)))
			assert.Equal(t, Changes{Removed: []*x509.Certificate{cert}}, Diff(New(cert), s))
		})
	}
	var zero Store
	assert.Equal(t, 1, zero.Add(cert))
	assert.True(t, zero.Contains(cert))
}

func TestAddingWhileIterating(t *testing.T) {
	certs := standIns(300)
	s := New(certs[:3]...)
	seen := 0
	for range s.All() {
		seen++
		s.Add(certs...)
	}
	assert.Equal(t, 3, seen)
	for range s.BySubject(certs[0].RawSubject) {
		s.Add(certs...)
	}
	assert.Equal(t, 300, s.Len())
	for range s.All() {
		break
	}
}

func TestBySubject(t *testing.T) {
	certs := realCerts(t)
	s := New(certs...)
	for _, cert := range certs {
		var want []*x509.Certificate
		for _, other := range certs {
			if bytes.Equal(other.RawSubject, cert.RawSubject) {
				want = append(want, other)
			}
		}
		assert.Equal(t, want, slices.Collect(s.BySubject(cert.RawSubject)))
	}
	twice := slices.IndexFunc(certs, func(c *x509.Certificate) bool {
		return len(slices.Collect(s.BySubject(c.RawSubject))) == 2
	})
	require.GreaterOrEqual(t, twice, 0, "KPN's G3 CA was reissued under the same name")
	for range s.BySubject(certs[twice].RawSubject) {
		break
	}

	unknown := newCert(t, pkix.Name{CommonName: "unknown"}).RawSubject
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for range s.BySubject(unknown) {
			t.Error("found")
		}
	}))
}

func TestManyCertificatesOfOneSubjectStayFast(t *testing.T) {
	certs := standIns(50_000)
	for _, cert := range certs {
		cert.RawSubject = []byte("one subject")
	}
	start := time.Now()
	s := New(certs...)
	assert.Equal(t, certs, slices.Collect(s.BySubject([]byte("one subject"))))
	assert.Less(t, time.Since(start), 10*time.Second)
}

func TestStoreSurvivesEqualHashes(t *testing.T) {
	certs := standIns(5)
	var s Store
	for _, cert := range certs {
		require.True(t, s.add(cert, 42))
		require.False(t, s.add(&x509.Certificate{Raw: bytes.Clone(cert.Raw)}, 42))
	}
	for _, cert := range certs {
		assert.True(t, s.find(cert, 42))
	}
	assert.False(t, s.find(standIns(6)[5], 42))
}

func TestFilterAndSelfSigned(t *testing.T) {
	s := New(realCerts(t)...)
	var names []string
	for cert := range s.SelfSigned().All() {
		names = append(names, cert.Subject.CommonName)
	}
	assert.Subset(t, names, []string{
		"Staat der Nederlanden EV Root CA",
		"Staat der Nederlanden Private Root CA - G1",
		"Staat der Nederlanden - G4 Root Priv G-TLS - 2024",
		"Staat der Nederlanden Root CA - G3",
	})
	folders, err := filepath.Glob("../pkioverheid/certs/*")
	require.NoError(t, err)
	assert.Len(t, names, len(folders), "a root a folder")
	kpn := s.Filter(func(c *x509.Certificate) bool { return strings.HasPrefix(c.Subject.CommonName, "KPN") })
	files, err := filepath.Glob("../pkioverheid/certs/*/kpn-*.pem")
	require.NoError(t, err)
	assert.Equal(t, len(files), kpn.Len())
	assert.Equal(t, len(realCerts(t)), s.Len())

	liar := newCert(t, pkix.Name{CommonName: "liar"})
	liar.Signature = slices.Clone(liar.Signature)
	liar.Signature[len(liar.Signature)-1] ^= 1
	assert.Zero(t, New(liar).SelfSigned().Len(), "by signature, not by name")

	large := newCert(t, pkix.Name{CommonName: "large"})
	large.PublicKey = &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1<<24), E: 1<<31 - 1}
	large.SignatureAlgorithm = x509.SHA256WithRSA
	start := time.Now()
	assert.Zero(t, New(large).SelfSigned().Len())
	assert.Less(t, time.Since(start), time.Second)
}

func TestCertPoolHasThemAll(t *testing.T) {
	want := x509.NewCertPool()
	for _, cert := range realCerts(t) {
		want.AddCert(cert)
	}
	assert.True(t, want.Equal(New(realCerts(t)...).CertPool()))
}

func TestDiff(t *testing.T) {
	certs := realCerts(t)
	from, to := New(certs[:20]...), New(certs[5:]...)
	assert.Equal(t, Changes{Added: certs[20:], Removed: certs[:5]}, Diff(from, to))
	reversed := slices.Clone(certs)
	slices.Reverse(reversed)
	assert.Empty(t, Diff(New(certs...), New(reversed...)), "order is not a difference")
	from = from.Filter(func(cert *x509.Certificate) bool { return cert != certs[6] })
	assert.Equal(t, append(certs[6:7:7], certs[20:]...), Diff(from, to).Added)
}

func TestManyGoroutinesReadOneStore(t *testing.T) {
	certs := realCerts(t)
	s := New(certs...)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range certs {
				cert := certs[(i+g)%len(certs)]
				assert.True(t, s.Contains(cert))
				assert.NotEmpty(t, slices.Collect(s.BySubject(cert.RawSubject)))
			}
			assert.Equal(t, len(certs), s.Len())
			assert.Equal(t, len(certs), s.Filter(func(*x509.Certificate) bool { return true }).Len())
			assert.Empty(t, Diff(s, s))
		}()
	}
	wg.Wait()
}

func TestHundredThousandCertificates(t *testing.T) {
	certs := standIns(100_000)
	start := time.Now()
	s := New(certs...)
	for _, cert := range certs {
		if !s.Contains(cert) {
			t.Fatal("lost one")
		}
	}
	assert.Empty(t, Diff(s, New(certs...)))
	assert.Less(t, time.Since(start), 30*time.Second, "seconds when quadratic; a fraction of one otherwise")
}

func TestFingerprint(t *testing.T) {
	f := FingerprintOf(realCerts(t)[0])
	colons := strings.ToUpper(f.String()[:2])
	for i := 2; i < 64; i += 2 {
		colons += ":" + strings.ToUpper(f.String()[i:i+2])
	}
	for name, text := range map[string]string{
		"lower case":            f.String(),
		"upper case":            strings.ToUpper(f.String()),
		"as openssl prints it":  colons,
		"with spaces":           strings.ReplaceAll(colons, ":", " "),
		"with spaces around it": "  " + colons + " ",
	} {
		t.Run(name, func(t *testing.T) {
			parsed, err := ParseFingerprint(text)
			require.NoError(t, err)
			assert.Equal(t, f, parsed)
		})
	}
	for name, text := range map[string]string{
		"nothing":         "",
		"a SHA-1":         f.String()[:40],
		"one digit more":  f.String() + "0",
		"one digit less":  f.String()[1:],
		"no digit":        "g" + f.String()[1:],
		"a line break":    f.String()[:32] + "\n" + f.String()[32:],
		"a foreign digit": "é" + f.String()[2:],
	} {
		t.Run(name+" is an error", func(t *testing.T) {
			_, err := ParseFingerprint(text)
			assert.ErrorContains(t, err, "truststore: ")
			g := f
			assert.Error(t, g.UnmarshalText([]byte(text)))
			assert.Equal(t, f, g)
		})
	}
	text, err := f.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, f.String(), string(text))
	var g Fingerprint
	require.NoError(t, g.UnmarshalText([]byte(colons)))
	assert.Equal(t, f, g)
	assert.Zero(t, FingerprintOf(nil))
	assert.Zero(t, FingerprintOf(&x509.Certificate{}))
}
