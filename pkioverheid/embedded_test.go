package pkioverheid

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryEmbeddedFileIsTheOnePublished(t *testing.T) {
	var files, rows []string
	require.NoError(t, fs.WalkDir(certFiles, "certs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, strings.TrimPrefix(path, "certs/"))
		}
		return err
	}))
	for _, k := range knownCAs {
		if k.file == "" {
			assert.Empty(t, k.sha256, k.cn)
			continue
		}
		rows = append(rows, k.file)
		t.Run(k.file, func(t *testing.T) {
			cert, err := readCertificate("certs/" + k.file)
			require.NoError(t, err)
			sum := sha256.Sum256(cert.Raw)
			assert.Equal(t, k.sha256, hex.EncodeToString(sum[:]))
			sum = sha256.Sum256(cert.RawSubjectPublicKeyInfo)
			assert.Equal(t, k.key, hex.EncodeToString(sum[:]))
			name, ok := subjectName(cert)
			assert.True(t, ok)
			assert.Equal(t, caName{k.cn, k.o, "NL"}, name)
			assert.Equal(t, string(k.hierarchy), path.Dir(k.file), "a folder a hierarchy")
		})
	}
	assert.ElementsMatch(t, files, rows, "a file a row and a row a file")
}

func TestTheTableOfCAsIsWellFormed(t *testing.T) {
	for _, k := range knownCAs {
		_, err := time.Parse(time.DateOnly, k.since)
		assert.NoError(t, err, k.cn)
		assert.True(t, k.hierarchy.known(), k.cn)
		assert.False(t, k.key == "" && k.o == "", "nothing to recognise %s by", k.cn)
		if k.withdrawn != "" {
			_, err := time.Parse(time.DateOnly, k.withdrawn)
			assert.NoError(t, err, k.cn)
		}
		if key, ok := k.keyHash(); ok {
			assert.Equal(t, k.hierarchy, recognised().byKey[key].hierarchy, k.cn)
		}
		assert.LessOrEqual(t, k.since, EmbeddedVersion())
	}
}

func TestTheTableOfHierarchiesIsWellFormed(t *testing.T) {
	texts := map[string]bool{}
	for h := range everyHierarchy {
		row := h.row()
		require.NotEmpty(t, h, "a row without a name")
		require.NotEmpty(t, row.title)
		for _, s := range []string{string(h), row.title} {
			assert.False(t, s != "" && texts[s], "%q means two", s)
			texts[s] = true
		}
		if row.trusted || row.withdrawn {
			assert.GreaterOrEqual(t, len(h.Certificates()), 3, "%v: a root, a domain CA and a TSP CA", h)
		}
		assert.False(t, row.trusted && row.withdrawn, h)
		assert.False(t, row.ended.IsZero() && !row.trusted && !row.withdrawn, "%v is of no use", h)
		assert.False(t, row.successor != "" && row.source == "", "%v: who says so?", h)
		next := h
		for range hierarchyTable {
			next = next.row().successor
		}
		assert.Zero(t, next, "%v is its own successor", h)
	}
	assert.False(t, Hierarchy("g5").known())
	assert.Subset(t, Hierarchies(), []Hierarchy{EV, PrivateG1, PrivateG4TLS})
	assert.NotContains(t, Hierarchies(), G3)
}

func TestEveryCAVerifiesUpToItsRootBySignature(t *testing.T) {
	for h := range everyHierarchy {
		certs := h.Certificates()
		if len(certs) == 0 {
			continue
		}
		roots := x509.NewCertPool() // the root alone: a CA in the pool would verify itself
		roots.AddCert(h.Root())
		between := x509.NewCertPool()
		between.AddCert(certs[1])
		for i, cert := range certs {
			t.Run(h.String()+"/"+cert.Subject.CommonName, func(t *testing.T) {
				if i == 0 {
					assert.NoError(t, cert.CheckSignatureFrom(cert))
					return
				}
				chains, err := cert.Verify(x509.VerifyOptions{
					Roots:         roots,
					Intermediates: between,
					CurrentTime:   cert.NotBefore.Add(time.Hour),
					KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
				})
				require.NoError(t, err)
				wantLength := 3
				if i == 1 {
					wantLength = 2
				}
				assert.Len(t, chains[0], wantLength)
			})
		}
	}
}

