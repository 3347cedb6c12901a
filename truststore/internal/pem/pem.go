// Package pem reads and writes PEM: certificates, OpenSSL's trusted certificates, PKCS#7
// and private keys.
package pem

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	library "encoding/pem"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/go-pkioverheid/trust/truststore/internal/b64"
	"github.com/go-pkioverheid/trust/truststore/internal/ber"
	"github.com/go-pkioverheid/trust/truststore/internal/entry"
	"github.com/go-pkioverheid/trust/truststore/internal/keys"
	"github.com/go-pkioverheid/trust/truststore/internal/notcerts"
	"github.com/go-pkioverheid/trust/truststore/internal/pbe"
	"github.com/go-pkioverheid/trust/truststore/internal/pkcs12"
	"github.com/go-pkioverheid/trust/truststore/internal/pkcs7"
	"github.com/go-pkioverheid/trust/truststore/internal/purposes"
	"github.com/go-pkioverheid/trust/truststore/safetext"
)

// Entries yields what the blocks hold.
func Entries(text []byte, o entry.Options) iter.Seq[entry.Entry] {
	return func(yield func(entry.Entry) bool) {
		r := newReader(text)
		for more := true; more; {
			b, err := r.next()
			if b == nil {
				return
			}
			e := entry.Entry{Kind: kindOf(b.kind), Number: b.number, Line: b.line, Offset: b.offset, Label: b.kind, Err: err}
			if err == nil {
				e.Place = place
				more = b.entries(e, o, yield)
			} else {
				more = yield(e)
			}
		}
	}
}

func place(e entry.Entry) string {
	where := block{number: e.Number, line: e.Line, offset: e.Offset, kind: e.Label}.String()
	switch {
	case e.Position > 0 && e.Label == pkcs12Label:
		where += fmt.Sprintf(": certificate %d in the PKCS#12", e.Position)
	case e.Position > 0:
		where += fmt.Sprintf(": certificate %d in the PKCS#7", e.Position)
	}
	return where
}

// pkcs12Label is that of certtool, of GnuTLS.
const pkcs12Label = "PKCS12"

// kindOf says what a block holds by its label.
func kindOf(label string) entry.Kind {
	switch label {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "PKCS #7 SIGNED DATA", "CMS", pkcs12Label:
		return entry.Plain
	case "X509 CRL":
		return entry.CRL
	}
	if strings.HasSuffix(label, "PRIVATE KEY") {
		return entry.PrivateKey
	}
	return entry.Unknown
}

// entries yields what a whole block holds; e says where it is.
func (b *block) entries(e entry.Entry, o entry.Options, yield func(entry.Entry) bool) bool {
	switch e.Kind {
	case entry.CRL:
		return yield(e)
	case entry.PrivateKey:
		e.Key = func() (crypto.Signer, error) { return b.key(o) }
		return yield(e)
	case entry.Unknown:
		e.Kind, e.Err = entry.Other, notcerts.Block(b.kind)
		return yield(e)
	}
	der, err := b.der()
	switch {
	case err != nil:
		e.Err = err
	case b.kind == "TRUSTED CERTIFICATE":
		e = trusted(e, der)
	case (b.kind == "CERTIFICATE" || b.kind == "X509 CERTIFICATE") && !isPKCS7(der):
		e.DER = der
	default:
		read := pkcs7.Entries // Java reads it under any label
		if b.kind == pkcs12Label {
			read = pkcs12.Entries
		}
		for in := range read(der, o) {
			in.Line, in.Offset, in.Label = e.Line, e.Offset, e.Label
			in.Position, in.Number, in.Place = in.Number, e.Number, place
			if in.Kind == entry.PrivateKey {
				in.Position = 0
			}
			if in.Kind == entry.Unknown {
				in.Kind = e.Kind
			}
			if !yield(in) {
				return false
			}
		}
		return true
	}
	return yield(e)
}

// isPKCS7 reports whether DER or BER begins with an object identifier, as no certificate does.
func isPKCS7(der []byte) bool {
	_, body, _ := ber.Cut(der)
	first, _, _ := ber.Cut(body)
	return first == ber.OID
}

// trusted reads a certificate and what OpenSSL appends to it: what it is trusted for.
func trusted(e entry.Entry, der []byte) entry.Entry {
	h, err := ber.ReadHeader(der)
	if err == nil && h.Length == ber.Indefinite {
		err = entry.ErrNoLength
	}
	if err != nil {
		e.Err = err
		return e
	}
	end := h.Size + h.Length
	p, err := purposes.ReadCertAux(der[end:])
	e.Kind, e.DER, e.Restriction, e.Err = entry.Trusted, der[:end], p.Restriction(), err
	if e.Restriction != "" {
		e.Kind = entry.Restricted
	}
	return e
}

// key returns the private key in the block. The label of the block is not relied
// upon: it is often wrong, and the content says the same.
func (b *block) key(o entry.Options) (crypto.Signer, error) {
	switch b.kind {
	case "OPENSSH PRIVATE KEY":
		return nil, errors.New("keys in the form of OpenSSH are not supported: convert it with ssh-keygen -p -m PKCS8")
	case "DSA PRIVATE KEY":
		return nil, errors.New("DSA keys are not supported: TLS has no use for them")
	}
	headers, text, err := b.headers()
	if err != nil {
		return nil, err
	}
	der, err := b64.Decode(text)
	if err != nil {
		return nil, err
	}
	if headers["DEK-Info"] != "" {
		if len(der) > keys.MaxKey {
			return nil, keys.ErrLarge
		}
		if err := pbe.Approved("MD5"); err != nil {
			return nil, err
		}
		//lint:ignore SA1019 this encryption is weak, and writing it would be wrong, but old key files have it
		der, err = x509.DecryptPEMBlock(&library.Block{Type: b.kind, Headers: headers, Bytes: der}, []byte(o.Password))
		if errors.Is(err, x509.IncorrectPasswordError) || err == nil && !keys.IsOneSequence(der) {
			return nil, pbe.NewSecret(o.Password).BlameNone(pbe.ErrWrong)
		}
		if err != nil {
			return nil, err
		}
	}
	return keys.Parse(der, o)
}

// Encode writes the certificates, each after a line that names it. encoding/pem takes as
// long for one as all of this, the line included.
func Encode(certs iter.Seq[*x509.Certificate]) []byte {
	size := 0
	for cert := range certs {
		size += 300 + len(cert.Raw)*65/48 // more where a subject is long
	}
	out := make([]byte, 0, size)
	for cert := range certs {
		out = appendComment(out, cert)
		out = append(out, "-----BEGIN CERTIFICATE-----\n"...)
		for raw := cert.Raw; len(raw) > 0; {
			n := min(len(raw), 48) // which are 64 characters
			out = append(base64.StdEncoding.AppendEncode(out, raw[:n]), '\n')
			raw = raw[n:]
		}
		out = append(out, "-----END CERTIFICATE-----\n"...)
	}
	return out
}

// appendComment writes one line, whatever the subject is: certificates come from
// anybody, and the text of this line is not to become a block of its own.
func appendComment(out []byte, cert *x509.Certificate) []byte {
	subject := safetext.Printable(safetext.Name(cert.Subject, safetext.MostDN), 2*safetext.MostDN)
	subject = strings.ReplaceAll(subject, "--", `-\x2d`) // five of them begin a block
	out = append(append(out, "# "...), subject...)
	out = cert.NotAfter.UTC().AppendFormat(append(out, " | expires "...), "2006-01-02")
	sum := sha256.Sum256(cert.Raw)
	return append(hex.AppendEncode(append(out, " | SHA-256 "...), sum[:]), '\n')
}
