package inventory

import (
	"bytes"
	"encoding/base64"
	"net/url"
)

// valueKind is what base64 in a text encodes, as its beginning says.
type valueKind uint8

const (
	noValue    valueKind = iota
	valuePEM             // PEM, as Kubernetes keeps it
	valueDER             // a certificate, a private key, PKCS#7, PKCS#12 or a PKIPath
	valueJKS             // JKS or JCEKS
	valueJWS             // the header of a JSON Web Signature with x5c
	valueInURL           // not base64: PEM with its characters escaped, as proxies hand on certificates
)

// valueMarks are what is searched for: a rare part of how values begin, for what is frequent
// is found slowly, and what is before it. Of PEM in base64 it is what all ways to begin have
// in common, see encodedMentions.
var valueMarks = [...]struct {
	mark   string
	before []string
	kind   valueKind
}{
	markOfPEM: {"LS0t", nil, valuePEM},
	{"MI", []string{""}, valueDER},
	markOfJKS: {"AAAAI", []string{"/u3+7Q", "zs7Ozg"}, valueJKS}, // version 2
	markOfJWS: {"J", []string{"ey"}, valueJWS},
	{"BEGIN", []string{"-----"}, valueInURL},
	markOfDivided: {"LS0t", nil, valuePEM}, // with the end of a line in it
}

const markOfPEM, markOfJKS, markOfJWS, markOfDivided = 0, 2, 3, 5

// values finds the values of a text, in their order. Each mark is searched for only when
// the last one was passed, so that the text is looked through once for each.
type values struct {
	text   []byte
	found  [len(valueMarks)]int // where the next value with this mark begins; -1 if that is not known
	common bool                 // commonMention is in the text, as far as it was searched for PEM
}

func newValues(text []byte) *values {
	v := &values{text: text}
	for i := range v.found {
		v.found[i] = -1
	}
	return v
}

// next returns the first value that does not begin before from.
func (v *values) next(from int) (at int, kind valueKind) {
	at = len(v.text)
	for i := range valueMarks {
		if v.found[i] < from {
			v.found[i] = v.search(i, from)
		}
		if v.found[i] < at {
			at, kind = v.found[i], valueMarks[i].kind
		}
	}
	return at, kind
}

// search returns the length of the text if there is no such value.
func (v *values) search(i, from int) int {
	mark, first := valueMarks[i], from
	switch i {
	case markOfPEM:
		at, common := indexEncoded(v.text[from:])
		v.common = v.common || common
		return orEnd(v.text, from, at)
	case markOfDivided:
		if !v.common { // PEM in base64 has it several times, not all of them at the end of a line
			return len(v.text)
		}
		return orEnd(v.text, from, indexDivided(v.text[from:]))
	}
	for {
		at := bytes.Index(v.text[from:], []byte(mark.mark))
		if at < 0 {
			return len(v.text)
		}
		at += from
		if begin := v.endsMark(i, at+len(mark.mark)); begin >= first {
			return begin
		}
		from = at + 1
	}
}

// orEnd is where something was found after from; the length of the text if it was not.
func orEnd(text []byte, from, at int) int {
	if at < 0 {
		return len(text)
	}
	return from + at
}

// endsMark returns where a value begins whose mark is before end; -1 if there is none.
func (v *values) endsMark(i, end int) int {
	mark := valueMarks[i]
	text, ok := bytes.CutSuffix(v.text[:end], []byte(mark.mark))
	if !ok {
		return -1
	}
	for _, before := range mark.before {
		if begin := len(text) - len(before); bytes.HasSuffix(text, []byte(before)) && v.begins(mark.kind, begin) {
			return begin
		}
	}
	return -1
}

// begins reports whether a value begins at a mark.
func (v *values) begins(kind valueKind, at int) bool {
	rest := v.text[at:]
	if at > 0 && isBase64Byte(v.text[at-1]) && v.text[at-1] != '=' {
		return false
	}
	switch kind {
	case valueDER:
		if len(rest) < 3 || rest[2] != 'A' && (rest[2] < 'G' || rest[2] > 'P') {
			return false
		}
		return beginsValue(beginOfBase64(rest)) && !v.isInBlock(at) && !v.goesOn(at)
	case valueJWS:
		if at > 0 && (v.text[at-1] == '-' || v.text[at-1] == '_') {
			return false // in the middle of a run, which is looked at once
		}
		run := lengthOfURLBase64(rest)
		return run == len(rest) || run <= maxJWSHeader && mentionsX5C(rest[:run])
	case valueInURL:
		rest = rest[len("-----BEGIN"):]
		return bytes.HasPrefix(rest, []byte("%20")) || bytes.HasPrefix(rest, []byte("+"))
	}
	return true
}

