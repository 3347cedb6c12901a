// Package policy compares certificate policies by their DER. As text a stranger's
// policy would take time with the square of its length.
package policy

import (
	"bytes"
	"crypto/x509"
)

// Parse returns the policy with this number, which is a constant of the program.
func Parse(number string) x509.OID {
	oid, err := x509.ParseOID(number)
	if err != nil {
		panic("policy: " + number + ": " + err.Error())
	}
	return oid
}

// Within reports whether a policy is one of these arcs, or lies in one. It is asked for
// each certificate of a caller and does not allocate.
func Within(policy x509.OID, arcs ...x509.OID) bool {
	var room, arcRoom [64]byte
	der, err := policy.AppendBinary(room[:0])
	if err != nil {
		return false
	}
	for _, arc := range arcs {
		prefix, err := arc.AppendBinary(arcRoom[:0])
		if err == nil && bytes.HasPrefix(der, prefix) { // the last byte of a number shows that it is the last
			return true
		}
	}
	return false
}
