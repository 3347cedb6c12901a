// Package safetext writes what a stranger chose, such as the names in a certificate,
// as short text for errors, logs and reports. Its cost is bounded by the limit that
// the caller gives: pkix.Name.String and x509.OID.String, which it replaces, take time
// with the square of their input.
//
// It is for this module's own use, and may change without notice.
package safetext

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// Most is a limit for one name, in bytes: a common name may have as many characters
	// (RFC 5280 appendix A.1), so that those of honest CAs stay whole.
	Most = 64

	// MostDN is a limit for a whole distinguished name.
	MostDN = 256
)

// Name writes a distinguished name as RFC 4514 does, the last attribute first. Of one
// that is longer than most bytes the rest is left out, with "…" in its place. What
// cannot be printed is escaped.
func Name(name pkix.Name, most int) string {
	parts := name.Names
	if len(parts) == 0 { // it was not parsed
		for _, rdn := range name.ToRDNSequence() {
			parts = append(parts, rdn...)
		}
	}
	out := limited{most: most}
	for i := len(parts) - 1; i >= 0 && !out.full; i-- {
		if i < len(parts)-1 {
			out.add(",")
		}
		out.addType(parts[i].Type)
		out.add("=")
		if value, ok := parts[i].Value.(string); ok {
			out.addValue(value)
		} else {
			out.add("#…") // crypto/x509 parses strings only
		}
	}
	return out.text.String()
}

// OID writes an object identifier as numbers with dots between them. Of one that is
// longer than most bytes, or has a number beyond 280 bits, the rest is left out, with
// "…" in its place.
func OID(oid x509.OID, most int) string {
	const longest = 40 // bytes of a number; one that is made of a UUID has 19
	der, err := oid.MarshalBinary()
	if err != nil {
		return ""
	}
	out := limited{most: most}
	number := new(big.Int)
	for start := 0; start < len(der) && !out.full; {
		number.SetUint64(0)
		end := start
		for more := true; more && end < len(der); end++ {
			if end-start == longest {
				out.cut()
				return out.text.String()
			}
			number.Lsh(number, 7).Or(number, big.NewInt(int64(der[end]&0x7f)))
			more = der[end]&0x80 != 0
		}
		if start == 0 { // it encodes two (ITU-T X.690 section 8.19.4)
			first := uint64(2)
			if number.IsUint64() {
				first = min(number.Uint64()/40, 2)
			}
			out.add(strconv.FormatUint(first, 10))
			number.Sub(number, new(big.Int).SetUint64(40*first))
		}
		out.add("." + number.String())
		start = end
	}
	return out.text.String()
}

// attributeTypes are the names of those that many know, in RFC 4519, RFC 5280
// appendix A.1 and ITU-T X.520, in the spelling of crypto/x509 where that has one.
var attributeTypes = []struct {
	oid  asn1.ObjectIdentifier
	name string
}{
	{asn1.ObjectIdentifier{2, 5, 4, 3}, "CN"},
	{asn1.ObjectIdentifier{2, 5, 4, 4}, "SN"},
	{asn1.ObjectIdentifier{2, 5, 4, 5}, "SERIALNUMBER"},
	{asn1.ObjectIdentifier{2, 5, 4, 6}, "C"},
	{asn1.ObjectIdentifier{2, 5, 4, 7}, "L"},
	{asn1.ObjectIdentifier{2, 5, 4, 8}, "ST"},
	{asn1.ObjectIdentifier{2, 5, 4, 9}, "STREET"},
	{asn1.ObjectIdentifier{2, 5, 4, 10}, "O"},
	{asn1.ObjectIdentifier{2, 5, 4, 11}, "OU"},
	{asn1.ObjectIdentifier{2, 5, 4, 12}, "title"},
	{asn1.ObjectIdentifier{2, 5, 4, 17}, "POSTALCODE"},
	{asn1.ObjectIdentifier{2, 5, 4, 42}, "GN"},
	{asn1.ObjectIdentifier{2, 5, 4, 97}, "organizationIdentifier"},
	{asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, "DC"},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, "emailAddress"},
}

// limited is text that takes no more than most bytes.
type limited struct {
	text strings.Builder
	most int
	full bool
}

// add adds a part, or cuts the text off where that does not fit.
func (l *limited) add(part string) {
	switch {
	case l.full:
	case l.text.Len()+len(part) > l.most:
		l.cut()
	default:
		l.text.WriteString(part)
	}
}

func (l *limited) cut() {
	if !l.full {
		l.text.WriteString("…")
		l.full = true
	}
}

func (l *limited) addType(oid asn1.ObjectIdentifier) {
	for _, known := range attributeTypes {
		if oid.Equal(known.oid) {
			l.add(known.name)
			return
		}
	}
	for i, number := range oid {
		if l.full {
			return
		}
		if i > 0 {
			l.add(".")
		}
		l.add(strconv.Itoa(number))
	}
}

// addValue escapes as RFC 4514 section 2.4 has it.
func (l *limited) addValue(value string) {
	for i := 0; i < len(value) && !l.full; {
		r, size := utf8.DecodeRuneInString(value[i:])
		char := value[i : i+size]
		switch {
		case r == utf8.RuneError && size == 1, !unicode.IsPrint(r):
			escaped := ""
			for _, b := range []byte(char) {
				escaped += fmt.Sprintf(`\%02X`, b)
			}
			char = escaped
		case strings.ContainsRune(`,+"\<>;`, r), r == '#' && i == 0, r == ' ' && (i == 0 || i == len(value)-1):
			char = `\` + char
		}
		l.add(char)
		i += size
	}
}