// isInBlock reports whether the mark of a block of PEM is directly before, but for that of a
// PKCS#12, which certtool writes.
func (v *values) isInBlock(at int) bool {
	before := bytes.TrimRight(v.text[max(0, at-maxLook):at], " \t\r\n\\rn\"'`,+;#/*>")
	return bytes.HasSuffix(before, pemDashes) && !bytes.HasSuffix(before, []byte("-----BEGIN PKCS12-----"))
}

// goesOn reports whether the line before is full of base64: what begins here is in the
// middle of something longer, such as a certificate in PKCS#7. Lines have 64 characters in
// PEM and 76 in MIME.
func (v *values) goesOn(at int) bool {
	before := bytes.TrimRight(v.text[max(0, at-200):at], " \t")
	before, newline := bytes.CutSuffix(before, []byte("\n"))
	if !newline {
		return false
	}
	line := bytes.TrimSpace(before[bytes.LastIndexByte(before, '\n')+1:])
	return (len(line) == 64 || len(line) == 76) && !bytes.ContainsFunc(line, func(r rune) bool { return r == '=' || r > 0x7f || !isBase64Byte(byte(r)) })
}

// beginsValue reports whether DER begins as what can have certificates or is a key.
func beginsValue(der []byte) bool {
	body := contentOfDER(der)
	if !bytes.HasPrefix(body, []byte{0x30}) {
		return isContainerStart(der) || bytes.HasPrefix(body, []byte{0x02, 0x01, 0x00})
	}
	inner := bodyOf(body)
	return bytes.HasPrefix(inner, []byte{0xa0, 0x03, 0x02, 0x01}) || // a certificate
		bytes.HasPrefix(inner, []byte{0x30}) || // a PKIPath, or a CRL
		len(inner) > 1 && inner[0] == 2 && inner[1] > 1 // a certificate of version 1
}

// maxJWSHeader bounds the header of a JSON Web Signature.
const maxJWSHeader = 64 << 10

// mentionsX5C reports whether there is an "x5c" in the base64 of JSON: what it encodes
// depends on where it begins in a group of three bytes.
func mentionsX5C(encoded []byte) bool {
	return bytes.Contains(encoded, []byte("Ing1Yy")) || bytes.Contains(encoded, []byte("J4NWMi")) || bytes.Contains(encoded, []byte("ieDVjI"))
}

func lengthOfURLBase64(text []byte) int {
	n := bytes.IndexFunc(text, func(c rune) bool {
		return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'
	})
	if n < 0 {
		return len(text)
	}
	return n
}

// encodedMentions are the base64 of the mark of PEM, as Kubernetes keeps it: as far as that
// does not depend on what is before it, of which a group of four characters may
// hold one byte or two, and on what follows.
var encodedMentions = [...]struct {
	text   string
	common int // where commonMention is in it
	group  int // how much of its first group is before it
}{{"LS0tLS1CRUdJTi", 0, 0}, {"0tLS0tQkVHSU4g", 2, 2}, {"tLS0tLUJFR0lOI", 1, 3}}

var commonMention = []byte("LS0t")

// indexEncoded finds the group of base64 in which one of the encodedMentions begins; -1 if
// there is none. common reports whether it came across commonMention.
func indexEncoded(text []byte) (group int, common bool) {
	for done := 0; ; {
		at := bytes.Index(text[done:], commonMention)
		if at < 0 {
			return -1, common
		}
		at += done
		done, common = at+1, true
		for _, m := range encodedMentions {
			begin := at - m.common
			if group := begin - m.group; group >= 0 && bytes.HasPrefix(text[begin:], []byte(m.text)) && isBase64(text[group:begin]) {
				return group, true
			}
		}
	}
}

// indexDivided finds what indexEncoded does where the end of a line is in it. Lines have 64
// characters, or 76.
func indexDivided(text []byte) int {
	for begin := 0; ; {
		length := bytes.IndexByte(text[begin:], '\n')
		if length < 0 {
			return -1
		}
		next := begin + length + 1
		line := bytes.TrimRight(text[begin:next], " \t\r\n")
		end := begin + len(line)
		if line = bytes.TrimLeft(line, " \t"); len(line) == 64 || len(line) == 76 {
			after := bytes.TrimLeft(text[next:min(len(text), next+maxMention)], " \t")
			for _, m := range encodedMentions {
				for n := 1; n < len(m.text); n++ {
					if n+m.group <= len(line) && bytes.HasSuffix(line, []byte(m.text[:n])) && bytes.HasPrefix(after, []byte(m.text[n:])) && isBase64(line) {
						return end - n - m.group
					}
				}
			}
		}
		begin = next
	}
}