func TestHierarchiesAreRootDomainCAAndTSPCAs(t *testing.T) {
	count := map[Hierarchy]int{}
	for _, k := range knownCAs {
		if k.file != "" {
			count[k.hierarchy]++
		}
	}
	for h, n := range count {
		certs := h.Certificates()
		require.Len(t, certs, n, h.String())
		assert.Same(t, h.Root(), certs[0])
		assert.True(t, selfIssued(certs[0]))
		assert.Equal(t, certs[0].RawSubject, certs[1].RawIssuer)
		for _, tsp := range certs[2:] {
			assert.Equal(t, certs[1].RawSubject, tsp.RawIssuer)
		}
		clear(certs)
		assert.NotNil(t, h.Certificates()[0], "a caller's slice is its own")
	}
	assert.Nil(t, Hierarchy("").Certificates())
	assert.Nil(t, Hierarchy("").Root())
	assert.Nil(t, Hierarchy("g5").Root())
}

func TestIntermediatesHoldsNothingSelfIssuedAndNothingOfG3(t *testing.T) {
	subjects := func(p *x509.CertPool) [][]byte {
		//lint:ignore SA1019 deprecated for system pools, which this is not
		return p.Subjects()
	}
	belowRoots := func(hierarchies ...Hierarchy) (n int) {
		for _, h := range hierarchies {
			n += len(h.Certificates()) - 1
		}
		return n
	}
	assert.Len(t, subjects(intermediatesOf(PrivateG1)), belowRoots(PrivateG1))
	assert.Len(t, subjects(intermediatesOf(EV, PrivateG1, PrivateG4TLS)), belowRoots(EV, PrivateG1, PrivateG4TLS))
	for _, h := range []Hierarchy{G3, Generation1, Generation2, "", "g5"} {
		assert.Empty(t, subjects(intermediatesOf(h)), h)
	}
	for _, s := range subjects(intermediatesOf(EV, PrivateG1, PrivateG4TLS, G3)) {
		for h := range everyHierarchy {
			if root := h.Root(); root != nil {
				assert.NotEqual(t, root.RawSubject, s)
			}
		}
	}
}

func TestEveryTrustedCAVerifiesThroughPoolsOfItsRootAndintermediatesOf(t *testing.T) {
	for _, h := range Hierarchies() {
		root := x509.NewCertPool()
		root.AddCert(h.Root())
		for _, cert := range h.Certificates()[1:] {
			_, err := cert.Verify(x509.VerifyOptions{
				Roots: root, Intermediates: intermediatesOf(h), CurrentTime: cert.NotBefore.Add(time.Hour),
				KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
			})
			assert.NoError(t, err, cert.Subject.CommonName)
		}
	}
}

func TestNoCABelowTheG3RootVerifiesThroughAnyPool(t *testing.T) {
	pools := map[string]*x509.CertPool{
		"default": DefaultCertPool(), "G3": CertPool(G3), "all": CertPool(EV, PrivateG1, PrivateG4TLS, G3), "none": CertPool(""),
	}
	for name, pool := range pools {
		for _, intermediates := range []*x509.CertPool{nil, intermediatesOf(G3), intermediatesOf(PrivateG1, G3)} {
			opts := x509.VerifyOptions{Roots: pool, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
			for _, cert := range G3.Certificates()[1:] {
				opts.CurrentTime = cert.NotBefore.Add(time.Hour)
				_, err := cert.Verify(opts)
				assert.Error(t, err, "%s: %s", name, cert.Subject.CommonName)
			}
		}
	}
}

func TestPoolsMayBeChangedByTheirOwner(t *testing.T) {
	mine := DefaultCertPool()
	mine.AddCert(G3.Root()) // as AppendCertsFromPEM does with an old bundle
	_, err := G3.Certificates()[1].Verify(x509.VerifyOptions{Roots: mine, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var g3 *G3Error
	assert.ErrorContains(t, err, "G3 refused")
	assert.False(t, errors.As(err, &g3), "crypto/x509 keeps the words only")
	assert.True(t, DefaultCertPool().Equal(CertPool(EV, Hierarchies()[1:]...)))
	mine = CertPool(PrivateG1)
	other := x509.NewCertPool()
	other.AddCert(PrivateG4TLS.Root())
	mine.AddCert(PrivateG4TLS.Root())
	assert.False(t, mine.Equal(CertPool(PrivateG1)))
	assert.NotNil(t, CertPool(""), "nil would mean the roots of the system")
}

// intermediatesOf is a pool of domain CAs and TSP CAs, as programs make it.
func intermediatesOf(h Hierarchy, more ...Hierarchy) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, h := range append([]Hierarchy{h}, more...) {
		if !h.trustable() {
			continue
		}
		for _, c := range embedded()[h] {
			if !selfIssued(c) {
				pool.AddCert(c)
			}
		}
	}
	return pool
}
