package chain

import (
	"crypto/x509"
	"reflect"
	"slices"
)

// recalled is what the memory knows about a certificate.
type recalled struct {
	key      memoryKey
	keep     bool // what is found may be remembered
	reread   bool // nothing is the caller's any more
	leaf     *x509.Certificate
	passed   Chain // what passes now; nil if nothing does
	refused  []Chain
	refusals []error
}

// recall looks for a remembered chain of a certificate that passes now. All that can have
// changed since it was verified is asked again; what is left is signatures, name
// constraints and all else that the bytes of the chain decide alone.
func (s *settings) recall(der []byte, opts VerifyOptions) recalled {
	key, ok := s.memory.keyOf(der, opts.KeyUsages)
	if !ok || opts.NoMemory {
		return recalled{}
	}
	var r recalled
	for _, c := range s.memory.get(key) {
		r.leaf = c[0]
		if !validAt(c, opts.Time) || !allowsOne(c, opts.KeyUsages) || opts.DNSName != "" && c[0].VerifyHostname(opts.DNSName) != nil {
			continue
		}
		c = slices.Clone(c)
		err := s.ask(c, opts.Time)
		if err == nil {
			return recalled{passed: c}
		}
		r.refused, r.refusals = append(r.refused, c), append(r.refusals, err)
	}
	r.key, r.keep = key, true
	return r
}

// owner has the certificates of callers as they were read here.
type owner struct {
	*settings
	read map[*x509.Certificate]*x509.Certificate
}

// own is nil if a certificate is not what its bytes say. What was verified are its fields, and
// a caller may have changed any of them: Raw alone would equal what is read from it always.
func (o *owner) own(c Chain) Chain {
	owned := make(Chain, len(c))
	for i, cert := range c {
		if i > 0 && o.holds(cert) {
			owned[i] = cert
			continue
		}
		if o.read[cert] == nil {
			read, err := x509.ParseCertificate(cert.Raw)
			if err != nil || !reflect.DeepEqual(read, cert) {
				return nil
			}
			o.read[cert] = read
		}
		owned[i] = o.read[cert]
	}
	return owned
}
