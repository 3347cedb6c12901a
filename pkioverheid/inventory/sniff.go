package inventory

import "bytes"

// contentKind is what the beginning of a file says about the rest.
type contentKind uint8

const (
	nothing    contentKind = iota // no certificate can be in it
	binaryASN1                    // DER, PKCS#7, PKCS#12 perhaps
	keyStore                      // JKS, JCEKS
	text                          // PEM or XML perhaps
	bareBase64                    // of DER perhaps
	utf16Text                     // text that is decoded first
)

// headSize is how much of a file look needs.
const headSize = 4 << 10

// look finds by the beginning of a file what can be in it. It errs on the side of
// reading on.
func look(head []byte) contentKind {
	whole := len(head) < headSize
	head = bytes.TrimPrefix(head[:min(len(head), headSize)], []byte("\xef\xbb\xbf"))
	plain := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(plain) == 0 && whole:
		return nothing
	case bytes.HasPrefix(head, []byte("\xfe\xed\xfe\xed")), bytes.HasPrefix(head, []byte("\xce\xce\xce\xce")):
		return keyStore
	case isASN1(head):
		return binaryASN1
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")),
		bytes.HasPrefix(head, []byte("<\x00")), bytes.HasPrefix(head, []byte("\x00<")),
		bytes.HasPrefix(head, []byte("-\x00-\x00")), bytes.HasPrefix(head, []byte("\x00-\x00-")):
		return utf16Text
	case bytes.IndexByte(head, 0) >= 0:
		return nothing
	case bytes.HasPrefix(plain, []byte("MI")) && isBase64(plain):
		return bareBase64
	}
	return text
}

// isASN1 reports whether data begins as certificates and their containers do: a
// sequence of 128 bytes or more, or of no given length, in which there is another
// one (a certificate), the identifier of PKCS#7, or version 3 (PKCS#12).
func isASN1(data []byte) bool {
	if len(data) < 6 || data[0] != 0x30 || data[1] < 0x80 || data[1] > 0x84 {
		return false
	}
	body := data[2+int(data[1]&0x7f):]
	return bytes.HasPrefix(body, []byte{0x30}) || isContainerStart(data)
}

// isContainerStart reports whether DER begins as PKCS#7 or PKCS#12 does.
func isContainerStart(der []byte) bool {
	if len(der) < 6 || der[0] != 0x30 || der[1] < 0x80 || der[1] > 0x84 {
		return false
	}
	body := der[2+int(der[1]&0x7f):]
	return bytes.HasPrefix(body, []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07}) ||
		bytes.HasPrefix(body, []byte{0x02, 0x01, 0x03, 0x30})
}

// isCertificateStart reports whether DER begins as a certificate of version 2 or 3
// does, and nothing else that is known. Then it is a trouble if it is none.
func isCertificateStart(der []byte) bool {
	for range 2 {
		if len(der) < 2 || der[0] != 0x30 || der[1] < 0x81 || der[1] > 0x84 || len(der) < 2+int(der[1]&0x7f) {
			return false
		}
		der = der[2+int(der[1]&0x7f):]
	}
	return bytes.HasPrefix(der, []byte{0xa0, 0x03, 0x02, 0x01})
}

// What text with certificates mentions.
var (
	pemMention = []byte("-----BEGIN ")
	xmlMention = []byte("X509Certificate")
)

// encodedMentions are the base64 of pemMention, as Kubernetes keeps it: as far as that
// does not depend on what is before it, of which a group of four characters may
// hold one byte or two, and on what follows.
var encodedMentions = [...]struct {
	text   string
	common int // where commonMention is in it
	group  int // how much of its first group is before it
}{{"LS0tLS1CRUdJTi", 0, 0}, {"0tLS0tQkVHSU4g", 2, 2}, {"tLS0tLUJFR0lOI", 1, 3}}

var commonMention = []byte("LS0t")

// maxMention is how much of a mention, with what belongs to it, can be at the end of
// one chunk of a text and miss its last byte.
const maxMention = len("X509Certificate") + 1

func mentions(data []byte) bool {
	return bytes.Contains(data, pemMention) || bytes.Contains(data, xmlMention) || indexEncoded(data) >= 0
}

// indexEncoded finds the group of base64 in which one of the encodedMentions begins.
func indexEncoded(text []byte) int {
	for done := 0; ; {
		at := bytes.Index(text[done:], commonMention)
		if at < 0 {
			return -1
		}
		at += done
		done = at + 1
		for _, m := range encodedMentions {
			begin := at - m.common
			if group := begin - m.group; group >= 0 && bytes.HasPrefix(text[begin:], []byte(m.text)) && isBase64(text[group:begin]) {
				return group
			}
		}
	}
}
