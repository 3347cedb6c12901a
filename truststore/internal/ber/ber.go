// Package ber measures and rewrites ASN.1 in BER before anything else reads it.
package ber

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// What a file may ask of the parsers that come after Walk. Real PKCS#7 and PKCS#12
// files nest about fifteen deep; a certificate in them has some 150 elements.
const (
	MaxDepth    = 32
	maxElements = 1 << 22
)

// Tags: the first byte of an element.
const (
	Integer     = 0x02
	OctetString = 0x04
	OID         = 0x06
	Sequence    = 0x30
	constructed = 0x20
)

// Header is what comes before the content of a BER element.
type Header struct {
	Tag    byte // the first byte: class, constructed, number
	Size   int  // of the header itself
	Length int  // of the content; Indefinite if it ends with two zero bytes
}

// Indefinite is the length of an element that ends with two zero bytes.
const Indefinite = -1

// Constructed reports whether the content consists of elements.
func (h Header) Constructed() bool { return h.Tag&constructed != 0 }

var errTruncated = errors.New("it ends in the middle: the file is cut off or damaged")

// ReadHeader reads the header at the start of data and checks that the
// content fits into what follows.
func ReadHeader(data []byte) (h Header, err error) {
	if len(data) < 2 {
		return h, errTruncated
	}
	h.Tag = data[0]
	at := 1
	if h.Tag&0x1f == 0x1f { // the number follows, seven bits a byte
		for {
			if at == len(data) {
				return h, errTruncated
			}
			at++
			if data[at-1] < 0x80 {
				break
			}
			if at > 4 {
				return h, errors.New("an ASN.1 tag number is too large")
			}
		}
	}
	if at == len(data) {
		return h, errTruncated
	}
	first := data[at]
	at++
	switch {
	case first < 0x80:
		h.Length = int(first)
	case first == 0x80:
		if !h.Constructed() {
			return h, errors.New("an ASN.1 value has no length")
		}
		h.Length = Indefinite
	default:
		n := int(first & 0x7f)
		if n > 4 {
			return h, errors.New("an ASN.1 length is beyond reason")
		}
		if len(data)-at < n {
			return h, errTruncated
		}
		var length uint64
		for _, b := range data[at : at+n] {
			length = length<<8 | uint64(b)
		}
		at += n
		if length > uint64(len(data)-at) {
			return h, fmt.Errorf("an ASN.1 element says that it has %d bytes, but %d follow: the file is cut off or damaged", length, len(data)-at)
		}
		h.Length = int(length)
	}
	if h.Length > len(data)-at {
		return h, fmt.Errorf("an ASN.1 element says that it has %d bytes, but %d follow: the file is cut off or damaged", h.Length, len(data)-at)
	}
	h.Size = at
	return h, nil
}

// maxOID is in bytes; those that are used have some ten.
const maxOID = 64

// ReadOID reads an object identifier, of which encoding/asn1 and error messages
// make many times its size.
func ReadOID(in *cryptobyte.String, oid *asn1.ObjectIdentifier) bool {
	var content cryptobyte.String
	ahead := *in
	return ahead.ReadASN1(&content, cbasn1.OBJECT_IDENTIFIER) && len(content) <= maxOID && in.ReadASN1ObjectIdentifier(oid)
}

// ReadAlgorithm reads an AlgorithmIdentifier; params is what follows the object
// identifier in it.
func ReadAlgorithm(in *cryptobyte.String, oid *asn1.ObjectIdentifier, params *cryptobyte.String) bool {
	return in.ReadASN1(params, cbasn1.SEQUENCE) && ReadOID(params, oid)
}

// Walk measures the BER element at the start of data, with everything in
// it, before anything else looks into it: the depth, the number of elements, and
// each length against what surrounds it. It neither recurses nor allocates by
// what the input says. It returns the size of the element and whether there are
// forms in it that BER has and DER has not (see DER).
func Walk(data []byte) (size int, ber bool, err error) {
	var ends [MaxDepth]int // of the open elements
	depth, at := 0, 0
	for elements := 1; ; elements++ {
		if elements > maxElements {
			return 0, false, fmt.Errorf("it has more than %d ASN.1 elements", maxElements)
		}
		limit := len(data)
		for i := depth - 1; i >= 0; i-- {
			if ends[i] != Indefinite {
				limit = ends[i]
				break
			}
		}
		h, err := ReadHeader(data[at:limit])
		if err != nil {
			return 0, false, fmt.Errorf("at byte %d: %w", at, err)
		}
		at += h.Size
		switch {
		case h.Tag == 0 && depth > 0 && ends[depth-1] == Indefinite:
			if h.Length != 0 {
				return 0, false, fmt.Errorf("at byte %d: an ASN.1 end mark has content", at)
			}
			depth--
		case h.Constructed():
			if depth == MaxDepth {
				return 0, false, fmt.Errorf("at byte %d: more than %d ASN.1 elements inside one another", at, MaxDepth)
			}
			ber = ber || h.Length == Indefinite || h.Tag == OctetString|constructed
			ends[depth] = Indefinite
			if h.Length != Indefinite {
				ends[depth] = at + h.Length
			}
			depth++
		default:
			at += h.Length
		}
		for depth > 0 && ends[depth-1] == at {
			depth--
		}
		if depth == 0 {
			return at, ber, nil
		}
	}
}

