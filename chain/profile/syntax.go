package profile

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// isGeneralName reports one of the nine kinds, each primitive or constructed as it must be:
// crypto/x509 does not see a dNSName that is not.
func isGeneralName(tag asn1.Tag) bool {
	switch number := tag &^ 0xe0; number {
	case 0, 3, 4, 5:
		return tag == number.ContextSpecific().Constructed()
	default:
		return number <= 8 && tag == number.ContextSpecific()
	}
}

// preferredSyntax is that of RFC 1034 section 3.5, as RFC 1123 section 2.1 changed
// it: labels of letters, digits and hyphens, which are not at the ends, at most 63
// octets each and 253 in all. The first label may be a wildcard, of which RFC 5280
// leaves the meaning to others.
func preferredSyntax(name []byte) bool {
	if rest, wildcard := bytes.CutPrefix(name, []byte("*.")); wildcard {
		name = rest
	}
	if len(name) == 0 || len(name) > 253 {
		return false
	}
	for label := range bytes.SplitSeq(name, []byte(".")) {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, b := range label {
			if !isLetterOrDigit(b) && b != '-' {
				return false
			}
		}
	}
	return true
}

// isHost is a domain name that is not a wildcard; the dots and digits of an IPv4 address
// are in its syntax.
func isHost(name []byte) bool { return preferredSyntax(name) && name[0] != '*' }

// isMailbox reports a Mailbox of RFC 2821 section 4.1.2: a dot-string or a quoted
// string, an at sign, and a domain name or an address in brackets; with nothing
// before it, after it or around it.
func isMailbox(address []byte) bool {
	at := bytes.LastIndexByte(address, '@')
	if at < 1 {
		return false
	}
	local, domain := address[:at], address[at+1:]
	if local[0] == '"' {
		if !isQuoted(local) {
			return false
		}
	} else {
		for atom := range bytes.SplitSeq(local, []byte(".")) {
			if len(atom) == 0 || slices.ContainsFunc(atom, func(b byte) bool {
				return !isLetterOrDigit(b) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", b) < 0
			}) {
				return false
			}
		}
	}
	if literal, ok := bytes.CutPrefix(domain, []byte("[")); ok {
		literal, ok = bytes.CutSuffix(literal, []byte("]"))
		return ok && len(literal) > 0 && !slices.ContainsFunc(literal, func(b byte) bool {
			return b < '!' || b > '~' || b >= '[' && b <= ']'
		})
	}
	return isHost(domain)
}

// isQuoted reports a Quoted-string: printable octets between quotes, where a backslash
// comes before each quote and backslash.
func isQuoted(s []byte) bool {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return false
	}
	s = s[1 : len(s)-1]
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == '"' {
			return false
		}
		if i == len(s) || s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func isLetterOrDigit(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// isAbsoluteURI asks for what section 4.2.1.6 demands of a URI: the characters of
// RFC 3986 section 2, a scheme (section 3.1), something after it, and, where that
// begins with an authority (section 3.2), a domain name or IP address in it.
func isAbsoluteURI(uri []byte) bool {
	for i, b := range uri {
		if b == '%' {
			if len(uri) < i+3 || !isHex(uri[i+1]) || !isHex(uri[i+2]) {
				return false
			}
		} else if !isLetterOrDigit(b) && strings.IndexByte("-._~:/?#[]@!$&'()*+,;=", b) < 0 {
			return false
		}
	}
	colon := bytes.IndexByte(uri, ':')
	if colon < 1 || colon == len(uri)-1 || !isLetterOrDigit(uri[0]) || isDigit(uri[0]) {
		return false
	}
	if slices.ContainsFunc(uri[:colon], func(b byte) bool {
		return !isLetterOrDigit(b) && b != '+' && b != '-' && b != '.'
	}) {
		return false
	}
	authority, ok := bytes.CutPrefix(uri[colon+1:], []byte("//"))
	if !ok {
		return true
	}
	if end := bytes.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	return hasHost(authority[bytes.LastIndexByte(authority, '@')+1:])
}

// hasHost takes a host and perhaps a port.
func hasHost(s []byte) bool {
	host, port := s, []byte(nil)
	if literal, ok := bytes.CutPrefix(s, []byte("[")); ok {
		end := bytes.IndexByte(literal, ']')
		if end < 0 || end > 45 { // the longest address has 45 characters
			return false
		}
		addr, err := netip.ParseAddr(string(literal[:end]))
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return false
		}
		host, port = nil, literal[end+1:]
		if len(port) > 0 && port[0] != ':' {
			return false
		}
		port = bytes.TrimPrefix(port, []byte(":"))
	} else if colon := bytes.IndexByte(s, ':'); colon >= 0 {
		host, port = s[:colon], s[colon+1:]
	}
	if slices.ContainsFunc(port, func(b byte) bool { return !isDigit(b) }) {
		return false
	}
	return host == nil || isHost(bytes.TrimSuffix(host, []byte(".")))
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isHex(b byte) bool { return isDigit(b) || b|0x20 >= 'a' && b|0x20 <= 'f' }
