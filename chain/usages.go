package chain

import (
	"crypto/x509"
	"slices"
)

// usages is what extended key usages allow. The zero value allows any.
type usages struct {
	restricted bool
	set        uint64
}

func usagesOf(cert *x509.Certificate) usages {
	if len(cert.ExtKeyUsage) == 0 && len(cert.UnknownExtKeyUsage) == 0 {
		return usages{}
	}
	u := usages{restricted: true}
	for _, usage := range cert.ExtKeyUsage {
		if usage == x509.ExtKeyUsageAny {
			return usages{}
		}
		u.set |= usageBit(usage)
	}
	return u
}

func usageBit(u x509.ExtKeyUsage) uint64 {
	if u < 0 || u > 63 {
		return 0
	}
	return 1 << u
}

func (u usages) and(o usages) usages {
	switch {
	case !u.restricted:
		return o
	case !o.restricted:
		return u
	}
	return usages{true, u.set & o.set}
}

func (u usages) allow(usage x509.ExtKeyUsage) bool {
	return !u.restricted || u.set&usageBit(usage) != 0
}

// allowsOne reports whether one of the requested usages is allowed by each certificate.
func allowsOne(certs []*x509.Certificate, requested []x509.ExtKeyUsage) bool {
	var all usages
	for _, cert := range certs {
		all = all.and(usagesOf(cert))
	}
	return slices.ContainsFunc(requested, func(u x509.ExtKeyUsage) bool { return u == x509.ExtKeyUsageAny || all.allow(u) })
}

// within reports whether o allows all that u does.
func (u usages) within(o usages) bool {
	return !o.restricted || u.restricted && u.set&^o.set == 0
}
