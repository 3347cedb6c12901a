package pkioverheid

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"fmt"
	"slices"
	"sync"
)

// certFiles holds the CA certificates as published at cert.pkioverheid.nl, a
// folder a hierarchy, a file a certificate. A test holds each against its row of
// knownCAs.
//
//go:embed certs
var certFiles embed.FS

// embedded parses the files that knownCAs names, on first use. They are part of the
// program: one that does not parse cannot get past the tests.
var embedded = sync.OnceValue(func() map[Hierarchy][]*x509.Certificate {
	all := make(map[Hierarchy][]*x509.Certificate, len(hierarchyTable))
	for _, k := range knownCAs {
		if k.file == "" {
			continue
		}
		cert, err := readCertificate("certs/" + k.file)
		if err != nil {
			panic("pkioverheid: " + err.Error())
		}
		all[k.hierarchy] = append(all[k.hierarchy], cert)
	}
	for _, certs := range all {
		sortFromRoot(certs)
	}
	return all
})

func readCertificate(path string) (*x509.Certificate, error) {
	data, err := certFiles.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM block", path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cert, nil
}

// sortFromRoot puts the root first, then the domain CA, then the TSP CAs in the
// order in which they were.
func sortFromRoot(certs []*x509.Certificate) {
	var root []byte
	for _, c := range certs {
		if selfIssued(c) {
			root = c.RawSubject
		}
	}
	depth := func(c *x509.Certificate) int {
		switch {
		case selfIssued(c):
			return 0
		case bytes.Equal(c.RawIssuer, root):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(certs, func(a, b *x509.Certificate) int { return cmp.Compare(depth(a), depth(b)) })
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// Certificates returns the CA certificates of the hierarchy in a new slice: the root, the
// domain CA, the TSP CAs; none where none is embedded. Those of G3 are not to be trusted. The
// certificates are shared and must not be modified.
func (h Hierarchy) Certificates() []*x509.Certificate { return slices.Clone(embedded()[h]) }

// Root returns the self-signed root of the hierarchy, nil if none is embedded. The
// certificate is shared and must not be modified.
func (h Hierarchy) Root() *x509.Certificate {
	if certs := embedded()[h]; len(certs) > 0 {
		return certs[0]
	}
	return nil
}

// trustable reports whether a user may trust the hierarchy.
func (h Hierarchy) trustable() bool {
	return h.known() && !h.row().withdrawn && len(embedded()[h]) > 0
}