// DER walks the element at the start of data and returns it with definite
// lengths and unbroken octet strings, as DER wants them, and what follows it.
// Old CAs' .p7b files and some writers of PKCS#12 use those two liberties of
// BER. Parts without them, such as certificates, keep their bytes: they are
// signed. An element without them is returned as it is, not copied.
func DER(data []byte) (der, rest []byte, err error) {
	size, ber, err := Walk(data)
	if err != nil {
		return nil, nil, err
	}
	if !ber {
		return data[:size], data[size:], nil
	}
	der, _, err = appendDER(make([]byte, 0, size), data[:size])
	return der, data[size:], err
}

// appendDER appends the first element of data to out, as DER, and returns what
// follows it. Walk has bounded the depth to which it recurses.
func appendDER(out, data []byte) (_, rest []byte, err error) {
	h, err := ReadHeader(data)
	if err != nil {
		return nil, nil, err
	}
	size, ber, err := Walk(data)
	if err != nil {
		return nil, nil, err
	}
	if !ber {
		return append(out, data[:size]...), data[size:], nil
	}
	content, rest := data[h.Size:size], data[size:]
	if h.Length == Indefinite {
		content = content[:len(content)-2]
	}
	// The length is known once the content is there, and inserted before it: a
	// buffer for each depth would multiply a large file.
	divided := h.Tag == OctetString|constructed
	if divided {
		out = append(out, OctetString)
	} else {
		out = append(out, data[:tagSize(data)]...)
	}
	start := len(out)
	if divided {
		out, err = AppendOctets(out, content)
	}
	for !divided && err == nil && len(content) > 0 {
		out, content, err = appendDER(out, content)
	}
	if err != nil {
		return nil, nil, err
	}
	return slices.Insert(out, start, AppendLength(nil, len(out)-start)...), rest, nil
}

// AppendOctets appends what the octet strings in content hold.
func AppendOctets(out, content []byte) ([]byte, error) {
	for len(content) > 0 {
		h, err := ReadHeader(content)
		if err != nil {
			return nil, err
		}
		size, _, err := Walk(content)
		if err != nil {
			return nil, err
		}
		body := content[h.Size:size]
		switch h.Tag {
		case OctetString:
			out = append(out, body...)
		case OctetString | constructed:
			if h.Length == Indefinite {
				body = body[:len(body)-2]
			}
			if out, err = AppendOctets(out, body); err != nil {
				return nil, err
			}
		default:
			return nil, errors.New("a divided octet string has something else in it")
		}
		content = content[size:]
	}
	return out, nil
}

// Only returns the one element of data as DER does. What may follow it is what End
// permits; what names the file in the error for anything else.
func Only(data []byte, what string) ([]byte, error) {
	der, rest, err := DER(data)
	if err != nil {
		return nil, err
	}
	if err := End(rest, what); err != nil {
		return nil, err
	}
	return der, nil
}

// End checks what follows the end of a file: white space, and zero bytes, with which files
// that were exported on Windows are filled up.
func End(rest []byte, what string) error {
	if !IsPadding(rest) {
		return fmt.Errorf("%d bytes follow the end of the %s: the file is damaged, or two files in one", len(rest), what)
	}
	return nil
}

// IsPadding reports whether there is nothing but white space and zero bytes.
func IsPadding(rest []byte) bool { return len(bytes.TrimLeft(rest, "\x00\r\n\t ")) == 0 }

// Cut returns the tag and content of the first element of data and what follows it. For
// what it cannot read the tag is zero, and the content of an element of indefinite
// length is all that follows.
func Cut(data []byte) (tag byte, content, rest []byte) {
	h, err := ReadHeader(data)
	if err != nil {
		return 0, nil, nil
	}
	if h.Length == Indefinite {
		return h.Tag, data[h.Size:], nil
	}
	return h.Tag, data[h.Size : h.Size+h.Length], data[h.Size+h.Length:]
}

func tagSize(data []byte) int {
	if data[0]&0x1f != 0x1f {
		return 1
	}
	n := 2
	for data[n-1] >= 0x80 {
		n++
	}
	return n
}

// AppendLength appends a definite length.
func AppendLength(out []byte, n int) []byte {
	if n < 0x80 {
		return append(out, byte(n))
	}
	bytes := 1
	for m := n >> 8; m > 0; m >>= 8 {
		bytes++
	}
	out = append(out, 0x80|byte(bytes))
	for i := bytes - 1; i >= 0; i-- {
		out = append(out, byte(n>>(8*i)))
	}
	return out
}