// decodeValue decodes base64 of the DER with which text begins, into out. It reads as many
// characters as the length in the DER says, whatever white space or escaped ends of lines
// are between them; of what has no length, all of one value. end is after them; der is
// shorter than its length if the value is.
func decodeValue(out, text []byte) (der []byte, end int) {
	want := lengthOfDER(beginOfBase64(text))
	if want <= 0 {
		end = lengthOfBase64(text, 0)
		return decodeBase64(out, text[:end]), end
	}
	if want > len(text) {
		want = len(text)
	}
	chars := (want*8 + 5) / 6
	var group [4]byte
	n := 0
	flush := func() {
		for i := n; i < 4; i++ {
			group[i] = 'A'
		}
		var three [3]byte
		_, _ = base64.StdEncoding.Decode(three[:], group[:])
		out = append(out, three[:n*6/8]...)
		n = 0
	}
	for end < len(text) && chars > 0 {
		c := text[end]
		switch {
		case c == ' ', c == '\t', c == '\r', c == '\n':
			end++
			continue
		case c == '\\':
			var skip int
			if c, skip = unescaped(text[end:]); skip == 0 {
				chars = 0
				continue
			}
			if end += skip; c == 0 {
				continue
			}
			end--
		}
		if c == '=' || !isBase64Byte(c) {
			break
		}
		group[n] = c
		n++
		chars--
		end++
		if n == 4 {
			flush()
		}
	}
	flush()
	for end < len(text) && text[end] == '=' {
		end++
	}
	return out[:min(len(out), want)], end
}

// unescaped returns the character that a backslash escapes in a value, zero for the end of
// a line, and the length of the escape; a length of zero if it is none.
func unescaped(text []byte) (c byte, length int) {
	text = text[:min(len(text), 16)]
	after := bytes.TrimLeft(text, `\`)
	length = len(text) - len(after)
	if len(after) == 0 {
		return 0, 0
	}
	switch after[0] {
	case 'n', 'r', 't', '\n', '\r':
		return 0, length + 1
	case '/', '=':
		return after[0], length + 1
	case 'u':
		for _, e := range [...]struct {
			hex string
			c   byte
		}{{"u002b", '+'}, {"u002f", '/'}, {"u003d", '='}, {"u000a", 0}, {"u000d", 0}} {
			if len(after) >= 5 && string(bytes.ToLower(after[:5])) == e.hex {
				return e.c, length + 5
			}
		}
	}
	return 0, 0
}

// lengthOfDER returns the length of what der begins; zero if it is not there.
func lengthOfDER(der []byte) int {
	if len(der) < 2 || der[1] <= 0x80 || der[1] > 0x84 || len(der) < 2+int(der[1]&0x7f) {
		return 0
	}
	n := 0
	for _, b := range der[2 : 2+int(der[1]&0x7f)] {
		n = n<<8 | int(b)
	}
	if n > 1<<30 {
		return 0
	}
	return 2 + int(der[1]&0x7f) + n
}

// decodeBase64 decodes base64, as far as it is not damaged, and appends it to out.
func decodeBase64(out, text []byte) []byte {
	in := base64.NewDecoder(base64.StdEncoding, &withoutBlanks{text})
	var piece [1 << 10]byte
	for {
		n, err := in.Read(piece[:])
		out = append(out, piece[:n]...)
		if err != nil {
			return out
		}
	}
}

// inURL decodes PEM with which a text begins that is escaped as in a URL, where a plus can
// stand for a space; nil if it is not.
func inURL(text []byte) (pem []byte, length int) {
	const most = 64 << 10 // of a header
	text = text[:min(len(text), most)]
	if end := bytes.IndexAny(text, " \t\r\n\"'&;,<>|\\"); end >= 0 {
		text = text[:end]
	}
	decode := url.PathUnescape
	if bytes.HasPrefix(text, []byte("-----BEGIN+")) {
		decode = url.QueryUnescape
	}
	plain, err := decode(string(text))
	if err != nil {
		return nil, len(text)
	}
	return []byte(plain), len(text)
}
