package truststore

import (
	"crypto/x509"
	"fmt"
	"iter"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// aliases returns the certificates with a name for each, as Java's key stores
// want one: the common name, or the whole subject where there is none, in lower
// case, with a number after it if another certificate had it first.
//
// Java compares these names in lower case, and in a JKS it does not find an entry
// whose name is written in upper case. Two certificates under one name would be
// one entry, and a name with a character beyond the basic plane of Unicode cannot
// be written in either format.
func (s *Store) aliases() iter.Seq2[*x509.Certificate, string] {
	return func(yield func(*x509.Certificate, string) bool) {
		taken := make(map[string]int) // the number that was tried last
		for cert := range s.All() {
			name := cert.Subject.CommonName
			if strings.TrimSpace(name) == "" {
				name = safetext.Name(cert.Subject, safetext.MostDN)
			}
			name = strings.TrimSpace(strings.ToLower(basicPlane(name)))
			if name == "" {
				name = "certificate"
			}
			alias := name
			for n := max(taken[name], 1); ; {
				if _, found := taken[alias]; !found {
					taken[alias] = 1
					break
				}
				n++
				taken[name] = n
				alias = fmt.Sprintf("%s (%d)", name, n)
			}
			if !yield(cert, alias) {
				return
			}
		}
	}
}

// basicPlane escapes what cannot be printed or is beyond the basic plane, and shortens
// what is too long to be read.
func basicPlane(s string) string {
	var out strings.Builder
	for _, r := range safetext.Printable(s, 128) {
		if r > 0xffff {
			fmt.Fprintf(&out, `\u{%x}`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}
