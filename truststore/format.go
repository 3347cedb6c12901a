package truststore

import (
	"bytes"
	"errors"
	"iter"
	"slices"

	"github.com/go-pkioverheid/trust/truststore/internal/b64"
	"github.com/go-pkioverheid/trust/truststore/internal/ber"
	"github.com/go-pkioverheid/trust/truststore/internal/der"
	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/jks"
	"github.com/go-pkioverheid/trust/truststore/internal/keys"
	"github.com/go-pkioverheid/trust/truststore/internal/notcerts"
	"github.com/go-pkioverheid/trust/truststore/internal/pem"
	"github.com/go-pkioverheid/trust/truststore/internal/pkcs12"
	"github.com/go-pkioverheid/trust/truststore/internal/pkcs7"
	"github.com/go-pkioverheid/trust/truststore/internal/xmlcerts"
)

// Format is a form in which certificates are kept in files. The zero value is
// not one of them.
type Format string

const (
	// PEM is text with base64 between BEGIN and END lines, whatever the blocks
	// hold: certificates, OpenSSL's trusted certificates, PKCS#7.
	PEM Format = "PEM"

	// DER is one certificate in binary, or several one after the other.
	DER Format = "DER"

	// PKCS7 is the binary form of .p7b and .p7c files: certificates in the
	// envelope of a signature, with or without a signature.
	PKCS7 Format = "PKCS7"

	// PKCS12 is the form of .p12 and .pfx files and of Java's present key stores.
	PKCS12 Format = "PKCS12"

	// JKS is the former Java key store.
	JKS Format = "JKS"

	// XML is a document with ds:X509Certificate elements, such as SAML metadata.
	// It is read only.
	XML Format = "XML"

	// PKCS12Legacy is PKCS12 in the weak encryption of old (triple DES, SHA-1), for
	// readers that know no other: Java before July 2021, Windows Server 2016. It is
	// written only, and read as PKCS12.
	PKCS12Legacy Format = "PKCS12Legacy"
)

// form is a row of the table of formats.
type form struct {
	format  Format
	sniff   func(content) bool
	entries func([]byte, entry.Options) iter.Seq[entry.Entry]
	encode  func(s *Store, password string) ([]byte, error) // nil if it is read only
	java    bool                                            // it is written for Java, with a password
}

// forms are the formats, in the order in which they are looked for. Whatever ASN.1 is not
// one of those before DER is taken for a certificate, so that crypto/x509 says what is
// wrong with it.
var forms = []form{
	{
		format: JKS, java: true,
		sniff: func(c content) bool {
			return bytes.HasPrefix(c.data, []byte("\xfe\xed\xfe\xed")) || bytes.HasPrefix(c.data, []byte("\xce\xce\xce\xce")) // JCEKS
		},
		entries: jks.Entries,
		encode:  func(s *Store, password string) ([]byte, error) { return jks.Encode(s.aliases(), password) },
	},
	{
		format:  XML,
		sniff:   func(c content) bool { return c.text[0] == '<' }, // before PEM, which may be in a document
		entries: xmlcerts.Entries,
	},
	{
		// Private keys, which have no Format.
		sniff:   func(c content) bool { return c.body != nil && keys.FormOf(c.body) != 0 },
		entries: keys.Entries,
	},
	{
		format:  PKCS7,
		sniff:   func(c content) bool { return c.first == ber.OID },
		entries: pkcs7.Entries,
		encode:  func(s *Store, _ string) ([]byte, error) { return pkcs7.Encode(s.encodeDER()) },
	},
	{
		format: PKCS12, java: true,
		sniff:   func(c content) bool { return c.first == ber.Integer && c.second == ber.Sequence },
		entries: pkcs12.Entries,
		encode:  func(s *Store, password string) ([]byte, error) { return pkcs12.Encode(s.aliases(), password) },
	},
	{
		format: PKCS12Legacy, java: true,
		sniff:  func(content) bool { return false }, // it is read as PKCS12
		encode: func(s *Store, password string) ([]byte, error) { return pkcs12.EncodeLegacy(s.aliases(), password) },
	},
	{
		format:  DER,
		sniff:   func(c content) bool { return c.body != nil },
		entries: der.Entries,
		encode:  func(s *Store, _ string) ([]byte, error) { return s.encodeDER(), nil },
	},
	{
		format:  PEM,
		sniff:   func(c content) bool { return bytes.Contains(c.data, pemBegin) },
		entries: pem.Entries,
		encode:  func(s *Store, _ string) ([]byte, error) { return pem.Encode(s.All()), nil },
	},
}

