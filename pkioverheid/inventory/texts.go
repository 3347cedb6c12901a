package inventory

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strconv"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/go-pkioverheid/trust/truststore"
)

// inText visits what is in a text of any kind, or in a part of one after so many lines: PEM,
// and then values in base64.
func (c *contentReader) inText(text []byte, linesBefore int, visit visitor) bool {
	return c.pemIn(text, linesBefore, "", UnknownUse, visit) && c.valuesIn(text, linesBefore, visit)
}

// pemIn visits the PEM of a text.
func (c *contentReader) pemIn(text []byte, linesBefore int, within string, use Use, visit visitor) bool {
	if !mentionsPEM(text) {
		return true
	}
	last := 0 // the line of the block before
	for f := range pemEntries(text, c.options) {
		if c.ctx.Err() != nil {
			return false
		}
		if f.Err != nil && (f.Kind == 0 || f.Kind == truststore.PrivateKey) {
			continue
		}
		f.place = within + "line " + strconv.Itoa(f.Line+linesBefore)
		if f.Line == last && f.Number > 1 {
			f.place += ", block " + strconv.Itoa(f.Number)
		}
		if f.Position <= 1 {
			last = f.Line
		}
		if f.Position > 0 {
			f.place += ", certificate " + strconv.Itoa(f.Position)
		}
		f.use, f.borrowed = use, f.Position > 0
		if !visit(f) {
			return false
		}
	}
	return true
}

// valuesIn visits what is in base64 in a text.
func (c *contentReader) valuesIn(text []byte, linesBefore int, visit visitor) bool {
	v := newValues(text)
	line, counted := linesBefore+1, 0
	lastLine, onLine := 0, 0
	var list x5cList
	again := len(text) // bytes that are looked at a second time
	for end := 0; c.ctx.Err() == nil; {
		at, kind := v.next(end)
		if kind == noValue {
			return true
		}
		line += bytes.Count(text[counted:at], []byte("\n"))
		counted = at
		where := "line " + strconv.Itoa(line)
		if onLine++; line != lastLine {
			lastLine, onLine = line, 1
		}
		if onLine > 1 {
			where += ", value " + strconv.Itoa(onLine)
		}
		more := true
		switch kind {
		case valuePEM:
			length := lengthOfBase64(text[at:], base64Before(text, at))
			end = at + length
			c.decoded = slices.Grow(c.decoded[:0], base64.StdEncoding.DecodedLen(length)+len("#\n"))
			c.decoded = decodeBase64(append(c.decoded, "#\n"...), text[at:end])
			more = c.pemIn(c.decoded, -1, where+" in base64, ", UnknownUse, inside(at, end, visit))
		case valueInURL:
			pem, length := inURL(text[at:])
			end = at + length
			more = c.pemIn(pem, 0, where+" in a URL, ", ForwardedClient, inside(at, end, visit))
		case valueJWS:
			length := lengthOfURLBase64(text[at:])
			end = at + length
			if length <= maxJWSHeader && mentionsX5C(text[at:end]) {
				more = c.jwsHeader(text[at:end], where+" in a JSON Web Signature", inside(at, end, visit))
			}
		default:
			c.decoded, end = decodeValue(c.decoded[:0], text[at:])
			end = max(at+end, at+1)
			// What is cut off may have taken the beginning of what comes on the lines below it.
			if newline := bytes.IndexByte(text[at:end], '\n'); newline >= 0 && isCutOff(c.decoded) && again > 0 {
				again -= end - at
				end = at + newline + 1
			}
			if list.take(text, at, end); list.count > 0 {
				more = c.value(c.decoded, JWKCertificate, where+list.place(), inside(at, end, visit))
			} else {
				more = c.value(c.decoded, UnknownUse, where+" in base64", inside(at, end, visit))
			}
		}
		if !more {
			return false
		}
	}
	return false
}

// inside visits what is in a value of a text.
func inside(at, end int, visit visitor) visitor {
	return func(f found) bool {
		f.at, f.end, f.pure = at, end, false
		return visit(f)
	}
}

// value visits what DER or a key store from a text holds. What is cut off is skipped:
// texts explain things with beginnings of certificates.
func (c *contentReader) value(data []byte, use Use, where string, visit visitor) bool {
	if isCutOff(data) {
		return true
	}
	return c.container(data, true, func(f found) bool {
		if f.place == "" || f.Format == truststore.DER && f.Number == 1 && !isPKIPath(data) {
			f.place = where
		} else {
			f.place = where + ", " + f.place
		}
		f.use = use
		return visit(f)
	})
}

// isCutOff reports whether there is the beginning of something only.
func isCutOff(der []byte) bool {
	return lengthOfDER(der) > len(der) || isCertificateStart(der) && !isWholeCertificate(der)
}

// isWholeCertificate reports whether DER has the outer form of a certificate.
func isWholeCertificate(der []byte) bool {
	var cert cryptobyte.String
	in := cryptobyte.String(der)
	return in.ReadASN1(&cert, asn1.SEQUENCE) && in.Empty() && cert.SkipASN1(asn1.SEQUENCE) && cert.SkipASN1(asn1.SEQUENCE) &&
		cert.SkipASN1(asn1.BIT_STRING) && cert.Empty()
}

// jwsHeader visits the certificates in the header of a JSON Web Signature.
func (c *contentReader) jwsHeader(encoded []byte, where string, visit visitor) bool {
	header, err := base64.RawURLEncoding.DecodeString(string(encoded))
	if err != nil {
		return true
	}
	v := newValues(header)
	var list x5cList
	for end := 0; ; {
		at, kind := v.next(end)
		if kind == noValue {
			return true
		}
		if end = at + 1; kind != valueDER {
			continue
		}
		var length int
		c.decoded, length = decodeValue(c.decoded[:0], header[at:])
		end = at + max(length, 1)
		if list.take(header, at, end); !c.value(c.decoded, JWSCertificate, where+list.place(), visit) {
			return false
		}
	}
}

// x5cList counts the values of one "x5c" (RFC 7517, section 4.7), of which the first is the
// certificate of the key.
type x5cList struct{ end, count int }

// take takes a value; count is zero if it is in no such list.
func (l *x5cList) take(text []byte, at, end int) {
	const between = "\"', \t\r\n\\[:-="
	from := max(0, at-maxLook)
	if l.count > 0 {
		from = max(from, l.end)
	}
	switch before := bytes.TrimRight(text[from:at], between); {
	case l.count > 0 && len(before) == 0 && from == l.end:
		l.count++
	case bytes.HasSuffix(before, []byte("x5c")):
		l.count = 1
	default:
		l.count = 0
	}
	l.end = end
}

func (l *x5cList) place() string {
	if l.count <= 1 {
		return ", x5c"
	}
	return ", x5c, certificate " + strconv.Itoa(l.count)
}
