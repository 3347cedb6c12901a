package profile

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// isReserved reports the blocks of the IANA registries of special addresses (section
// 1.6.1, Reserved IP Address; RFC 6890) that are not for anything else: private,
// shared, local to a link or host, multicast, for documentation, tests, translation
// and the protocols themselves; and of version 6 all that is not global unicast.
func isReserved(ip []byte) bool {
	addr, _ := netip.AddrFromSlice(ip)
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return true
	}
	var block [3]byte
	copy(block[:], ip)
	if len(ip) == 4 {
		switch block {
		case [3]byte{192, 0, 0}, // protocol assignments, RFC 6890
			[3]byte{192, 0, 2}, [3]byte{198, 51, 100}, [3]byte{203, 0, 113}, // documentation, RFC 5737
			[3]byte{192, 31, 196}, [3]byte{192, 175, 48}, // AS112, RFC 7535 and 7534
			[3]byte{192, 52, 193}: // AMT, RFC 7450
			return true
		}
		return ip[0] == 0 || // this network, RFC 791
			ip[0] == 100 && ip[1]&0xc0 == 64 || // shared, RFC 6598
			ip[0] == 198 && ip[1]&0xfe == 18 || // benchmarks, RFC 2544
			ip[0] >= 240 // for the future, RFC 1112
	}
	switch {
	case ip[0]&0xe0 != 0x20: // not global unicast, RFC 4291
	case ip[0] == 0x20 && ip[1] == 0x01 && ip[2]&0xfe == 0: // protocol assignments, RFC 2928
	case ip[0] == 0x20 && ip[1] == 0x01 && ip[2] == 0x0d && ip[3] == 0xb8: // documentation, RFC 3849
	case ip[0] == 0x3f && ip[1] == 0xff && ip[2]&0xf0 == 0: // documentation, RFC 9637
	case ip[0] == 0x20 && ip[1] == 0x02: // 6to4, RFC 3056
	case string(ip[:6]) == "\x26\x20\x00\x4f\x80\x00": // AS112, RFC 7534
	default:
		return false
	}
	return true
}

// webPKIHostName says what is wrong with a dNSName. Sections 7.1.2.7.12 and 1.6.1:
// a fully qualified domain name in labels of letters, digits and hyphens, of
// which those with hyphens in the third and fourth place are valid Punycode after
// "xn--"; and a wildcard is "*." and such a name. One label alone is an internal
// name or a top-level domain. Section 3.2.2.6: a wildcard is not for a whole
// top-level domain. Section 4.2.2: a name of an IP address in the DNS is none.
func webPKIHostName(name string) string {
	domain, wildcard := strings.CutPrefix(name, "*.")
	if strings.Contains(domain, "*") {
		return "has a wildcard that is not the whole leftmost label"
	}
	if wildcard && !strings.Contains(domain, ".") {
		return "is a wildcard for a whole top-level domain"
	}
	if _, err := netip.ParseAddr(domain); err == nil {
		return "is an IP address"
	}
	if !preferredSyntax([]byte(domain)) {
		return "is not a domain name"
	}
	if !strings.Contains(domain, ".") {
		return "is a single label"
	}
	last := domain[strings.LastIndexByte(domain, '.')+1:]
	if strings.Trim(last, "0123456789") == "" {
		return "ends like an IP address"
	}
	if within(domain, "in-addr.arpa") || within(domain, "ip6.arpa") {
		return "is a name of an IP address in the DNS"
	}
	for label := range strings.SplitSeq(domain, ".") {
		if len(label) < 4 || label[2:4] != "--" {
			continue
		}
		if len(label) == 4 || !strings.EqualFold(label[:2], "xn") {
			return "has a reserved label"
		}
		if !isPunycode(label[4:]) {
			return "has a label that is not valid Punycode"
		}
	}
	return ""
}

func within(name, domain string) bool {
	rest := len(name) - len(domain)
	return rest >= 0 && strings.EqualFold(name[rest:], domain) && (rest == 0 || name[rest-1] == '.')
}

// isPunycode decodes part of a label as RFC 3492 section 6.2 does, and drops what
// comes out of it.
func isPunycode(s string) bool {
	const base, tMin, tMax, skew, damp int64 = 36, 1, 26, 38, 700
	const most = 1 << 40 // far above what a label can encode, and below an overflow
	var n, i, bias int64 = 128, 0, 72
	length := max(0, int64(strings.LastIndexByte(s, '-')))
	if length > 0 {
		s = s[length+1:]
	}
	for len(s) > 0 {
		before, weight := i, int64(1)
		for k := base; ; k += base {
			if len(s) == 0 {
				return false
			}
			var digit int64
			switch b := s[0]; {
			case isDigit(b):
				digit = int64(b-'0') + 26
			case isLetterOrDigit(b):
				digit = int64(b|0x20) - 'a'
			default:
				return false
			}
			s = s[1:]
			i += digit * weight
			threshold := min(max(k-bias, tMin), tMax)
			if digit < threshold {
				break
			}
			weight *= base - threshold
			if i > most || weight > most {
				return false
			}
		}
		length++
		delta := (i - before) / 2
		if before == 0 {
			delta = i / damp
		}
		delta += delta / length
		bias = 0
		for ; delta > (base-tMin)*tMax/2; bias += base {
			delta /= base - tMin
		}
		bias += (base - tMin + 1) * delta / (delta + skew)
		n += i / length
		if n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return false
		}
		i = i%length + 1
	}
	return true
}