// formOf returns the row of a format, or nil.
func formOf(f Format) *form {
	i := slices.IndexFunc(forms, func(row form) bool { return row.format == f })
	if f == "" || i < 0 {
		return nil
	}
	return &forms[i]
}

// Detect returns the format of data, by its content. That Decode can read it is not
// said. For base64 without BEGIN and END lines it is what that encodes. A private key is
// an error.
func Detect(data []byte) (Format, error) {
	f, _, err := sniff(data)
	if err == nil && f.format == "" {
		err = notcerts.ErrPrivateKey
	}
	if err != nil {
		return "", ours(err)
	}
	return f.format, nil
}

// content is what formats are recognised by.
type content struct {
	data []byte // without a byte order mark
	text []byte // without white space at its beginning
	sequence
}

// sequence is the outer element of ASN.1.
type sequence struct {
	body          []byte // its content, never nil
	first, second byte   // the tags of its first elements
}

var pemBegin = []byte("-----BEGIN")

// sniff returns the form of data, and data without a byte order mark or, for base64
// without armour, what it encodes.
func sniff(data []byte) (*form, []byte, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	c := content{data: data, text: bytes.TrimLeft(data, " \t\r\n")}
	if len(c.text) == 0 {
		return nil, nil, errors.New("there is nothing in it: it is empty")
	}
	for _, begin := range []string{"\xff\xfe", "\xfe\xff", "<\x00", "\x00<"} {
		if bytes.HasPrefix(data, []byte(begin)) {
			return nil, nil, errUTF16
		}
	}
	if err := notcerts.Binary(data); err != nil {
		return nil, nil, err
	}
	if c.text[0] == '<' {
		if err := notcerts.Page(c.text); err != nil {
			return nil, nil, err
		}
	}
	// A sequence begins with 0x30, and so does text that begins with a zero.
	if data[0] == ber.Sequence {
		if binary := isBinary(data); binary || !bytes.Contains(data, pemBegin) {
			var err error
			if c.sequence, err = enter(data); err != nil && binary {
				return nil, nil, err
			}
		}
	}
	if f := c.form(); f != nil {
		return f, data, nil
	}
	// PEM without its first and last line, as some portals deliver it. Base64
	// of anything that begins with a sequence begins with an M.
	if c.text[0] == 'M' {
		if der, err := b64.Decode(data); err == nil && der[0] == ber.Sequence {
			c := content{data: der, text: der}
			if c.sequence, err = enter(der); err != nil {
				return nil, nil, err
			}
			return c.form(), der, nil
		}
	}
	return nil, nil, notcerts.Text(c.text)
}

var errUTF16 = errors.New("this is text in UTF-16: save it as UTF-8 or ASCII")

// form returns the first form that fits.
func (c content) form() *form {
	for i := range forms {
		if forms[i].sniff(c) {
			return &forms[i]
		}
	}
	return nil
}

// enter looks into the outer sequence. It is an error if that holds neither certificates
// nor keys.
func enter(data []byte) (a sequence, err error) {
	h, err := ber.ReadHeader(data)
	if err != nil {
		return sequence{}, err
	}
	_, body, _ := ber.Cut(data)
	if err := notcerts.ASN1(body); err != nil {
		return sequence{}, err
	}
	a.body = data[h.Size : h.Size+len(body)]
	var rest []byte
	a.first, _, rest = ber.Cut(body)
	a.second, _, _ = ber.Cut(rest)
	return a, nil
}

// isBinary reports whether there are bytes at the start of data that no text has.
func isBinary(data []byte) bool {
	return bytes.ContainsFunc(data[:min(len(data), 512)], func(r rune) bool {
		return r == '\ufffd' || r < ' ' && r != '\t' && r != '\n' && r != '\r'
	})
}
