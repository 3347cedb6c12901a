package truststore

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Format is a form in which certificates are kept in files. The zero value is
// no format.
type Format uint8

const (
	// PEM is text with base64 between BEGIN and END lines, whatever the blocks
	// hold: certificates, OpenSSL's trusted certificates, PKCS#7.
	PEM Format = iota + 1

	// DER is one certificate in binary, or several one after the other.
	DER

	// PKCS7 is the binary form of .p7b and .p7c files: certificates in the
	// envelope of a signature, with or without a signature.
	PKCS7

	// PKCS12 is the form of .p12 and .pfx files and of Java's present key stores.
	PKCS12

	// JKS is the former Java key store.
	JKS

	// XML is a document with ds:X509Certificate elements, such as SAML metadata.
	// It is read only.
	XML
)

var formatNames = [...]string{PEM: "PEM", DER: "DER", PKCS7: "PKCS7", PKCS12: "PKCS12", JKS: "JKS", XML: "XML"}

// String returns the name of the constant; for other values "Format(N)".
func (f Format) String() string {
	if f < PEM || f > XML {
		return "Format(" + strconv.Itoa(int(f)) + ")"
	}
	return formatNames[f]
}

// ParseFormat takes what String returns, in upper or lower case, and the usual
// file extensions of the formats with or without a dot: pem, crt, der, p7b, p7c,
// p12, pfx, jks, xml. The extension cer is none of them: it is used for PEM and
// for DER. To read a file, its format need not be known.
func ParseFormat(s string) (Format, error) {
	switch strings.ToLower(strings.TrimPrefix(s, ".")) {
	case "pem", "crt":
		return PEM, nil
	case "der":
		return DER, nil
	case "pkcs7", "p7b", "p7c":
		return PKCS7, nil
	case "pkcs12", "p12", "pfx":
		return PKCS12, nil
	case "jks":
		return JKS, nil
	case "xml":
		return XML, nil
	}
	return 0, fmt.Errorf("truststore: unknown format %s: want PEM, DER, PKCS7, PKCS12, JKS or XML", strconv.Quote(shorten(s, 40)))
}

// Detect tells the format of data from its content. It looks at the beginning
// only: that Decode can read the data is not said. Base64 without BEGIN and END
// lines is reported as what it encodes. Private keys are no Format and an error.
func Detect(data []byte) (Format, error) {
	k, _, err := sniff(data)
	if err == nil && k.isKey() {
		err = errPrivateKey
	}
	if err != nil {
		return 0, fmt.Errorf("truststore: %w", err)
	}
	return k.format(), nil
}

// kind is what data is, in more detail than Format.
type kind uint8

const (
	kindPEM kind = iota + 1
	kindDER
	kindPKCS7
	kindPKCS12
	kindJKS
	kindXML
	kindPKCS8
	kindEncryptedPKCS8
	kindPKCS1
	kindSEC1
)

func (k kind) isKey() bool { return k >= kindPKCS8 }

func (k kind) format() Format {
	switch k {
	case kindPEM:
		return PEM
	case kindDER:
		return DER
	case kindPKCS7:
		return PKCS7
	case kindPKCS12:
		return PKCS12
	case kindJKS:
		return JKS
	case kindXML:
		return XML
	}
	return 0
}

// sniff returns what data is, and data without a byte order mark or, for base64
// without armour, what it encodes.
func sniff(data []byte) (kind, []byte, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case len(text) == 0:
		return 0, nil, errors.New("there is nothing in it: it is empty")
	case bytes.HasPrefix(data, []byte("\xfe\xed\xfe\xed")):
		return kindJKS, data, nil
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return 0, nil, errUTF16
	}
	if err := otherBinary(data); err != nil {
		return 0, nil, err
	}
	if bytes.HasPrefix(data, []byte("<\x00")) || bytes.HasPrefix(data, []byte("\x00<")) {
		return 0, nil, errUTF16
	}
	if text[0] == '<' { // before PEM, which may stand in a page or a document
		if start := bytes.ToLower(text[:min(len(text), 512)]); bytes.Contains(start, []byte("<html")) || bytes.HasPrefix(start, []byte("<!doctype html")) {
			return 0, nil, errHTML
		}
		return kindXML, data, nil
	}
	isPEM := bytes.Contains(data, pemBegin)
	// A sequence begins with 0x30, and so does text that begins with a zero.
	if data[0] == tagSequence && (isBinary(data) || !isPEM) {
		k, err := sniffASN1(data)
		if err == nil || isBinary(data) {
			return k, data, err
		}
	}
	if isPEM {
		return kindPEM, data, nil
	}
	// PEM without its first and last line, as some portals deliver it. Base64
	// of anything that begins with a sequence begins with an M.
	if text[0] == 'M' {
		if der, err := decodeBase64(data); err == nil && der[0] == tagSequence {
			k, err := sniffASN1(der)
			return k, der, err
		}
	}
	return 0, nil, otherText(text)
}

var errUTF16 = errors.New("this is text in UTF-16: save it as UTF-8 or ASCII")

// isBinary reports whether there are bytes at the start of data that no text has.
func isBinary(data []byte) bool {
	return bytes.ContainsFunc(data[:min(len(data), 512)], func(r rune) bool {
		return r == '\ufffd' || r < ' ' && r != '\t' && r != '\n' && r != '\r'
	})
}

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
)

// sniffASN1 tells the kinds apart by the first two or three elements in the
// outer sequence, and other things by a few more. What it does not know it takes for a certificate, so that
// crypto/x509 says what is wrong with it.
func sniffASN1(data []byte) (kind, error) {
	outer, err := readASN1Header(data)
	if err != nil {
		return 0, err
	}
	body := data[outer.size:]
	if outer.length != indefinite {
		body = body[:outer.length]
	}
	if err := otherASN1(body); err != nil {
		return 0, err
	}
	first, firstBody, rest := cutASN1(body)
	second, secondBody, third := cutASN1(rest)
	switch first {
	case 0x06: // ContentInfo
		return kindPKCS7, nil
	case 0x02:
		if second == 0x04 {
			return kindSEC1, nil
		}
		if second == 0x02 {
			return kindPKCS1, nil
		}
		if second != tagSequence {
			break
		}
		// PrivateKeyInfo has version 0 or 1, an algorithm and an octet string;
		// PFX has version 3 and a ContentInfo, perhaps of indefinite length.
		if tag, _, _ := cutASN1(third); tag == 0x04 && len(firstBody) == 1 && firstBody[0] < 3 {
			return kindPKCS8, nil
		}
		return kindPKCS12, nil
	case tagSequence:
		if tag, _, _ := cutASN1(firstBody); tag == 0x06 && second == 0x04 && len(secondBody) > 0 {
			return kindEncryptedPKCS8, nil
		}
	}
	return kindDER, nil
}

// cutASN1 returns the tag and content of the first element of data and what
// follows it. For what it cannot read the tag is zero, and the content of an
// element of indefinite length is all that follows.
func cutASN1(data []byte) (tag byte, content, rest []byte) {
	h, err := readASN1Header(data)
	if err != nil {
		return 0, nil, nil
	}
	if h.length == indefinite {
		return h.tag, data[h.size:], nil
	}
	return h.tag, data[h.size : h.size+h.length], data[h.size+h.length:]
}
